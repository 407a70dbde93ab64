//! The threads that hash. They take what nobody else wants of the processors: whoever waits for a decision does not wait for
//! somebody else's password, not even for the rest of a slice of time. One more has a small share of its own, for passwords that
//! would wait for ever on a server that is never idle.

use std::panic::AssertUnwindSafe;

use super::Job;
use super::argon::Memory;

/// How much of the processors a thread gets.
#[derive(Clone, Copy)]
pub(super) enum Share {
    /// What is left when nobody else wants any.
    Leftover,
    /// Less than the workers, but always some.
    Little,
}

/// Starts a thread that does the jobs that `next` gives it, until there are none. `next` is given what to do before it waits.
pub(super) fn spawn(
    name: String,
    share: Share,
    mut next: impl FnMut(&mut dyn FnMut()) -> Option<Job> + Send + 'static,
) {
    let named = std::thread::Builder::new().name(name);
    if let Err(error) = named.spawn(move || work(share, &mut next)) {
        tracing::error!(%error, "a thread that hashes passwords did not start");
    }
}

fn work(share: Share, next: &mut dyn FnMut(&mut dyn FnMut()) -> Option<Job>) {
    take_no_more_than(share);
    let mut memory = Memory::default();
    while let Some(job) = next(&mut || memory.wipe()) {
        // A thread outlives whatever it is given; who waits for the answer learns that there is none.
        if std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            tracing::error!("hashing a password panicked");
        }
    }
    memory.wipe();
}

/// A niceness alone would not do: the scheduler lets whoever runs end its slice, and that is longer than a decision takes. In the
/// class for idle time a thread yields at once.
#[cfg(target_os = "linux")]
fn take_no_more_than(share: Share) {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };

    const NICENESS: i32 = 10;
    if let Share::Leftover = share {
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        match set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "a hashing thread does not keep to idle time"),
        }
    }
    // On Linux the niceness is the calling thread's alone.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "a hashing thread has the priority of all others");
    }
}

#[cfg(not(target_os = "linux"))]
fn take_no_more_than(_: Share) {}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy};

    use super::*;

    /// What a thread of that share is to the scheduler.
    fn policy(share: Share) -> ThreadSchedulePolicy {
        let thread = std::thread::spawn(move || {
            take_no_more_than(share);
            thread_schedule_policy().unwrap()
        });
        thread.join().unwrap()
    }

    #[test]
    fn hashing_has_idle_time_and_what_is_overdue_a_share() {
        let normal = |policy| ThreadSchedulePolicy::Normal(policy);
        assert_eq!(policy(Share::Leftover), normal(NormalThreadSchedulePolicy::Idle));
        assert_eq!(policy(Share::Little), normal(NormalThreadSchedulePolicy::Other));
    }
}
