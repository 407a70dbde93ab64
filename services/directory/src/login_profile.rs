//! Login profiles: the passwords of users and of an account's root, as sealed hashes, and those that came before. What
//! hashes and seals is above; here only what is kept, and for how long.

use reeve_proto::store::v1::{LoginProfileRecord, PasswordHistoryRecord};
use reeve_storage::Transaction;

use crate::owner::OwnerRecord;
use crate::password_policy::REUSE_PREVENTION_MAX;
use crate::{Error, Result, id, part, tables};

/// Earlier passwords that are kept. With the present one there are as many as a password policy can look back on.
const EARLIER_PASSWORDS_MAX: usize = REUSE_PREVENTION_MAX - 1;

part! {
    /// The passwords of an account's users and of its root.
    LoginProfiles
}

/// The password of a principal's unique id in an account. The transaction rests on the answer.
pub async fn find(
    transaction: &mut Transaction,
    account: &str,
    principal_id: &str,
) -> Result<Option<LoginProfileRecord>> {
    let key = (account.to_owned(), principal_id.to_owned());
    Ok(tables::LOGIN_PROFILES.get(transaction, &key).await?)
}

impl LoginProfiles<'_, '_> {
    /// The password of an owner.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(&mut self, owner: &OwnerRecord) -> Result<LoginProfileRecord> {
        self.find(owner.id()).await?.ok_or_else(|| {
            let name = owner.user_name().unwrap_or(owner.id());
            Error::no_such_entity(format!("Login Profile for User {name} cannot be found."))
        })
    }

    /// The password of a user's unique id, or of root's account id.
    pub async fn find(&mut self, principal_id: &str) -> Result<Option<LoginProfileRecord>> {
        find(self.0.transaction, self.0.account, principal_id).await
    }

    /// Refuses an owner that has a password.
    ///
    /// # Errors
    /// `EntityAlreadyExists`.
    pub async fn must_be_free(&mut self, owner: &OwnerRecord) -> Result<()> {
        if self.find(owner.id()).await?.is_none() {
            return Ok(());
        }
        let name = owner.user_name().unwrap_or(owner.id());
        Err(Error::entity_already_exists(format!("Login Profile for user {name} already exists.")))
    }

    /// The sealed hashes of the owner's last passwords, at most `count`, the newest first and the present one among them.
    pub async fn last_hashes(&mut self, principal_id: &str, count: usize) -> Result<Vec<Vec<u8>>> {
        let present = self.find(principal_id).await?.map(|profile| profile.sealed_hash);
        let key = self.0.key(principal_id);
        let earlier = tables::PASSWORD_HISTORIES.get(self.0.transaction, &key).await?.unwrap_or_default();
        Ok(present.into_iter().chain(earlier.sealed_hashes).take(count).collect())
    }

    /// Gives an owner a password, in place of the one that it may have.
    pub async fn set(
        &mut self,
        principal_id: &str,
        sealed_hash: Vec<u8>,
        reset_required: bool,
    ) -> Result<LoginProfileRecord> {
        let now = self.0.now;
        let present = self.find(principal_id).await?;
        let create_date = present.as_ref().map_or(now, |profile| profile.create_date);
        let profile_id =
            present.as_ref().map_or_else(|| id::drawn(self.0.random), |profile| profile.profile_id);
        if let Some(present) = present {
            self.remember(present).await?;
        }
        let profile = LoginProfileRecord {
            principal_id: principal_id.to_owned(),
            create_date,
            password_date: now,
            reset_required,
            sealed_hash,
            profile_id,
        };
        self.put(&profile).await?;
        Ok(profile)
    }

    /// Writes a record whose password is the same: hashed anew, or to be changed.
    pub async fn put(&mut self, profile: &LoginProfileRecord) -> Result<()> {
        let key = self.0.key(&profile.principal_id);
        Ok(tables::LOGIN_PROFILES.put(self.0.transaction, &key, profile).await?)
    }

    /// Takes the owner's password away. It still counts among the last ones, so that deleting one is no way to keep it.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete(&mut self, owner: &OwnerRecord) -> Result<()> {
        let profile = self.get(owner).await?;
        let key = self.0.key(owner.id());
        tables::LOGIN_PROFILES.delete(self.0.transaction, &key).await?;
        self.remember(profile).await
    }

    /// Forgets the passwords of a user that goes.
    pub(crate) async fn forget(&mut self, principal_id: &str) -> Result<()> {
        let key = self.0.key(principal_id);
        tables::PASSWORD_HISTORIES.delete(self.0.transaction, &key).await?;
        Ok(tables::PASSWORD_USES.delete(self.0.transaction, &key).await?)
    }

    async fn remember(&mut self, profile: LoginProfileRecord) -> Result<()> {
        let key = self.0.key(&profile.principal_id);
        let earlier = tables::PASSWORD_HISTORIES.get(self.0.transaction, &key).await?.unwrap_or_default();
        let hashes = std::iter::once(profile.sealed_hash).chain(earlier.sealed_hashes);
        let history = PasswordHistoryRecord { sealed_hashes: hashes.take(EARLIER_PASSWORDS_MAX).collect() };
        Ok(tables::PASSWORD_HISTORIES.put(self.0.transaction, &key, &history).await?)
    }
}
