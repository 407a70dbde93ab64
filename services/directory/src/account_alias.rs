//! Account aliases: the name by which people know an account. An account has at most one, and no two have the same.

use reeve_proto::store::v1::{AccountAliasRecord, AliasedAccountRecord};
use reeve_storage::Transaction;

use crate::{Error, Result, part, tables};

part! {
    /// The alias of an account.
    AccountAliases
}

/// The account that an alias means; none when it means none.
pub async fn find(transaction: &mut Transaction, alias: &str) -> Result<Option<String>> {
    let found = tables::ALIASED_ACCOUNTS.get(transaction, &(alias.to_owned(),)).await?;
    Ok(found.map(|found| found.account_id))
}

impl AccountAliases<'_, '_> {
    /// The account's alias, if it has one.
    pub async fn get(&mut self) -> Result<Option<String>> {
        let key = (self.0.account.to_owned(),);
        Ok(tables::ACCOUNT_ALIASES.get(self.0.transaction, &key).await?.map(|record| record.alias))
    }

    /// Gives the account an alias, in place of the one that it may have.
    ///
    /// # Errors
    /// `EntityAlreadyExists` when an account has it, this one included.
    pub async fn create(&mut self, alias: &str) -> Result<()> {
        if find(self.0.transaction, alias).await?.is_some() {
            let message = format!("The account alias {alias} already exists.");
            return Err(Error::entity_already_exists(message));
        }
        if let Some(old) = self.get().await? {
            tables::ALIASED_ACCOUNTS.delete(self.0.transaction, &(old,)).await?;
        }
        let account_id = self.0.account.to_owned();
        let record = AccountAliasRecord { alias: alias.to_owned() };
        tables::ACCOUNT_ALIASES.put(self.0.transaction, &(account_id.clone(),), &record).await?;
        let record = AliasedAccountRecord { account_id };
        Ok(tables::ALIASED_ACCOUNTS.put(self.0.transaction, &(alias.to_owned(),), &record).await?)
    }

    /// Takes the account's alias away.
    ///
    /// # Errors
    /// `NoSuchEntity` when the account has no such alias.
    pub async fn delete(&mut self, alias: &str) -> Result<()> {
        if self.get().await?.as_deref() != Some(alias) {
            let message = format!("The Account Alias with name {alias} cannot be found.");
            return Err(Error::no_such_entity(message));
        }
        let account = (self.0.account.to_owned(),);
        tables::ACCOUNT_ALIASES.delete(self.0.transaction, &account).await?;
        Ok(tables::ALIASED_ACCOUNTS.delete(self.0.transaction, &(alias.to_owned(),)).await?)
    }
}
