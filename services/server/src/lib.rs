//! The server and the terminal of Reeve, as a library so that the binary, the demonstration and the tests start the same
//! thing.

pub mod bootstrap;
pub mod config;
pub mod credentials;
pub mod decide;
pub mod demo;
pub mod login;
pub mod profile;
pub mod serve;
pub mod terminal;
