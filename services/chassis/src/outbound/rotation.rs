//! How signing keys follow one another. The next key is published before it signs, for longer than anybody may keep a key
//! set; the one before it stays published until every token that it signed has expired. It happens apart from calls: which
//! key signs is a matter of the time alone, so issuing a token writes nothing.

use std::sync::Arc;
use std::time::Duration;

use reeve_directory::record::SigningKeyRecord;
use reeve_directory::{Error, signing_key};
use reeve_storage::Transaction;

use super::issuer::SigningKeySettings;
use super::key::SigningAlgorithm;
use super::keys::drawn;
use super::{CLOCK_SECONDS_MAX, KEY_SET_SECONDS_MAX, TOKEN_SECONDS_MAX};
use crate::environment::Environment;

/// How often it is looked whether a key's time has come: far more often than the shortest overlap.
const INTERVAL: Duration = Duration::from_secs(60);
/// The shortest overlap in seconds: before a key signs it has reached everybody, and after it no token of it is left.
pub const OVERLAP_SECONDS_MIN: i64 = 7_200;

const _: () = assert!(OVERLAP_SECONDS_MIN >= KEY_SET_SECONDS_MAX + CLOCK_SECONDS_MAX);
const _: () = assert!(OVERLAP_SECONDS_MIN >= TOKEN_SECONDS_MAX + CLOCK_SECONDS_MAX);

/// Rotates the keys when their time has come, now and from then on. It never returns; whoever stops the server drops it.
pub async fn keep_rotating(environment: Arc<Environment>) {
    loop {
        match rotate(&environment).await {
            Ok(()) => {}
            // Somebody else rotated them, or the first account was enabled.
            Err(error) if error.is_conflict() => continue,
            Err(error) => {
                tracing::error!(%error, detail = error.detail, "signing keys were not rotated; it is tried again");
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Publishes the next key of each algorithm whose time has come, and takes away what no token needs any more.
///
/// # Errors
/// The store fails, or the keys were changed meanwhile: then nothing was written.
pub async fn rotate(environment: &Environment) -> Result<(), Error> {
    let now = environment.clock.now().seconds();
    let mut transaction = Transaction::begin(Arc::clone(&environment.engine));
    let mut record = signing_key::get(&mut transaction).await?;
    let plan = Plan::of(&record.keys, &environment.outbound.settings, now);
    if plan.is_nothing() {
        return Ok(());
    }
    let next = drawn(environment, &record.keys, &plan.next, now).await?;
    record.keys.retain(|key| !plan.over.contains(&key.key_id));
    record.keys.extend(next);
    signing_key::put(&mut transaction, &record).await?;
    transaction.finish().await?;
    tracing::info!(published = plan.next.len(), taken_away = plan.over.len(), "signing keys were rotated");
    Ok(())
}

/// Puts new keys, which sign at once, in place of all that there are, because somebody may have those. What they signed, and
/// would sign, is good wherever the key set of before is kept, for [`KEY_SET_SECONDS_MAX`] at most. How many there are now: none
/// where no account has ever been enabled.
///
/// # Errors
/// The store fails, or the keys were changed meanwhile: then nothing was written.
pub async fn replace(environment: &Environment) -> Result<usize, Error> {
    let now = environment.clock.now().seconds();
    let mut transaction = Transaction::begin(Arc::clone(&environment.engine));
    let mut record = signing_key::get(&mut transaction).await?;
    if record.keys.is_empty() {
        return Ok(0);
    }
    let all = SigningAlgorithm::ALL.map(|algorithm| (algorithm, now));
    record.keys = drawn(environment, &record.keys, &all, now).await?;
    signing_key::put(&mut transaction, &record).await?;
    transaction.finish().await?;
    Ok(record.keys.len())
}

/// What is to be done at a moment.
#[derive(Debug, Default, PartialEq)]
struct Plan {
    /// Algorithms that need their next key, and when it signs.
    next: Vec<(SigningAlgorithm, i64)>,
    /// The ids of keys that nobody needs any more.
    over: Vec<String>,
}

impl Plan {
    fn of(keys: &[SigningKeyRecord], settings: &SigningKeySettings, now: i64) -> Self {
        let (age, overlap) = (settings.key_age_seconds_max, settings.key_overlap_seconds);
        let mut plan = Self::default();
        for algorithm in SigningAlgorithm::ALL {
            let mut own: Vec<_> = keys.iter().filter(|key| key.algorithm == algorithm.name()).collect();
            own.sort_by_key(|key| key.signs_from);
            let Some(newest) = own.last() else { continue };
            let ends = newest.signs_from.saturating_add(age);
            if now >= ends.saturating_sub(overlap) {
                // However late it is, everybody knows a key before it signs.
                plan.next.push((algorithm, ends.max(now.saturating_add(overlap))));
            }
            let followed = own.iter().zip(own.iter().skip(1));
            let over = followed.filter(|(_, next)| now >= next.signs_from.saturating_add(overlap));
            plan.over.extend(over.map(|(key, _)| key.key_id.clone()));
        }
        plan
    }

    fn is_nothing(&self) -> bool {
        self.next.is_empty() && self.over.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: i64 = 100_000;
    const OVERLAP: i64 = 10_000;

    fn key(id: &str, algorithm: SigningAlgorithm, signs_from: i64) -> SigningKeyRecord {
        SigningKeyRecord {
            key_id: id.to_owned(),
            algorithm: algorithm.name().to_owned(),
            signs_from,
            ..SigningKeyRecord::default()
        }
    }

    #[track_caller]
    fn check(keys: &[(&str, i64)], now: i64, next: Option<i64>, over: &[&str]) {
        let settings = SigningKeySettings { key_age_seconds_max: AGE, key_overlap_seconds: OVERLAP };
        let keys: Vec<_> = keys.iter().map(|(id, from)| key(id, SigningAlgorithm::Rs256, *from)).collect();
        let expected = Plan {
            next: next.map(|from| (SigningAlgorithm::Rs256, from)).into_iter().collect(),
            over: over.iter().map(|id| (*id).to_owned()).collect(),
        };
        assert_eq!(Plan::of(&keys, &settings, now), expected, "at {now}");
    }

    #[test]
    fn the_next_key_is_published_before_it_signs() {
        check(&[("a", 0)], 0, None, &[]);
        check(&[("a", 0)], AGE - OVERLAP - 1, None, &[]);
        check(&[("a", 0)], AGE - OVERLAP, Some(AGE), &[]);
        check(&[("a", 0), ("b", AGE)], AGE - OVERLAP, None, &[]);
    }

    #[test]
    fn a_server_that_was_down_publishes_it_all_the_same() {
        check(&[("a", 0)], AGE, Some(AGE + OVERLAP), &[]);
        check(&[("a", 0)], 10 * AGE, Some(10 * AGE + OVERLAP), &[]);
    }

    #[test]
    fn a_key_stays_until_its_tokens_have_expired() {
        check(&[("a", 0), ("b", AGE)], AGE + OVERLAP - 1, None, &[]);
        check(&[("a", 0), ("b", AGE)], AGE + OVERLAP, None, &["a"]);
        check(&[("b", AGE)], AGE + OVERLAP, None, &[]);
        check(&[("b", AGE), ("a", 0)], 2 * AGE, Some(2 * AGE + OVERLAP), &["a"]);
    }

    #[test]
    fn algorithms_go_their_own_ways_and_nothing_comes_of_nothing() {
        let settings = SigningKeySettings { key_age_seconds_max: AGE, key_overlap_seconds: OVERLAP };
        assert!(Plan::of(&[], &settings, 10 * AGE).is_nothing());
        let keys = [key("a", SigningAlgorithm::Es384, 0), key("b", SigningAlgorithm::Rs256, AGE)];
        let plan = Plan::of(&keys, &settings, AGE);
        assert_eq!(plan.next, [(SigningAlgorithm::Es384, AGE + OVERLAP)]);
        assert!(plan.over.is_empty());
    }
}
