//! Revisions, and sets of reads: how storage knows that what was read is still so.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Read;

/// The number of a commit: every commit's is greater than those before it, across restarts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(u64);

impl Revision {
    /// Before every commit: an absent key, an empty store.
    pub const ZERO: Self = Self(0);

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<u64> for Revision {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<Revision> for u64 {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A revision that threads share and that only grows.
#[derive(Debug, Default)]
pub(crate) struct AtomicRevision(AtomicU64);

impl AtomicRevision {
    pub(crate) fn new(revision: Revision) -> Self {
        Self(AtomicU64::new(revision.0))
    }

    pub(crate) fn load(&self) -> Revision {
        Revision(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn raise(&self, revision: Revision) {
        self.0.fetch_max(revision.0, Ordering::SeqCst);
    }
}

/// Keys that were read with the revisions found, and since when this is known to hold. Clones share that
/// knowledge: keep the set beside a value that was built from these reads, and whichever transaction proves it
/// again spares the next one the work.
#[derive(Debug, Clone, Default)]
pub struct ReadSet(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reads: Vec<Read>,
    newest: Revision,
    absences: bool,
    since: AtomicRevision,
}

impl ReadSet {
    /// A set of reads, none of them made before the engine stood at `since`.
    #[must_use]
    pub fn new(reads: Vec<Read>, since: Revision) -> Self {
        let newest = reads.iter().map(|read| read.revision).max().unwrap_or_default();
        let absences = reads.iter().any(|read| read.revision == Revision::ZERO);
        Self(Arc::new(Inner { reads, newest, absences, since: AtomicRevision::new(since) }))
    }

    /// The reads.
    pub fn iter(&self) -> impl Iterator<Item = &Read> {
        self.0.reads.iter()
    }

    /// How many reads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.reads.len()
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.reads.is_empty()
    }

    /// The newest commit among those read.
    #[must_use]
    pub fn newest(&self) -> Revision {
        self.0.newest
    }

    /// Whether some key was found absent.
    #[must_use]
    pub fn has_absences(&self) -> bool {
        self.0.absences
    }

    /// A revision at or after which each read was seen to hold: if none of the keys has been written after it,
    /// all of them hold.
    #[must_use]
    pub fn since(&self) -> Revision {
        self.0.since.load()
    }

    /// Notes that all reads held at `revision`. For engines, when they have proved it.
    pub fn prove(&self, revision: Revision) {
        self.0.since.raise(revision);
    }
}
