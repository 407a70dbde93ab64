//! The one place that draws. Everything behind it is handed what was drawn, or this source of it.

use std::cell::RefCell;
use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reeve_directory::Random;
use ring::rand::SecureRandom as _;
use rsa::rand_core::{TryCryptoRng, TryRng};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::clock::Moment;

/// The operating system's generator.
#[derive(Clone, Debug)]
pub struct SystemRandom(ring::rand::SystemRandom);

impl SystemRandom {
    /// The generator; it is shared by all of its clones.
    pub fn new() -> Self {
        Self(ring::rand::SystemRandom::new())
    }
}

impl Default for SystemRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for SystemRandom {
    #[expect(
        clippy::panic,
        reason = "without randomness every secret would be guessable: there is no going on"
    )]
    fn fill(&mut self, bytes: &mut [u8]) {
        if self.0.fill(bytes).is_err() {
            panic!("the operating system gives no randomness");
        }
    }
}

/// As the crate that makes RSA keys wants to draw.
impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}

/// A new id of a JSON Web Token: a UUID of version 4.
pub fn jwt_id(random: &mut dyn Random) -> String {
    let mut drawn = [0; 16];
    random.fill(&mut drawn);
    uuid::Builder::from_random_bytes(drawn).into_uuid().to_string()
}

/// A new secret access key: forty characters, as AWS's.
pub fn secret_access_key(random: &mut dyn Random) -> Zeroizing<String> {
    let mut drawn = Zeroizing::new([0; 30]);
    random.fill(drawn.as_mut());
    Zeroizing::new(STANDARD.encode(drawn))
}

/// A new request id: a UUID of version 7, so that the audit records that it keys lie in the order of time.
pub(crate) fn request_id(now: Moment) -> Uuid {
    let milliseconds = u64::try_from(now.milliseconds).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &drawn()).into_uuid()
}

/// What makes a request id unlike all others. It is no secret, so a thread draws it for many at once: the operating system
/// is asked at every call otherwise.
fn drawn() -> [u8; 10] {
    thread_local!(static DRAWN: RefCell<Vec<[u8; 10]>> = const { RefCell::new(Vec::new()) });
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            let mut block = [0; 640];
            SystemRandom::new().fill(&mut block);
            drawn.extend_from_slice(block.as_chunks().0);
        }
        drawn.pop().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_request_ids_are_the_same() {
        let ids = || (0..1000).map(|_| request_id(Moment { milliseconds: 7 })).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(ids)).collect();
        let all: HashSet<Uuid> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 4000);
    }
}
