//! Trading a password, and the code of a device, for a session of the console kind: it may call IAM without MFA, so that
//! people can enroll a device.

use reeve_chassis::{Call, Handle, bearer, forced_change, issue};
use reeve_directory::record::SessionRecord;
use reeve_directory::{Error, OwnerRecord, password_policy};
use reeve_proto::signin::v1::{SignInRequest, SignInResponse};

use crate::SignIn;
use crate::proof::{self, Proved, logins};
use crate::subject::Subject;

/// How long a session lasts when the request does not say, in seconds.
const DURATION_DEFAULT_SECONDS: i32 = 43_200;
/// How long a root's session lasts at most, in seconds.
const ROOT_DURATION_MAX_SECONDS: i32 = 3_600;
/// What every refusal says.
const REFUSED: &str =
    "Your authentication information is incorrect, or there were too many attempts. Please try again.";

impl Handle<SignInRequest> for SignIn {
    async fn handle(&self, call: &mut Call<'_>, op: &SignInRequest) -> Result<SignInResponse, Error> {
        let subject = Subject::find(call, op).await?;
        call.acts_for(&subject.arn);
        let (guesses, source) = (&call.environment.guesses, call.surroundings.source_ip);
        let attempt =
            guesses.at_password(subject.guessed(), subject.existing_user_name(), source, call.now)?;
        // Whoever has to wait is not told so: it takes as long, and whatever is given is wrong.
        let proved = proof::of(call, op, &subject, attempt.is_some()).await?;
        if let Some(attempt) = attempt {
            attempt.ended(proved.is_some());
        }
        let Some(proved) = proved else { return Err(Error::access_denied(REFUSED)) };
        let session = session(call, op, &subject, &proved);
        renew_password(call, op, &proved, &session).await?;
        let environment = call.environment;
        environment.password_uses.note(&subject.account, proved.owner.id(), call.now);
        let issued = issue(call, session)?;
        let (bearer_token, _) = bearer::of_session(call, issued.session)?;
        Ok(SignInResponse { credentials: Some(issued.credentials), bearer_token, arn: subject.arn })
    }
}

/// Sets the password that must be set, or hashes the present one anew where hashes have come to cost more.
///
/// # Errors
/// `PasswordResetRequired` when there must be a new one and none is given; `PasswordPolicyViolation`; `AccessDenied` when the
/// old one has expired for good, or a policy denies its user the change.
async fn renew_password(
    call: &mut Call<'_>,
    op: &SignInRequest,
    proved: &Proved<'_>,
    session: &SessionRecord,
) -> Result<(), Error> {
    let (account, profile, now) = (&session.account_id, proved.profile, call.now);
    let policy = match proved.owner {
        OwnerRecord::User(_) => call.directory_of(account).password_policies().find().await?,
        OwnerRecord::Root(_) => None,
    };
    let is_expired = password_policy::is_expired(policy.as_ref(), profile.password_date, now);
    if is_expired && password_policy::is_expiry_hard(policy.as_ref()) {
        return Err(password_policy::expired_for_good());
    }
    match &op.new_password {
        None if is_expired || profile.reset_required => {
            Err(Error::password_reset_required("Your password must be changed before you can sign in."))
        }
        None if proved.rehash => logins(call, account).rehash(profile, &op.password).await,
        None => Ok(()),
        Some(_) if !is_expired && !profile.reset_required => {
            let message = "The password need not be changed: ChangePassword changes it.";
            Err(Error::invalid_parameter_combination(message).with_violation("new_password", message))
        }
        Some(new) => {
            forced_change::authorize(call, session).await?;
            let set = match *new == op.password {
                true => Err(password_policy::reused()),
                false => logins(call, account).set(proved.owner, new, false).await.map(drop),
            };
            set.map_err(|error| error.violation_renamed("password", "new_password"))
        }
    }
}

/// What the subject is about to be given.
fn session(call: &Call<'_>, op: &SignInRequest, subject: &Subject, proved: &Proved<'_>) -> SessionRecord {
    let duration = op.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS);
    let most = if subject.is_root() { ROOT_DURATION_MAX_SECONDS } else { i32::MAX };
    let expires_at = call.now + i64::from(duration.min(most));
    SessionRecord {
        account_id: subject.account.clone(),
        principal_id: proved.owner.id().to_owned(),
        expires_at,
        signed_in_until: expires_at,
        login_profile_id: proved.profile.profile_id,
        mfa_present: Some(proved.second_factor),
        mfa_at: if proved.second_factor { call.now } else { 0 },
        ..SessionRecord::default()
    }
}
