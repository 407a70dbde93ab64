//! Decisions for the services beside Reeve. One file for each resource of `reeve.authorization.v1`.

mod authorize;
mod question;
mod relying_services;
mod signed_requests;

use std::sync::Arc;

use quick_cache::sync::Cache;
use reeve_chassis::Routes;
use reeve_evaluator::PolicySet;

/// Resource policies that are kept compiled: services ask again and again with the same few.
const RESOURCE_POLICIES_MAX: usize = 1024;

/// The handlers of `reeve.authorization.v1`.
pub struct Authorization {
    resource_policies: Cache<String, PolicySet>,
}

impl Default for Authorization {
    fn default() -> Self {
        Self { resource_policies: Cache::new(RESOURCE_POLICIES_MAX) }
    }
}

impl Authorization {
    /// Adds every operation of `reeve.authorization.v1`: one without its handler does not compile.
    pub fn register(self, routes: &mut Routes) {
        let handler = Arc::new(self);
        macro_rules! register {
            ($operation:ty) => {
                routes.add::<$operation, _>(&handler);
            };
        }
        reeve_proto::authorization_operations!(register);
    }
}
