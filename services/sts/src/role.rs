//! Assuming a role. Who may was decided before: by the role's trust policy and the caller's own. Issuing writes nothing;
//! everything about the session goes into its token.

use std::sync::Arc;

use reeve_chassis::{Call, Handle, issue, lineage, session};
use reeve_directory::record::SessionRecord;
use reeve_directory::resource::{Kind as ResourceKind, Resource, role_session_arn};
use reeve_directory::{Error, Permissions};
use reeve_evaluator::{DocumentError, Fault, Kind, Policy, minify};
use reeve_proto::sts::v1::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, PolicyDescriptorType};

use crate::{Sts, tags};

/// How long a session lasts when the caller does not say, in seconds.
const DURATION_DEFAULT_SECONDS: i32 = 3600;
/// How long a session may last that was assumed with temporary credentials, in seconds.
const CHAINED_DURATION_MAX_SECONDS: i32 = 3600;

impl Handle<AssumeRoleRequest> for Sts {
    async fn handle(&self, call: &mut Call<'_>, op: &AssumeRoleRequest) -> Result<AssumeRoleResponse, Error> {
        if call.caller.is_root() {
            return Err(Error::access_denied("Roles may not be assumed by root accounts."));
        }
        let role = assumed_role(call)?;
        let duration = duration(call, op, &role)?;
        let session_tags = tags::of_session(call, &op.tags, &op.transitive_tag_keys)?;
        let source_identity = source_identity(call, op)?;
        let session = SessionRecord {
            account_id: role.principal.account.clone(),
            principal_id: role.principal.id.clone(),
            session_name: op.role_session_name.clone(),
            source_identity: source_identity.clone(),
            tags: session_tags.tags,
            transitive_tag_keys: session_tags.transitive_keys,
            session_policy: session_policy(op)?,
            session_policy_arns: session_policy_arns(call, &op.policy_arns, &role).await?,
            session_policies_given: op.policy.is_some() || !op.policy_arns.is_empty(),
            expires_at: call.now + i64::from(duration),
            lineage: lineage(&call.caller),
            ..SessionRecord::default()
        };
        let credentials = issue(call, session)?.credentials;
        let bytes = credentials.session_token.len();
        let used = bytes.saturating_mul(100).div_ceil(session::SESSION_TOKEN_BYTES_MAX);
        let partition = &call.environment.settings.partition;
        Ok(AssumeRoleResponse {
            assumed_role_user: Some(AssumedRoleUser {
                assumed_role_id: format!("{}:{}", role.principal.id, op.role_session_name),
                arn: role_session_arn(
                    partition,
                    &role.principal.account,
                    &role.principal.name,
                    &op.role_session_name,
                ),
            }),
            packed_policy_size: i32::try_from(used).ok(),
            source_identity: Some(source_identity).filter(|identity| !identity.is_empty()),
            credentials: Some(credentials),
        })
    }
}

/// The role as it was found when the call was authorized.
fn assumed_role(call: &Call<'_>) -> Result<Arc<Permissions>, Error> {
    let located = call.authorized.located.first().and_then(|located| located.role.clone());
    located.ok_or_else(|| Error::internal_failure("AssumeRole without a role"))
}

/// How long the session is to last, in seconds.
fn duration(call: &Call<'_>, op: &AssumeRoleRequest, role: &Permissions) -> Result<i32, Error> {
    let duration = op.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS);
    let refused =
        |message: &str| Err(Error::validation_error(message).with_violation("duration_seconds", message));
    if call.caller.session_record().is_some() && duration > CHAINED_DURATION_MAX_SECONDS {
        return refused(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        );
    }
    if role.role.as_ref().is_none_or(|role| duration > role.max_session_duration_seconds) {
        return refused("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    }
    Ok(duration)
}

/// The source identity, which once set stays through every role assumed from there on.
fn source_identity(call: &Call<'_>, op: &AssumeRoleRequest) -> Result<String, Error> {
    let passed_on = call.caller.session_record().map_or("", |session| session.source_identity.as_str());
    match &op.source_identity {
        Some(wanted) if !passed_on.is_empty() && wanted != passed_on => {
            let message = "The source identity of a session cannot be changed.";
            Err(Error::validation_error(message).with_violation("source_identity", message))
        }
        Some(wanted) => Ok(wanted.clone()),
        None => Ok(passed_on.to_owned()),
    }
}

fn session_policy(op: &AssumeRoleRequest) -> Result<String, Error> {
    let Some(document) = &op.policy else { return Ok(String::new()) };
    Policy::compile(document, Kind::Session).map_err(refused_policy)?;
    minify(document).map_err(refused_policy)
}

fn refused_policy(error: DocumentError) -> Error {
    match error.fault {
        Fault::Size => {
            let message = error.to_string();
            Error::packed_policy_too_large(&message).with_violation("policy", message)
        }
        Fault::Malformed => Error::from(error).violation_renamed("policy_document", "policy"),
    }
}

/// The managed session policies: of the role's account, and there when the session begins.
async fn session_policy_arns(
    call: &mut Call<'_>,
    descriptors: &[PolicyDescriptorType],
    role: &Permissions,
) -> Result<Vec<String>, Error> {
    let mut arns = Vec::with_capacity(descriptors.len());
    for descriptor in descriptors {
        let arn = descriptor.arn.as_deref().unwrap_or_default();
        let parsed = Resource::parse(&call.environment.settings.partition, arn);
        let is_own = matches!(parsed, Some(Resource::Named { kind: ResourceKind::Policy, account, .. }) if account == role.principal.account);
        let found = is_own && call.environment.permissions.managed(call.transaction, arn).await?.is_some();
        if !found {
            let message = format!("{arn} is not a managed policy of the role's account.");
            return Err(Error::validation_error(&message).with_violation("policy_arns", message));
        }
        arns.push(arn.to_owned());
    }
    Ok(arns)
}
