//! What an engine is to the bench: policies taken in once, requests made ready, and the question that is timed.

mod aspen;
mod casbin;
mod cedar;
mod iam;
mod reeve;
mod rego;

use std::error::Error;

pub use reeve::{allocations, policies, with_context};

use crate::workload::Workload;

/// Whatever goes wrong ends the bench.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// An engine with the policies of one workload and its requests, ready to be asked.
pub trait Engine {
    /// Whether the request of that number is allowed.
    fn decide(&mut self, question: usize) -> Outcome<bool>;
}

/// Takes a workload in.
pub type Prepare = fn(&Workload) -> Outcome<Box<dyn Engine>>;

/// Reeve first, then its peers.
pub const ENGINES: [(&str, Prepare); 6] = [
    ("reeve", reeve::prepare),
    ("iam-rs", iam::prepare),
    ("scratchstack-aspen", aspen::prepare),
    ("cedar-policy", cedar::prepare),
    ("regorus", rego::prepare),
    ("casbin", casbin::prepare),
];
