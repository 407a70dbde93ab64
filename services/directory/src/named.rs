//! What users, groups, roles and managed policies have in common: a record under a unique id, a name that is unique in the
//! account without case and found through an index, and a place in the account's quota.

use prost::Message;
use reeve_proto::store::v1::{GroupRecord, NameRecord, PolicyRecord, RoleRecord, UserRecord};
use reeve_storage::engine::counter_value;
use reeve_storage::{Counter, Table, Transaction};

use crate::name::fold;
use crate::resource::Kind;
use crate::{Directory, Error, Quotas, Result, tables};

type K2 = (String, String);

/// A record with a unique id, a unique name and a path.
pub(crate) trait Named: Message + Default + Clone + 'static {
    const KIND: Kind;
    fn table() -> &'static Table<K2, Self>;
    fn names() -> &'static Table<K2, NameRecord>;
    fn count() -> &'static Counter<(String,)>;
    /// How many an account may have, and what AWS calls that.
    fn quota(quotas: &Quotas) -> (&'static str, i64);
    fn id(&self) -> &str;
    fn name(&self) -> &str;
    fn path(&self) -> &str;

    fn already_exists(name: &str) -> Error {
        let kind = match Self::KIND {
            Kind::User => "User",
            Kind::Group => "Group",
            Kind::Role => "Role",
            Kind::Mfa => "MFADevice",
            Kind::Policy => {
                let message =
                    format!("A policy called {name} already exists. Duplicate names are not allowed.");
                return Error::entity_already_exists(message);
            }
        };
        Error::entity_already_exists(format!("{kind} with name {name} already exists."))
    }

    fn not_found(name: &str) -> Error {
        Error::no_such_entity(format!("The {} with name {name} cannot be found.", Self::KIND))
    }
}

macro_rules! named {
    ($($record:ident: $kind:ident, $table:ident, $names:ident, $count:ident, $id:ident, $name:ident, $quota:ident, $aws:literal;)*) => {$(
        impl Named for $record {
            const KIND: Kind = Kind::$kind;

            fn table() -> &'static Table<K2, Self> {
                &tables::$table
            }

            fn names() -> &'static Table<K2, NameRecord> {
                &tables::$names
            }

            fn count() -> &'static Counter<(String,)> {
                &tables::$count
            }

            fn quota(quotas: &Quotas) -> (&'static str, i64) {
                ($aws, quotas.$quota)
            }

            fn id(&self) -> &str {
                &self.$id
            }

            fn name(&self) -> &str {
                &self.$name
            }

            fn path(&self) -> &str {
                &self.path
            }
        }
    )*};
}

named! {
    UserRecord: User, USERS, USER_NAMES, USERS_COUNT, user_id, user_name, users_per_account_max, "UsersPerAccount";
    GroupRecord: Group, GROUPS, GROUP_NAMES, GROUPS_COUNT, group_id, group_name, groups_per_account_max, "GroupsPerAccount";
    RoleRecord: Role, ROLES, ROLE_NAMES, ROLES_COUNT, role_id, role_name, roles_per_account_max, "RolesPerAccount";
    PolicyRecord: Policy, POLICIES, POLICY_NAMES, POLICIES_COUNT, policy_id, policy_name, policies_per_account_max, "PoliciesPerAccount";
}

/// The record of a unique id.
pub(crate) async fn by_id<N: Named>(
    transaction: &mut Transaction,
    account: &str,
    id: &str,
) -> Result<Option<N>> {
    Ok(N::table().get(transaction, &(account.to_owned(), id.to_owned())).await?)
}

/// The record of a name, whatever its case.
pub(crate) async fn find<N: Named>(
    transaction: &mut Transaction,
    account: &str,
    name: &str,
) -> Result<Option<N>> {
    let Some(entry) = N::names().get(transaction, &(account.to_owned(), fold(name))).await? else {
        return Ok(None);
    };
    // An index entry without its record was read while the two were being deleted.
    by_id(transaction, account, &entry.id).await?.map(Some).ok_or_else(Error::conflict)
}

impl Directory<'_> {
    pub(crate) async fn get<N: Named>(&mut self, name: &str) -> Result<N> {
        find(self.transaction, self.account, name).await?.ok_or_else(|| N::not_found(name))
    }

    /// Adds a record whose name must be free, within the account's quota.
    pub(crate) async fn insert<N: Named>(&mut self, record: &N) -> Result<()> {
        self.take_name(record).await?;
        let account = (self.account.to_owned(),);
        let (quota, max) = N::quota(&self.settings.quotas);
        // The commit decides; asking here gives the answer its number.
        if N::count().get(self.transaction, &account).await? >= max {
            return Err(Error::quota(quota, max));
        }
        N::count().add(self.transaction, &account, 1, max);
        self.touch(record).await
    }

    /// Writes a record, changed or not. It is the entity's epoch: everything that rests on it begins anew.
    pub(crate) async fn touch<N: Named>(&mut self, record: &N) -> Result<()> {
        let key = self.key(record.id());
        Ok(N::table().put(self.transaction, &key, record).await?)
    }

    /// Puts a record in place of the one with the same id, which may have another name and path.
    pub(crate) async fn replace<N: Named>(&mut self, old: &N, new: &N) -> Result<()> {
        if fold(old.name()) == fold(new.name()) {
            self.put_name(new).await?;
        } else {
            self.take_name(new).await?;
            let key = self.key(&fold(old.name()));
            N::names().delete(self.transaction, &key).await?;
        }
        self.touch(new).await
    }

    /// Deletes a record with its name. Whoever calls has proved that nothing hangs on it.
    pub(crate) async fn remove<N: Named>(&mut self, record: &N) -> Result<()> {
        let key = self.key(&fold(record.name()));
        N::names().delete(self.transaction, &key).await?;
        let key = self.key(record.id());
        N::table().delete(self.transaction, &key).await?;
        N::count().add(self.transaction, &(self.account.to_owned(),), -1, i64::MAX);
        Ok(())
    }

    /// The number in a counter, such that it must still be so at the end. Adds of this transaction do not count.
    pub(crate) async fn proved_count(&mut self, counter: &Counter<K2>, id: &str) -> Result<i64> {
        let key = counter.key(&self.key(id));
        Ok(self.transaction.get(&key).await?.map_or(Ok(0), |value| counter_value(&value))?)
    }

    /// Deletes a counter that was proved to be zero.
    pub(crate) fn drop_count(&mut self, counter: &Counter<K2>, id: &str) {
        let key = counter.key(&self.key(id));
        self.transaction.delete(key);
    }

    async fn take_name<N: Named>(&mut self, record: &N) -> Result<()> {
        let key = self.key(&fold(record.name()));
        if N::names().get(self.transaction, &key).await?.is_some() {
            return Err(N::already_exists(record.name()));
        }
        self.put_name(record).await
    }

    async fn put_name<N: Named>(&mut self, record: &N) -> Result<()> {
        let key = self.key(&fold(record.name()));
        let entry = NameRecord { id: record.id().to_owned(), path: record.path().to_owned() };
        Ok(N::names().put(self.transaction, &key, &entry).await?)
    }
}
