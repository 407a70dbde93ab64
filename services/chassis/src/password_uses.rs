//! When passwords were last used, without a write for each sign-in: uses are noted in memory, and written together now and
//! then. (Source: `PasswordLastUsed` in the IAM API reference, which tells the first use of any five minutes.)
//!
//! What is not written when a server is killed is lost; the user is then told of an earlier use, never of one that did not
//! happen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reeve_directory::{Error, password_use};
use reeve_storage::{Engine, Transaction};

/// Seconds in which further uses do not count.
const SPAN_SECONDS: i64 = 5 * 60;
/// Most users of whom a use is noted. Verifying passwords is far too slow to reach it between two writes.
const NOTED_MAX: usize = 100_000;
/// Most uses that one commit writes.
const WRITTEN_MAX: usize = 500;

/// Account and the user's unique id.
type Key = (String, String);

/// Uses that were noted by this server.
#[derive(Default)]
pub struct PasswordUses(Mutex<HashMap<Key, Use>>);

#[derive(Clone, Copy)]
struct Use {
    /// Unix seconds.
    at: i64,
    written: bool,
}

impl PasswordUses {
    /// Notes that a password let its user in.
    pub fn note(&self, account: &str, principal_id: &str, now: i64) {
        let mut noted = self.noted();
        let key = (account.to_owned(), principal_id.to_owned());
        match noted.get(&key) {
            Some(known) if now.saturating_sub(known.at) < SPAN_SECONDS => {}
            None if noted.len() >= NOTED_MAX => {}
            _ => {
                noted.insert(key, Use { at: now, written: false });
            }
        }
    }

    /// The last use that this server has noted, in Unix seconds.
    #[must_use]
    pub fn noted_use(&self, account: &str, principal_id: &str) -> Option<i64> {
        self.noted().get(&(account.to_owned(), principal_id.to_owned())).map(|known| known.at)
    }

    /// Writes what was noted and not yet written, and forgets what was written long enough ago.
    ///
    /// # Errors
    /// The store fails; what was not written is kept for the next time.
    pub async fn write(&self, engine: &Arc<dyn Engine>, now: i64) -> Result<(), Error> {
        let waiting: Vec<(Key, i64)> = self
            .noted()
            .iter()
            .filter(|(_, used)| !used.written)
            .map(|(key, used)| (key.clone(), used.at))
            .collect();
        for some in waiting.chunks(WRITTEN_MAX) {
            let mut transaction = Transaction::begin(Arc::clone(engine));
            for ((account, principal_id), at) in some {
                password_use::put(&mut transaction, account, principal_id, *at).await?;
            }
            match transaction.finish().await.map_err(Error::from) {
                // One of the users was changed or deleted meanwhile: they are tried again with the next.
                Err(error) if error.is_conflict() => continue,
                finished => finished?,
            };
            let mut noted = self.noted();
            for (key, at) in some {
                if let Some(used) = noted.get_mut(key).filter(|used| used.at == *at) {
                    used.written = true;
                }
            }
        }
        self.noted().retain(|_, used| !used.written || now.saturating_sub(used.at) < SPAN_SECONDS);
        Ok(())
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<Key, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for PasswordUses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordUses").field("noted", &self.noted().len()).finish()
    }
}
