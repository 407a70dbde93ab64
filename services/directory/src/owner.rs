//! Whose a credential is: a user's, or the account's root's. Keys, passwords and MFA devices hang on either.

use reeve_proto::store::v1::{AccountRecord, UserRecord};

use crate::{Directory, Result, account, named};

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'n> {
    /// The account's root.
    Root,
    /// The user of this name.
    User(&'n str),
}

/// The owner's record, whose revision proves what hangs on the owner.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnerRecord {
    /// The account's, for its root.
    Root(AccountRecord),
    /// The user's.
    User(UserRecord),
}

impl OwnerRecord {
    /// The user's unique id; the account id for root.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Root(account) => &account.account_id,
            Self::User(user) => &user.user_id,
        }
    }

    /// The user's name as it was given; root has none.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        match self {
            Self::Root(_) => None,
            Self::User(user) => Some(&user.user_name),
        }
    }

    /// Writes the record again, because what hangs on the owner changes.
    pub(crate) async fn touch(&self, directory: &mut Directory<'_>) -> Result<()> {
        match self {
            Self::Root(account) => account::put(directory, account).await,
            Self::User(user) => directory.touch(user).await,
        }
    }
}

impl Directory<'_> {
    /// The record of an owner.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn owner(&mut self, owner: Owner<'_>) -> Result<OwnerRecord> {
        Ok(match owner {
            Owner::Root => OwnerRecord::Root(account::existing(self).await?),
            Owner::User(name) => OwnerRecord::User(self.get(name).await?),
        })
    }

    /// The owner of a user's unique id, or of the account's id for its root; none when the user is gone.
    pub async fn owner_by_id(&mut self, principal_id: &str) -> Result<Option<OwnerRecord>> {
        if principal_id == self.account {
            return Ok(Some(OwnerRecord::Root(account::existing(self).await?)));
        }
        Ok(named::by_id(self.transaction, self.account, principal_id).await?.map(OwnerRecord::User))
    }
}
