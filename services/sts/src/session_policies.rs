//! Session policies: what a session may do at most, as whoever begins it says.

use reeve_chassis::Call;
use reeve_directory::resource::{Kind as ResourceKind, Resource};
use reeve_directory::{Error, Permissions};
use reeve_evaluator::{DocumentError, Fault, Kind, Policy, minify};
use reeve_proto::sts::v1::PolicyDescriptorType;

/// The session's own policy as it is sealed, minified; empty without one.
///
/// # Errors
/// `MalformedPolicyDocument`, `PackedPolicyTooLarge`.
pub(crate) fn own(document: Option<&str>) -> Result<String, Error> {
    let Some(document) = document else { return Ok(String::new()) };
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

/// The ARNs of managed session policies: of the role's account, and there when the session begins.
///
/// # Errors
/// `ValidationError`.
pub(crate) async fn managed(
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
