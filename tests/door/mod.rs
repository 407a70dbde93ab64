//! The doors beside gRPC: AWS's Query protocol, JSON, gRPC-web, all on the one port.

mod both;
mod form;
pub(crate) mod http;
mod json;
mod query;
mod raw;
mod xml;
