//! The engine that forgets: an ordered map behind a lock. It is the model that other engines are compared
//! with, so it is written to be seen correct, not to be fast.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use tokio::sync::watch;

use crate::engine::SCAN_ITEMS_MAX;
use crate::merge::{current, merge};
use crate::revision::AtomicRevision;
use crate::watch::{Announcer, Watch};
use crate::{Commit, Engine, Entry, Error, KeyRange, ReadSet, Result, Revision};

/// An engine in memory.
#[derive(Debug)]
pub struct Memory {
    state: RwLock<State>,
    revision: AtomicRevision,
    newest_delete: AtomicRevision,
    durable: watch::Sender<Revision>,
    announcer: Announcer,
    commits: AtomicU64,
    syncs_by_itself: bool,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Bytes, Entry>,
    /// Applied and not yet durable, in order.
    unsynced: Vec<(Revision, Vec<Bytes>)>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// An empty store in which every commit counts as durable at once.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: RwLock::default(),
            revision: AtomicRevision::default(),
            newest_delete: AtomicRevision::default(),
            durable: watch::Sender::new(Revision::ZERO),
            announcer: Announcer::new(),
            commits: AtomicU64::new(0),
            syncs_by_itself: true,
        }
    }

    /// An empty store in which commits become durable only by [`Memory::sync`]: for tests of what happens
    /// between the two.
    #[must_use]
    pub fn unsynced() -> Self {
        Self { syncs_by_itself: false, ..Self::new() }
    }

    /// Makes everything applied so far durable.
    pub fn sync(&self) {
        self.sync_state(&mut self.write());
    }

    fn apply(&self, commit: Commit) -> Result<Revision> {
        commit.check()?;
        let mut state = self.write();
        let read_only = commit.is_read_only();
        let writes = merge(commit, |key| Ok(state.entries.get(key).cloned()))?;
        if read_only {
            return Ok(self.revision());
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        let revision = self.revision().next();
        state.unsynced.push((revision, writes.keys().cloned().collect()));
        for (key, value) in writes {
            match value {
                Some(value) => state.entries.insert(key, Entry { value, revision }),
                None => {
                    self.newest_delete.raise(revision);
                    state.entries.remove(&key)
                }
            };
        }
        // Readers hold the lock, so nobody sees a commit in part and the horizon is the revision.
        self.revision.raise(revision);
        if self.syncs_by_itself {
            self.sync_state(&mut state);
        }
        Ok(revision)
    }

    fn sync_state(&self, state: &mut State) {
        for (revision, keys) in state.unsynced.drain(..) {
            self.durable.send_replace(revision);
            self.announcer.committed(revision, keys.iter());
        }
    }

    fn prove(&self, sets: &[ReadSet]) -> Result<Revision> {
        let state = self.read();
        let revision = self.revision();
        for read in sets.iter().filter(|set| set.since() != revision).flat_map(ReadSet::iter) {
            current(read, state.entries.get(&read.key))?;
        }
        sets.iter().for_each(|set| set.prove(revision));
        Ok(revision)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Memory {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Entry>>> {
        ready(Ok(self.read().entries.get(key).cloned())).boxed()
    }

    fn scan(&self, range: KeyRange, limit: usize) -> BoxFuture<'_, Result<Vec<(Bytes, Entry)>>> {
        let state = self.read();
        let start = match &range.after {
            Some(after) if *after >= range.prefix => Bound::Excluded(after.clone()),
            _ => Bound::Included(range.prefix.clone()),
        };
        let items = state.entries.range((start, Bound::Unbounded));
        let items = items.take_while(|(key, _)| key.starts_with(&range.prefix));
        let items = items.take(limit.min(SCAN_ITEMS_MAX)).map(|(key, entry)| (key.clone(), entry.clone()));
        ready(Ok(items.collect())).boxed()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision>> {
        async move {
            let revision = self.apply(commit)?;
            self.wait_durable(revision).await?;
            Ok(revision)
        }
        .boxed()
    }

    fn validate<'a>(&'a self, sets: &'a [ReadSet]) -> BoxFuture<'a, Result<Revision>> {
        ready(self.prove(sets)).boxed()
    }

    fn revision(&self) -> Revision {
        self.revision.load()
    }

    fn horizon(&self) -> Revision {
        self.revision.load()
    }

    fn newest_delete(&self) -> Revision {
        self.newest_delete.load()
    }

    fn durable(&self) -> Revision {
        *self.durable.borrow()
    }

    fn wait_durable(&self, revision: Revision) -> BoxFuture<'_, Result<()>> {
        let mut durable = self.durable.subscribe();
        async move {
            durable.wait_for(|durable| *durable >= revision).await.map_err(Error::unavailable)?;
            Ok(())
        }
        .boxed()
    }

    fn watch(&self) -> Watch {
        self.announcer.watch()
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use crate::suite::MemoryStore;

    crate::engine_suite!(contract, MemoryStore);
}
