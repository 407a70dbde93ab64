//! Sessions of users and of roots: the same principal with temporary credentials, which can show MFA.

use reeve_chassis::{Call, Handle, issue, lineage};
use reeve_directory::Error;
use reeve_directory::record::SessionRecord;
use reeve_proto::sts::v1::{GetSessionTokenRequest, GetSessionTokenResponse};

use crate::Sts;

/// How long a session lasts when the caller does not say, in seconds.
const DURATION_DEFAULT_SECONDS: i32 = 43_200;
/// How long a root's session lasts at most, in seconds.
const ROOT_DURATION_MAX_SECONDS: i32 = 3_600;

impl Handle<GetSessionTokenRequest> for Sts {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetSessionTokenRequest,
    ) -> Result<GetSessionTokenResponse, Error> {
        if call.caller.session_record().is_some() {
            return Err(Error::access_denied("Cannot call GetSessionToken with session credentials"));
        }
        // What a root asks for beyond its hour, it gets an hour of, as from AWS.
        let duration = op.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS);
        let most = if call.caller.is_root() { ROOT_DURATION_MAX_SECONDS } else { i32::MAX };
        let session = SessionRecord {
            account_id: call.caller.account().to_owned(),
            principal_id: call.caller.principal_id().to_owned(),
            expires_at: call.now + i64::from(duration.min(most)),
            lineage: lineage(&call.caller),
            mfa_present: Some(call.caller.mfa_at().is_some()),
            mfa_at: call.caller.mfa_at().unwrap_or_default(),
            ..SessionRecord::default()
        };
        Ok(GetSessionTokenResponse { credentials: Some(issue(call, session)?.credentials) })
    }
}
