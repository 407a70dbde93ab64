//! Signing in with a password. One file for each thing that `reeve.signin.v1` can be asked.

mod locks;
mod proof;
mod sign_in;
mod sign_out;
mod subject;

use std::sync::Arc;

use reeve_chassis::Routes;

/// The handlers of `reeve.signin.v1`.
#[derive(Debug, Default)]
pub struct SignIn;

impl SignIn {
    /// Adds every operation of `reeve.signin.v1`: one without its handler does not compile.
    pub fn register(self, routes: &mut Routes) {
        let handler = Arc::new(self);
        macro_rules! register {
            ($operation:ty) => {
                routes.add::<$operation, _>(&handler);
            };
        }
        reeve_proto::signin_operations!(register);
    }
}
