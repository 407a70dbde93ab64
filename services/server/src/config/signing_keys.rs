//! How the keys that sign tokens for others follow one another, as the operator writes it.

use reeve_chassis::outbound::SigningKeySettings;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How the keys that sign tokens for others follow one another.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SigningKeyConfig {
    /// How long a key signs, in seconds.
    pub age_seconds_max: i64,
    /// How long a key is published before it signs, and how long after it has ceased to, in seconds.
    pub overlap_seconds: i64,
}

impl SigningKeyConfig {
    /// Refuses numbers that do not go together.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.age_seconds_max < self.overlap_seconds {
            return Err(ConfigError::Refused(
                "signing_keys.age_seconds_max is shorter than signing_keys.overlap_seconds",
            ));
        }
        Ok(())
    }

    /// The same as what issues tokens wants it.
    pub fn settings(&self) -> SigningKeySettings {
        SigningKeySettings {
            key_age_seconds_max: self.age_seconds_max,
            key_overlap_seconds: self.overlap_seconds,
        }
    }
}

impl Default for SigningKeyConfig {
    fn default() -> Self {
        let SigningKeySettings { key_age_seconds_max, key_overlap_seconds } = SigningKeySettings::default();
        Self { age_seconds_max: key_age_seconds_max, overlap_seconds: key_overlap_seconds }
    }
}
