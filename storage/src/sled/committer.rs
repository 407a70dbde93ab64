//! The one writer: takes whatever commits are waiting, decides each in order against the tree and the group
//! before it, applies the group as one batch, syncs once, and only then answers all of them. While it syncs the
//! next group gathers in the queue. The first failure is the last thing it does.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{Progress, REVISION_KEY, Shared, encode, failed};
use crate::merge::merge;
use crate::{Commit, Entry, Error, Result, Revision};

/// Most commits that share a sync. sled lets nobody read while it applies a batch, so this bounds how long
/// readers wait; the next group's sync costs far less than applying this many.
const GROUP_COMMITS_MAX: usize = 64;
/// Most bytes that one group applies before it syncs; the commit that crosses this is the group's last.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A commit and whom to tell.
pub(super) struct Request {
    pub(super) commit: Commit,
    pub(super) answer: oneshot::Sender<Result<Revision>>,
}

/// The committer's thread.
pub(super) struct Committer {
    shared: Arc<Shared>,
    requests: mpsc::Receiver<Request>,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, requests: mpsc::Receiver<Request>) -> Self {
        Self { shared, requests }
    }

    /// Serves until the engine is dropped or something fails.
    pub(super) fn run(mut self) {
        // If anything below panics, everybody who waits is still told.
        let _stop = StopOnDrop(Arc::clone(&self.shared));
        let mut waiting = Vec::with_capacity(GROUP_COMMITS_MAX);
        while self.requests.blocking_recv_many(&mut waiting, GROUP_COMMITS_MAX) > 0 {
            let mut waiting: VecDeque<Request> = waiting.drain(..).collect();
            while !waiting.is_empty() {
                if let Err(error) = Group::new(&self.shared).serve(&mut waiting) {
                    tracing::error!(%error, "the store has stopped: no more commits are taken");
                    self.shared.stop(error);
                    return;
                }
            }
        }
    }
}

/// Commits that share one batch and one sync.
struct Group<'a> {
    shared: &'a Shared,
    /// The newest commit of the group so far.
    revision: Revision,
    /// What the tree will hold of the keys that the group writes.
    overlay: HashMap<Bytes, (Revision, Option<Bytes>)>,
    bytes: usize,
    commits: Vec<(Revision, Vec<Bytes>)>,
    /// To be told once the batch is applied, so that a rerun reads what it has lost to.
    conflicts: Vec<oneshot::Sender<Result<Revision>>>,
    /// To be told once the group is durable: a refusal too may rest on a commit of it.
    outcomes: Vec<(oneshot::Sender<Result<Revision>>, Result<Revision>)>,
}

impl<'a> Group<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            revision: shared.applied.load(),
            overlay: HashMap::new(),
            bytes: 0,
            commits: Vec::new(),
            conflicts: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// Takes commits from the front while there is room, and brings them to their end.
    fn serve(mut self, waiting: &mut VecDeque<Request>) -> Result<()> {
        while self.bytes < GROUP_BYTES_MAX
            && let Some(request) = waiting.pop_front()
        {
            match self.admit(request.commit) {
                Err(Error::Conflict) => self.conflicts.push(request.answer),
                Err(error @ Error::Unavailable { .. }) => {
                    self.outcomes.push((request.answer, Err(error.clone())));
                    return self.end(Err(error));
                }
                outcome => self.outcomes.push((request.answer, outcome)),
            }
        }
        let written = self.write();
        self.end(written)
    }

    /// Decides a commit as if all before it had been applied.
    fn admit(&mut self, commit: Commit) -> Result<Revision> {
        let read_only = commit.is_read_only();
        let writes = merge(commit, |key| self.lookup(key))?;
        if read_only {
            return Ok(self.revision);
        }
        self.revision = self.revision.next();
        self.commits.push((self.revision, writes.keys().cloned().collect()));
        for (key, value) in writes {
            self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
            self.overlay.insert(key, (self.revision, value));
        }
        Ok(self.revision)
    }

    fn lookup(&self, key: &[u8]) -> Result<Option<Entry>> {
        match self.overlay.get(key) {
            Some((revision, value)) => Ok(value.clone().map(|value| Entry { value, revision: *revision })),
            None => self.shared.get(key),
        }
    }

    fn write(&mut self) -> Result<()> {
        if self.commits.is_empty() {
            return Ok(());
        }
        self.apply()?;
        for conflict in self.conflicts.drain(..) {
            // Whoever has gone needs no answer, here and below.
            let _ = conflict.send(Err(Error::Conflict));
        }
        self.sync()
    }

    fn apply(&self) -> Result<()> {
        let shared = self.shared;
        // Readers may see any part of the batch from here on, so they are warned first.
        for (revision, keys) in &self.commits {
            keys.iter().for_each(|key| shared.recent.note(key, *revision));
        }
        let mut batch = ::sled::Batch::default();
        for (key, (revision, value)) in &self.overlay {
            match value {
                Some(value) => batch.insert(&**key, encode(*revision, value)),
                None => {
                    shared.newest_delete.raise(*revision);
                    batch.remove(&**key);
                }
            }
        }
        batch.insert(REVISION_KEY, encode(self.revision, &[]));
        shared.horizon.raise(self.revision);
        shared.tree.apply_batch(batch).map_err(failed)?;
        shared.applied.raise(self.revision);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let shared = self.shared;
        shared.tree.flush().map_err(failed)?;
        shared.log.sync_data().map_err(Error::unavailable)?;
        shared.commits.fetch_add(u64::try_from(self.commits.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        shared.durable.raise(self.revision);
        shared.progress.send_modify(|progress| progress.durable = self.revision);
        for (revision, keys) in &self.commits {
            shared.announcer.committed(*revision, keys.iter());
        }
        Ok(())
    }

    /// Answers everybody; a failure of the group is the answer to all of it.
    fn end(self, written: Result<()>) -> Result<()> {
        for conflict in self.conflicts {
            let _ = conflict.send(Err(Error::Conflict));
        }
        for (answer, outcome) in self.outcomes {
            let _ = answer.send(written.clone().and(outcome));
        }
        written
    }
}

impl Shared {
    fn stop(&self, error: Error) {
        self.progress.send_modify(|progress: &mut Progress| {
            progress.stopped.get_or_insert(error);
        });
    }
}

struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop(Error::unavailable("the committer has ended"));
    }
}
