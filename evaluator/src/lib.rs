#![doc = include_str!("../README.md")]

mod arn;
mod condition;
mod context;
mod decide;
mod decision;
mod document;
mod explain;
mod index;
mod pattern;
mod policies;
mod principal;
mod request;
mod rewrite;
mod segments;
mod statement;
mod text;
mod variable;
mod wildcard;
mod without_case;

pub use arn::{Arn, ArnError, is_account_id};
pub use context::{Context, Value};
pub use decide::decide;
pub use decision::{ACTION_CHARACTERS_MAX, Decision, Effect, Invalid, Layer, MATCHED_MAX, StatementName};
pub use document::{DocumentError, Fault, Kind, Policy};
pub use explain::{Explanation, Outcome, StatementReport, explain};
pub use policies::{Policies, PolicySet};
pub use request::{Principal, Request, Standing};
pub use rewrite::{BindError, bind_principals, minify};
pub use wildcard::wildcard_match;
pub use without_case::is_same_key;
