//! Principals in trust policies. Users and roles must exist when the policy is written, and are held by unique id: whoever takes
//! their name later is not trusted. What is shown is the ARN they have now, or the bare id when they are gone.
//!
//! As in AWS, accounts must exist too; a session of a role is held as it is written, because sessions have no id, but its
//! account must exist; `*`, services and identity providers stay as they are.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;

use reeve_evaluator::{BindError, Kind as DocumentKind, Policy, bind_principals, is_account_id};
use reeve_proto::store::v1::{BoundPrincipal, RoleRecord, UserRecord};

use crate::resource::{self, Kind, Resource};
use crate::{Directory, Error, Result, account, document, id, named, shared_issuer};

/// A trust policy as it is stored.
pub(crate) struct Bound {
    /// Minified, with unique ids for the users and roles.
    pub(crate) document: String,
    /// Where those ids are found.
    pub(crate) principals: Vec<BoundPrincipal>,
}

/// Checks a trust policy and binds it. Bare ids of existing principals are kept where they were `known` to the policy before,
/// or belong to this account.
pub(crate) async fn bind(
    directory: &mut Directory<'_>,
    text: &str,
    known: &[BoundPrincipal],
) -> Result<Bound> {
    Policy::compile(text, DocumentKind::Trust)?;
    shared_issuer::check(text)?;
    let mut found: HashMap<String, Option<BoundPrincipal>> = HashMap::new();
    for principal in principals(text)? {
        let bound = resolve(directory, &principal, known).await?;
        found.insert(principal, bound);
    }
    let id = |principal: &str| match found.get(principal) {
        Some(bound) => Ok(bound.as_ref().map(|bound| bound.principal_id.clone())),
        None => Err(invalid(principal)),
    };
    let document = bind_principals(text, id)?;
    let max = directory.settings.quotas.trust_policy_chars_max;
    if document::chars(text) > max {
        return Err(Error::quota("ACLSizePerRole", max));
    }
    let mut principals: Vec<BoundPrincipal> = found.into_values().flatten().collect();
    principals.sort_by(|one, other| one.principal_id.cmp(&other.principal_id));
    principals.dedup();
    Ok(Bound { document, principals })
}

/// A role's trust policy as it is shown.
pub(crate) async fn show(directory: &mut Directory<'_>, role: &RoleRecord) -> Result<String> {
    let mut arns = HashMap::new();
    for BoundPrincipal { principal_id, account_id } in &role.trust_principals {
        if let Some(arn) = arn_of(directory, account_id, principal_id).await? {
            arns.insert(principal_id.as_str(), arn);
        }
    }
    let shown = bind_principals(&role.trust_policy, |id| Ok::<_, Infallible>(arns.get(id).cloned()));
    shown.map_err(|error| match error {
        BindError::Document(error) => Error::internal_failure(format!("a stored trust policy: {error}")),
        BindError::Resolve(never) => match never {},
    })
}

/// The principals that a document names, each once.
fn principals(text: &str) -> Result<BTreeSet<String>> {
    let mut principals = BTreeSet::new();
    let collect = |principal: &str| {
        principals.insert(principal.to_owned());
        Ok::<_, Error>(None)
    };
    bind_principals(text, collect)?;
    Ok(principals)
}

/// What a principal is held as; none when it is held as it is written.
async fn resolve(
    directory: &mut Directory<'_>,
    principal: &str,
    known: &[BoundPrincipal],
) -> Result<Option<BoundPrincipal>> {
    if principal == "*" {
        return Ok(None);
    }
    if id::is_principal_id(principal) {
        let home = known.iter().find(|known| known.principal_id == principal);
        let home = home.map_or(directory.account, |known| known.account_id.as_str()).to_owned();
        return match arn_of(directory, &home, principal).await? {
            Some(_) => Ok(Some(BoundPrincipal { principal_id: principal.to_owned(), account_id: home })),
            None => Err(invalid(principal)),
        };
    }
    let named = match Resource::parse(&directory.settings.partition, principal) {
        None if is_account_id(principal) => Resource::Root { account: principal },
        None => return Err(invalid(principal)),
        Some(named) => named,
    };
    let home = named.account();
    let id = match named {
        Resource::Root { .. } | Resource::RoleSession { .. } => {
            let exists = account::find(directory.transaction, home).await?.is_some();
            return if exists { Ok(None) } else { Err(invalid(principal)) };
        }
        Resource::Named { kind: Kind::User, path, name, .. } => {
            let user: Option<UserRecord> = named::find(directory.transaction, home, name).await?;
            user.filter(|user| user.path == path && user.user_name == name).map(|user| user.user_id)
        }
        Resource::Named { kind: Kind::Role, path, name, .. } => {
            let role: Option<RoleRecord> = named::find(directory.transaction, home, name).await?;
            role.filter(|role| role.path == path && role.role_name == name).map(|role| role.role_id)
        }
        Resource::Named { .. } | Resource::OidcProvider { .. } => None,
    };
    let principal_id = id.ok_or_else(|| invalid(principal))?;
    Ok(Some(BoundPrincipal { principal_id, account_id: home.to_owned() }))
}

/// The ARN that a user or a role has now; none when it is gone.
async fn arn_of(directory: &mut Directory<'_>, account: &str, id: &str) -> Result<Option<String>> {
    let partition = &directory.settings.partition;
    if id.starts_with("AIDA") {
        let user: Option<UserRecord> = named::by_id(directory.transaction, account, id).await?;
        return Ok(
            user.map(|user| resource::arn(partition, account, Kind::User, &user.path, &user.user_name))
        );
    }
    let role: Option<RoleRecord> = named::by_id(directory.transaction, account, id).await?;
    Ok(role.map(|role| resource::arn(partition, account, Kind::Role, &role.path, &role.role_name)))
}

fn invalid(principal: &str) -> Error {
    Error::malformed_policy_document(format!("Invalid principal in policy: \"AWS\":\"{principal}\""))
        .with_violation("policy_document", format!("{principal} is no principal here"))
}
