//! The calls that have no password. While there are some, half of the hashing threads stand back: a thread in idle time yields at
//! once to whoever wakes, but a scheduler that balances its processors moves others to where one hashes, and on Linux they then
//! wait there for the next tick, up to ten milliseconds. With a processor that nobody hashes on there is no reason to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// For how long what was seen of others counts.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Fewer calls between two looks are nobody worth standing back for.
const CALLS_MIN: u64 = 10;

/// How many calls without a password were answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Bystanders(Arc<AtomicU64>);

impl Bystanders {
    /// There was one more.
    pub(super) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody who looks at them from `now` on.
    pub(super) fn watched(&self, now: Instant) -> Watch {
        Watch { of: self.clone(), seen: self.count(), at: now, are_there: false }
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What somebody saw of the bystanders last.
pub(super) struct Watch {
    of: Bystanders,
    seen: u64,
    at: Instant,
    are_there: bool,
}

impl Watch {
    /// Whether there are bystanders.
    pub(super) fn are_there(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at);
        if elapsed >= LOOK_INTERVAL {
            let count = self.of.count();
            let intervals = elapsed.as_secs_f64() / LOOK_INTERVAL.as_secs_f64();
            self.are_there = (count - self.seen) as f64 >= CALLS_MIN as f64 * intervals;
            (self.seen, self.at) = (count, now);
        }
        self.are_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bystanders_are_those_of_the_last_look_and_few_are_none() {
        let bystanders = Bystanders::default();
        let begun = Instant::now();
        let mut watch = bystanders.watched(begun);
        let mut after = |calls: u64, milliseconds: u64| {
            (0..calls).for_each(|_| bystanders.note());
            watch.are_there(begun + Duration::from_millis(milliseconds))
        };
        assert!(!after(CALLS_MIN, 50), "not looked at yet");
        assert!(after(0, 100));
        assert!(after(0, 150), "not looked at again");
        assert!(!after(CALLS_MIN - 1, 200));
        assert!(!after(CALLS_MIN * 9, 1_200), "in a second they are few");
        assert!(after(CALLS_MIN * 10, 2_200));
        assert!(!after(0, 2_300));
    }
}
