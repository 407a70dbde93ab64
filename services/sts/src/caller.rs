//! Who is calling.

use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_proto::sts::v1::{GetCallerIdentityRequest, GetCallerIdentityResponse};

use crate::Sts;

impl Handle<GetCallerIdentityRequest> for Sts {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &GetCallerIdentityRequest,
    ) -> Result<GetCallerIdentityResponse, Error> {
        Ok(GetCallerIdentityResponse {
            user_id: call.caller.user_id().to_owned(),
            account: call.caller.account().to_owned(),
            arn: call.caller.arn().to_owned(),
        })
    }
}
