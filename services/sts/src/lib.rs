//! The Security Token Service: temporary credentials. One file for each resource of `reeve.sts.v1`.

mod access_keys;
mod bearer_tokens;
mod caller;
mod role;
mod session_policies;
mod session_tokens;
mod tags;
mod web_identity;
mod web_identity_tokens;

use std::sync::Arc;

use reeve_chassis::Routes;

/// The handlers of `reeve.sts.v1`.
#[derive(Debug, Default)]
pub struct Sts;

impl Sts {
    /// Adds every operation of `reeve.sts.v1`: one without its handler does not compile.
    pub fn register(self, routes: &mut Routes) {
        let handler = Arc::new(self);
        macro_rules! register {
            ($operation:ty) => {
                routes.add::<$operation, _>(&handler);
            };
        }
        reeve_proto::sts_operations!(register);
    }
}
