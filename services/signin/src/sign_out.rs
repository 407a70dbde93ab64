//! The end of a session before its time. It is remembered until that time, and every call of the session, of what it made
//! and of its bearer tokens is refused from the next one on.

use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_proto::signin::v1::{SignOutRequest, SignOutResponse};

use crate::SignIn;

impl Handle<SignOutRequest> for SignIn {
    async fn handle(&self, call: &mut Call<'_>, _: &SignOutRequest) -> Result<SignOutResponse, Error> {
        let session = call.caller.session_record().filter(|session| session.signed_in_until != 0);
        let Some((until, key)) =
            session.map(|session| (session.signed_in_until, session.access_key_id.clone()))
        else {
            return Err(Error::validation_error(
                "Only a session that began with a sign-in can be signed out.",
            ));
        };
        call.directory().ended_sessions().add(until, &key).await?;
        Ok(SignOutResponse {})
    }
}
