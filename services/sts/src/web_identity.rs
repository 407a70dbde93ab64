//! Assuming a role with a provider's token. The token proves who calls, the role's trust policy decides, and nothing is
//! written: everything about the session goes into its own token.

use reeve_chassis::authorize::assume;
use reeve_chassis::web_identity::{Attributes, prove, refused};
use reeve_chassis::{Call, Handle, issue};
use reeve_directory::Error;
use reeve_directory::record::SessionRecord;
use reeve_directory::resource::{Kind, Resource};
use reeve_proto::sts::v1::{AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse};

use crate::role::{assumed_role_user, duration_within, packed_policy_size};
use crate::tags::{self, SessionTags};
use crate::{Sts, session_policies};

impl Handle<AssumeRoleWithWebIdentityRequest> for Sts {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &AssumeRoleWithWebIdentityRequest,
    ) -> Result<AssumeRoleWithWebIdentityResponse, Error> {
        if op.provider_id.is_some() {
            let message =
                "ProviderId names the issuer of an OAuth 2.0 access token, which is not taken here.";
            return Err(Error::validation_error(message).with_violation("provider_id", message));
        }
        let account = role_account(call, &op.role_arn)?;
        let identity = prove(call, &account, &op.web_identity_token).await?;
        let attributes = &identity.attributes;
        let session_name = attributes.role_session_name.as_ref().unwrap_or(&op.role_session_name);
        let role = assume(call, &op.role_arn, &identity, session_name).await?;
        let duration = duration_within(&role, op.duration_seconds)?;
        let session_tags = session_tags(attributes)?;
        let session = SessionRecord {
            account_id: role.principal.account.clone(),
            principal_id: role.principal.id.clone(),
            session_name: session_name.clone(),
            source_identity: attributes.source_identity.clone(),
            tags: session_tags.tags,
            transitive_tag_keys: session_tags.transitive_keys,
            session_policy: session_policies::own(op.policy.as_deref())?,
            session_policy_arns: session_policies::managed(call, &op.policy_arns, &role).await?,
            session_policies_given: op.policy.is_some() || !op.policy_arns.is_empty(),
            expires_at: call.now + i64::from(duration),
            federated: Some(identity.federated.clone()),
            ..SessionRecord::default()
        };
        let credentials = issue(call, session)?.credentials;
        Ok(AssumeRoleWithWebIdentityResponse {
            subject_from_web_identity_token: identity.federated.subject.clone(),
            assumed_role_user: Some(assumed_role_user(call, &role, session_name)),
            packed_policy_size: packed_policy_size(&credentials),
            provider: identity.issuer_url.clone(),
            audience: identity.federated.audience.clone(),
            source_identity: Some(attributes.source_identity.clone()).filter(|name| !name.is_empty()),
            credentials: Some(credentials),
        })
    }
}

/// The account of a role to be assumed: its providers are the ones that are trusted.
fn role_account(call: &Call<'_>, arn: &str) -> Result<String, Error> {
    match Resource::parse(&call.environment.settings.partition, arn) {
        Some(Resource::Named { kind: Kind::Role, account, .. }) => Ok(account.to_owned()),
        _ => {
            let message = format!("{arn} is invalid");
            Err(Error::validation_error(&message).with_violation("role_arn", &message))
        }
    }
}

/// The tags that the token brings: what cannot stand together is the token's fault.
fn session_tags(attributes: &Attributes) -> Result<SessionTags, Error> {
    let found = tags::merge(&[], attributes.tags.clone(), &attributes.transitive_keys);
    found.map_err(|error| refused(error.message))
}
