//! The keys as a server has them at hand: opened once, published as one document, and proved to be the current ones by
//! every call that uses them.

use std::sync::Arc;

use bytes::Bytes;
use reeve_directory::record::SigningKeyRecord;
use reeve_directory::{Error, signing_key};
use reeve_storage::{ReadSet, Transaction};
use serde_json::json;

use super::key::{Key, SigningAlgorithm, make};
use crate::environment::Environment;

/// The keys, opened.
pub(super) struct Keys {
    keys: Vec<Key>,
    /// The key set, as it is published.
    pub(super) published: Bytes,
    reads: ReadSet,
}

impl Keys {
    /// The key that signs at `now`: the last one whose time has come.
    pub(super) fn signing(&self, algorithm: SigningAlgorithm, now: i64) -> Option<&Key> {
        let of_algorithm = self.keys.iter().filter(|key| key.algorithm == algorithm);
        of_algorithm.filter(|key| key.signs_from <= now).max_by_key(|key| key.signs_from)
    }
}

/// The keys as they are now.
///
/// # Errors
/// The store fails, or a key does not open.
pub(super) async fn current(
    environment: &Environment,
    transaction: &mut Transaction,
) -> Result<Arc<Keys>, Error> {
    if let Some(known) = environment.outbound.last_read()
        && transaction.adopt(&known.reads).await?
    {
        return Ok(known);
    }
    let keys = Arc::new(read(environment).await?);
    environment.outbound.keep(&keys);
    if transaction.adopt(&keys.reads).await? { Ok(keys) } else { Err(Error::conflict()) }
}

async fn read(environment: &Environment) -> Result<Keys, Error> {
    let mut apart = Transaction::begin(Arc::clone(&environment.engine));
    let stored = signing_key::get(&mut apart).await?.keys;
    let keys: Vec<Key> =
        stored.iter().map(|record| Key::open(&environment.keyring, record)).collect::<Result<_, _>>()?;
    let published: Vec<_> = keys.iter().map(|key| &key.published).collect();
    let published = Bytes::from(json!({ "keys": published }).to_string());
    Ok(Keys { keys, published, reads: apart.reads() })
}

/// Keys for the store, where these are `stored`: one for each algorithm and the moment from which it signs. What was made for a
/// call that has to run again is taken before anything new is made, and one is made at a time.
///
/// # Errors
/// One cannot be made.
pub(super) async fn drawn(
    environment: &Environment,
    stored: &[SigningKeyRecord],
    wanted: &[(SigningAlgorithm, i64)],
    now: i64,
) -> Result<Vec<SigningKeyRecord>, Error> {
    let mut made = environment.outbound.made.lock().await;
    made.retain(|made| !stored.iter().any(|key| key.key_id == made.key_id));
    let mut drawn = Vec::with_capacity(wanted.len());
    for &(algorithm, signs_from) in wanted {
        let known = made.iter().find(|key| key.algorithm == algorithm.name()).cloned();
        let key = match known {
            Some(key) => key,
            None => {
                let key = make(environment, algorithm).await?;
                made.push(key.clone());
                key
            }
        };
        drawn.push(SigningKeyRecord { create_date: now, signs_from, ..key });
    }
    Ok(drawn)
}
