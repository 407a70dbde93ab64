//! The port itself: what is answered to those who speak gRPC badly, slowly, too much or not at all.

mod deadlines;
mod details;
mod garbage;
mod limits;
mod reflection;
pub(crate) mod tls;
pub(crate) mod wire;
