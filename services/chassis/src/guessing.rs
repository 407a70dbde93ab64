//! Guessing passwords and codes: how often it was tried, who is made to wait, and for how long.
//!
//! What is counted is the pair of whom is guessed and where the guesses come from, so that guessing from one place never
//! locks the owner out at another. A place that guesses at many is counted by itself, whoever it guesses at. Codes are
//! counted for their owner alone, from wherever they come: whoever gets to guess them holds the first factor already, and a
//! code has a million values. Only a place from which one of the owner's was right before is counted by itself, so that the
//! owner is not locked out there either. Counts are in memory, bounded, and of this node; they wear off.

mod tally;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use reeve_directory::Error;
use reeve_directory::name::fold;

use tally::{Rule, Tally};

/// Most pairs that are counted; those that were not touched for longest go first.
const PAIRS_MAX: usize = 65_536;
/// Most places that are counted.
const PLACES_MAX: usize = 16_384;

/// Of one pair: five guesses, then a second's wait that doubles with each further one, to a quarter of an hour.
const PAIR: Rule = Rule { free: 5, wait_seconds_max: 900, wears_off_seconds: 3600 };
/// Of one place, at all that it guesses at: a hundred at once, and then no more than ten a minute.
const PLACE: Rule = Rule { free: 100, wait_seconds_max: 60, wears_off_seconds: 6 };
/// Of one owner's codes, from wherever: at a rate that finds no code in years.
const CODES: Rule = Rule { free: 20, wait_seconds_max: 900, wears_off_seconds: 600 };
/// Guesses at one pair whose outcome is not known yet, while none before was wrong.
const UNDECIDED_MAX: u32 = 64;

/// Whom it is that is guessed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guessed {
    /// Twelve digits, or whatever stood for the account.
    pub account: String,
    /// The user's name, folded, or its unique id; empty for the account's root.
    pub user: String,
    /// It is the codes that are guessed, and not the password.
    pub codes: bool,
}

/// Where guesses come from: an IPv4 address, or the half of an IPv6 address that one subscriber is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place(IpAddr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pair {
    guessed: Guessed,
    /// None for guesses at codes from wherever.
    place: Option<Place>,
}

/// All that is counted.
pub struct Guesses {
    pairs: Cache<Pair, Arc<Mutex<Counted>>>,
    places: Cache<Place, Arc<Mutex<Tally>>>,
}

#[derive(Default)]
struct Counted {
    tally: Tally,
    /// The user's name, once it is known that there is one.
    user_name: Option<String>,
    /// A code was right from there.
    is_known: bool,
}

/// A guess that is being looked at. One that is dropped undecided was none.
pub struct Attempt {
    pair: Arc<Mutex<Counted>>,
    rule: Rule,
    place: Option<Arc<Mutex<Tally>>>,
    /// What becomes known when a code was right.
    knows: Option<Arc<Mutex<Counted>>>,
    now: i64,
}

/// A pair that is made to wait, or is on its way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The name of the user; none for the account's root, and when there is no such user.
    pub user_name: Option<String>,
    /// There is such a user, or it is the root.
    pub exists: bool,
    /// The guesses were at codes.
    pub of_codes: bool,
    /// The address, or the beginning of it that is counted as one; none for codes from wherever.
    pub source: Option<String>,
    /// Wrong guesses that have not worn off.
    pub failures: u32,
    /// Until when it waits, in Unix seconds; none when it does not.
    pub locked_until: Option<i64>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { pairs: Cache::new(PAIRS_MAX), places: Cache::new(PLACES_MAX) }
    }
}

impl Guessed {
    /// The password of a user, by its name in whichever case; of the account's root when there is none.
    pub fn password(account: &str, user_name: Option<&str>) -> Self {
        Self { account: account.to_owned(), user: user_name.map(fold).unwrap_or_default(), codes: false }
    }

    /// The codes of whoever has that unique id; of the account's root when it is the account's.
    pub fn codes(account: &str, principal_id: &str) -> Self {
        Self { account: account.to_owned(), user: principal_id.to_owned(), codes: true }
    }
}

impl Guesses {
    /// A guess at a password from `source`, at `now`. `user_name` is the name of the user, if there is such a user. None when it
    /// is wrong whatever it is, because too many before it were: whoever made it is told the same, after the same work.
    ///
    /// # Errors
    /// `ServiceUnavailable` with `RetryInfo` when it comes from where too many come from.
    pub fn at_password(
        &self,
        guessed: Guessed,
        user_name: Option<&str>,
        source: &str,
        now: i64,
    ) -> Result<Option<Attempt>, Error> {
        let place = Place::of(source);
        let tally = found(&self.places, place);
        let wait = lock(&tally).wait(now);
        if wait > 0 {
            return Err(shed(wait));
        }
        let pair: Arc<Mutex<Counted>> = found(&self.pairs, Pair { guessed, place: Some(place) });
        let mut counted = lock(&pair);
        if counted.user_name.is_none() {
            counted.user_name = user_name.map(str::to_owned);
        }
        if !counted.tally.begin(&PAIR, UNDECIDED_MAX, now) {
            // Who goes on guessing where it waits already is not heard for ever.
            lock(&tally).fail(&PLACE, now);
            return Ok(None);
        }
        drop(counted);
        Ok(Some(Attempt { pair, rule: PAIR, place: Some(tally), knows: None, now }))
    }

    /// A guess, from `source`, at a code of whoever holds the first factor already. None when it is wrong whatever it is.
    pub fn at_code(
        &self,
        guessed: Guessed,
        user_name: Option<&str>,
        source: &str,
        now: i64,
    ) -> Option<Attempt> {
        let place = Some(Place::of(source));
        let there: Arc<Mutex<Counted>> = found(&self.pairs, Pair { guessed: guessed.clone(), place });
        let is_known = lock(&there).is_known;
        let (pair, rule, knows) = match is_known {
            true => (there, PAIR, None),
            false => (found(&self.pairs, Pair { guessed, place: None }), CODES, Some(there)),
        };
        let mut counted = lock(&pair);
        counted.user_name = user_name.map(str::to_owned);
        let begun = counted.tally.begin(&rule, UNDECIDED_MAX, now);
        drop(counted);
        // Made only when it was begun, because one that is dropped ends.
        begun.then(|| Attempt { pair, rule, place: None, knows, now })
    }

    /// What is counted of an account's passwords and codes.
    pub fn of_account(&self, account: &str, now: i64) -> Vec<Lock> {
        let pairs = self.pairs.iter().filter(|(pair, _)| pair.guessed.account == account);
        let locks = pairs.filter_map(|(pair, counted)| {
            let rule = if pair.place.is_some() { &PAIR } else { &CODES };
            let counted = lock(&counted);
            let failures = counted.tally.failures(rule, now);
            let wait = counted.tally.wait(now);
            (failures > 0).then(|| Lock {
                user_name: counted.user_name.clone(),
                exists: counted.user_name.is_some() || pair.is_of_somebody(),
                of_codes: pair.guessed.codes,
                source: pair.place.map(|place| place.to_string()),
                failures,
                locked_until: (wait > 0).then(|| now + wait),
            })
        });
        let mut locks: Vec<Lock> = locks.collect();
        locks.sort_by(|one, other| (&one.user_name, &one.source).cmp(&(&other.user_name, &other.source)));
        locks
    }

    /// Forgets the wrong guesses at a user's password or codes, from wherever they came.
    pub fn forget(&self, guessed: &Guessed) {
        self.pairs.retain(|pair, _| pair.guessed != *guessed);
    }
}

impl Attempt {
    /// It was right, or it was wrong.
    pub fn ended(self, right: bool) {
        if right { self.succeeded() } else { self.failed() }
    }

    /// It was right: the wrong ones before it are forgotten, for it was the owner who mistyped.
    fn succeeded(self) {
        lock(&self.pair).tally.clear();
        if let Some(there) = &self.knows {
            lock(there).is_known = true;
        }
    }

    /// It was wrong.
    fn failed(self) {
        lock(&self.pair).tally.fail(&self.rule, self.now);
        if let Some(place) = &self.place {
            lock(place).fail(&PLACE, self.now);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        lock(&self.pair).tally.end();
    }
}

impl Pair {
    /// Whether it is known without a name that there is such a user: it is the root, or codes are asked of nobody else.
    fn is_of_somebody(&self) -> bool {
        self.guessed.codes || self.guessed.user.is_empty()
    }
}

impl Place {
    /// The place of an address; of what is none, one for all.
    fn of(source: &str) -> Self {
        let address = source.parse::<IpAddr>().unwrap_or(Ipv6Addr::UNSPECIFIED.into());
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

/// The entry of `key`, made when there is none; two that ask at once get the same.
fn found<K: std::hash::Hash + Eq + Clone, T: Default>(
    cache: &Cache<K, Arc<Mutex<T>>>,
    key: K,
) -> Arc<Mutex<T>> {
    let made = cache.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
    match made {
        Ok(entry) => entry,
        Err(never) => match never {},
    }
}

/// Not logged: a flood would be two.
fn shed(seconds: i64) -> Error {
    let mut error = Error::service_unavailable("");
    (error.detail, error.retry_after) = (None, Some(Duration::from_secs(seconds.unsigned_abs())));
    error
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
