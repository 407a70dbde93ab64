//! Passwords as a call sees them. A call is run again when what it read has changed, but what it found out about a password
//! stays true: no password is hashed twice for one call.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use reeve_directory::{Error, Random};
use zeroize::Zeroizing;

use super::{PasswordPool, Verified};

/// What earlier runs of a call found out. It goes when the call has ended.
#[derive(Default)]
pub(crate) struct Done {
    found: Mutex<Vec<Found>>,
    /// There was a password, whatever became of it.
    was_asked: AtomicBool,
}

struct Found {
    password: Zeroizing<String>,
    answer: Answer,
}

#[derive(Clone)]
enum Answer {
    Hashed(Zeroizing<String>),
    Compared { phc: Zeroizing<String>, verified: Verified },
    Nothing,
}

/// The passwords of one call.
#[derive(Clone, Copy)]
pub struct Passwords<'a> {
    pool: &'a PasswordPool,
    done: &'a Done,
}

impl<'a> Passwords<'a> {
    pub(crate) fn new(pool: &'a PasswordPool, done: &'a Done) -> Self {
        Self { pool, done }
    }

    /// As [`PasswordPool::hash`].
    ///
    /// # Errors
    /// As there.
    pub async fn hash(&self, password: &str, random: &mut dyn Random) -> Result<Zeroizing<String>, Error> {
        let known = self.done.find(password, |answer| match answer {
            Answer::Hashed(phc) => Some(phc.clone()),
            _ => None,
        });
        if let Some(phc) = known {
            return Ok(phc);
        }
        let phc = self.pool.hash(password, random).await?;
        self.done.keep(password, Answer::Hashed(phc.clone()));
        Ok(phc)
    }

    /// As [`PasswordPool::verify`].
    ///
    /// # Errors
    /// As there.
    pub async fn verify(&self, password: &str, phc: &str) -> Result<Verified, Error> {
        let known = self.done.find(password, |answer| match answer {
            Answer::Compared { phc: with, verified } if with.as_str() == phc => Some(*verified),
            _ => None,
        });
        if let Some(verified) = known {
            return Ok(verified);
        }
        let verified = self.pool.verify(password, phc).await?;
        self.done.keep(password, Answer::Compared { phc: Zeroizing::new(phc.to_owned()), verified });
        Ok(verified)
    }

    /// As [`PasswordPool::verify_nothing`].
    ///
    /// # Errors
    /// As there.
    pub async fn verify_nothing(&self, password: &str) -> Result<(), Error> {
        let known = self.done.find(password, |answer| matches!(answer, Answer::Nothing).then_some(()));
        if known.is_none() {
            self.pool.verify_nothing(password).await?;
            self.done.keep(password, Answer::Nothing);
        }
        Ok(())
    }
}

impl fmt::Debug for Passwords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("pool", self.pool).finish_non_exhaustive()
    }
}

impl Done {
    /// Whether the call had a password to hash or to compare.
    pub(crate) fn was_asked(&self) -> bool {
        self.was_asked.load(Ordering::Relaxed)
    }

    /// What is known of a password. Whoever looks has one.
    fn find<T>(&self, password: &str, pick: impl Fn(&Answer) -> Option<T>) -> Option<T> {
        self.was_asked.store(true, Ordering::Relaxed);
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().filter(|found| found.password.as_str() == password).find_map(|found| pick(&found.answer))
    }

    fn keep(&self, password: &str, answer: Answer) {
        let password = Zeroizing::new(password.to_owned());
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push(Found { password, answer });
    }
}
