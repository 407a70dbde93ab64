//! Users: people and programs with long-term identity.

use reeve_proto::store::v1::{StoredTag, UserRecord};

use crate::listing::{Page, list};
use crate::name::ROOT_PATH;
use crate::{Directory, Error, Result, id, named, part, tables, tag};

part! {
    /// The users of an account.
    Users
}

/// A user to be created.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// The name, unique in the account without case.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
    /// The ARN of the managed policy that bounds what the user can be allowed.
    pub permissions_boundary: Option<String>,
    /// Tags.
    pub tags: Vec<StoredTag>,
}

impl Users<'_, '_> {
    /// Creates a user.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput` for the tags, `NoSuchEntity` for the boundary.
    pub async fn create(&mut self, new: NewUser) -> Result<UserRecord> {
        tag::check(&new.tags)?;
        let user_id = id::user(self.0.random);
        let boundary_policy_id = self.0.bound_by(new.permissions_boundary.as_deref(), &user_id).await?;
        let user = UserRecord {
            user_id,
            user_name: new.name,
            path: new.path.unwrap_or_else(|| ROOT_PATH.to_owned()),
            create_date: self.0.now,
            tags: new.tags,
            boundary_policy_id,
        };
        self.0.insert(&user).await?;
        Ok(user)
    }

    /// The user of a name, whatever its case.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(&mut self, name: &str) -> Result<UserRecord> {
        self.0.get(name).await
    }

    /// The user of a unique id.
    pub async fn by_id(&mut self, id: &str) -> Result<Option<UserRecord>> {
        named::by_id(self.0.transaction, self.0.account, id).await
    }

    /// Users under a path, in the order of their folded names.
    pub async fn list(
        &mut self,
        path_prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<UserRecord>> {
        list(self.0, path_prefix, after, limit).await
    }

    /// Gives a user another name or path. The id stays, and with it everything that is bound to the user.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    pub async fn update(
        &mut self,
        name: &str,
        new_name: Option<&str>,
        new_path: Option<&str>,
    ) -> Result<UserRecord> {
        let old: UserRecord = self.0.get(name).await?;
        let mut new = old.clone();
        if let Some(name) = new_name {
            name.clone_into(&mut new.user_name);
        }
        if let Some(path) = new_path {
            path.clone_into(&mut new.path);
        }
        self.0.replace(&old, &new).await?;
        Ok(new)
    }

    /// Deletes a user on whom nothing hangs any more.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` with policies, access keys or groups left.
    pub async fn delete(&mut self, name: &str) -> Result<()> {
        let user: UserRecord = self.0.get(name).await?;
        self.0.has_no_policies(&user.user_id).await?;
        let under = self.0.under(&user.user_id);
        if !tables::PRINCIPAL_ACCESS_KEYS.scan(self.0.transaction, &under, None, 1).await?.is_empty() {
            return Err(Error::delete_conflict("Cannot delete entity, must delete access keys first."));
        }
        if !tables::USER_GROUPS.scan(self.0.transaction, &under, None, 1).await?.is_empty() {
            return Err(Error::delete_conflict(
                "Cannot delete entity, must remove user from all groups first.",
            ));
        }
        self.0.has_no_sign_in(&user).await?;
        self.0.unbound_from(&user.boundary_policy_id, &user.user_id).await?;
        self.0.remove(&user).await
    }
}

impl Directory<'_> {
    /// Refuses to delete a user who can sign in, and forgets the passwords of one who cannot.
    async fn has_no_sign_in(&mut self, user: &UserRecord) -> Result<()> {
        if self.login_profiles().find(&user.user_id).await?.is_some() {
            return Err(Error::delete_conflict("Cannot delete entity, must delete login profile first."));
        }
        let under = self.under(&user.user_id);
        if !tables::PRINCIPAL_MFA_DEVICES.scan(self.transaction, &under, None, 1).await?.is_empty() {
            return Err(Error::delete_conflict("Cannot delete entity, must delete MFA device first."));
        }
        self.login_profiles().forget(&user.user_id).await
    }
}
