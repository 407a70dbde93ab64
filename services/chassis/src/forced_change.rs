//! The change of a password that must be changed before its user can sign in. Whoever must may, without a policy that says so;
//! but what policies deny of `iam:ChangePassword` they deny here too, so that "nothing without MFA" means this as well. (Source:
//! the note in "AWS: Allows MFA-authenticated IAM users to manage their own credentials" of the IAM User Guide.)

use std::sync::Arc;

use reeve_directory::Error;
use reeve_directory::record::SessionRecord;
use reeve_proto::Operation as _;
use reeve_proto::iam::v1::ChangePasswordRequest;

use crate::authorize::{self, Question};
use crate::call::Call;
use crate::session;

/// Asks policies about the change as if the session that is about to be issued called `ChangePassword`.
///
/// # Errors
/// `AccessDenied`, in AWS's words.
pub async fn authorize(call: &mut Call<'_>, session: &SessionRecord) -> Result<(), Error> {
    let session = Arc::new(SessionRecord { issued_at: call.now, ..session.clone() });
    let caller = session::identify(call.environment, call.transaction, session, call.now).await?;
    let question = Question {
        spec: ChangePasswordRequest::SPEC,
        request: &ChangePasswordRequest::default(),
        caller: &caller,
        surroundings: call.surroundings,
        is_forced: true,
    };
    authorize::authorize(call.environment, call.transaction, &question, call.trace).await.map(drop)
}
