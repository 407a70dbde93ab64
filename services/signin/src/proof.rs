//! The proof of a sign-in: the password, and then a code. A code is used up by the right password alone, so that whoever does
//! not know that can neither try codes nor use the owner's up.

use reeve_chassis::login::Logins;
use reeve_chassis::mfa::Devices;
use reeve_chassis::password::Verified;
use reeve_chassis::{Call, Environment};
use reeve_directory::record::LoginProfileRecord;
use reeve_directory::{Error, OwnerRecord};
use reeve_proto::signin::v1::SignInRequest;

use crate::subject::Subject;

/// What was proved.
pub(crate) struct Proved<'s> {
    pub(crate) owner: &'s OwnerRecord,
    pub(crate) profile: &'s LoginProfileRecord,
    /// A code was shown.
    pub(crate) second_factor: bool,
    /// New hashes cost more than this one.
    pub(crate) rehash: bool,
}

/// Whether the request proves that it comes from the subject. Nothing tells why it does not: whoever is not there costs the
/// hashing of a password too, and so does whoever has to wait (`is_heard` is false), whose password proves nothing.
///
/// # Errors
/// `ServiceUnavailable` when too many passwords wait.
pub(crate) async fn of<'s>(
    call: &mut Call<'_>,
    op: &SignInRequest,
    subject: &'s Subject,
    is_heard: bool,
) -> Result<Option<Proved<'s>>, Error> {
    let (Some(owner), Some(profile)) = (&subject.owner, &subject.profile) else {
        call.passwords.verify_nothing(&op.password).await?;
        return Ok(None);
    };
    let verified = logins(call, &subject.account).verify(profile, &op.password).await?;
    let Verified::Matches { rehash } = verified else { return Ok(None) };
    if !is_heard {
        return Ok(None);
    }
    let second_factor = second_factor(call, op, subject, owner).await?;
    Ok(second_factor.map(|second_factor| Proved { owner, profile, second_factor, rehash }))
}

/// Whether a code was shown; none when it should have been, or is not good.
async fn second_factor(
    call: &mut Call<'_>,
    op: &SignInRequest,
    subject: &Subject,
    owner: &OwnerRecord,
) -> Result<Option<bool>, Error> {
    let devices = call.directory_of(&subject.account).mfa_devices().all_of(owner).await?;
    let code = match (&op.mfa_code, devices.is_empty()) {
        (None, true) => return Ok(Some(false)),
        (Some(code), false) => code,
        _ => return Ok(None),
    };
    let (environment, source) = (call.environment, call.surroundings.source_ip);
    let mut devices = Devices::new(call.directory_of(&subject.account), environment, source);
    let accepted = devices.accept(owner, None, code).await?.is_some();
    Ok(accepted.then_some(true))
}

/// The passwords of an account.
pub(crate) fn logins<'c>(call: &'c mut Call<'_>, account: &'c str) -> Logins<'c> {
    let (environment, passwords): (&Environment, _) = (call.environment, call.passwords);
    Logins::new(call.directory_of(account), environment, passwords)
}
