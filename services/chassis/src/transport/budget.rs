//! How many bytes of requests may be on their way at once, in the whole process. What is waited for has its place here
//! first, so memory is bounded by what the operator says, however many clients are slow, or pretend to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reeve_directory::Error;

/// What a request that is waited for holds besides its body: its headers and its place.
pub(super) const REQUEST_BYTES: usize = 16 * 1024;
/// The part of the whole that there is for requests of which nobody knows who makes them: one in so many. They spend
/// nothing of what there is for the others.
const OPEN_SHARE: usize = 8;

/// What is left.
pub(super) struct Budget {
    left: AtomicUsize,
}

/// The two budgets of a server.
pub(super) struct Budgets {
    /// Of those whose credentials were found good.
    pub(super) known: Arc<Budget>,
    /// Of everybody: for what is open to all.
    pub(super) open: Arc<Budget>,
}

/// What one request has taken, until it is dropped.
pub(super) struct Taken {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budgets {
    pub(super) fn of(bytes_max: usize) -> Self {
        let open = bytes_max / OPEN_SHARE;
        Self { known: Arc::new(Budget::of(bytes_max - open)), open: Arc::new(Budget::of(open)) }
    }
}

impl Budget {
    fn of(bytes: usize) -> Self {
        Self { left: AtomicUsize::new(bytes) }
    }

    /// Takes what a request with a body of `bytes` holds while it is waited for.
    ///
    /// # Errors
    /// `ServiceUnavailable`, to come again soon, when that is more than is left.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Result<Taken, Error> {
        let bytes = bytes.saturating_add(REQUEST_BYTES);
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        match taken {
            Ok(_) => Ok(Taken { budget: Arc::clone(self), bytes }),
            Err(_) => Err(Error::service_unavailable("too many bytes of requests are on their way")),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back_and_no_more_is_given_than_there_is() {
        let budgets = Budgets::of(8 * (REQUEST_BYTES + 10));
        let open = budgets.open.take(10).unwrap();
        assert!(budgets.open.take(0).is_err());
        let known = budgets.known.take(6 * REQUEST_BYTES).expect("what is open to all does not spend it");
        assert!(budgets.known.take(usize::MAX).is_err());
        drop((open, known));
        let error = budgets.open.take(11).map(drop).unwrap_err();
        assert!(error.retry_after.is_some());
        assert!(budgets.open.take(10).is_ok());
        assert_eq!(budgets.known.left.load(Ordering::Relaxed), 7 * (REQUEST_BYTES + 10));
    }
}
