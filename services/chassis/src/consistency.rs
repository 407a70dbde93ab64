//! `reeve-revision` and `reeve-min-revision`: a caller that has seen a write is never answered from before it, on
//! whichever node. Only a caller who is known may wait, and waiting is bounded, in time and in how many wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use reeve_directory::Error;
use reeve_storage::{Event, Revision};

use crate::environment::Environment;
use crate::revision_token;

/// The header by which a call asks not to be answered from before a revision.
static MIN_REVISION: HeaderName = HeaderName::from_static("reeve-min-revision");
/// The longest wait for a revision.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// Most calls that wait at the same time.
const WAITERS_MAX: usize = 1024;

/// Waits until this node has seen the revision that the call asks for, if it asks for one.
pub(crate) async fn wait(environment: &Environment, headers: &HeaderMap) -> Result<(), Error> {
    let mut values = headers.get_all(&MIN_REVISION).iter();
    let Some(value) = values.next() else { return Ok(()) };
    let only = values.next().is_none().then_some(value);
    let decoded =
        only.and_then(|value| revision_token::decode(&environment.keyring, value.to_str().ok()?).ok());
    let Some((incarnation, revision)) = decoded else {
        return Err(Error::invalid_parameter_value(format!(
            "{MIN_REVISION} is not a revision of this cluster."
        )));
    };
    // Before a restore there was another history, whose revisions say nothing of this one.
    if incarnation != environment.cluster.incarnation {
        return Ok(());
    }
    let wanted = Revision::from(revision);
    if environment.engine.revision() >= wanted {
        return Ok(());
    }
    let _waiting = Waiting::enter(&environment.waiters)?;
    let mut watch = environment.engine.watch();
    let seen = async {
        while environment.engine.revision() < wanted {
            if let Event::Closed = watch.next().await {
                break;
            }
        }
    };
    tokio::time::timeout(WAIT_MAX, seen)
        .await
        .map_err(|_| Error::service_unavailable("This node has not seen the revision yet."))
}

/// A place among the waiters.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiters: &'a AtomicUsize) -> Result<Self, Error> {
        let place = Self(waiters);
        if waiters.fetch_add(1, Ordering::Relaxed) >= WAITERS_MAX {
            return Err(Error::service_unavailable("Too many calls wait for a revision."));
        }
        Ok(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
