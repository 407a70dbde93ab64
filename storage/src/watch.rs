//! Telling whoever keeps something derived from storage what has changed. A receiver that falls behind is
//! told so, because a cache that misses one change in silence is wrong for ever.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::Revision;

/// Commits that are kept for a slow receiver before it is told that it has missed some.
pub const WATCH_COMMITS_MAX: usize = 1024;

/// What a watcher hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A commit has become durable.
    Committed {
        /// Its revision; each is greater than the one before.
        revision: Revision,
        /// The keys it put, deleted or added to.
        keys: Arc<[Bytes]>,
    },
    /// So many commits were missed: everything derived from storage is in doubt. Later ones follow.
    Lagged(u64),
    /// The engine has stopped; nothing follows.
    Closed,
}

/// A receiver of [`Event`]s.
#[derive(Debug)]
pub struct Watch(broadcast::Receiver<(Revision, Arc<[Bytes]>)>);

impl Watch {
    /// Waits for the next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Event {
        match self.0.recv().await {
            Ok((revision, keys)) => Event::Committed { revision, keys },
            Err(broadcast::error::RecvError::Lagged(missed)) => Event::Lagged(missed),
            Err(broadcast::error::RecvError::Closed) => Event::Closed,
        }
    }
}

/// The engine's end.
#[derive(Debug)]
pub(crate) struct Announcer(broadcast::Sender<(Revision, Arc<[Bytes]>)>);

impl Announcer {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(WATCH_COMMITS_MAX))
    }

    pub(crate) fn watch(&self) -> Watch {
        Watch(self.0.subscribe())
    }

    pub(crate) fn committed<'a>(&self, revision: Revision, keys: impl Iterator<Item = &'a Bytes>) {
        if self.0.receiver_count() > 0 {
            // An error means that the last receiver has just gone.
            let _ = self.0.send((revision, keys.cloned().collect()));
        }
    }
}
