//! The one place that reads the time. Everything behind it is given the moment of the call, so a call sees one time
//! and tests choose it.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// A point in time: milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970-01-01 UTC.
    pub milliseconds: i64,
}

impl Moment {
    /// Whole seconds since 1970-01-01 UTC, which is what AWS's times are made of.
    pub fn seconds(self) -> i64 {
        self.milliseconds.div_euclid(1000)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Moment;
}

/// What `future` comes to, if it does by `deadline`. Nearly all do at once, and then no timer is made; and the future,
/// which may be large, stays where it is.
pub(crate) async fn by<F: Future>(deadline: Instant, mut future: Pin<&mut F>) -> Result<F::Output, Elapsed> {
    match futures::poll!(future.as_mut()) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => timeout_at(deadline, future).await,
    }
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { milliseconds: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) }
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `seconds` since 1970-01-01 UTC.
    pub fn at(seconds: i64) -> Self {
        Self(AtomicI64::new(seconds.saturating_mul(1000)))
    }

    /// Moves the clock, back too.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment { milliseconds: self.0.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_has_not_come_by_its_deadline_is_late() {
        let now = Instant::now();
        assert_eq!(by(now, pin!(ready(1))).await.ok(), Some(1), "what is there need not wait");
        let soon = async {
            tokio::task::yield_now().await;
            2
        };
        assert_eq!(by(now + Duration::from_secs(3600), pin!(soon)).await.ok(), Some(2));
        assert!(by(now, pin!(pending::<()>())).await.is_err());
    }
}
