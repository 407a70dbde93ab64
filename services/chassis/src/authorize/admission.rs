//! What the kind of the caller's credentials rules out, whatever policies say.

use reeve_directory::Error;
use reeve_proto::Spec;

use crate::identity::Identity;

/// Whether credentials of the caller's kind may call the operation at all. (Source: GetSessionToken in the STS API
/// reference: without MFA no operation of IAM, and of STS none but AssumeRole and GetCallerIdentity.)
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn admit(spec: &Spec, caller: &Identity) -> Result<(), Error> {
    if caller.is_bearer() && spec.issues_credentials {
        return Err(Error::access_denied(format!("Cannot call {} with a bearer token", spec.method)));
    }
    // Sessions of users and roots always say something of MFA, and nothing else does.
    let Some(session) = caller.session_record().filter(|session| session.mfa_present.is_some()) else {
        return Ok(());
    };
    // Whoever signed in may enroll a device.
    let signed_in = session.signed_in_until != 0;
    if spec.prefix == "iam" && session.mfa_present == Some(false) && !signed_in {
        let message = format!("Cannot call {} with session credentials that do not show MFA", spec.method);
        return Err(Error::access_denied(message));
    }
    if spec.prefix == "sts" && !spec.open_to_user_sessions {
        return Err(Error::access_denied(format!("Cannot call {} with session credentials", spec.method)));
    }
    Ok(())
}
