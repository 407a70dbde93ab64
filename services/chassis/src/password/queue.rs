//! The bounded queue before the hashing threads. What does not fit is refused at once, and takes nothing but its refusal.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A queue of jobs, for several threads.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    /// There is one more job, or the queue is closed.
    changed: Condvar,
    /// Another job is the first, or the queue is closed.
    first_changed: Condvar,
    jobs_max: usize,
}

struct State<J> {
    jobs: VecDeque<(Instant, J)>,
    closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new(jobs_max: usize) -> Self {
        let state = State { jobs: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), first_changed: Condvar::new(), jobs_max }
    }

    /// Adds a job; false when the queue is full.
    pub(super) fn push(&self, job: J) -> bool {
        let mut state = self.state();
        if state.jobs.len() >= self.jobs_max {
            return false;
        }
        state.jobs.push_back((Instant::now(), job));
        let is_first = state.jobs.len() == 1;
        drop(state);
        self.changed.notify_one();
        if is_first {
            self.first_changed.notify_one();
        }
        true
    }

    /// The next job; none once the queue is closed. `idle` is called when there is none yet, before the wait for one.
    pub(super) fn next(&self, idle: impl FnOnce()) -> Option<J> {
        let mut state = self.state();
        if state.jobs.is_empty() && !state.closed {
            drop(state);
            idle();
            state = self.state();
        }
        loop {
            if state.closed {
                return None;
            }
            if let Some((_, job)) = state.jobs.pop_front() {
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job that has waited for `patience`; none once the queue is closed. `idle` is called before the wait for one.
    pub(super) fn next_overdue(&self, patience: Duration, idle: impl FnOnce()) -> Option<J> {
        let mut idle = Some(idle);
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            let left = state.jobs.front().map(|(since, _)| patience.saturating_sub(since.elapsed()));
            if left == Some(Duration::ZERO) {
                return state.jobs.pop_front().map(|(_, job)| job);
            }
            if let Some(idle) = idle.take() {
                drop(state);
                idle();
                state = self.state();
                continue;
            }
            state = match left {
                Some(left) => {
                    let waited = self.first_changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.first_changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state().jobs.len()
    }

    /// Lets every thread end; jobs that wait are dropped.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.changed.notify_all();
        self.first_changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let queue = Queue::new(2);
        assert!(queue.push(1) && queue.push(2));
        for job in 3..1000 {
            assert!(!queue.push(job));
        }
        assert_eq!(queue.waiting(), 2);
        assert_eq!((queue.next(|| {}), queue.next(|| {})), (Some(1), Some(2)));
        assert!(queue.push(3));
    }

    #[test]
    fn what_has_waited_long_enough_is_overdue_and_nothing_else() {
        let queue = Queue::new(2);
        std::thread::scope(|scope| {
            let patient = scope.spawn(|| queue.next_overdue(Duration::MAX, || {}));
            assert!(queue.push(1) && queue.push(2));
            assert_eq!(queue.next(|| {}), Some(1));
            assert_eq!(queue.next_overdue(Duration::ZERO, || {}), Some(2));
            queue.close();
            assert_eq!(patient.join().unwrap(), None);
        });
        assert_eq!((queue.next(|| {}), queue.next_overdue(Duration::ZERO, || {})), (None, None));
    }

    #[test]
    fn whoever_waits_for_what_is_overdue_is_told_of_it() {
        let queue = Queue::new(1);
        std::thread::scope(|scope| {
            let overdue = scope.spawn(|| queue.next_overdue(Duration::ZERO, || {}));
            assert!(queue.push(1));
            assert_eq!(overdue.join().unwrap(), Some(1));
        });
    }
}
