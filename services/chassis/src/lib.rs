//! What every call to Reeve goes through, written once: transport, authentication, authorization, transaction, audit,
//! status. An operation brings its handler and nothing else.

pub mod audit;
mod authenticate;
pub mod authorize;
pub mod bearer;
mod call;
pub mod client;
pub mod clock;
mod consistency;
mod environment;
pub mod forwarded;
pub mod guessing;
mod identity;
mod issue;
pub mod jose;
mod json;
mod key_cache;
mod locate;
pub mod login;
mod members;
pub mod mfa;
pub mod outbound;
mod page;
pub mod password;
mod password_uses;
mod pipeline;
mod query;
mod random;
mod revision_token;
mod route;
pub mod seal;
mod second_factor;
pub mod session;
pub mod signature;
pub mod transport;

pub use call::{Call, Page};
pub use environment::{Environment, SignatureSettings};
pub use identity::Identity;
pub use issue::{issue, lineage};
pub use locate::Located;
pub use password::{PasswordPool, PasswordSettings};
pub use password_uses::PasswordUses;
pub use pipeline::{Encoding, Incoming, Outcome, Pipeline};
pub use random::{SystemRandom, jwt_id, secret_access_key};
pub use route::{Handle, Route, Routes};
