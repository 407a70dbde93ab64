//! Measures Reeve against a bare gRPC echo server in one run on one machine, and its store with many users in it.
//! README.md says what each figure means.

mod caller;
mod echo;
mod evaluator;
mod issuer;
mod load;
mod process;
mod profile;
mod rpc;
mod sign_in;
mod signature;
mod store;
mod syncs;
mod totp;
mod web_identity;
mod world;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The allocator of the `reeve` binary, for every server of the bench.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A result of the bench: whatever goes wrong ends it, and is told.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures Reeve.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Calls per second, latency and memory of each operation, as ratios to an echo server
    Rpc(rpc::Arguments),
    /// What checking one signature costs
    Signature,
    /// Sign-ins per second, and what they do to the latency of Authorize
    SignIn(sign_in::Arguments),
    /// Disk, memory and reopening time of a store with many users
    Store(store::Arguments),
    /// What verifying the code of an MFA device costs
    Totp,
    /// Tokens of an identity provider traded for sessions, and what a flood of unknown keys does to the latency of Authorize
    WebIdentity(web_identity::Arguments),
    /// Time of a decision beside other engines, of compiling, and the memory of compiled policies
    Evaluator,
    /// Load on one target, for a profiler
    Profile(profile::Arguments),
    /// A server of the bench; it runs until its standard input ends
    #[command(hide = true)]
    Serve {
        #[command(subcommand)]
        server: process::Kind,
    },
    /// Opens a store and reads all of it, in a process of its own so that its memory can be told
    #[command(hide = true)]
    Reopen {
        /// The data directory
        directory: PathBuf,
    },
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Rpc(arguments) => on_runtime(rpc::run(&arguments)),
        Command::Signature => signature::run(),
        Command::SignIn(arguments) => on_runtime(sign_in::run(&arguments)),
        Command::Store(arguments) => on_runtime(store::run(&arguments)),
        Command::Totp => totp::run(),
        Command::WebIdentity(arguments) => on_one_worker(web_identity::run(&arguments)),
        Command::Evaluator => evaluator::run(),
        Command::Profile(arguments) => on_runtime(profile::run(&arguments)),
        Command::Serve { server } => on_runtime(process::serve(server)),
        Command::Reopen { directory } => on_runtime(store::reopen(&directory)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime of every process of the bench, which is the one that the server's binary has.
fn on_runtime(run: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Runtime::new()?.block_on(run)
}

/// The same with one worker, for a client that leaves processors to the server: two would wake each other for every call.
fn on_one_worker(run: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(run)
}
