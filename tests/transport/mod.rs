//! The port itself: what is answered to those who speak gRPC badly, slowly, too much or not at all.

mod bodies;
mod connections;
mod deadlines;
mod details;
mod documents;
mod garbage;
mod limits;
mod protocols;
mod reflection;
mod refusals;
pub(crate) mod tls;
pub(crate) mod wire;
