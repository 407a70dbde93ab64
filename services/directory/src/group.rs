//! Groups: sets of users that share policies.

use reeve_proto::store::v1::GroupRecord;

use crate::listing::{Page, list};
use crate::name::ROOT_PATH;
use crate::{Error, Result, id, named, part, tables};

part! {
    /// The groups of an account.
    Groups
}

/// A group to be created.
#[derive(Debug, Clone, Default)]
pub struct NewGroup {
    /// The name, unique in the account without case.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
}

impl Groups<'_, '_> {
    /// Creates a group.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`.
    pub async fn create(&mut self, new: NewGroup) -> Result<GroupRecord> {
        let group = GroupRecord {
            group_id: id::group(self.0.random),
            group_name: new.name,
            path: new.path.unwrap_or_else(|| ROOT_PATH.to_owned()),
            create_date: self.0.now,
        };
        self.0.insert(&group).await?;
        Ok(group)
    }

    /// The group of a name, whatever its case.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(&mut self, name: &str) -> Result<GroupRecord> {
        self.0.get(name).await
    }

    /// The group of a unique id.
    pub async fn by_id(&mut self, id: &str) -> Result<Option<GroupRecord>> {
        named::by_id(self.0.transaction, self.0.account, id).await
    }

    /// Groups under a path, in the order of their folded names.
    pub async fn list(
        &mut self,
        path_prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<GroupRecord>> {
        list(self.0, path_prefix, after, limit).await
    }

    /// Gives a group another name or path. The id stays, and with it everything that is bound to the group.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    pub async fn update(
        &mut self,
        name: &str,
        new_name: Option<&str>,
        new_path: Option<&str>,
    ) -> Result<GroupRecord> {
        let old: GroupRecord = self.0.get(name).await?;
        let mut new = old.clone();
        if let Some(name) = new_name {
            name.clone_into(&mut new.group_name);
        }
        if let Some(path) = new_path {
            path.clone_into(&mut new.path);
        }
        self.0.replace(&old, &new).await?;
        Ok(new)
    }

    /// Deletes a group that has neither users nor policies left.
    ///
    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`.
    pub async fn delete(&mut self, name: &str) -> Result<()> {
        let group: GroupRecord = self.0.get(name).await?;
        if self.0.proved_count(&tables::GROUP_USERS_COUNT, &group.group_id).await? > 0 {
            return Err(Error::delete_conflict("Cannot delete entity, must remove users from group first."));
        }
        self.0.has_no_policies(&group.group_id).await?;
        self.0.drop_count(&tables::GROUP_USERS_COUNT, &group.group_id);
        self.0.remove(&group).await
    }
}
