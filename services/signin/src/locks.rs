//! Who has to wait because of wrong guesses, for administrators to see and to end.

use prost_types::Timestamp;
use reeve_chassis::guessing::{Guessed, Lock};
use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_proto::signin::v1::{
    ClearSignInLocksRequest, ClearSignInLocksResponse, ListSignInLocksRequest, ListSignInLocksResponse,
    SignInLock,
};

use crate::SignIn;

/// Most locks that are listed.
const LOCKS_MAX: usize = 1000;

impl Handle<ListSignInLocksRequest> for SignIn {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        _: &ListSignInLocksRequest,
    ) -> Result<ListSignInLocksResponse, Error> {
        let mut locks = call.environment.guesses.of_account(call.caller.account(), call.now);
        locks.sort_by_key(|lock| std::cmp::Reverse(lock.failures));
        locks.truncate(LOCKS_MAX);
        Ok(ListSignInLocksResponse { sign_in_locks: locks.into_iter().map(shown).collect() })
    }
}

impl Handle<ClearSignInLocksRequest> for SignIn {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ClearSignInLocksRequest,
    ) -> Result<ClearSignInLocksResponse, Error> {
        let user = call.directory().users().get(&op.user_name).await?;
        let (guesses, account) = (&call.environment.guesses, call.caller.account());
        guesses.forget(&Guessed::password(account, Some(&user.user_name)));
        guesses.forget(&Guessed::codes(account, &user.user_id));
        Ok(ClearSignInLocksResponse {})
    }
}

fn shown(lock: Lock) -> SignInLock {
    SignInLock {
        exists: lock.exists,
        user_name: lock.user_name,
        of_codes: lock.of_codes,
        source: lock.source.unwrap_or_default(),
        failed_attempts: i32::try_from(lock.failures).unwrap_or(i32::MAX),
        locked_until: lock.locked_until.map(|seconds| Timestamp { seconds, nanos: 0 }),
    }
}
