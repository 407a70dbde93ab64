//! Load on one target for as long as wanted, with the server's process id told first: for a profiler, or as a long run.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::Outcome;
use crate::load::{Shape, Target, connect};
use crate::process::Server;
use crate::store::scratch;
use crate::world::{ControlPlane, DataPlane};

#[derive(Args)]
pub(crate) struct Arguments {
    target: Name,
    /// How long
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Calls at a time
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Connections
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Where the store is made; beside this program when not given
    #[arg(long)]
    directory: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Name {
    /// The bare server, with the messages of `authorize`
    Echo,
    Authorize,
    AssumeRole,
    CreateUser,
}

pub(crate) async fn run(arguments: &Arguments) -> Outcome {
    let directory = scratch(arguments.directory.as_deref())?;
    let connections = arguments.connections.max(1);
    let (target, server) = match arguments.target {
        Name::Echo => {
            let model = DataPlane::start(directory.path(), connections).await?;
            let server = Server::echo()?;
            let own = connect(&server, &model.relying, connections).await?;
            let target = Target::echo("echo", &model.authorize, own).await?;
            model.server.stop()?;
            (target, server)
        }
        Name::Authorize => {
            let plane = DataPlane::start(directory.path(), connections).await?;
            (plane.authorize, plane.server)
        }
        Name::AssumeRole => {
            let plane = DataPlane::start(directory.path(), connections).await?;
            (plane.assume_role, plane.server)
        }
        Name::CreateUser => {
            let plane = ControlPlane::start(directory.path(), connections).await?;
            (plane.create_user, plane.server)
        }
    };
    println!("server pid {}", server.pid());
    let shape = Shape { in_flight: arguments.in_flight.max(1), connections };
    let sample = target.measure(&server, shape, Duration::try_from_secs_f64(arguments.seconds)?).await?;
    println!(
        "{} {:.0} calls/s, p50 {:?}, p99 {:?}, server {:?} of processor a call, resident {} MiB",
        target.name,
        sample.calls_per_second,
        sample.p50,
        sample.p99,
        sample.processor,
        sample.resident_bytes >> 20,
    );
    drop(target);
    server.stop()
}
