//! Sessions that were signed out before their time. They are kept until they would have ended by themselves, which is part
//! of their key: whoever looks for one knows it, and those that are over lie first.

use reeve_proto::store::v1::MarkRecord;
use reeve_storage::Transaction;

use crate::{Result, part, tables};

/// Records that are over and are removed with each sign-out: more than it adds, so that none stay.
const REMOVED_MAX: usize = 16;

part! {
    /// The sessions of the server that were signed out.
    EndedSessions
}

impl EndedSessions<'_, '_> {
    /// Ends a session that would have lasted to `expires_at`.
    pub async fn add(&mut self, expires_at: i64, access_key_id: &str) -> Result<()> {
        let over = tables::ENDED_SESSIONS.scan(self.0.transaction, &(), None, REMOVED_MAX).await?;
        for (key, _) in over.into_iter().filter(|(key, _)| key.0 < at(self.0.now)) {
            tables::ENDED_SESSIONS.delete(self.0.transaction, &key).await?;
        }
        let key = (at(expires_at), access_key_id.to_owned());
        Ok(tables::ENDED_SESSIONS.put(self.0.transaction, &key, &MarkRecord {}).await?)
    }
}

/// Whether a session was signed out. The transaction rests on the answer.
pub async fn is_ended(transaction: &mut Transaction, expires_at: i64, access_key_id: &str) -> Result<bool> {
    let key = (at(expires_at), access_key_id.to_owned());
    Ok(tables::ENDED_SESSIONS.get(transaction, &key).await?.is_some())
}

fn at(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or_default()
}
