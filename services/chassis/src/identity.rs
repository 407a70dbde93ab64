//! Who a principal is, with what it may be allowed: the caller of a call, or whom a relying service asks about. Every
//! condition key that describes a principal comes from here, and nowhere from what a request says.

use std::sync::Arc;

use reeve_directory::record::{SessionRecord, StoredTag};
use reeve_directory::tag::is_same_key;
use reeve_directory::{Permissions, Settings, resource};
use reeve_evaluator::{Context, Policies, PolicySet, Principal, Value};

/// A principal, authenticated or asked about.
pub struct Identity {
    kind: Kind,
    /// The key that signed; empty when the principal was only asked about.
    access_key_id: String,
    /// What the token of temporary credentials holds.
    record: Option<Arc<SessionRecord>>,
    second_factor: SecondFactor,
}

/// What a principal's credentials say of MFA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    /// Nothing, as long-term credentials and sessions of roles.
    Unsaid,
    /// That it was not shown.
    Absent,
    /// That it was shown, at these Unix seconds.
    Shown {
        /// Unix seconds.
        at: i64,
    },
}

enum Kind {
    /// Whoever calls what is open to anybody.
    Nobody,
    Root {
        account: String,
        arn: String,
    },
    User(Arc<Permissions>),
    Role {
        role: Arc<Permissions>,
        session: Option<Box<RoleSession>>,
    },
}

/// What a session of a role adds to it.
struct RoleSession {
    /// The role's tags, overridden by the session's.
    tags: Vec<StoredTag>,
    /// Present when the session was given policies.
    policies: Option<PolicySet>,
    /// `arn:aws:sts::...:assumed-role/role/session`.
    arn: String,
    /// `AROA...:session`.
    user_id: String,
    /// Who vouched for it, where a provider's token began it.
    vouched: Option<Vouched>,
}

/// What a provider's token leaves to the policies of the session that it began.
struct Vouched {
    /// `aws:FederatedProvider`.
    provider_arn: String,
    /// `ISSUER:`, the beginning of the token's condition keys.
    prefix: String,
}

impl Identity {
    /// Whoever calls what is open to anybody.
    pub(crate) fn nobody() -> Self {
        Self::long_term(Kind::Nobody, "")
    }

    /// The root of an account.
    pub(crate) fn root(settings: &Settings, account: &str, access_key_id: &str) -> Self {
        let arn = resource::root_arn(&settings.partition, account);
        Self::long_term(Kind::Root { account: account.to_owned(), arn }, access_key_id)
    }

    /// A user.
    pub(crate) fn user(user: Arc<Permissions>, access_key_id: &str) -> Self {
        Self::long_term(Kind::User(user), access_key_id)
    }

    /// A role of which no session is known.
    pub(crate) fn role(role: Arc<Permissions>) -> Self {
        Self::long_term(Kind::Role { role, session: None }, "")
    }

    /// The same principal, by a session of its own: a user's, or a root's.
    pub(crate) fn in_session(self, record: Arc<SessionRecord>) -> Self {
        let second_factor = match record.mfa_present {
            None => SecondFactor::Unsaid,
            Some(false) => SecondFactor::Absent,
            Some(true) => SecondFactor::Shown { at: record.mfa_at },
        };
        Self {
            access_key_id: record.access_key_id.clone(),
            record: Some(record),
            second_factor,
            kind: self.kind,
        }
    }

    /// A session of a role.
    pub(crate) fn role_session(
        settings: &Settings,
        role: Arc<Permissions>,
        record: Arc<SessionRecord>,
        policies: Option<PolicySet>,
    ) -> Self {
        let (name, principal) = (&record.session_name, &role.principal);
        let session = RoleSession {
            arn: resource::role_session_arn(&settings.partition, &principal.account, &principal.name, name),
            user_id: format!("{}:{name}", principal.id),
            tags: effective_tags(&principal.tags, &record.tags),
            policies,
            vouched: record.federated.as_ref().map(|federated| Vouched {
                provider_arn: resource::oidc_provider_arn(
                    &settings.partition,
                    &principal.account,
                    &federated.issuer,
                ),
                prefix: format!("{}:", federated.issuer),
            }),
        };
        Self::long_term(Kind::Role { role, session: Some(Box::new(session)) }, "").in_session(record)
    }

    fn long_term(kind: Kind, access_key_id: &str) -> Self {
        Self {
            kind,
            access_key_id: access_key_id.to_owned(),
            record: None,
            second_factor: SecondFactor::Unsaid,
        }
    }

    /// Twelve digits; empty for nobody.
    pub fn account(&self) -> &str {
        match &self.kind {
            Kind::Nobody => "",
            Kind::Root { account, .. } => account,
            Kind::User(user) => &user.principal.account,
            Kind::Role { role, .. } => &role.principal.account,
        }
    }

    /// The ARN by which the principal is known: of a session, `arn:aws:sts::...:assumed-role/role/session`.
    pub fn arn(&self) -> &str {
        match &self.kind {
            Kind::Nobody => "",
            Kind::Root { arn, .. } => arn,
            Kind::Role { session: Some(session), .. } => &session.arn,
            Kind::User(holder) | Kind::Role { role: holder, .. } => &holder.principal.arn,
        }
    }

    /// `aws:PrincipalArn`: of a session the ARN of its role.
    pub fn principal_arn(&self) -> &str {
        match &self.kind {
            Kind::Role { role, .. } => &role.principal.arn,
            _ => self.arn(),
        }
    }

    /// `aws:PrincipalTag/...`: of a session those of its role, overridden by its own.
    pub fn principal_tags(&self) -> &[StoredTag] {
        self.known_session().map_or_else(|| self.own_tags(), |session| &session.tags)
    }

    /// `aws:FederatedProvider`: the ARN of the provider whose token began the session.
    pub fn federated_provider(&self) -> Option<&str> {
        Some(&self.known_session()?.vouched.as_ref()?.provider_arn)
    }

    /// `aws:userid`: a root's account id, a user's unique id, a session's `AROA...:name`.
    pub fn user_id(&self) -> &str {
        match &self.kind {
            Kind::Role { session: Some(session), .. } => &session.user_id,
            _ => self.principal_id(),
        }
    }

    /// The key that signed.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The unique id that sessions and stored policies are bound to; a root's account id.
    pub fn principal_id(&self) -> &str {
        match &self.kind {
            Kind::Nobody => "",
            Kind::Root { account, .. } => account,
            Kind::User(user) => &user.principal.id,
            Kind::Role { role, .. } => &role.principal.id,
        }
    }

    /// Whether it is an account's root.
    pub fn is_root(&self) -> bool {
        matches!(self.kind, Kind::Root { .. })
    }

    /// The user's name, for those members that mean the caller when they are absent.
    pub fn user_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::User(user) => Some(&user.principal.name),
            _ => None,
        }
    }

    /// What the session's token holds, if it is a session.
    pub fn session_record(&self) -> Option<&SessionRecord> {
        self.record.as_deref()
    }

    /// Whether it was proved by a bearer token.
    pub(crate) fn is_bearer(&self) -> bool {
        self.record.as_ref().is_some_and(|record| !record.audience.is_empty())
    }

    /// Whether it is a session of a role.
    pub(crate) fn is_role_session(&self) -> bool {
        self.known_session().is_some()
    }

    /// MFA is shown with the very call.
    pub(crate) fn show_second_factor(&mut self, now: i64) {
        self.second_factor = SecondFactor::Shown { at: now };
    }

    /// When MFA was shown, in Unix seconds; none when it was not, or when nothing is said of it.
    pub fn mfa_at(&self) -> Option<i64> {
        match self.second_factor {
            SecondFactor::Shown { at } => Some(at),
            SecondFactor::Unsaid | SecondFactor::Absent => None,
        }
    }

    /// The principal as the evaluator wants it.
    pub(crate) fn principal(&self) -> Principal<'_> {
        match &self.kind {
            Kind::Nobody => Principal::Anonymous,
            Kind::Root { account, .. } => Principal::Root { account },
            Kind::User(user) => Principal::User { arn: &user.principal.arn, id: &user.principal.id },
            Kind::Role { role, session } => Principal::RoleSession {
                role_arn: &role.principal.arn,
                role_id: &role.principal.id,
                session_arn: session.as_ref().map_or("", |session| &session.arn),
            },
        }
    }

    /// The layers of the principal's side.
    pub(crate) fn policies(&self) -> Policies {
        match &self.kind {
            Kind::Nobody | Kind::Root { .. } => Policies::default(),
            Kind::User(holder) | Kind::Role { role: holder, .. } => Policies {
                identity: holder.identity.clone(),
                boundary: holder.boundary.clone(),
                session: self.known_session().and_then(|session| session.policies.clone()),
                ..Policies::default()
            },
        }
    }

    /// The condition keys that describe the principal at `now`. (Source: AWS's global condition context keys; role
    /// sessions and long-term keys carry none about MFA.)
    pub(crate) fn describe<'a>(&'a self, context: &mut Context<'a>, now: i64) {
        context.insert("aws:PrincipalAccount", self.account());
        context.insert("aws:PrincipalIsAWSService", false);
        context.insert("aws:ViaAWSService", false);
        let kind = match &self.kind {
            Kind::Nobody => "Anonymous",
            Kind::Root { .. } => "Account",
            Kind::User(user) => {
                context.insert("aws:username", user.principal.name.as_str());
                "User"
            }
            Kind::Role { .. } => "AssumedRole",
        };
        context.insert("aws:PrincipalArn", self.principal_arn());
        context.insert("aws:PrincipalType", kind);
        if let Some(record) = &self.record {
            context.insert("aws:TokenIssueTime", Value::Time(record.issued_at));
            if !record.source_identity.is_empty() {
                context.insert("aws:SourceIdentity", record.source_identity.as_str());
            }
        }
        self.describe_federated(context);
        match self.second_factor {
            SecondFactor::Unsaid => {}
            SecondFactor::Absent => {
                context.insert("aws:MultiFactorAuthPresent", false);
            }
            SecondFactor::Shown { at } => {
                context.insert("aws:MultiFactorAuthPresent", true);
                context.insert("aws:MultiFactorAuthAge", now.saturating_sub(at).max(0));
            }
        }
        // Of a role without a session the part after the colon is not known, and so the key is not.
        if !matches!(self.kind, Kind::Role { session: None, .. }) {
            context.insert("aws:userid", self.user_id());
        }
        for tag in self.principal_tags() {
            context.insert_tag("aws:PrincipalTag/", &tag.key, tag.value.as_str());
        }
    }

    /// What the token said that began the session, as far as policies may ask about it later. (Source: "Available keys for AWS
    /// OIDC federation" of the IAM User Guide.)
    fn describe_federated<'a>(&'a self, context: &mut Context<'a>) {
        let vouched = self.known_session().and_then(|session| session.vouched.as_ref());
        let federated = self.record.as_ref().and_then(|record| record.federated.as_ref());
        if let (Some(vouched), Some(federated)) = (vouched, federated) {
            context.insert("aws:FederatedProvider", &vouched.provider_arn);
            context.insert_tag(&vouched.prefix, "sub", &federated.subject);
            context.insert_tag(&vouched.prefix, "aud", &federated.audience);
            if !federated.amr.is_empty() {
                context.insert_tag(&vouched.prefix, "amr", &federated.amr);
            }
        }
    }

    /// The tags that go on when this session assumes a role.
    pub fn transitive_tags(&self) -> impl Iterator<Item = &StoredTag> {
        self.session_record().into_iter().flat_map(|record| {
            record
                .tags
                .iter()
                .filter(|tag| record.transitive_tag_keys.iter().any(|key| is_same_key(key, &tag.key)))
        })
    }

    /// The tags of the user or the role itself, those of its session not among them.
    pub(crate) fn own_tags(&self) -> &[StoredTag] {
        match &self.kind {
            Kind::Nobody | Kind::Root { .. } => &[],
            Kind::User(holder) | Kind::Role { role: holder, .. } => &holder.principal.tags,
        }
    }

    fn known_session(&self) -> Option<&RoleSession> {
        match &self.kind {
            Kind::Role { session, .. } => session.as_deref(),
            _ => None,
        }
    }
}

/// The role's tags, overridden by the session's; keys compare without case.
fn effective_tags(role: &[StoredTag], session: &[StoredTag]) -> Vec<StoredTag> {
    let overridden = |tag: &&StoredTag| !session.iter().any(|own| is_same_key(&own.key, &tag.key));
    role.iter().filter(overridden).chain(session).cloned().collect()
}
