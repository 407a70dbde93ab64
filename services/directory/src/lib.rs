//! What Reeve remembers, and its invariants: users, groups, roles, policies, keys, and what hangs on what.
//!
//! It does not know what a request is: whoever calls has authenticated, authorized and measured it before.
//! Everything happens in the caller's transaction, which the caller commits, and may run again from the start.
//!
//! **The epoch of an entity is the revision of its record.** Whatever changes what hangs on a user, a group, a
//! role or a managed policy (attachments, memberships, inline policies, keys, versions) gets the entity's record and
//! writes it again. So a scan of what hangs on an entity is proved by having got the record before it, quotas and
//! "must be empty first" hold under concurrency, and one write invalidates what was concluded for any number of
//! holders. What has too many writers for that (holders of a policy, members of a group, users of an account) is
//! counted by bounded adds, and a deletion proves the count by having got the counter's key.

pub mod access_key;
pub mod account;
pub mod account_alias;
pub mod attachment;
pub mod boundary;
pub mod cluster;
pub mod data_key;
mod document;
pub mod ended_session;
pub mod entity;
mod error;
pub mod group;
pub mod holder;
pub mod id;
pub mod inline_policy;
pub mod limits;
mod listing;
pub mod login_profile;
pub mod membership;
pub mod mfa_device;
pub mod name;
mod named;
pub mod oidc_provider;
pub mod outbound_federation;
mod owner;
pub mod password_policy;
pub mod password_use;
pub mod permissions;
pub mod permissions_cache;
pub mod policy;
pub mod policy_version;
pub mod relying_service;
pub mod resource;
pub mod role;
mod shared_issuer;
pub mod signing_key;
pub mod tables;
pub mod tag;
mod trust;
pub mod user;

/// The stored records, which the methods here return.
pub use reeve_proto::store::v1 as record;
use reeve_storage::Transaction;

pub use crate::entity::{Entity, Kind};
pub use crate::error::{Error, FieldViolation, Result};
pub use crate::id::Random;
pub use crate::limits::Quotas;
pub use crate::listing::Page;
pub use crate::owner::{Owner, OwnerRecord};
pub use crate::permissions::Permissions;
pub use crate::permissions_cache::PermissionsCache;

/// What the operator has settled for the whole server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The partition of all ARNs, `aws` by default.
    pub partition: String,
    /// Account-level quotas.
    pub quotas: Quotas,
}

impl Default for Settings {
    fn default() -> Self {
        Self { partition: "aws".to_owned(), quotas: Quotas::default() }
    }
}

/// One account of the store, seen through one transaction.
pub struct Directory<'a> {
    /// The caller's; nothing here commits.
    pub transaction: &'a mut Transaction,
    /// Twelve digits.
    pub account: &'a str,
    /// What holds for the whole server.
    pub settings: &'a Settings,
    /// Unix seconds.
    pub now: i64,
    /// Where unique ids come from.
    pub random: &'a mut dyn Random,
}

impl std::fmt::Debug for Directory<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("account", &self.account).finish_non_exhaustive()
    }
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        impl<'a> Directory<'a> {
            $($(#[$doc])* pub fn $name(&mut self) -> $type { <$type>::of(self) })*
        }
    };
}

parts! {
    /// Users.
    users: user::Users<'_, 'a>,
    /// Groups.
    groups: group::Groups<'_, 'a>,
    /// Who is in which group.
    memberships: membership::Memberships<'_, 'a>,
    /// Roles.
    roles: role::Roles<'_, 'a>,
    /// Managed policies.
    policies: policy::Policies<'_, 'a>,
    /// Versions of managed policies.
    policy_versions: policy_version::PolicyVersions<'_, 'a>,
    /// Policies embedded in users, groups and roles.
    inline_policies: inline_policy::InlinePolicies<'_, 'a>,
    /// Managed policies attached to users, groups and roles.
    attachments: attachment::Attachments<'_, 'a>,
    /// Whom managed policies are attached to, and whom they bound.
    holders: holder::Holders<'_, 'a>,
    /// Tags of users, roles and managed policies.
    tags: tag::Tags<'_, 'a>,
    /// Permissions boundaries of users and roles.
    boundaries: boundary::Boundaries<'_, 'a>,
    /// Access keys of users and of root.
    access_keys: access_key::AccessKeys<'_, 'a>,
    /// Passwords of users and of root.
    login_profiles: login_profile::LoginProfiles<'_, 'a>,
    /// What passwords must be like.
    password_policies: password_policy::PasswordPolicies<'_, 'a>,
    /// MFA devices of users and of root.
    mfa_devices: mfa_device::MfaDevices<'_, 'a>,
    /// OpenID Connect providers.
    oidc_providers: oidc_provider::OidcProviders<'_, 'a>,
    /// The account's alias.
    account_aliases: account_alias::AccountAliases<'_, 'a>,
    /// The account as an issuer of tokens.
    outbound_federations: outbound_federation::OutboundFederations<'_, 'a>,
    /// Sessions that were signed out.
    ended_sessions: ended_session::EndedSessions<'_, 'a>,
    /// Services that ask for decisions.
    relying_services: relying_service::RelyingServices<'_, 'a>,
    /// All accounts of the server.
    accounts: account::Accounts<'_, 'a>,
    /// The server's data keys.
    data_keys: data_key::DataKeys<'_, 'a>,
    /// Which cluster this is.
    cluster: cluster::Cluster<'_, 'a>,
}

impl Directory<'_> {
    /// The key of a record of this account.
    pub(crate) fn key(&self, id: &str) -> (String, String) {
        (self.account.to_owned(), id.to_owned())
    }

    /// The beginning of the keys of everything that hangs on an entity of this account.
    pub(crate) fn under(&self, id: &str) -> (String, String) {
        self.key(id)
    }

    /// The key of one thing that hangs on an entity of this account.
    pub(crate) fn hanging(&self, id: &str, thing: &str) -> (String, String, String) {
        (self.account.to_owned(), id.to_owned(), thing.to_owned())
    }

    /// An ARN of this account.
    #[must_use]
    pub fn arn(&self, kind: resource::Kind, path: &str, name: &str) -> String {
        resource::arn(&self.settings.partition, self.account, kind, path, name)
    }
}

/// What every part of [`Directory`] is: the directory, seen from one resource.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'d, 'a>(pub(crate) &'d mut $crate::Directory<'a>);

        impl<'d, 'a> $name<'d, 'a> {
            pub(crate) fn of(directory: &'d mut $crate::Directory<'a>) -> Self {
                Self(directory)
            }
        }
    };
}
pub(crate) use part;
