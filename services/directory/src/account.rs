//! Accounts: one server holds many. An account's record is the epoch of its root.

use reeve_evaluator::is_account_id;
use reeve_proto::store::v1::AccountRecord;
use reeve_storage::Transaction;

use crate::listing::Page;
use crate::{Directory, Error, Result, part, tables};

/// How many of each an account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountCounts {
    /// Users.
    pub users: i64,
    /// Groups.
    pub groups: i64,
    /// Roles.
    pub roles: i64,
    /// Managed policies.
    pub policies: i64,
    /// MFA devices.
    pub mfa_devices: i64,
    /// OpenID Connect providers.
    pub oidc_providers: i64,
    /// MFA devices that are somebody's.
    pub mfa_devices_in_use: i64,
    /// The root has an access key.
    pub root_has_access_key: bool,
    /// The root has an MFA device.
    pub root_has_mfa_device: bool,
    /// The root has a password.
    pub root_has_password: bool,
}

part! {
    /// The accounts of the server.
    Accounts
}

/// The record of an account.
pub async fn find(transaction: &mut Transaction, account_id: &str) -> Result<Option<AccountRecord>> {
    Ok(tables::ACCOUNTS.get(transaction, &(account_id.to_owned(),)).await?)
}

impl Accounts<'_, '_> {
    /// Creates an account.
    ///
    /// # Errors
    /// `EntityAlreadyExists`; `InvalidInput` for what is not twelve digits.
    pub async fn create(&mut self, account_id: &str) -> Result<AccountRecord> {
        if !is_account_id(account_id) {
            return Err(Error::invalid_input("An account id is twelve digits."));
        }
        if find(self.0.transaction, account_id).await?.is_some() {
            return Err(Error::entity_already_exists(format!("Account {account_id} already exists.")));
        }
        let record = AccountRecord { account_id: account_id.to_owned(), create_date: self.0.now };
        put(self.0, &record).await?;
        Ok(record)
    }

    /// The record of an account.
    pub async fn get(&mut self, account_id: &str) -> Result<Option<AccountRecord>> {
        find(self.0.transaction, account_id).await
    }

    /// What the directory's account holds. Others may be changing it: it proves nothing.
    pub async fn counts(&mut self) -> Result<AccountCounts> {
        let account = (self.0.account.to_owned(),);
        let under = self.0.under(self.0.account);
        let transaction = &mut *self.0.transaction;
        let keys = tables::PRINCIPAL_ACCESS_KEYS.scan(transaction, &under, None, 1).await?;
        // A mark is a few bytes, and there are at most eight a user.
        let in_use = tables::PRINCIPAL_MFA_DEVICES.scan(transaction, &account, None, usize::MAX).await?;
        Ok(AccountCounts {
            users: tables::USERS_COUNT.get(transaction, &account).await?,
            groups: tables::GROUPS_COUNT.get(transaction, &account).await?,
            roles: tables::ROLES_COUNT.get(transaction, &account).await?,
            policies: tables::POLICIES_COUNT.get(transaction, &account).await?,
            oidc_providers: tables::OIDC_PROVIDERS_COUNT.get(transaction, &account).await?,
            mfa_devices: tables::MFA_DEVICES_COUNT.get(transaction, &account).await?,
            mfa_devices_in_use: i64::try_from(in_use.len()).unwrap_or(i64::MAX),
            root_has_access_key: !keys.is_empty(),
            root_has_mfa_device: in_use.iter().any(|((_, owner, _), _)| *owner == account.0),
            root_has_password: tables::LOGIN_PROFILES.get(transaction, &under).await?.is_some(),
        })
    }

    /// The accounts, in the order of their ids.
    pub async fn list(&mut self, after: Option<&str>, limit: usize) -> Result<Page<AccountRecord>> {
        let after = after.map(|after| (after.to_owned(),));
        let asked = limit.saturating_add(1);
        let found = tables::ACCOUNTS.scan(self.0.transaction, &(), after.as_ref(), asked).await?;
        let records = found.into_iter().map(|(_, record)| record).collect();
        Ok(Page::of_all(records, |record: &AccountRecord| record.account_id.clone(), None, limit))
    }
}

/// The account that the directory is of.
pub(crate) async fn existing(directory: &mut Directory<'_>) -> Result<AccountRecord> {
    let account = directory.account;
    let found = find(directory.transaction, account).await?;
    found.ok_or_else(|| Error::no_such_entity(format!("The account {account} cannot be found.")))
}

/// Writes an account's record, changed or not: what hangs on its root changes.
pub(crate) async fn put(directory: &mut Directory<'_>, record: &AccountRecord) -> Result<()> {
    let key = (record.account_id.clone(),);
    Ok(tables::ACCOUNTS.put(directory.transaction, &key, record).await?)
}
