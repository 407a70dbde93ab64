//! What a request acts on: from the member that names a resource to its ARN, its account, its tags and its policy.

use std::sync::Arc;

use reeve_directory::record::StoredTag;
use reeve_directory::resource::{Kind, Resource, oidc_provider_arn, relying_service_arn, root_arn};
use reeve_directory::{Directory, Error, Permissions, oidc_provider};
use reeve_evaluator::PolicySet;
use reeve_proto::error::v1::ErrorReason;
use reeve_proto::{Fields, Spec};

use crate::identity::Identity;
use crate::members;

/// A resource that a call acts on.
#[derive(Clone, Debug, Default)]
pub struct Located {
    /// Its ARN, or `*`.
    pub arn: String,
    /// The account that owns it; empty where neither the ARN nor the request says.
    pub account: String,
    /// Its unique id, where it has one and exists.
    pub id: String,
    /// Its tags.
    pub(crate) tags: Vec<StoredTag>,
    /// The ARN of its permissions boundary; empty without one.
    pub(crate) boundary_arn: String,
    /// The role to be assumed, with what it may be allowed.
    pub role: Option<Arc<Permissions>>,
    /// Where it lies, and how it is called, for the ARN of what it becomes.
    path: String,
    name: String,
    /// Who may assume it. `None` for what is not a role to be assumed; an empty set for a role that does not exist.
    pub(crate) trust: Option<PolicySet>,
}

/// Locates what `name` means to the operation, for a caller in the directory's account.
pub(crate) async fn locate(
    directory: &mut Directory<'_>,
    permissions: &reeve_directory::PermissionsCache,
    spec: &Spec,
    request: &dyn Fields,
    caller: &Identity,
    (name, owner): (Option<&str>, Option<&str>),
) -> Result<Located, Error> {
    let account = directory.account;
    let own = |arn: String| Located { arn, account: account.to_owned(), ..Located::default() };
    let Some(name) = name else {
        return Ok(if spec.caller_when_absent {
            of_caller(caller)
        } else {
            own(everything(directory, spec))
        });
    };
    if spec.creates {
        let path = members::text(request, "path").unwrap_or("/");
        return Ok(own(match kind(spec) {
            Some(kind) => directory.arn(kind, path, name),
            None if spec.resource == "oidc-provider" => {
                oidc_provider_arn(&directory.settings.partition, account, oidc_provider::issuer_of(name)?)
            }
            None => relying_service_arn(&directory.settings.partition, account, name),
        }));
    }
    match spec.resource {
        "user" => of_user(directory, name).await,
        "group" => of_group(directory, name).await,
        "role" if spec.inherits_session => of_assumed_role(directory, permissions, name).await,
        "role" => of_role(directory, name).await,
        "policy" => of_policy(directory, name).await,
        "mfa" => of_mfa_device(directory, name).await,
        "oidc-provider" => of_oidc_provider(directory, name).await,
        "access-key" => of_access_key(directory, name).await,
        "relying-service" => Ok(own(relying_service_arn(&directory.settings.partition, account, name))),
        "any" => {
            let account = owner.unwrap_or_default().to_owned();
            Ok(Located { arn: name.to_owned(), account, ..Located::default() })
        }
        other => Err(Error::internal_failure(format!("{}: no {other} can be located", spec.action))),
    }
}

/// What `located` becomes by a call that renames or moves it: the caller needs the permission there too.
pub(crate) fn becomes(
    directory: &Directory<'_>,
    spec: &Spec,
    located: &Located,
    (new_name, new_path): (Option<&str>, Option<&str>),
) -> Option<Located> {
    if new_name.is_none() && new_path.is_none() {
        return None;
    }
    let path = new_path.unwrap_or(if located.path.is_empty() { "/" } else { &located.path });
    let name = new_name.unwrap_or(&located.name);
    Some(Located { arn: directory.arn(kind(spec)?, path, name), ..located.clone() })
}

fn of_caller(caller: &Identity) -> Located {
    Located {
        arn: caller.arn().to_owned(),
        account: caller.account().to_owned(),
        id: caller.principal_id().to_owned(),
        tags: caller.own_tags().to_vec(),
        ..Located::default()
    }
}

async fn of_user(directory: &mut Directory<'_>, name: &str) -> Result<Located, Error> {
    let account = directory.account.to_owned();
    Ok(match found(directory.users().get(name).await)? {
        Some(user) => Located {
            arn: directory.arn(Kind::User, &user.path, &user.user_name),
            account,
            boundary_arn: directory.boundaries().arn(&user.boundary_policy_id).await?.unwrap_or_default(),
            id: user.user_id,
            tags: user.tags,
            path: user.path,
            name: user.user_name,
            ..Located::default()
        },
        None => Located { arn: directory.arn(Kind::User, "/", name), account, ..Located::default() },
    })
}

/// Whose an access key is. One that nobody of this account has is located at `*`: whoever may not ask about everything
/// does not learn that.
async fn of_access_key(directory: &mut Directory<'_>, id: &str) -> Result<Located, Error> {
    let account = directory.account.to_owned();
    let key = directory.access_keys().find(id).await?.filter(|key| key.account_id == account);
    let nobodys = Located { arn: "*".to_owned(), account: account.clone(), ..Located::default() };
    let Some(key) = key else { return Ok(nobodys) };
    if key.principal_id == account {
        let arn = root_arn(&directory.settings.partition, &account);
        return Ok(Located { arn, ..nobodys });
    }
    match directory.users().by_id(&key.principal_id).await? {
        Some(user) => of_user(directory, &user.user_name).await,
        None => Ok(nobodys),
    }
}

async fn of_group(directory: &mut Directory<'_>, name: &str) -> Result<Located, Error> {
    let account = directory.account.to_owned();
    Ok(match found(directory.groups().get(name).await)? {
        Some(group) => Located {
            arn: directory.arn(Kind::Group, &group.path, &group.group_name),
            account,
            id: group.group_id,
            path: group.path,
            name: group.group_name,
            ..Located::default()
        },
        None => Located { arn: directory.arn(Kind::Group, "/", name), account, ..Located::default() },
    })
}

async fn of_role(directory: &mut Directory<'_>, name: &str) -> Result<Located, Error> {
    let account = directory.account.to_owned();
    Ok(match found(directory.roles().get(name).await)? {
        Some(role) => Located {
            arn: directory.arn(Kind::Role, &role.path, &role.role_name),
            account,
            boundary_arn: directory.boundaries().arn(&role.boundary_policy_id).await?.unwrap_or_default(),
            id: role.role_id,
            tags: role.tags,
            path: role.path,
            name: role.role_name,
            ..Located::default()
        },
        None => Located { arn: directory.arn(Kind::Role, "/", name), account, ..Located::default() },
    })
}

/// A role in whichever account, with its trust policy. The ARN must be the role's own, path and all.
pub(crate) async fn of_assumed_role(
    directory: &mut Directory<'_>,
    permissions: &reeve_directory::PermissionsCache,
    arn: &str,
) -> Result<Located, Error> {
    let Some(Resource::Named { kind: Kind::Role, account, .. }) =
        Resource::parse(&directory.settings.partition, arn)
    else {
        let message = format!("{arn} is invalid");
        return Err(Error::validation_error(&message).with_violation("role_arn", &message));
    };
    let missing = Located {
        arn: arn.to_owned(),
        account: account.to_owned(),
        trust: Some(PolicySet::default()),
        ..Located::default()
    };
    let Some(role) = permissions.by_arn(directory.transaction, arn).await? else { return Ok(missing) };
    let Some(trust) = role.role.as_ref().map(|role| role.trust.clone()) else { return Ok(missing) };
    let principal = &role.principal;
    Ok(Located {
        arn: principal.arn.clone(),
        account: principal.account.clone(),
        id: principal.id.clone(),
        tags: principal.tags.clone(),
        trust: Some(trust),
        role: Some(role),
        ..Located::default()
    })
}

/// What is not there is located all the same: whoever may not ask about it does not learn that.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.reason == ErrorReason::NoSuchEntity => Ok(None),
        Err(error) => Err(error),
    }
}

async fn of_policy(directory: &mut Directory<'_>, arn: &str) -> Result<Located, Error> {
    let Some(Resource::Named { kind: Kind::Policy, account, .. }) =
        Resource::parse(&directory.settings.partition, arn)
    else {
        let message = format!("ARN {arn} is not valid.");
        return Err(Error::invalid_input(&message).with_violation("policy_arn", &message));
    };
    // The policies that AWS manages belong to the account they are used in.
    let account = if account == "aws" { directory.account } else { account };
    let located = Located { arn: arn.to_owned(), account: account.to_owned(), ..Located::default() };
    if account != directory.account {
        return Ok(located);
    }
    Ok(match found(directory.policies().get(arn).await)? {
        Some(policy) => Located { id: policy.policy_id, tags: policy.tags, ..located },
        None => located,
    })
}

/// A device by its serial number, which is its ARN; what is none is located all the same, where a device of its name would be.
async fn of_mfa_device(directory: &mut Directory<'_>, serial_number: &str) -> Result<Located, Error> {
    let parsed = Resource::parse(&directory.settings.partition, serial_number);
    let Some(Resource::Named { kind: Kind::Mfa, account, .. }) = parsed else {
        let account = directory.account.to_owned();
        let arn = directory.arn(Kind::Mfa, "/", &serial_number.replace([':', '/'], "_"));
        return Ok(Located { arn, account, ..Located::default() });
    };
    let (arn, account) = (serial_number.to_owned(), account.to_owned());
    let device = directory.mfa_devices().find(serial_number).await?;
    Ok(Located {
        arn,
        account,
        tags: device.map(|device| device.tags).unwrap_or_default(),
        ..Located::default()
    })
}

async fn of_oidc_provider(directory: &mut Directory<'_>, arn: &str) -> Result<Located, Error> {
    let parsed = Resource::parse(&directory.settings.partition, arn);
    let Some(Resource::OidcProvider { account, issuer }) = parsed else {
        let message = format!("Invalid ARN: {arn}");
        return Err(Error::invalid_input(&message).with_violation("open_id_connect_provider_arn", &message));
    };
    let located = Located { arn: arn.to_owned(), account: account.to_owned(), ..Located::default() };
    if account != directory.account {
        return Ok(located);
    }
    let provider = directory.oidc_providers().find(issuer).await?;
    Ok(Located { tags: provider.map(|provider| provider.tags).unwrap_or_default(), ..located })
}

/// What a listing acts on.
fn everything(directory: &Directory<'_>, spec: &Spec) -> String {
    match (kind(spec), spec.resource) {
        (Some(kind), _) => directory.arn(kind, "/", ""),
        (None, "relying-service") => {
            relying_service_arn(&directory.settings.partition, directory.account, "")
        }
        _ => "*".to_owned(),
    }
}

fn kind(spec: &Spec) -> Option<Kind> {
    [Kind::User, Kind::Group, Kind::Role, Kind::Policy, Kind::Mfa]
        .into_iter()
        .find(|kind| kind.as_str() == spec.resource)
}
