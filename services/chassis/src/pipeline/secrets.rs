//! Secrets that come with a call. What anybody on the way could read is no secret any more, and is not taken for one.

use std::net::IpAddr;

use reeve_directory::Error;
use reeve_proto::Fields;

use super::Incoming;
use crate::environment::Environment;
use crate::members;

impl Incoming {
    /// Whether secrets are taken from it: over TLS, from this very machine, or because the operator says that nobody on the way
    /// reads along.
    pub(crate) fn may_hold_secrets(&self, environment: &Environment) -> bool {
        self.secure || environment.plaintext_off_loopback || is_loopback(&self.source_ip)
    }
}

/// Refuses a request whose secrets could have been read on their way.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn refuse_readable(
    environment: &Environment,
    incoming: &Incoming,
    request: &dyn Fields,
) -> Result<(), Error> {
    if incoming.may_hold_secrets(environment) || !members::holds_secret(request) {
        return Ok(());
    }
    Err(Error::access_denied("Passwords and other secrets are accepted over TLS, or from this very machine."))
}

/// Whether an address is of this very machine.
fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
