//! The contract between storage and everything above it: the trait, and the plain data that crosses it.

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::{Error, ReadSet, Result, Revision, Watch};

/// Longest key.
pub const KEY_BYTES_MAX: usize = 1024;
/// Longest value of one key; [`crate::table`] spreads longer ones over several keys. Small enough that no
/// engine moves a value out of its log into a file of its own, which would have to be synced apart.
pub const VALUE_BYTES_MAX: usize = 8 * 1024;
/// Most bytes, keys and values together, in one commit.
pub const COMMIT_BYTES_MAX: usize = 1024 * 1024;
/// Most reads, writes and adds, together, in one commit.
pub const COMMIT_OPERATIONS_MAX: usize = 4096;
/// Most items one scan returns, whatever it asks for.
pub const SCAN_ITEMS_MAX: usize = 4096;

const _: () = assert!(KEY_BYTES_MAX + VALUE_BYTES_MAX < COMMIT_BYTES_MAX);
const _: () = assert!(SCAN_ITEMS_MAX <= COMMIT_OPERATIONS_MAX);

/// Ordered bytes with optimistic, durable, atomic commits. The crate documentation holds the contract in
/// prose, and `suite` holds it as tests.
pub trait Engine: Send + Sync + 'static {
    /// The newest value of a key, which may not be durable yet.
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// At most `limit` (and never more than [`SCAN_ITEMS_MAX`]) items of a range in ascending order of keys.
    /// Each item is current when it is visited; the items together are not a snapshot.
    fn scan(&self, range: KeyRange, limit: usize) -> BoxFuture<'_, Result<Vec<(Bytes, Entry)>>>;

    /// Applies a commit whole or not at all, if all of its reads are current and all of its adds stay in
    /// bounds, and resolves only when it is durable. Dropping the future does not undo the commit.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision>>;

    /// Proves that all reads of all sets are current *at one instant* and returns the revision of that
    /// instant, which is also noted in each set; [`Error::Conflict`] when they are not.
    fn validate<'a>(&'a self, sets: &'a [ReadSet]) -> BoxFuture<'a, Result<Revision>>;

    /// The newest commit that every read from now on sees in full. One atomic load.
    fn revision(&self) -> Revision;

    /// The newest commit that a read may have seen any part of: never below [`Engine::revision`], and equal
    /// to it at rest. When it still equals a `revision()` taken earlier, nothing has been written between.
    /// One atomic load.
    fn horizon(&self) -> Revision;

    /// The newest commit, begun or done, that has deleted a key. Absence carries no revision, so whoever
    /// tells of an absence waits until this is durable.
    fn newest_delete(&self) -> Revision {
        self.horizon()
    }

    /// The newest commit that a crash cannot remove.
    fn durable(&self) -> Revision;

    /// Resolves when [`Engine::durable`] has reached `revision`; fails when it never will.
    fn wait_durable(&self, revision: Revision) -> BoxFuture<'_, Result<()>>;

    /// Every commit that becomes durable from now on, in order. A slow receiver is told what it missed.
    fn watch(&self) -> Watch;

    /// How many commits have changed something since the engine was opened: tests assert "no store write" by it.
    fn commits(&self) -> u64;
}

/// A value and the commit that last wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value as it was put; of a counter, see [`counter_value`].
    pub value: Bytes,
    /// The commit that last wrote the key.
    pub revision: Revision,
}

/// The keys that begin with `prefix`, and come after `after` where it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// What all keys of the range begin with; empty for all keys.
    pub prefix: Bytes,
    /// The range holds only keys strictly above this one.
    pub after: Option<Bytes>,
}

impl KeyRange {
    /// All keys that begin with `prefix`.
    pub fn prefix(prefix: impl Into<Bytes>) -> Self {
        Self { prefix: prefix.into(), after: None }
    }

    /// Only keys strictly above `key`: a page begins after the last key of the page before.
    #[must_use]
    pub fn after(self, key: impl Into<Bytes>) -> Self {
        Self { after: Some(key.into()), ..self }
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key.starts_with(&self.prefix) && self.after.as_deref().is_none_or(|after| key > after)
    }
}

/// A key that was read, and the revision found: [`Revision::ZERO`] where it was absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The key.
    pub key: Bytes,
    /// The commit that had last written it.
    pub revision: Revision,
}

/// A key to be written, or deleted where `value` is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: Bytes,
    /// The new value; none deletes.
    pub value: Option<Bytes>,
}

/// A bounded change of a counter. The engine merges it when it commits, so two adds never conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// The counter; absent counts as 0.
    pub key: Bytes,
    /// What to add, which may be negative. The result is never below 0.
    pub delta: i64,
    /// The result is not above this, unless `delta` lowers it: a lowered quota does not forbid deletions.
    pub max: i64,
}

/// What one transaction proved and changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// All must be current for the commit to be applied.
    pub reads: Vec<Read>,
    /// Keys to put or delete; of two for one key, the later counts.
    pub writes: Vec<Write>,
    /// Counters to change; no key stands here and in `writes`.
    pub adds: Vec<Add>,
}

impl Commit {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.writes.is_empty() && self.adds.is_empty()
    }

    /// Checks everything about a commit that does not depend on what is stored. Engines call it first.
    pub fn check(&self) -> Result<()> {
        let operations = self.reads.len() + self.writes.len() + self.adds.len();
        within("a commit's operations", operations, COMMIT_OPERATIONS_MAX)?;
        let mut bytes = 0;
        for write in &self.writes {
            let value = write.value.as_ref().map_or(0, Bytes::len);
            within("a value's bytes", value, VALUE_BYTES_MAX)?;
            bytes += check_key(&write.key)? + value;
        }
        for add in &self.adds {
            bytes += check_key(&add.key)?;
            if self.writes.iter().any(|write| write.key == add.key) {
                return Err(Error::Invalid("a counter is both added to and written"));
            }
        }
        within("a commit's bytes", bytes, COMMIT_BYTES_MAX)
    }
}

/// The number in a counter's value.
pub fn counter_value(value: &[u8]) -> Result<i64> {
    let bytes = value.try_into().map_err(|_| Error::corrupt("a counter is not eight bytes long"))?;
    Ok(i64::from_be_bytes(bytes))
}

fn check_key(key: &[u8]) -> Result<usize> {
    if key.is_empty() {
        return Err(Error::Invalid("a key is empty"));
    }
    within("a key's bytes", key.len(), KEY_BYTES_MAX)?;
    Ok(key.len())
}

pub(crate) fn within(what: &'static str, size: usize, max: usize) -> Result<()> {
    if size > max { Err(Error::TooLarge { what, size, max }) } else { Ok(()) }
}
