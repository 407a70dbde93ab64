//! The code of an MFA device that comes with a call: it counts for that call, and is accepted once.

use reeve_directory::{Directory, Error};
use reeve_proto::Fields;
use reeve_storage::Transaction;

use crate::environment::Environment;
use crate::identity::Identity;
use crate::members;
use crate::mfa::Devices;
use crate::random::SystemRandom;

/// Shows `caller`'s second factor at `now`, from the address `source`, if the members `serial_number` and `token_code` of the request give one. That the
/// code was accepted is a write of the call's: a call that fails uses none up.
///
/// # Errors
/// `AccessDenied`, in AWS's words: one of the two is missing, the device is none of the caller's, the code is wrong or used,
/// or too many were tried.
pub(crate) async fn show(
    environment: &Environment,
    transaction: &mut Transaction,
    caller: &mut Identity,
    request: &dyn Fields,
    (source, now): (&str, i64),
) -> Result<(), Error> {
    let given = (members::text(request, "serial_number"), members::text(request, "token_code"));
    let (serial_number, code) = match given {
        (None, None) => return Ok(()),
        (Some(serial_number), Some(code)) => (serial_number, code),
        _ => {
            return Err(Error::access_denied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
            ));
        }
    };
    let wrong =
        || Error::access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code.");
    if caller.is_role_session() {
        return Err(wrong());
    }
    let account = caller.account().to_owned();
    let mut random = SystemRandom::new();
    let mut directory = Directory {
        transaction,
        account: &account,
        settings: &environment.settings,
        now,
        random: &mut random,
    };
    let owner = directory.owner_by_id(caller.principal_id()).await?.ok_or_else(wrong)?;
    let accepted =
        Devices::new(directory, environment, source).accept(&owner, Some(serial_number), code).await?;
    accepted.ok_or_else(wrong)?;
    caller.show_second_factor(now);
    Ok(())
}
