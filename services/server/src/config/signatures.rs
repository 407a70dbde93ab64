//! How signatures are judged, as the operator writes it.

use reeve_chassis::SignatureSettings;
use serde::{Deserialize, Serialize};

/// How signatures are judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignatureConfig {
    /// How far a signature's date may be from the server's clock, in seconds; at most 900.
    pub skew_seconds_max: u32,
    /// The only region accepted; any when empty.
    pub region: String,
    /// Reads may be signed without their payload. Never writes, and never STS.
    pub unsigned_payload: bool,
}

impl SignatureConfig {
    pub(super) fn settings(&self) -> SignatureSettings {
        SignatureSettings {
            skew_seconds_max: self.skew_seconds_max,
            region: Some(self.region.clone()).filter(|region| !region.is_empty()),
            unsigned_payload: self.unsigned_payload,
        }
    }
}

impl Default for SignatureConfig {
    fn default() -> Self {
        let settings = SignatureSettings::default();
        Self {
            skew_seconds_max: settings.skew_seconds_max,
            region: settings.region.unwrap_or_default(),
            unsigned_payload: settings.unsigned_payload,
        }
    }
}
