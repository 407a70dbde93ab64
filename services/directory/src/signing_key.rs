//! The keys that sign tokens for others: one record with all of them, those that do not sign yet and those that do no more,
//! so that a rotation rests on what it sees and two of them cannot pass each other by.

use reeve_proto::store::v1::SigningKeysRecord;
use reeve_storage::Transaction;

use crate::{Result, tables};

/// The keys; none where no account has ever been enabled.
pub async fn get(transaction: &mut Transaction) -> Result<SigningKeysRecord> {
    Ok(tables::SIGNING_KEYS.get(transaction, &()).await?.unwrap_or_default())
}

/// Puts the keys in place of those that are there.
pub async fn put(transaction: &mut Transaction, record: &SigningKeysRecord) -> Result<()> {
    Ok(tables::SIGNING_KEYS.put(transaction, &(), record).await?)
}
