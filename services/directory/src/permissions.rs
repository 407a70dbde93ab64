//! What a principal may be allowed, compiled: everything that a decision about a user or a role rests on. Each record read is
//! in the read set of the transaction, so whoever keeps the result with it can tell when it no longer holds.
//!
//! A stored document that does not compile any more denies everything; it is never skipped.

use reeve_evaluator::{Kind as DocumentKind, Policy, PolicySet};
use reeve_proto::store::v1::{GroupRecord, PolicyRecord, RoleRecord, StoredTag, UserRecord};
use reeve_storage::Transaction;

use crate::permissions_cache::Compiler;
use crate::resource::{self, Kind, Resource};
use crate::{Error, Result, attachment, inline_policy, membership, named, policy, tables};

/// A user or a role, and what it may be allowed.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// Who it is.
    pub principal: Principal,
    /// Its own policies, inline and managed; a user's with those of its groups.
    pub identity: PolicySet,
    /// The permissions boundary.
    pub boundary: Option<PolicySet>,
    /// What only a role has.
    pub role: Option<RolePermissions>,
}

/// What decides about assuming a role.
#[derive(Debug, Clone)]
pub struct RolePermissions {
    /// Who may assume it.
    pub trust: PolicySet,
    /// The longest session, in seconds.
    pub max_session_duration_seconds: i32,
}

/// Who a principal is.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// A user or a role.
    pub kind: PrincipalKind,
    /// Twelve digits.
    pub account: String,
    /// Its ARN now.
    pub arn: String,
    /// Its unique id.
    pub id: String,
    /// Its name, as it was given.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its tags.
    pub tags: Vec<StoredTag>,
    /// Unix seconds.
    pub create_date: i64,
}

/// The kinds of principal that have permissions of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A user.
    User,
    /// A role.
    Role,
}

/// The permissions of a user; none when there is no such user.
pub(crate) async fn of_user(
    transaction: &mut Transaction,
    compiler: &Compiler,
    account: &str,
    user_id: &str,
) -> Result<Option<Permissions>> {
    let Some(user) = named::by_id::<UserRecord>(transaction, account, user_id).await? else {
        return Ok(None);
    };
    let mut loader = Loader { transaction, compiler, account };
    let mut policies = loader.policies_of(&user.user_id).await?;
    for id in membership::group_ids(loader.transaction, account, &user.user_id).await? {
        // The group's record is its epoch: it proves what hangs on it.
        let group: Option<GroupRecord> = named::by_id(loader.transaction, account, &id).await?;
        group.ok_or_else(Error::conflict)?;
        policies.extend(loader.policies_of(&id).await?);
    }
    let boundary = loader.boundary(&user.boundary_policy_id).await?;
    let principal = Principal {
        kind: PrincipalKind::User,
        account: account.to_owned(),
        arn: compiler.arn(account, Kind::User, &user.path, &user.user_name),
        id: user.user_id,
        name: user.user_name,
        path: user.path,
        tags: user.tags,
        create_date: user.create_date,
    };
    Ok(Some(Permissions { principal, identity: PolicySet::new(policies), boundary, role: None }))
}

/// The permissions of a role; none when there is no such role.
pub(crate) async fn of_role(
    transaction: &mut Transaction,
    compiler: &Compiler,
    account: &str,
    role_id: &str,
) -> Result<Option<Permissions>> {
    let Some(role) = named::by_id::<RoleRecord>(transaction, account, role_id).await? else {
        return Ok(None);
    };
    let mut loader = Loader { transaction, compiler, account };
    let policies = loader.policies_of(&role.role_id).await?;
    let boundary = loader.boundary(&role.boundary_policy_id).await?;
    let trust = compiler.compile(&role.trust_policy, DocumentKind::Trust);
    let arn = compiler.arn(account, Kind::Role, &role.path, &role.role_name);
    let role_permissions = RolePermissions {
        trust: PolicySet::new([trust.named(arn.as_str())]),
        max_session_duration_seconds: role.max_session_duration_seconds,
    };
    let principal = Principal {
        kind: PrincipalKind::Role,
        account: account.to_owned(),
        arn,
        id: role.role_id,
        name: role.role_name,
        path: role.path,
        tags: role.tags,
        create_date: role.create_date,
    };
    let identity = PolicySet::new(policies);
    Ok(Some(Permissions { principal, identity, boundary, role: Some(role_permissions) }))
}

/// The permissions of the user or role of an ARN, which must match exactly; none when there is none.
pub(crate) async fn of_arn(
    transaction: &mut Transaction,
    compiler: &Compiler,
    arn: &str,
) -> Result<Option<Permissions>> {
    let Some(Resource::Named { kind, account, path, name }) = compiler.parse(arn) else { return Ok(None) };
    let found = match kind {
        Kind::User => match named::find::<UserRecord>(transaction, account, name).await? {
            Some(user) => of_user(transaction, compiler, account, &user.user_id).await?,
            None => None,
        },
        Kind::Role => match named::find::<RoleRecord>(transaction, account, name).await? {
            Some(role) => of_role(transaction, compiler, account, &role.role_id).await?,
            None => None,
        },
        Kind::Group | Kind::Policy | Kind::Mfa => None,
    };
    Ok(found.filter(|found| found.principal.path == path && found.principal.name == name))
}

/// The managed policy of an ARN as a session policy; none when there is none, which allows nothing.
pub(crate) async fn managed(
    transaction: &mut Transaction,
    compiler: &Compiler,
    arn: &str,
) -> Result<Option<Policy>> {
    let Some(Resource::Named { kind: Kind::Policy, account, .. }) = compiler.parse(arn) else {
        return Ok(None);
    };
    let Some(policy) = policy::find(transaction, compiler.partition(), account, arn).await? else {
        return Ok(None);
    };
    let mut loader = Loader { transaction, compiler, account };
    loader.default_version(policy, DocumentKind::Session).await.map(Some)
}

/// Reads and compiles what hangs on the entities of one account.
struct Loader<'l> {
    transaction: &'l mut Transaction,
    compiler: &'l Compiler,
    account: &'l str,
}

impl Loader<'_> {
    /// The policies of an entity whose record was got before.
    async fn policies_of(&mut self, entity_id: &str) -> Result<Vec<Policy>> {
        let mut policies = Vec::new();
        for inline in inline_policy::all(self.transaction, self.account, entity_id).await? {
            let policy = self.compiler.compile(&inline.document, DocumentKind::Identity);
            policies.push(policy.named(inline.policy_name));
        }
        for id in attachment::policy_ids(self.transaction, self.account, entity_id).await? {
            policies.push(self.managed(&id, DocumentKind::Identity).await?);
        }
        Ok(policies)
    }

    async fn boundary(&mut self, policy_id: &str) -> Result<Option<PolicySet>> {
        if policy_id.is_empty() {
            return Ok(None);
        }
        Ok(Some(PolicySet::new([self.managed(policy_id, DocumentKind::Boundary).await?])))
    }

    /// A managed policy that is in use, so that it exists unless it was read while it was being detached and deleted.
    async fn managed(&mut self, policy_id: &str, kind: DocumentKind) -> Result<Policy> {
        let policy = named::by_id::<PolicyRecord>(self.transaction, self.account, policy_id).await?;
        self.default_version(policy.ok_or_else(Error::conflict)?, kind).await
    }

    async fn default_version(&mut self, policy: PolicyRecord, kind: DocumentKind) -> Result<Policy> {
        let key = (self.account.to_owned(), policy.policy_id, policy.default_version);
        let version = tables::POLICY_VERSIONS.get(self.transaction, &key).await?;
        let version = version.ok_or_else(Error::conflict)?;
        let arn = resource::arn(
            self.compiler.partition(),
            self.account,
            Kind::Policy,
            &policy.path,
            &policy.policy_name,
        );
        Ok(self.compiler.compile(&version.document, kind).named(arn))
    }
}
