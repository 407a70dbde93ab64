//! How long audit events are kept, as the operator writes it.

use reeve_chassis::audit::Retention;
use serde::{Deserialize, Serialize};

/// How long audit events are kept, and in how large files.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// The audit log is rotated when it has grown past this, in bytes.
    pub file_bytes_max: u64,
    /// Rotated files that are kept beside it.
    pub files_kept_max: u32,
    /// Days that the store keeps the events of writes; for ever when 0.
    pub store_days_max: u32,
}

impl AuditConfig {
    pub(super) fn retention(&self) -> Retention {
        let Self { file_bytes_max, files_kept_max, store_days_max } = *self;
        Retention { file_bytes_max, files_kept_max, store_days_max }
    }
}

impl Default for AuditConfig {
    fn default() -> Self {
        let Retention { file_bytes_max, files_kept_max, store_days_max } = Retention::default();
        Self { file_bytes_max, files_kept_max, store_days_max }
    }
}
