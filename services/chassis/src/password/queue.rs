//! The bounded queue before the hashing threads. What does not fit is refused at once, and takes nothing but its refusal.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue of jobs, for several threads.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    jobs_max: usize,
}

struct State<J> {
    jobs: VecDeque<J>,
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
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
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
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
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
