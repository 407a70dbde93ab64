//! One count of wrong guesses, and the wait that follows from it.

/// When a count makes wait, and how it wears off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Wrong guesses that cost nothing.
    pub(super) free: u32,
    /// The longest wait.
    pub(super) wait_seconds_max: i64,
    /// After so long one wrong guess is forgotten.
    pub(super) wears_off_seconds: i64,
}

/// A count.
#[derive(Debug, Default)]
pub(super) struct Tally {
    failures: u32,
    /// When `failures` was last reckoned: Unix seconds.
    reckoned_at: i64,
    locked_until: i64,
    undecided: u32,
}

impl Tally {
    /// How long is still to be waited at `now`, in seconds.
    pub(super) fn wait(&self, now: i64) -> i64 {
        self.locked_until.saturating_sub(now).max(0)
    }

    /// Wrong guesses that have not worn off at `now`.
    pub(super) fn failures(&self, rule: &Rule, now: i64) -> u32 {
        let worn_off = now.saturating_sub(self.reckoned_at) / rule.wears_off_seconds;
        self.failures.saturating_sub(u32::try_from(worn_off).unwrap_or(0))
    }

    /// Begins a guess; false when it is to wait. After a wrong one there is one at a time, so that no burst gets past the
    /// wait that the first of it brings.
    pub(super) fn begin(&mut self, rule: &Rule, undecided_max: u32, now: i64) -> bool {
        let together = if self.failures(rule, now) == 0 { undecided_max } else { 1 };
        if self.wait(now) > 0 || self.undecided >= together {
            return false;
        }
        self.undecided += 1;
        true
    }

    /// Ends a guess that was begun.
    pub(super) fn end(&mut self) {
        self.undecided = self.undecided.saturating_sub(1);
    }

    /// Counts a wrong guess.
    pub(super) fn fail(&mut self, rule: &Rule, now: i64) {
        let left = self.failures(rule, now);
        // What has worn off in part goes on wearing off.
        self.reckoned_at = if left == 0 {
            now
        } else {
            now - now.saturating_sub(self.reckoned_at).rem_euclid(rule.wears_off_seconds)
        };
        self.failures = left.saturating_add(1);
        if let Some(beyond) = self.failures.checked_sub(rule.free) {
            let wait = (1_i64 << beyond.min(32)).min(rule.wait_seconds_max);
            self.locked_until = now.saturating_add(wait);
        }
    }

    /// Forgets the wrong guesses.
    pub(super) fn clear(&mut self) {
        self.failures = 0;
        self.locked_until = 0;
    }
}
