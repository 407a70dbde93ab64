//! Who is in which group. A membership is the user's: it writes the user's record, because it changes what the user may do,
//! and leaves the group's alone, so that many users can join one group at once.

use reeve_proto::store::v1::{GroupRecord, MarkRecord, UserRecord};
use reeve_storage::Transaction;

use crate::listing::Page;
use crate::name::fold;
use crate::{Error, Result, named, part, tables};

part! {
    /// The memberships of an account.
    Memberships
}

impl Memberships<'_, '_> {
    /// Puts a user into a group; nothing happens when it is in already.
    ///
    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    pub async fn add(&mut self, group: &str, user: &str) -> Result<()> {
        let group: GroupRecord = self.0.get(group).await?;
        let user: UserRecord = self.0.get(user).await?;
        let groups = group_ids(self.0.transaction, self.0.account, &user.user_id).await?;
        if groups.contains(&group.group_id) {
            return Ok(());
        }
        let max = self.0.settings.quotas.groups_per_user_max;
        if groups.len() >= max {
            return Err(Error::quota("GroupsPerUser", max));
        }
        let key = self.0.hanging(&user.user_id, &group.group_id);
        tables::USER_GROUPS.put(self.0.transaction, &key, &MarkRecord {}).await?;
        let key = self.0.hanging(&group.group_id, &user.user_id);
        tables::GROUP_USERS.put(self.0.transaction, &key, &MarkRecord {}).await?;
        let key = self.0.key(&group.group_id);
        tables::GROUP_USERS_COUNT.add(self.0.transaction, &key, 1, i64::MAX);
        self.0.touch(&user).await
    }

    /// Takes a user out of a group.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the user is not in the group.
    pub async fn remove(&mut self, group: &str, user: &str) -> Result<()> {
        let group: GroupRecord = self.0.get(group).await?;
        let user: UserRecord = self.0.get(user).await?;
        let key = self.0.hanging(&user.user_id, &group.group_id);
        if tables::USER_GROUPS.get(self.0.transaction, &key).await?.is_none() {
            let message = format!("User {} is not in group {}.", user.user_name, group.group_name);
            return Err(Error::no_such_entity(message));
        }
        tables::USER_GROUPS.delete(self.0.transaction, &key).await?;
        let key = self.0.hanging(&group.group_id, &user.user_id);
        tables::GROUP_USERS.delete(self.0.transaction, &key).await?;
        let key = self.0.key(&group.group_id);
        tables::GROUP_USERS_COUNT.add(self.0.transaction, &key, -1, i64::MAX);
        self.0.touch(&user).await
    }

    /// The users of a group. They are in the order of their unique ids, because a group may have very many, and ids outlast
    /// a renaming between two pages.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn users_of(
        &mut self,
        group: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<UserRecord>> {
        let group: GroupRecord = self.0.get(group).await?;
        let under = self.0.under(&group.group_id);
        let after = after.map(|after| self.0.hanging(&group.group_id, after));
        let asked = limit.saturating_add(1);
        let mut found = tables::GROUP_USERS.scan(self.0.transaction, &under, after.as_ref(), asked).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|((_, _, user), _)| user.clone());
        let mut items = Vec::with_capacity(found.len());
        for ((_, _, user), _) in found {
            // It may have left the group and been deleted since the scan.
            items.extend(named::by_id(self.0.transaction, self.0.account, &user).await?);
        }
        Ok(Page { items, next })
    }

    /// The groups that a user is in, in the order of their folded names.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn groups_of(
        &mut self,
        user: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<GroupRecord>> {
        let user: UserRecord = self.0.get(user).await?;
        let mut groups: Vec<GroupRecord> = Vec::new();
        for id in group_ids(self.0.transaction, self.0.account, &user.user_id).await? {
            groups.extend(named::by_id(self.0.transaction, self.0.account, &id).await?);
        }
        Ok(Page::of_all(groups, |group| fold(&group.group_name), after, limit))
    }
}

/// The ids of the groups that a user is in, proved by the user's record, which was got before.
pub(crate) async fn group_ids(
    transaction: &mut Transaction,
    account: &str,
    user_id: &str,
) -> Result<Vec<String>> {
    let under = (account.to_owned(), user_id.to_owned());
    let found = tables::USER_GROUPS.scan(transaction, &under, None, usize::MAX).await?;
    Ok(found.into_iter().map(|((_, _, group), _)| group).collect())
}
