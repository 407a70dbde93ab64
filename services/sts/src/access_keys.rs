//! What the id of an access key tells by itself: AWS's ids hold their account, and so do these.

use reeve_chassis::{Call, Handle};
use reeve_directory::{Error, id};
use reeve_proto::sts::v1::{GetAccessKeyInfoRequest, GetAccessKeyInfoResponse};

use crate::Sts;

impl Handle<GetAccessKeyInfoRequest> for Sts {
    async fn handle(
        &self,
        _: &mut Call<'_>,
        op: &GetAccessKeyInfoRequest,
    ) -> Result<GetAccessKeyInfoResponse, Error> {
        let account = id::account_of_access_key(&op.access_key_id).ok_or_else(|| {
            let message = format!("{} is not the id of an access key.", op.access_key_id);
            Error::validation_error(&message).with_violation("access_key_id", message)
        })?;
        Ok(GetAccessKeyInfoResponse { account })
    }
}
