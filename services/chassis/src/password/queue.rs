//! The bounded queue before the hashing threads. What does not fit is refused at once, and takes nothing but its refusal.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bystanders::LOOK_INTERVAL;

/// A queue of jobs, for several threads.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    /// There is one more job, or the queue is closed.
    changed: Condvar,
    jobs_max: usize,
}

struct State<J> {
    jobs: VecDeque<(Instant, J)>,
    closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new(jobs_max: usize) -> Self {
        let state = State { jobs: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), jobs_max }
    }

    /// Adds a job; false when the queue is full.
    pub(super) fn push(&self, job: J) -> bool {
        let mut state = self.state();
        if state.jobs.len() >= self.jobs_max {
            return false;
        }
        state.jobs.push_back((Instant::now(), job));
        drop(state);
        // All threads: who of them is not too patient only they know.
        self.changed.notify_all();
        true
    }

    /// The next job that has waited for as long as `patience` says, which is asked again now and then; none once the queue is
    /// closed. `idle` is called when there is none yet, before the wait for one.
    pub(super) fn next(&self, patience: &mut dyn FnMut() -> Duration, idle: impl FnOnce()) -> Option<J> {
        let mut idle = Some(idle);
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            let left = state.jobs.front().map(|(since, _)| patience().saturating_sub(since.elapsed()));
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
                    let waited = self.changed.wait_timeout(state, left.min(LOOK_INTERVAL));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
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
        assert_eq!((next(&queue, Duration::ZERO), next(&queue, Duration::ZERO)), (Some(1), Some(2)));
        assert!(queue.push(3));
    }

    fn next(queue: &Queue<i32>, patience: Duration) -> Option<i32> {
        queue.next(&mut || patience, || {})
    }

    #[test]
    fn a_job_is_done_by_whoever_is_not_too_patient() {
        let queue = Queue::new(2);
        std::thread::scope(|scope| {
            let patient = scope.spawn(|| next(&queue, Duration::MAX));
            assert!(queue.push(1) && queue.push(2));
            assert_eq!(next(&queue, Duration::ZERO), Some(1));
            assert_eq!(next(&queue, Duration::from_millis(1)), Some(2));
            queue.close();
            assert_eq!(patient.join().unwrap(), None);
        });
        assert_eq!(next(&queue, Duration::ZERO), None);
    }

    #[test]
    fn whoever_waits_is_told_of_a_job() {
        let queue = Queue::new(1);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| next(&queue, Duration::ZERO));
            assert!(queue.push(1));
            assert_eq!(waiting.join().unwrap(), Some(1));
        });
    }

    #[test]
    fn whoever_stands_back_looks_again() {
        let queue = Queue::new(1);
        assert!(queue.push(1));
        let mut looks = 0;
        let taken = queue.next(
            &mut || {
                looks += 1;
                if looks < 4 { Duration::MAX } else { Duration::ZERO }
            },
            || {},
        );
        assert_eq!((taken, looks), (Some(1), 4));
    }
}
