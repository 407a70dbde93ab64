//! The account in numbers, under AWS's names. What Reeve does not have is counted as none, with room for none. Left out are
//! `PolicyVersionsInUse` and its quota: AWS does not say what they count.

use reeve_chassis::{Call, Handle};
use reeve_directory::limits::{
    ACCESS_KEYS_PER_USER_MAX, GROUP_INLINE_POLICIES_CHARS_MAX, MANAGED_POLICY_CHARS_MAX, POLICY_VERSIONS_MAX,
    ROLE_INLINE_POLICIES_CHARS_MAX, USER_INLINE_POLICIES_CHARS_MAX,
};
use reeve_directory::{Error, Quotas};
use reeve_proto::iam::v1::{GetAccountSummaryRequest, GetAccountSummaryResponse};

use crate::Iam;

/// The version of tokens that are good in every region, as Reeve's are.
const GLOBAL_ENDPOINT_TOKEN_VERSION: i64 = 2;
/// What cannot exist here.
const NONE: &[&str] = &[
    "AccountSigningCertificatesPresent",
    "InstanceProfiles",
    "InstanceProfilesQuota",
    "ServerCertificates",
    "ServerCertificatesQuota",
    "SigningCertificatesPerUserQuota",
];

impl Handle<GetAccountSummaryRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &GetAccountSummaryRequest,
    ) -> Result<GetAccountSummaryResponse, Error> {
        let held = call.directory().accounts().counts().await?;
        let counts = [
            ("Users", held.users),
            ("Groups", held.groups),
            ("Roles", held.roles),
            ("Policies", held.policies),
            ("Providers", held.oidc_providers),
            ("MFADevices", held.mfa_devices),
            ("MFADevicesInUse", held.mfa_devices_in_use),
            ("AccountAccessKeysPresent", i64::from(held.root_has_access_key)),
            ("AccountMFAEnabled", i64::from(held.root_has_mfa_device)),
            ("AccountPasswordPresent", i64::from(held.root_has_password)),
            ("GlobalEndpointTokenVersion", GLOBAL_ENDPOINT_TOKEN_VERSION),
        ];
        let none = NONE.iter().map(|name| (*name, 0));
        let quotas = quotas(&call.environment.settings.quotas);
        let rows = counts.into_iter().chain(none).chain(quotas);
        let summary_map =
            rows.map(|(name, number)| (name.to_owned(), i32::try_from(number).unwrap_or(i32::MAX)));
        Ok(GetAccountSummaryResponse { summary_map: summary_map.collect() })
    }
}

fn quotas(quotas: &Quotas) -> [(&'static str, i64); 15] {
    let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let attached = size(quotas.attached_policies_per_entity_max);
    [
        ("UsersQuota", quotas.users_per_account_max),
        ("GroupsQuota", quotas.groups_per_account_max),
        ("RolesQuota", quotas.roles_per_account_max),
        ("PoliciesQuota", quotas.policies_per_account_max),
        ("GroupsPerUserQuota", size(quotas.groups_per_user_max)),
        ("AttachedPoliciesPerUserQuota", attached),
        ("AttachedPoliciesPerGroupQuota", attached),
        ("AttachedPoliciesPerRoleQuota", attached),
        ("AssumeRolePolicySizeQuota", size(quotas.trust_policy_chars_max)),
        ("AccessKeysPerUserQuota", size(ACCESS_KEYS_PER_USER_MAX)),
        ("VersionsPerPolicyQuota", size(POLICY_VERSIONS_MAX)),
        ("PolicySizeQuota", size(MANAGED_POLICY_CHARS_MAX)),
        ("UserPolicySizeQuota", size(USER_INLINE_POLICIES_CHARS_MAX)),
        ("GroupPolicySizeQuota", size(GROUP_INLINE_POLICIES_CHARS_MAX)),
        ("RolePolicySizeQuota", size(ROLE_INLINE_POLICIES_CHARS_MAX)),
    ]
}
