//! What hashing a password costs, as the operator writes it.

use reeve_chassis::PasswordSettings;
use serde::{Deserialize, Serialize};

/// What hashing a password costs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Memory of one hash, in KiB.
    pub memory_kibibytes: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Threads that hash, each with memory of its own; as many as there are cores when 0.
    pub threads: usize,
    /// Passwords that wait for a thread; calls with more are told to come again.
    pub queue_max: usize,
}

impl PasswordConfig {
    pub(super) fn settings(&self) -> PasswordSettings {
        let Self { memory_kibibytes, iterations, threads, queue_max } = *self;
        PasswordSettings { memory_kibibytes, iterations, threads, queue_max }
    }
}

impl Default for PasswordConfig {
    fn default() -> Self {
        let PasswordSettings { memory_kibibytes, iterations, threads, queue_max } =
            PasswordSettings::default();
        Self { memory_kibibytes, iterations, threads, queue_max }
    }
}
