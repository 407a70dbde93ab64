//! A store that stops answering when it is told to: what a call does while it waits can only be seen while it waits.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reeve_storage::{Commit, Engine, Entry, KeyRange, ReadSet, Result, Revision, Watch};
use tokio::sync::watch;

/// An engine whose reads and commits can be held.
pub(crate) struct Stuck {
    engine: Arc<dyn Engine>,
    held: watch::Sender<Held>,
    /// How many have been held.
    reached: watch::Sender<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Held {
    Nothing,
    Commits,
    Everything,
}

impl Stuck {
    pub(crate) fn over(engine: Arc<dyn Engine>) -> Self {
        Self { engine, held: watch::Sender::new(Held::Nothing), reached: watch::Sender::new(0) }
    }

    /// Whatever is asked from now on is not answered.
    pub(crate) fn stick(&self) {
        self.held.send_replace(Held::Everything);
    }

    /// Whatever is committed from now on is not acknowledged.
    pub(crate) fn stick_commits(&self) {
        self.held.send_replace(Held::Commits);
    }

    /// Everything is answered.
    pub(crate) fn free(&self) {
        self.held.send_replace(Held::Nothing);
    }

    /// Waits until something was asked that is not answered.
    pub(crate) async fn reached(&self) {
        self.reached.subscribe().wait_for(|count| *count > 0).await.unwrap();
    }

    async fn pass(&self, is_free: impl Fn(&Held) -> bool) {
        let mut held = self.held.subscribe();
        if !is_free(&held.borrow()) {
            self.reached.send_modify(|count| *count += 1);
        }
        held.wait_for(is_free).await.unwrap();
    }
}

impl Engine for Stuck {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Entry>>> {
        async move {
            self.pass(|held| *held != Held::Everything).await;
            self.engine.get(key).await
        }
        .boxed()
    }

    fn scan(&self, range: KeyRange, limit: usize) -> BoxFuture<'_, Result<Vec<(Bytes, Entry)>>> {
        self.engine.scan(range, limit)
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision>> {
        async move {
            self.pass(|held| *held == Held::Nothing).await;
            self.engine.commit(commit).await
        }
        .boxed()
    }

    fn validate<'a>(&'a self, sets: &'a [ReadSet]) -> BoxFuture<'a, Result<Revision>> {
        self.engine.validate(sets)
    }

    fn revision(&self) -> Revision {
        self.engine.revision()
    }

    fn horizon(&self) -> Revision {
        self.engine.horizon()
    }

    fn newest_delete(&self) -> Revision {
        self.engine.newest_delete()
    }

    fn durable(&self) -> Revision {
        self.engine.durable()
    }

    fn wait_durable(&self, revision: Revision) -> BoxFuture<'_, Result<()>> {
        self.engine.wait_durable(revision)
    }

    fn watch(&self) -> Watch {
        self.engine.watch()
    }

    fn commits(&self) -> u64 {
        self.engine.commits()
    }
}
