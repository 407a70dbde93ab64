//! The events of writes that the store holds grow old and go. Their keys begin with the time, so the oldest are the first
//! of the table.

use std::sync::Arc;
use std::time::Duration;

use reeve_directory::{Error, tables};
use reeve_storage::{Engine, Transaction};

use super::Retention;
use crate::clock::Clock;

/// How often the store is looked through.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Events that one transaction takes away, so that no write waits long for it.
const STEP: usize = 256;
const DAY_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;

impl Retention {
    /// Takes away what has grown too old, now and again every hour. It never returns; whoever stops the server drops it.
    pub async fn keep(self, engine: Arc<dyn Engine>, clock: Arc<dyn Clock>) {
        if self.store_days_max == 0 {
            return std::future::pending().await;
        }
        loop {
            let now = clock.now().milliseconds.unsigned_abs();
            let oldest = now.saturating_sub(u64::from(self.store_days_max) * DAY_MILLISECONDS);
            match remove_before(&engine, oldest).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "events of writes have left the store"),
                Err(error) => tracing::warn!(%error, "old events of writes stay in the store for now"),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Takes away the events from before a moment, in Unix milliseconds; how many.
async fn remove_before(engine: &Arc<dyn Engine>, oldest: u64) -> Result<usize, Error> {
    let mut removed = 0;
    loop {
        let mut transaction = Transaction::begin(Arc::clone(engine));
        let mut found = tables::AUDIT.scan(&mut transaction, &(), None, STEP).await?;
        found.retain(|(key, _)| made_at(key) < oldest);
        for (key, _) in &found {
            tables::AUDIT.delete(&mut transaction, key).await?;
        }
        transaction.finish().await?;
        removed += found.len();
        if found.len() < STEP {
            return Ok(removed);
        }
    }
}

/// When a request id (a UUID of version 7) was drawn, in Unix milliseconds.
fn made_at(request_id: &[u8; 16]) -> u64 {
    let [a, b, c, d, e, f, ..] = *request_id;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

#[cfg(test)]
mod tests {
    use reeve_directory::record::AuditRecord;
    use reeve_storage::Memory;

    use super::*;
    use crate::clock::ManualClock;
    use crate::random::request_id;

    #[tokio::test]
    async fn what_is_older_goes_and_the_rest_stays() {
        let engine: Arc<dyn Engine> = Arc::new(Memory::new());
        let mut transaction = Transaction::begin(Arc::clone(&engine));
        for second in 0..600 {
            let id = request_id(ManualClock::at(second).now());
            let event = AuditRecord { event: second.to_string() };
            tables::AUDIT.put(&mut transaction, id.as_bytes(), &event).await.unwrap();
        }
        transaction.finish().await.unwrap();
        assert_eq!(remove_before(&engine, 400_000).await.unwrap(), 400);
        assert_eq!(remove_before(&engine, 400_000).await.unwrap(), 0);
        let mut transaction = Transaction::begin(engine);
        let left = tables::AUDIT.scan(&mut transaction, &(), None, 1000).await.unwrap();
        let seconds: Vec<_> = left.into_iter().map(|(_, record)| record.event).collect();
        assert_eq!(seconds, (400..600).map(|second| second.to_string()).collect::<Vec<_>>());
    }
}
