//! What one client can make the server hold or wait for, as the operator writes it.

use std::time::Duration;

use reeve_chassis::transport::Limits;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What one client can make the server hold or wait for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Largest request message, in bytes.
    pub message_bytes_max: usize,
    /// Bytes of request messages, all together, that are waited for at the same time; calls beyond are told to come again.
    pub incoming_bytes_max: usize,
    /// Calls at the same time on one connection.
    pub streams_max: u32,
    /// All headers of a call together, in bytes.
    pub header_bytes_max: u32,
    /// Connections at the same time.
    pub connections_max: usize,
    /// Connections from one address at the same time; of IPv6, from one network of 64 bits.
    pub connections_per_address_max: usize,
    /// How long a connection may be without a request before it is told to go, in seconds.
    pub idle_seconds_max: u64,
    /// The deadline of a call that brings none, and the latest that one may bring, in seconds.
    pub deadline_seconds_max: u64,
    /// How long a stopping server waits for calls under way, in seconds.
    pub drain_seconds_max: u64,
}

impl LimitsConfig {
    /// Refuses numbers that do not go together.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.incoming_bytes_max / 2 < self.message_bytes_max {
            return Err(ConfigError::Refused(
                "limits.incoming_bytes_max has no room for two of the largest messages",
            ));
        }
        Ok(())
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            message_bytes_max: self.message_bytes_max,
            incoming_bytes_max: self.incoming_bytes_max,
            streams_max: self.streams_max,
            header_bytes_max: self.header_bytes_max,
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            idle_max: Duration::from_secs(self.idle_seconds_max),
            deadline_max: Duration::from_secs(self.deadline_seconds_max),
            drain_max: Duration::from_secs(self.drain_seconds_max),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            message_bytes_max: limits.message_bytes_max,
            incoming_bytes_max: limits.incoming_bytes_max,
            streams_max: limits.streams_max,
            header_bytes_max: limits.header_bytes_max,
            connections_max: limits.connections_max,
            connections_per_address_max: limits.connections_per_address_max,
            idle_seconds_max: limits.idle_max.as_secs(),
            deadline_seconds_max: limits.deadline_max.as_secs(),
            drain_seconds_max: limits.drain_max.as_secs(),
        }
    }
}
