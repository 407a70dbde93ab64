//! People's passwords in one account, where hashing, sealing and the directory meet: IAM sets them, and sign-in compares
//! them, by the same few words.

use reeve_directory::record::{LoginProfileRecord, PasswordPolicyRecord};
use reeve_directory::{Directory, Error, OwnerRecord, password_policy};
use zeroize::Zeroizing;

use crate::call::sealing;
use crate::environment::Environment;
use crate::password::{Passwords, Verified};
use crate::seal::Purpose;

/// The passwords of one account, seen through one call.
pub struct Logins<'l> {
    directory: Directory<'l>,
    environment: &'l Environment,
    passwords: Passwords<'l>,
}

impl<'l> Logins<'l> {
    /// The passwords of the directory's account.
    pub fn new(directory: Directory<'l>, environment: &'l Environment, passwords: Passwords<'l>) -> Self {
        Self { directory, environment, passwords }
    }

    /// Whether `password` is the one of `profile`.
    ///
    /// # Errors
    /// `ServiceUnavailable` when too many passwords wait.
    pub async fn verify(&mut self, profile: &LoginProfileRecord, password: &str) -> Result<Verified, Error> {
        let phc = self.open(&profile.principal_id, &profile.sealed_hash)?;
        self.passwords.verify(password, &phc).await
    }

    /// Gives an owner a password that the account's policy allows, in place of the one that there may be. The account's
    /// root is held to the default policy.
    ///
    /// # Errors
    /// `PasswordPolicyViolation`, with `password` at fault; `ServiceUnavailable` when too many passwords wait.
    pub async fn set(
        &mut self,
        owner: &OwnerRecord,
        password: &str,
        reset_required: bool,
    ) -> Result<LoginProfileRecord, Error> {
        let policy = match owner {
            OwnerRecord::User(_) => self.directory.password_policies().find().await?,
            OwnerRecord::Root(_) => None,
        };
        let alias = self.directory.account_aliases().get().await?.unwrap_or_default();
        password_policy::check(policy.as_ref(), &[self.directory.account, &alias], password)?;
        self.must_be_unused(owner, policy.as_ref(), password).await?;
        let sealed = self.hash(owner.id(), password).await?;
        self.directory.login_profiles().set(owner.id(), sealed, reset_required).await
    }

    /// Hashes the password of `profile` anew, because hashes cost more than they did when it was set.
    ///
    /// # Errors
    /// `ServiceUnavailable` when too many passwords wait.
    pub async fn rehash(&mut self, profile: &LoginProfileRecord, password: &str) -> Result<(), Error> {
        let sealed_hash = self.hash(&profile.principal_id, password).await?;
        self.directory.login_profiles().put(&LoginProfileRecord { sealed_hash, ..profile.clone() }).await
    }

    /// Compares with as many of the last passwords as the policy says, one after the other: one call never holds more than
    /// one place in the queue.
    async fn must_be_unused(
        &mut self,
        owner: &OwnerRecord,
        policy: Option<&PasswordPolicyRecord>,
        password: &str,
    ) -> Result<(), Error> {
        let count = password_policy::reuse_prevention(policy);
        for sealed in self.directory.login_profiles().last_hashes(owner.id(), count).await? {
            let phc = self.open(owner.id(), &sealed)?;
            if self.passwords.verify(password, &phc).await?.is_match() {
                return Err(password_policy::reused());
            }
        }
        Ok(())
    }

    async fn hash(&mut self, principal_id: &str, password: &str) -> Result<Vec<u8>, Error> {
        let phc = self.passwords.hash(password, self.directory.random).await?;
        let associated = associated(self.directory.account, principal_id);
        let keyring = &self.environment.keyring;
        keyring
            .seal(Purpose::PasswordHash, associated.as_bytes(), phc.as_bytes(), self.directory.random)
            .map_err(sealing)
    }

    fn open(&self, principal_id: &str, sealed: &[u8]) -> Result<Zeroizing<String>, Error> {
        let associated = associated(self.directory.account, principal_id);
        let opened = self.environment.keyring.open(Purpose::PasswordHash, associated.as_bytes(), sealed);
        let opened = opened.map_err(|error| {
            Error::internal_failure(format!("the password hash of {principal_id}: {error}"))
        })?;
        let phc = std::str::from_utf8(&opened).map_err(|_| {
            Error::internal_failure(format!("the password hash of {principal_id} is no text"))
        })?;
        Ok(Zeroizing::new(phc.to_owned()))
    }
}

/// A hash moved to another user opens nothing.
fn associated(account: &str, principal_id: &str) -> String {
    format!("{account}/{principal_id}")
}
