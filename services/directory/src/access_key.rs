//! Access keys: the long-term credentials of users, and of an account's root. They are found by their id alone, because whoever
//! signs says no more than that.

use reeve_proto::store::v1::{AccessKeyRecord, MarkRecord};
use reeve_storage::Transaction;

use crate::limits::ACCESS_KEYS_PER_USER_MAX;
use crate::listing::Page;
use crate::owner::{Owner, OwnerRecord};
use crate::{Error, Result, part, tables};

part! {
    /// The access keys of an account.
    AccessKeys
}

/// A key to be created. The id is made before, by [`crate::id::access_key`], because the secret is sealed together with it.
#[derive(Debug, Clone, Default)]
pub struct NewAccessKey {
    /// `AKIA...`.
    pub access_key_id: String,
    /// The secret, which only its sealer can read.
    pub sealed_secret: Vec<u8>,
}

/// The key of an id, in whatever account. What is found, or that there is none, must still be so at the end.
pub async fn find(transaction: &mut Transaction, access_key_id: &str) -> Result<Option<AccessKeyRecord>> {
    Ok(tables::ACCESS_KEYS.get(transaction, &(access_key_id.to_owned(),)).await?)
}

/// There is no such key, or it is somebody else's.
#[must_use]
pub fn not_found(id: &str) -> Error {
    Error::no_such_entity(format!("The Access Key with id {id} cannot be found."))
}

impl AccessKeys<'_, '_> {
    /// Creates a key; it is active.
    ///
    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    pub async fn create(&mut self, owner: Owner<'_>, new: NewAccessKey) -> Result<AccessKeyRecord> {
        let owner = self.0.owner(owner).await?;
        let keys = self.ids(owner.id()).await?;
        if keys.len() >= ACCESS_KEYS_PER_USER_MAX {
            return Err(Error::quota("AccessKeysPerUser", ACCESS_KEYS_PER_USER_MAX));
        }
        if find(self.0.transaction, &new.access_key_id).await?.is_some() {
            let message = format!("Access key with id {} already exists.", new.access_key_id);
            return Err(Error::entity_already_exists(message));
        }
        let key = AccessKeyRecord {
            access_key_id: new.access_key_id,
            account_id: self.0.account.to_owned(),
            principal_id: owner.id().to_owned(),
            active: true,
            create_date: self.0.now,
            sealed_secret: new.sealed_secret,
        };
        self.put(&key).await?;
        let mark = self.0.hanging(&key.principal_id, &key.access_key_id);
        tables::PRINCIPAL_ACCESS_KEYS.put(self.0.transaction, &mark, &MarkRecord {}).await?;
        owner.touch(self.0).await?;
        Ok(key)
    }

    /// The key of an id, in whatever account.
    pub async fn find(&mut self, access_key_id: &str) -> Result<Option<AccessKeyRecord>> {
        find(self.0.transaction, access_key_id).await
    }

    /// The owner's keys, in the order of their ids.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list(
        &mut self,
        owner: Owner<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<AccessKeyRecord>> {
        let owner = self.0.owner(owner).await?;
        let mut keys = Vec::new();
        for id in self.ids(owner.id()).await? {
            keys.extend(find(self.0.transaction, &id).await?);
        }
        Ok(Page::of_all(keys, |key: &AccessKeyRecord| key.access_key_id.clone(), after, limit))
    }

    /// Activates or deactivates a key.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the key is somebody else's.
    pub async fn set_active(&mut self, owner: Owner<'_>, id: &str, active: bool) -> Result<()> {
        let owner = self.0.owner(owner).await?;
        let key = self.owned(&owner, id).await?;
        self.put(&AccessKeyRecord { active, ..key }).await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the key is somebody else's.
    pub async fn delete(&mut self, owner: Owner<'_>, id: &str) -> Result<()> {
        let owner = self.0.owner(owner).await?;
        let key = self.owned(&owner, id).await?;
        let mark = self.0.hanging(&key.principal_id, &key.access_key_id);
        tables::PRINCIPAL_ACCESS_KEYS.delete(self.0.transaction, &mark).await?;
        tables::ACCESS_KEYS.delete(self.0.transaction, &(key.access_key_id,)).await?;
        owner.touch(self.0).await
    }

    async fn owned(&mut self, owner: &OwnerRecord, id: &str) -> Result<AccessKeyRecord> {
        let key = find(self.0.transaction, id).await?;
        let key = key.filter(|key| key.account_id == self.0.account && key.principal_id == owner.id());
        key.ok_or_else(|| not_found(id))
    }

    /// Proved by the owner's record, which was got before.
    async fn ids(&mut self, owner: &str) -> Result<Vec<String>> {
        let under = (self.0.account.to_owned(), owner.to_owned());
        let found = tables::PRINCIPAL_ACCESS_KEYS.scan(self.0.transaction, &under, None, usize::MAX).await?;
        Ok(found.into_iter().map(|((_, _, id), _)| id).collect())
    }

    async fn put(&mut self, key: &AccessKeyRecord) -> Result<()> {
        let id = (key.access_key_id.clone(),);
        Ok(tables::ACCESS_KEYS.put(self.0.transaction, &id, key).await?)
    }
}
