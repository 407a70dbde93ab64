//! What can go wrong in storage, and what the caller may conclude from it.
//!
//! Errors are cloned because one failed sync is the answer to every commit of its group.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an engine refused or failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that was read has changed: nothing was written, and a rerun from the start may succeed.
    #[error("a key that was read has changed since")]
    Conflict,
    /// A bounded add would leave its bounds: nothing was written, and a rerun would end the same.
    #[error("the counter is at its limit")]
    LimitReached {
        /// The counter, so that the caller can tell which quota it was.
        key: Bytes,
    },
    /// A key, value or commit is larger than every engine can take: nothing was written.
    #[error("{what} of {size} exceeds the maximum of {max}")]
    TooLarge {
        /// Which limit.
        what: &'static str,
        /// What was asked for, in the unit of the limit.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// The caller broke the contract (an empty key, a counter also written): nothing was written.
    #[error("storage was used wrongly: {0}")]
    Invalid(&'static str),
    /// Another process holds the data directory.
    #[error("data directory {} is in use by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The engine has stopped or cannot reach its medium. A commit answered with this *may* have been
    /// written: its outcome is known only by reading after the engine is opened again.
    #[error("storage is unavailable: {reason}")]
    Unavailable {
        /// For the log of the operator; it never reaches a client.
        reason: Arc<str>,
    },
    /// Stored bytes do not decode. Retrying will not help.
    #[error("stored data is corrupt: {reason}")]
    Corrupt {
        /// For the log of the operator; it never reaches a client.
        reason: Arc<str>,
    },
}

impl Error {
    /// Whether running the whole transaction again may succeed, with certainty that this run wrote nothing.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }

    pub(crate) fn unavailable(reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { reason: reason.to_string().into() }
    }

    pub(crate) fn corrupt(reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { reason: reason.to_string().into() }
    }
}
