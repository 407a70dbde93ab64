//! How the keys of OpenID Connect providers are fetched and kept, as the operator writes it.

use std::time::Duration;

use reeve_chassis::issuer::IssuerSettings;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How the keys of OpenID Connect providers are fetched and kept.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// How long a provider has for its answers, discovery and keys together, in seconds.
    pub fetch_seconds_max: u64,
    /// Largest answer of a provider's, in bytes.
    pub answer_bytes_max: usize,
    /// How old keys are before they are looked at again, in seconds.
    pub fresh_seconds_max: i64,
    /// How old keys are that are not used any more, in seconds.
    pub lifetime_seconds_max: i64,
    /// How long nothing is asked of a provider after it was asked, in seconds.
    pub interval_seconds_min: i64,
    /// How far the beginning of a token may lie in the future, in seconds. Its end is its end.
    pub skew_seconds_max: i64,
}

impl OidcConfig {
    /// Refuses numbers that do not go together.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.fresh_seconds_max > self.lifetime_seconds_max {
            return Err(ConfigError::Refused(
                "oidc.fresh_seconds_max is longer than oidc.lifetime_seconds_max",
            ));
        }
        Ok(())
    }

    /// The same, without authorities of the operator's.
    pub(crate) fn settings(&self) -> IssuerSettings {
        IssuerSettings {
            trust_anchors: Vec::new(),
            fetch_max: Duration::from_secs(self.fetch_seconds_max),
            answer_bytes_max: self.answer_bytes_max,
            fresh_seconds_max: self.fresh_seconds_max,
            lifetime_seconds_max: self.lifetime_seconds_max,
            interval_seconds_min: self.interval_seconds_min,
            skew_seconds_max: self.skew_seconds_max,
        }
    }
}

impl Default for OidcConfig {
    fn default() -> Self {
        let settings = IssuerSettings::default();
        Self {
            fetch_seconds_max: settings.fetch_max.as_secs(),
            answer_bytes_max: settings.answer_bytes_max,
            fresh_seconds_max: settings.fresh_seconds_max,
            lifetime_seconds_max: settings.lifetime_seconds_max,
            interval_seconds_min: settings.interval_seconds_min,
            skew_seconds_max: settings.skew_seconds_max,
        }
    }
}
