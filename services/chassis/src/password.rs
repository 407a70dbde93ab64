//! Passwords: hashed with Argon2id on threads of their own behind a bounded queue, so that neither an attack nor a Monday
//! morning takes the workers or the memory of everything else. What does not fit into the queue is told to come again
//! before anything was done for it.
//!
//! A hash carries its parameters (a PHC string), so that the cost can rise: whoever verifies one of another cost is told to
//! hash the password anew. Hashing memory is bounded by the threads; they keep it, and clear it when nothing waits.

mod argon;
mod bystanders;
mod once;
mod queue;
mod thread;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use argon2::Params;
use reeve_directory::{Error, Random};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use argon::Memory;
use bystanders::Bystanders;
pub(crate) use once::Done;
pub use once::Passwords;
use queue::Queue;
use thread::Share;

/// OWASP's minimum: any of these, memory in KiB with iterations, at a parallelism of one. (Source: the OWASP Password
/// Storage Cheat Sheet.)
const MINIMUM: &[(u32, u32)] = &[(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
/// Most iterations that can be configured; beyond them one password takes longer than a call may.
const ITERATIONS_MAX: u32 = 64;
/// When those who found the queue full should come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// After so long a password does not wait any more for others to have nothing to do.
const PATIENCE: Duration = Duration::from_secs(1);

/// What hashing costs, and how much of it happens at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSettings {
    /// Memory of one hash, in KiB.
    pub memory_kibibytes: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Threads that hash, each with memory of its own; as many as there are cores when 0. Half of them leave the processors to
    /// other calls while such come, and there is one more for what has waited too long.
    pub threads: usize,
    /// Passwords that wait for a thread.
    pub queue_max: usize,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self { memory_kibibytes: 19_456, iterations: 2, threads: 0, queue_max: 64 }
    }
}

impl PasswordSettings {
    /// Whether hashes cost as much as they must, and not more than a server can bear.
    pub fn is_sound(&self) -> bool {
        let costs = |(memory, iterations): &(u32, u32)| {
            self.memory_kibibytes >= *memory && self.iterations >= *iterations
        };
        MINIMUM.iter().any(costs)
            && self.memory_kibibytes <= argon::MEMORY_KIBIBYTES_MAX
            && self.iterations <= ITERATIONS_MAX
            && self.queue_max > 0
    }
}

/// What became of a password that was compared with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is the one.
    Matches {
        /// The hash does not cost what new ones do: the password should be hashed again.
        rehash: bool,
    },
    /// It is another.
    No,
}

impl Verified {
    /// Whether it is the one.
    #[must_use]
    pub fn is_match(self) -> bool {
        matches!(self, Self::Matches { .. })
    }
}

/// How much hashing a pool has done. Costs are compared by it where their times would depend on the machine.
#[derive(Clone, Debug, Default)]
pub struct Work(Arc<AtomicU64>);

impl Work {
    /// The memory that was filled so far, in KiB, each pass over it counted.
    #[must_use]
    pub fn kibibytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// The threads that hash, and the queue before them. They start with the first password.
pub struct PasswordPool {
    settings: PasswordSettings,
    queue: Arc<Queue<Job>>,
    work: Work,
    bystanders: Bystanders,
    started: Once,
}

impl PasswordPool {
    /// A pool that has not started.
    #[must_use]
    pub fn new(settings: PasswordSettings) -> Self {
        let queue = Arc::new(Queue::new(settings.queue_max));
        Self {
            settings,
            queue,
            work: Work::default(),
            bystanders: Bystanders::default(),
            started: Once::new(),
        }
    }

    /// How much was hashed so far, and will have been.
    #[must_use]
    pub fn work(&self) -> Work {
        self.work.clone()
    }

    /// A call was answered that had no password. While there are many, half of the threads leave the processors to them.
    pub(crate) fn note_bystander(&self) {
        self.bystanders.note();
    }

    /// The PHC string of a password, under a new salt.
    ///
    /// # Errors
    /// `ServiceUnavailable` when too many passwords wait.
    pub async fn hash(&self, password: &str, random: &mut dyn Random) -> Result<Zeroizing<String>, Error> {
        let mut salt = [0; argon::SALT_BYTES];
        random.fill(&mut salt);
        let (parameters, password) = (self.parameters()?, Zeroizing::new(password.to_owned()));
        self.run(move |memory| argon::hash(memory, &parameters, &password, &salt)).await
    }

    /// Compares a password with a hash, at the cost of one made today at least.
    ///
    /// # Errors
    /// `ServiceUnavailable` when too many passwords wait; `InternalFailure` when `phc` is no hash of this pool's.
    pub async fn verify(&self, password: &str, phc: &str) -> Result<Verified, Error> {
        let (parameters, password) = (self.parameters()?, Zeroizing::new(password.to_owned()));
        let phc = Zeroizing::new(phc.to_owned());
        self.run(move |memory| argon::verify(memory, &parameters, &password, &phc)).await
    }

    /// Takes as long as [`PasswordPool::verify`], so that an unknown user costs what a known one does.
    ///
    /// # Errors
    /// `ServiceUnavailable` when too many passwords wait.
    pub async fn verify_nothing(&self, password: &str) -> Result<(), Error> {
        let (parameters, password) = (self.parameters()?, Zeroizing::new(password.to_owned()));
        let salt = [0; argon::SALT_BYTES];
        self.run(move |memory| argon::hash(memory, &parameters, &password, &salt)).await.map(drop)
    }

    fn parameters(&self) -> Result<Params, Error> {
        argon::parameters(self.settings.memory_kibibytes, self.settings.iterations)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.started.call_once(|| self.start());
        let (reply, answer) = oneshot::channel();
        let done = self.work();
        let job: Job = Box::new(move |memory| {
            // Whoever has gone away, because of its deadline, is not worked for.
            if !reply.is_closed() {
                let before = memory.filled_kibibytes;
                let result = work(memory);
                done.0.fetch_add(memory.filled_kibibytes - before, Ordering::Relaxed);
                let _ = reply.send(result);
            }
        });
        if !self.queue.push(job) {
            return Err(busy());
        }
        answer.await.unwrap_or_else(|_| Err(Error::internal_failure("a password was not hashed to the end")))
    }

    fn start(&self) {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if self.settings.threads == 0 { cores() } else { self.settings.threads };
        for number in 0..threads {
            // Half of them, and one at least, for any password at any time.
            let mut watch = (number >= threads.div_ceil(2)).then(|| self.bystanders.watched(Instant::now()));
            let patience = move || {
                let stands_back = watch.as_mut().is_some_and(|watch| watch.are_there(Instant::now()));
                if stands_back { PATIENCE } else { Duration::ZERO }
            };
            self.spawn(format!("password-{number}"), Share::Leftover, patience);
        }
        self.spawn("password-overdue".to_owned(), Share::Little, || PATIENCE);
    }

    /// Starts a thread that does the jobs that have waited for as long as `patience` says.
    fn spawn(&self, name: String, share: Share, mut patience: impl FnMut() -> Duration + Send + 'static) {
        let queue = Arc::clone(&self.queue);
        thread::spawn(name, share, move |idle| queue.next(&mut patience, idle));
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for PasswordPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordPool").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Not logged, unlike other failures: in a flood that would be a second one.
fn busy() -> Error {
    let mut error = Error::service_unavailable("");
    (error.detail, error.retry_after) = (None, Some(RETRY_AFTER));
    error
}

#[cfg(test)]
mod tests;
