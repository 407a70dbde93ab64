//! AWS's quotas, each a named constant; those that AWS raises on request are configurable.

use serde::{Deserialize, Serialize};

/// Managed policies attached to one user, group or role.
pub const ATTACHED_POLICIES_PER_ENTITY_MAX: usize = 10;
/// Groups that one user is in.
pub const GROUPS_PER_USER_MAX: usize = 10;
/// Characters of an MFA device's path and name together. AWS has room for 40 more; here a page of devices must be able to end
/// at any of them, and its marker has AWS's 320 characters.
pub const MFA_DEVICE_PATH_AND_NAME_CHARS_MAX: usize = 184;
/// MFA devices of one user, or of one root.
pub const MFA_DEVICES_PER_USER_MAX: usize = 8;
/// Access keys of one user, or of one root.
pub const ACCESS_KEYS_PER_USER_MAX: usize = 2;
/// Versions of one managed policy.
pub const POLICY_VERSIONS_MAX: usize = 5;
/// Characters of a managed policy, without whitespace.
pub const MANAGED_POLICY_CHARS_MAX: usize = 6_144;
/// Characters of all inline policies of a user together, without whitespace.
pub const USER_INLINE_POLICIES_CHARS_MAX: usize = 2_048;
/// Characters of all inline policies of a group together, without whitespace.
pub const GROUP_INLINE_POLICIES_CHARS_MAX: usize = 5_120;
/// Characters of all inline policies of a role together, without whitespace.
pub const ROLE_INLINE_POLICIES_CHARS_MAX: usize = 10_240;
/// OpenID Connect providers of one account.
pub const OIDC_PROVIDERS_PER_ACCOUNT_MAX: i64 = 100;
/// Audiences of one OpenID Connect provider.
pub const CLIENT_IDS_PER_OIDC_PROVIDER_MAX: usize = 100;
/// Thumbprints of one OpenID Connect provider.
pub const THUMBPRINTS_PER_OIDC_PROVIDER_MAX: usize = 5;
/// Tags of one user, role or policy.
pub const TAGS_MAX: usize = 50;
/// A role's longest session where its creator named none.
pub const ROLE_MAX_SESSION_DURATION_DEFAULT_SECONDS: i32 = 3_600;
/// Index entries that one page of a list looks at before it ends early, so that a path that matches nothing costs no more.
pub const LIST_EXAMINED_MAX: usize = 10_000;

const _: () = assert!(LIST_EXAMINED_MAX >= reeve_storage::engine::SCAN_ITEMS_MAX);

/// Quotas that the operator may change, as they stand in the configuration; AWS's by default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// Users of one account.
    pub users_per_account_max: i64,
    /// Groups of one account.
    pub groups_per_account_max: i64,
    /// Roles of one account.
    pub roles_per_account_max: i64,
    /// Managed policies of one account.
    pub policies_per_account_max: i64,
    /// Relying services of one account.
    pub relying_services_per_account_max: i64,
    /// Groups that one user is in.
    pub groups_per_user_max: usize,
    /// Managed policies attached to one user, group or role.
    pub attached_policies_per_entity_max: usize,
    /// Characters of a role's trust policy, without whitespace.
    pub trust_policy_chars_max: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            users_per_account_max: 5_000,
            groups_per_account_max: 300,
            roles_per_account_max: 1_000,
            policies_per_account_max: 1_500,
            relying_services_per_account_max: 1_000,
            groups_per_user_max: GROUPS_PER_USER_MAX,
            attached_policies_per_entity_max: ATTACHED_POLICIES_PER_ENTITY_MAX,
            trust_policy_chars_max: 2_048,
        }
    }
}
