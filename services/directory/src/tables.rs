//! Every table on one page: its tag, its key, its value. A tag is for ever; the tag of a table that goes is added to
//! [`RETIRED`] and never used again.
//!
//! Keys begin with the account, so that what belongs to an account is one range. `K2` is (account, unique id) or
//! (account, folded name), `K3` adds what hangs there.

use reeve_proto::store::v1::{
    AccessKeyRecord, AccountAliasRecord, AccountRecord, AliasedAccountRecord, AuditRecord, ClusterRecord,
    DataKeyRecord, GroupRecord, InlinePolicyRecord, IssuerRecord, LoginProfileRecord, MarkRecord,
    MfaDeviceRecord, NameRecord, OidcProviderRecord, OutboundFederationRecord, PasswordHistoryRecord,
    PasswordPolicyRecord, PasswordUseRecord, PolicyRecord, PolicyVersionRecord, RelyingServiceRecord,
    RoleRecord, SigningKeysRecord, UserRecord,
};
use reeve_storage::{Counter, Table};

type K1 = (String,);
type K2 = (String, String);
type K3 = (String, String, String);

/// Tags that tables once had.
pub const RETIRED: &[u16] = &[];

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $new:path, $tag:literal;)*) => {
        $($(#[$doc])* pub static $name: $type = $new($tag, stringify!($name));)*

        /// The tag of every table, with its name.
        pub const TAGS: &[(u16, &str)] = &[$(($tag, stringify!($name)),)*];
    };
}

tables! {
    /// () → which cluster this is.
    CLUSTER: Table<(), ClusterRecord> = Table::small, 1;
    /// number → a data key, wrapped.
    DATA_KEYS: Table<u32, DataKeyRecord> = Table::small, 2;
    /// account → the account; the epoch of its root.
    ACCOUNTS: Table<K1, AccountRecord> = Table::small, 3;

    /// account, user id → the user; its epoch.
    USERS: Table<K2, UserRecord> = Table::new, 10;
    /// account, folded name → user id and path.
    USER_NAMES: Table<K2, NameRecord> = Table::small, 11;
    /// account → how many users.
    USERS_COUNT: Counter<K1> = Counter::new, 12;

    /// account, group id → the group; its epoch.
    GROUPS: Table<K2, GroupRecord> = Table::small, 20;
    /// account, folded name → group id and path.
    GROUP_NAMES: Table<K2, NameRecord> = Table::small, 21;
    /// account → how many groups.
    GROUPS_COUNT: Counter<K1> = Counter::new, 22;
    /// account, user id, group id → the user is in the group.
    USER_GROUPS: Table<K3, MarkRecord> = Table::small, 23;
    /// account, group id, user id → the same from the other side.
    GROUP_USERS: Table<K3, MarkRecord> = Table::small, 24;
    /// account, group id → how many users are in it.
    GROUP_USERS_COUNT: Counter<K2> = Counter::new, 25;

    /// account, role id → the role; its epoch.
    ROLES: Table<K2, RoleRecord> = Table::new, 30;
    /// account, folded name → role id and path.
    ROLE_NAMES: Table<K2, NameRecord> = Table::small, 31;
    /// account → how many roles.
    ROLES_COUNT: Counter<K1> = Counter::new, 32;

    /// account, policy id → the managed policy; its epoch.
    POLICIES: Table<K2, PolicyRecord> = Table::new, 40;
    /// account, folded name → policy id and path.
    POLICY_NAMES: Table<K2, NameRecord> = Table::small, 41;
    /// account → how many managed policies.
    POLICIES_COUNT: Counter<K1> = Counter::new, 42;
    /// account, policy id, number → the version.
    POLICY_VERSIONS: Table<(String, String, u32), PolicyVersionRecord> = Table::new, 43;
    /// account, entity id, folded name → a policy embedded in a user, a group or a role.
    INLINE_POLICIES: Table<K3, InlinePolicyRecord> = Table::new, 44;
    /// account, entity id, policy id → the policy is attached to the entity.
    ATTACHMENTS: Table<K3, MarkRecord> = Table::small, 45;
    /// account, policy id, entity id → the same from the other side.
    POLICY_HOLDERS: Table<K3, MarkRecord> = Table::small, 46;
    /// account, policy id → to how many entities it is attached.
    POLICY_HOLDERS_COUNT: Counter<K2> = Counter::new, 47;
    /// account, policy id → of how many entities it is the boundary.
    POLICY_BOUNDARIES_COUNT: Counter<K2> = Counter::new, 48;
    /// account, policy id, entity id → the policy is the boundary of the entity.
    POLICY_BOUNDED: Table<K3, MarkRecord> = Table::small, 62;

    /// access key id → the key; it names its account.
    ACCESS_KEYS: Table<K1, AccessKeyRecord> = Table::small, 50;
    /// account, user id (for root's the account again), access key id → the key is theirs.
    PRINCIPAL_ACCESS_KEYS: Table<K3, MarkRecord> = Table::small, 51;

    /// account, folded name → the relying service.
    RELYING_SERVICES: Table<K2, RelyingServiceRecord> = Table::new, 60;
    /// account → how many relying services.
    RELYING_SERVICES_COUNT: Counter<K1> = Counter::new, 61;

    /// request id → the audit event of a write. Its record must fit one key, so that no write reads before it.
    AUDIT: Table<[u8; 16], AuditRecord> = Table::small, 70;

    /// account, user id (for root's the account again) → the password.
    LOGIN_PROFILES: Table<K2, LoginProfileRecord> = Table::small, 80;
    /// account, user id (for root's the account again) → the passwords before.
    PASSWORD_HISTORIES: Table<K2, PasswordHistoryRecord> = Table::small, 81;
    /// account, user id (for root's the account again) → when the password was last used.
    PASSWORD_USES: Table<K2, PasswordUseRecord> = Table::small, 82;
    /// account → what the passwords of its users must be like.
    PASSWORD_POLICIES: Table<K1, PasswordPolicyRecord> = Table::small, 83;
    /// account, folded path and name → the MFA device.
    MFA_DEVICES: Table<K2, MfaDeviceRecord> = Table::new, 84;
    /// account → how many MFA devices.
    MFA_DEVICES_COUNT: Counter<K1> = Counter::new, 85;
    /// account, user id (for root's the account again), folded path and name → the MFA device is theirs.
    PRINCIPAL_MFA_DEVICES: Table<K3, MarkRecord> = Table::small, 86;
    /// account → its alias.
    ACCOUNT_ALIASES: Table<K1, AccountAliasRecord> = Table::small, 87;
    /// alias → its account.
    ALIASED_ACCOUNTS: Table<K1, AliasedAccountRecord> = Table::small, 88;

    /// account, issuer → the OpenID Connect provider.
    OIDC_PROVIDERS: Table<K2, OidcProviderRecord> = Table::new, 110;
    /// account → how many OpenID Connect providers.
    OIDC_PROVIDERS_COUNT: Counter<K1> = Counter::new, 111;

    /// when it would have ended by itself, access key id → the session was signed out.
    ENDED_SESSIONS: Table<(u64, String), MarkRecord> = Table::small, 100;

    /// account → the account as an issuer of tokens for others.
    OUTBOUND_FEDERATIONS: Table<K1, OutboundFederationRecord> = Table::small, 120;
    /// issuer id → the account whose it is.
    ISSUERS: Table<K1, IssuerRecord> = Table::small, 121;
    /// () → the keys that sign those tokens.
    SIGNING_KEYS: Table<(), SigningKeysRecord> = Table::new, 122;
}

/// The AWS name of the quota that the counter under `key` stands for.
pub(crate) fn quota_of(key: &[u8]) -> Option<&'static str> {
    let tag = u16::from_be_bytes(*key.first_chunk()?);
    let quotas = [
        (USERS_COUNT.tag(), "UsersPerAccount"),
        (GROUPS_COUNT.tag(), "GroupsPerAccount"),
        (ROLES_COUNT.tag(), "RolesPerAccount"),
        (POLICIES_COUNT.tag(), "PoliciesPerAccount"),
        (RELYING_SERVICES_COUNT.tag(), "RelyingServicesPerAccount"),
        (MFA_DEVICES_COUNT.tag(), crate::mfa_device::DEVICES_QUOTA),
        (OIDC_PROVIDERS_COUNT.tag(), crate::oidc_provider::PROVIDERS_QUOTA),
    ];
    quotas.iter().find(|(counter, _)| *counter == tag).map(|(_, quota)| *quota)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_tag_is_used_twice() {
        let tags: HashSet<u16> = TAGS.iter().map(|(tag, _)| *tag).chain(RETIRED.iter().copied()).collect();
        assert_eq!(tags.len(), TAGS.len() + RETIRED.len());
    }
}
