//! Assuming a role. Who may was decided before: by the role's trust policy and the caller's own. Issuing writes nothing;
//! everything about the session goes into its token.

use std::sync::Arc;

use reeve_chassis::{Call, Handle, issue, lineage, session};
use reeve_directory::record::SessionRecord;
use reeve_directory::resource::role_session_arn;
use reeve_directory::{Error, Permissions};
use reeve_proto::sts::v1::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, Credentials};

use crate::{Sts, session_policies, tags};

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
            session_policy: session_policies::own(op.policy.as_deref())?,
            session_policy_arns: session_policies::managed(call, &op.policy_arns, &role).await?,
            session_policies_given: op.policy.is_some() || !op.policy_arns.is_empty(),
            expires_at: call.now + i64::from(duration),
            lineage: lineage(&call.caller),
            ..SessionRecord::default()
        };
        let credentials = issue(call, session)?.credentials;
        Ok(AssumeRoleResponse {
            assumed_role_user: Some(assumed_role_user(call, &role, &op.role_session_name)),
            packed_policy_size: packed_policy_size(&credentials),
            source_identity: Some(source_identity).filter(|identity| !identity.is_empty()),
            credentials: Some(credentials),
        })
    }
}

/// Who the holder of a role's session is.
pub(crate) fn assumed_role_user(call: &Call<'_>, role: &Permissions, session_name: &str) -> AssumedRoleUser {
    let (partition, principal) = (&call.environment.settings.partition, &role.principal);
    AssumedRoleUser {
        assumed_role_id: format!("{}:{session_name}", principal.id),
        arn: role_session_arn(partition, &principal.account, &principal.name, session_name),
    }
}

/// How much of a token's room a session takes, in percent.
pub(crate) fn packed_policy_size(credentials: &Credentials) -> Option<i32> {
    let bytes = credentials.session_token.len();
    i32::try_from(bytes.saturating_mul(100).div_ceil(session::SESSION_TOKEN_BYTES_MAX)).ok()
}

/// How long a session of the role is to last, in seconds.
///
/// # Errors
/// `ValidationError` beyond what the role allows.
pub(crate) fn duration_within(role: &Permissions, asked: Option<i32>) -> Result<i32, Error> {
    let duration = asked.unwrap_or(DURATION_DEFAULT_SECONDS);
    if role.role.as_ref().is_none_or(|role| duration > role.max_session_duration_seconds) {
        return Err(too_long(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(duration)
}

fn too_long(message: &str) -> Error {
    Error::validation_error(message).with_violation("duration_seconds", message)
}

/// The role as it was found when the call was authorized.
fn assumed_role(call: &Call<'_>) -> Result<Arc<Permissions>, Error> {
    let located = call.authorized.located.first().and_then(|located| located.role.clone());
    located.ok_or_else(|| Error::internal_failure("AssumeRole without a role"))
}

/// How long the session is to last, in seconds.
fn duration(call: &Call<'_>, op: &AssumeRoleRequest, role: &Permissions) -> Result<i32, Error> {
    let is_chained = call.caller.session_record().is_some();
    if is_chained && op.duration_seconds.is_some_and(|asked| asked > CHAINED_DURATION_MAX_SECONDS) {
        return Err(too_long(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    duration_within(role, op.duration_seconds)
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
