//! Reeve's evaluator beside other engines: the workloads, the engines, and how they are timed.

pub mod engine;
pub mod measure;
pub mod workload;
