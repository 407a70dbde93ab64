//! Data keys: what secrets are sealed with, each wrapped by the root key, which is not stored.

use reeve_proto::store::v1::DataKeyRecord;

use crate::{Error, Result, part, tables};

part! {
    /// The server's data keys.
    DataKeys
}

/// Data keys that are kept at once. Rotation needs few.
pub const DATA_KEYS_MAX: usize = 4_000;

impl DataKeys<'_, '_> {
    /// Adds a key under a number that is free.
    ///
    /// # Errors
    /// `EntityAlreadyExists`.
    pub async fn create(&mut self, key_number: u32, wrapped: Vec<u8>) -> Result<DataKeyRecord> {
        if self.get(key_number).await?.is_some() {
            return Err(Error::entity_already_exists(format!("Data key {key_number} already exists.")));
        }
        let record = DataKeyRecord { key_number, wrapped, create_date: self.0.now };
        tables::DATA_KEYS.put(self.0.transaction, &key_number, &record).await?;
        Ok(record)
    }

    /// The key of a number.
    pub async fn get(&mut self, key_number: u32) -> Result<Option<DataKeyRecord>> {
        Ok(tables::DATA_KEYS.get(self.0.transaction, &key_number).await?)
    }

    /// All keys, oldest number first.
    pub async fn list(&mut self) -> Result<Vec<DataKeyRecord>> {
        let found = tables::DATA_KEYS.scan(self.0.transaction, &(), None, DATA_KEYS_MAX).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }
}
