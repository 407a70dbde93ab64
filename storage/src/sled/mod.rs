//! The embedded engine: sled holds the ordered bytes, one committer thread gives them order and durability.
//!
//! sled's own flush waits for the kernel to hand pages to the device, not for the device to keep them, so a
//! group of commits is acknowledged only after an `fdatasync` of sled's log. Only one batch lies between two of
//! them. sled cuts a torn batch off when it recovers, but it believes what the headers of its segments say to be
//! on the medium; they only ever say so of batches before the current one, which are.
//!
//! Reads are answered where they are asked for: mostly from memory, now and then by one read of the log, and
//! never at the same time as a batch is applied, which takes a millisecond or two. Proofs do not wait for that.

mod committer;
mod directory;
mod recent;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use tokio::sync::{mpsc, oneshot, watch};

use self::committer::{Committer, Request};
use self::directory::Directory;
use self::recent::Recent;
use crate::engine::{KEY_BYTES_MAX, SCAN_ITEMS_MAX, VALUE_BYTES_MAX};
use crate::merge::current;
use crate::revision::AtomicRevision;
use crate::watch::Announcer;
use crate::{Commit, Engine, Entry, Error, KeyRange, ReadSet, Result, Revision, Watch};

/// Memory that sled may fill with pages, unless configured.
pub const CACHE_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// Commits that wait for the committer; more wait to be let into the queue.
pub const QUEUE_COMMITS_MAX: usize = 256;

/// sled's log is made of segments of this size, fixed when the store is created. A page larger than a quarter
/// of one is put into a file of its own, which no `fdatasync` of the log covers.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;
const PAGE_BYTES_MAX: usize = SEGMENT_BYTES / 4 - 1024;
/// sled splits a leaf above 16 items and merges one below 4 into its neighbour.
const LEAF_ITEMS_MAX: usize = 16 + 4 + 1;
/// sled splits an inner page above 256 keys.
const INDEX_ITEMS_MAX: usize = 256 + 2;
const REVISION_BYTES: usize = size_of::<u64>();
/// Lengths, pointers and headers that sled adds to each item, rounded up.
const ITEM_OVERHEAD_BYTES: usize = 64;

const _: () = assert!(
    LEAF_ITEMS_MAX * (KEY_BYTES_MAX + VALUE_BYTES_MAX + REVISION_BYTES + ITEM_OVERHEAD_BYTES)
        < PAGE_BYTES_MAX
);
const _: () = assert!(INDEX_ITEMS_MAX * (KEY_BYTES_MAX + ITEM_OVERHEAD_BYTES) < PAGE_BYTES_MAX);

/// Holds the newest revision; the contract leaves the empty key to the engine.
const REVISION_KEY: &[u8] = b"";

/// How to open a [`Sled`].
#[derive(Debug, Clone)]
pub struct SledConfig {
    /// Where the store lies; created where it is missing.
    pub directory: PathBuf,
    /// Memory that sled may fill with pages.
    pub cache_bytes: u64,
}

impl SledConfig {
    /// The store in `directory`, everything else as usual.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), cache_bytes: CACHE_BYTES_DEFAULT }
    }
}

/// The embedded, durable engine. Dropping it waits for the commits that are under way.
pub struct Sled {
    queue: Option<mpsc::Sender<Request>>,
    committer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    // Dropped last, when nothing can write any more.
    _directory: Directory,
}

/// What the committer and the readers both see.
struct Shared {
    tree: ::sled::Db,
    log: File,
    recent: Recent,
    horizon: AtomicRevision,
    applied: AtomicRevision,
    newest_delete: AtomicRevision,
    durable: AtomicRevision,
    progress: watch::Sender<Progress>,
    announcer: Announcer,
    commits: AtomicU64,
}

/// How far the committer has come.
#[derive(Debug, Clone, Default)]
struct Progress {
    durable: Revision,
    stopped: Option<Error>,
}

impl Sled {
    /// Opens the store, creating it where it is missing. Blocks while it recovers.
    pub fn open(config: &SledConfig) -> Result<Self> {
        let directory = Directory::lock(&config.directory)?;
        let tree = open_tree(config)?;
        let log = directory.settle()?;
        Self::start(directory, tree, log)
    }

    fn start(directory: Directory, tree: ::sled::Db, log: File) -> Result<Self> {
        let shared = Arc::new(Shared::new(tree, log)?);
        let (queue, requests) = mpsc::channel(QUEUE_COMMITS_MAX);
        let committer = Committer::new(Arc::clone(&shared), requests);
        let committer = std::thread::Builder::new()
            .name("reeve-committer".to_owned())
            .spawn(|| committer.run())
            .map_err(Error::unavailable)?;
        Ok(Self { queue: Some(queue), committer: Some(committer), shared, _directory: directory })
    }

    /// Proves reads through the committer, which stands still for it.
    async fn prove_in_order(&self, sets: &[ReadSet]) -> Result<Revision> {
        let reads = sets.iter().flat_map(ReadSet::iter).cloned().collect();
        let revision = self.commit(Commit { reads, ..Commit::default() }).await?;
        sets.iter().for_each(|set| set.prove(revision));
        Ok(revision)
    }

    async fn submit(&self, commit: Commit) -> Result<Revision> {
        commit.check()?;
        let (answer, outcome) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(|| self.shared.stopped())?;
        queue.send(Request { commit, answer }).await.map_err(|_| self.shared.stopped())?;
        outcome.await.unwrap_or_else(|_| Err(self.shared.stopped()))
    }
}

impl Drop for Sled {
    fn drop(&mut self) {
        // The committer ends when it has served what is in the queue.
        drop(self.queue.take());
        if let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("the committer has panicked");
        }
    }
}

impl Engine for Sled {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Entry>>> {
        ready(self.shared.get(key)).boxed()
    }

    fn scan(&self, range: KeyRange, limit: usize) -> BoxFuture<'_, Result<Vec<(Bytes, Entry)>>> {
        ready(self.shared.scan(&range, limit)).boxed()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision>> {
        self.submit(commit).boxed()
    }

    fn validate<'a>(&'a self, sets: &'a [ReadSet]) -> BoxFuture<'a, Result<Revision>> {
        match self.shared.prove(sets).transpose() {
            Some(outcome) => ready(outcome).boxed(),
            None => self.prove_in_order(sets).boxed(),
        }
    }

    fn revision(&self) -> Revision {
        self.shared.applied.load()
    }

    fn horizon(&self) -> Revision {
        self.shared.horizon.load()
    }

    fn newest_delete(&self) -> Revision {
        self.shared.newest_delete.load()
    }

    fn durable(&self) -> Revision {
        self.shared.durable.load()
    }

    fn wait_durable(&self, revision: Revision) -> BoxFuture<'_, Result<()>> {
        if self.durable() >= revision {
            return ready(Ok(())).boxed();
        }
        let mut progress = self.shared.progress.subscribe();
        async move {
            let reached = |progress: &Progress| progress.durable >= revision || progress.stopped.is_some();
            let progress = progress.wait_for(reached).await.map_err(Error::unavailable)?;
            match &progress.stopped {
                Some(error) if progress.durable < revision => Err(error.clone()),
                _ => Ok(()),
            }
        }
        .boxed()
    }

    fn watch(&self) -> Watch {
        self.shared.announcer.watch()
    }

    fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Sled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sled").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

impl Shared {
    fn new(tree: ::sled::Db, log: File) -> Result<Self> {
        let revision = match tree.get(REVISION_KEY).map_err(failed)? {
            Some(bytes) => decode_revision(&bytes)?.0,
            None => Revision::ZERO,
        };
        Ok(Self {
            tree,
            log,
            recent: Recent::new(revision),
            horizon: AtomicRevision::new(revision),
            applied: AtomicRevision::new(revision),
            newest_delete: AtomicRevision::new(revision),
            durable: AtomicRevision::new(revision),
            progress: watch::Sender::new(Progress { durable: revision, stopped: None }),
            announcer: Announcer::new(),
            commits: AtomicU64::new(0),
        })
    }

    fn get(&self, key: &[u8]) -> Result<Option<Entry>> {
        self.tree.get(key).map_err(failed)?.map(|bytes| decode(&bytes)).transpose()
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Bytes, Entry)>> {
        let start = match range.after.as_deref() {
            Some(after) if *after >= *range.prefix => Bound::Excluded(after),
            _ if range.prefix.is_empty() => Bound::Excluded(REVISION_KEY),
            _ => Bound::Included(&*range.prefix),
        };
        let mut items = Vec::new();
        for item in self.tree.range::<&[u8], _>((start, Bound::Unbounded)).take(limit.min(SCAN_ITEMS_MAX)) {
            let (key, bytes) = item.map_err(failed)?;
            if !key.starts_with(&range.prefix) {
                break;
            }
            items.push((Bytes::copy_from_slice(&key), decode(&bytes)?));
        }
        Ok(items)
    }

    /// Proves reads without waiting for anybody; none when writers were too near to tell.
    fn prove(&self, sets: &[ReadSet]) -> Result<Option<Revision>> {
        // Everything up to here is in `recent` and in the tree; later commits may be.
        let revision = self.applied.load();
        for set in sets {
            let since = set.since();
            for read in set.iter().filter(|read| !self.recent.is_quiet(&read.key, since)) {
                // Comparing with the tree says what holds now. It held at `revision` too if the key has not been
                // written between, as its revision tells, or for an absent one the notes.
                current(read, self.get(&read.key)?.as_ref())?;
                let absent = read.revision == Revision::ZERO;
                let held = if absent {
                    self.recent.is_quiet(&read.key, revision)
                } else {
                    read.revision <= revision
                };
                if !held {
                    return Ok(None);
                }
            }
        }
        sets.iter().for_each(|set| set.prove(revision));
        Ok(Some(revision))
    }

    fn stopped(&self) -> Error {
        let stopped = self.progress.borrow().stopped.clone();
        stopped.unwrap_or_else(|| Error::unavailable("the engine has been closed"))
    }
}

fn open_tree(config: &SledConfig) -> Result<::sled::Db> {
    ::sled::Config::new()
        .path(&config.directory)
        .cache_capacity(config.cache_bytes)
        .segment_size(SEGMENT_BYTES)
        .mode(::sled::Mode::LowSpace)
        // The committer is the only one to flush.
        .flush_every_ms(None)
        .open()
        .map_err(failed)
}

fn encode(revision: Revision, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(REVISION_BYTES + value.len());
    bytes.extend_from_slice(&u64::from(revision).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

fn decode(bytes: &[u8]) -> Result<Entry> {
    let (revision, value) = decode_revision(bytes)?;
    Ok(Entry { value: Bytes::copy_from_slice(value), revision })
}

fn decode_revision(bytes: &[u8]) -> Result<(Revision, &[u8])> {
    let (revision, rest) =
        bytes.split_first_chunk().ok_or_else(|| Error::corrupt("an entry has no revision"))?;
    Ok((u64::from_be_bytes(*revision).into(), rest))
}

fn failed(error: ::sled::Error) -> Error {
    match error {
        ::sled::Error::Corruption { .. } => Error::corrupt(error),
        error => Error::unavailable(error),
    }
}
