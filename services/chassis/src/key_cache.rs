//! Access keys with their secrets unsealed and the day's signing keys derived, kept between calls. An entry carries
//! what it was read from, and using it adds those reads to the call, so a deleted key stops at the very next call.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use reeve_directory::record::AccessKeyRecord;
use reeve_directory::{Error, access_key};
use reeve_storage::{ReadSet, Transaction};
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::seal::Purpose;
use crate::signature::{SigningKey, SigningSecret, signing_secret};

/// Most access keys that are kept.
const KEYS_MAX: usize = 65_536;
/// Most signing keys that are kept of one access key: a few services, a region, and two days around midnight.
const DERIVED_MAX: usize = 8;

/// The cache.
pub(crate) struct KeyCache(Cache<String, Arc<Key>>);

impl Default for KeyCache {
    fn default() -> Self {
        Self(Cache::new(KEYS_MAX))
    }
}

/// An access key that exists.
pub(crate) struct Key {
    pub(crate) record: AccessKeyRecord,
    secret: Zeroizing<String>,
    reads: ReadSet,
    derived: Mutex<Vec<(Scope, SigningKey)>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Scope {
    date: String,
    region: String,
    service: String,
}

impl KeyCache {
    /// The access key, as it is now; none when there is none of this id.
    pub(crate) async fn find(
        &self,
        environment: &Environment,
        transaction: &mut Transaction,
        access_key_id: &str,
    ) -> Result<Option<Arc<Key>>, Error> {
        if let Some(key) = self.0.get(access_key_id) {
            if transaction.adopt(&key.reads).await? {
                return Ok(Some(key));
            }
            self.0.remove(access_key_id);
        }
        // Boxed: what only reading needs would be part of every call's future, and futures are moved about.
        Box::pin(self.read(environment, transaction, access_key_id)).await
    }

    async fn read(
        &self,
        environment: &Environment,
        transaction: &mut Transaction,
        access_key_id: &str,
    ) -> Result<Option<Arc<Key>>, Error> {
        let mut apart = Transaction::begin(Arc::clone(&environment.engine));
        let found = access_key::find(&mut apart, access_key_id).await?;
        let reads = apart.reads();
        if !transaction.adopt(&reads).await? {
            return Err(Error::conflict());
        }
        let Some(record) = found else { return Ok(None) };
        let secret = environment
            .keyring
            .open(Purpose::AccessKeySecret, access_key_id.as_bytes(), &record.sealed_secret)
            .map_err(|error| Error::internal_failure(format!("the secret of {access_key_id}: {error}")))?;
        let secret = String::from_utf8(secret.to_vec())
            .map(Zeroizing::new)
            .map_err(|_| Error::internal_failure(format!("the secret of {access_key_id} is no text")))?;
        let key = Arc::new(Key { record, secret, reads, derived: Mutex::default() });
        self.0.insert(access_key_id.to_owned(), Arc::clone(&key));
        Ok(Some(key))
    }
}

impl Key {
    /// The bytes of the key that signs on `date` in `region` for `service`, for whoever may have them.
    pub(crate) fn signing_secret(&self, date: &str, region: &str, service: &str) -> SigningSecret {
        signing_secret(&self.secret, date, region, service)
    }

    /// Puts the key that signs on `date` in `region` for `service` to `proof`, and keeps it once that holds: who only
    /// knows the id of an access key cannot drive out what its holder uses.
    pub(crate) fn prove<E>(
        &self,
        date: &str,
        region: &str,
        service: &str,
        proof: impl FnOnce(&SigningKey) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(known) = self.known(date, region, service) {
            return proof(&known);
        }
        let key = SigningKey::derive(&self.secret, date, region, service);
        proof(&key)?;
        let scope = Scope { date: date.to_owned(), region: region.to_owned(), service: service.to_owned() };
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if derived.iter().all(|(known, _)| *known != scope) {
            if derived.len() >= DERIVED_MAX {
                derived.remove(0);
            }
            derived.push((scope, key));
        }
        Ok(())
    }

    fn known(&self, date: &str, region: &str, service: &str) -> Option<SigningKey> {
        let derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scopes = derived.iter();
        let found = scopes
            .find(|(scope, _)| scope.date == date && scope.region == region && scope.service == service);
        found.map(|(_, key)| key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_signature_that_holds_is_worth_a_place() {
        let key = Key {
            record: AccessKeyRecord::default(),
            secret: Zeroizing::new("secret".to_owned()),
            reads: ReadSet::default(),
            derived: Mutex::default(),
        };
        key.prove("20251125", "us-east-1", "iam", |_| Ok::<_, ()>(())).unwrap();
        for number in 0..DERIVED_MAX * 2 {
            assert!(key.prove("20251125", &format!("nowhere-{number}"), "iam", |_| Err(())).is_err());
        }
        assert!(key.known("20251125", "us-east-1", "iam").is_some());
        assert_eq!(key.derived.lock().unwrap().len(), 1);
        for number in 0..DERIVED_MAX * 2 {
            key.prove("20251125", &format!("region-{number}"), "iam", |_| Ok::<_, ()>(())).unwrap();
        }
        assert_eq!(key.derived.lock().unwrap().len(), DERIVED_MAX);
    }
}
