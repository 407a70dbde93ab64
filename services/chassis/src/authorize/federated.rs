//! Whether somebody for whom a provider vouches may assume a role. They have no policies of their own: the role's trust policy
//! decides alone, also on the tags and the source identity that their token brings.

use std::sync::Arc;

use reeve_directory::{Error, Permissions};
use reeve_evaluator::{Context, Policies, Principal, Request, decide};

use super::{describe_resource, effect_name, layer_name, standing_of, surround};
use crate::call::Call;
use crate::locate::of_assumed_role;
use crate::web_identity::WebIdentity;

/// What is asked of the role itself.
const ASSUME: &str = "sts:AssumeRoleWithWebIdentity";

/// The role, if its trust policy lets the identity assume it under this name. Whether there is such a role is told nobody whom it
/// does not trust.
///
/// # Errors
/// `AccessDenied`; `ValidationError` when the ARN is none of a role.
pub async fn assume(
    call: &mut Call<'_>,
    role_arn: &str,
    identity: &WebIdentity,
    role_session_name: &str,
) -> Result<Arc<Permissions>, Error> {
    let environment = call.environment;
    let mut directory = call.directory();
    let located = of_assumed_role(&mut directory, &environment.permissions, role_arn).await?;
    call.trace.resource.clone_from(&located.arn);
    let attributes = &identity.attributes;
    let tag_keys: Vec<&str> = attributes.tags.iter().map(|tag| tag.key.as_str()).collect();
    let mut context = Context::with_capacity(32);
    // First, so that nothing a token says takes the place of what is known.
    attributes.describe(&mut context);
    surround(&mut context, &call.surroundings);
    context.insert("aws:FederatedProvider", &identity.provider_arn);
    context.insert("aws:PrincipalIsAWSService", false);
    context.insert("aws:ViaAWSService", false);
    context.insert("sts:RoleSessionName", role_session_name);
    describe_resource(&mut context, &located);
    for tag in &attributes.tags {
        context.insert_tag("aws:RequestTag/", &tag.key, tag.value.as_str());
    }
    if !tag_keys.is_empty() {
        context.insert("aws:TagKeys", tag_keys.as_slice());
    }
    if !attributes.transitive_keys.is_empty() {
        context.insert("sts:TransitiveTagKeys", &attributes.transitive_keys);
    }
    if !attributes.source_identity.is_empty() {
        context.insert("sts:SourceIdentity", &attributes.source_identity);
    }
    let policies = Policies { resource: located.trust.clone(), ..Policies::default() };
    let also = [
        ("sts:TagSession", !attributes.tags.is_empty()),
        ("sts:SetSourceIdentity", !attributes.source_identity.is_empty()),
    ];
    let also = also.into_iter().filter(|(_, asked)| *asked).map(|(action, _)| action);
    for action in std::iter::once(ASSUME).chain(also) {
        let request = Request {
            principal: Principal::Federated(&identity.provider_arn),
            action,
            resource: &located.arn,
            resource_account: Some(&located.account),
            context: &context,
            standing: standing_of(environment, "", &located),
        };
        let decision = decide(&policies, &request);
        (call.trace.decision, call.trace.layer) = (effect_name(decision.effect), layer_name(decision.layer));
        if !decision.is_allowed() {
            return Err(denied(action));
        }
    }
    // A role that is not there trusts nobody.
    located.role.ok_or_else(|| denied(ASSUME))
}

fn denied(action: &str) -> Error {
    Error::access_denied(format!("Not authorized to perform {action}"))
}
