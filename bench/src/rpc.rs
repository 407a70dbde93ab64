//! Echo, Authorize, AssumeRole and CreateUser under the same load, side by side: in each round each target takes its
//! turn in each shape of load, and the order rotates, so that whatever else the machine does falls on all alike.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::load::{Sample, Shape, Target, connect};
use crate::process::Server;
use crate::world::{ControlPlane, DataPlane};
use crate::{Outcome, syncs};

const CONNECTIONS_MAX: usize = 4;
/// One call in flight uses one connection, however many there are.
const SHAPES: [Shape; 5] = [
    Shape { in_flight: 1, connections: 1 },
    Shape { in_flight: 16, connections: 1 },
    Shape { in_flight: 64, connections: 1 },
    Shape { in_flight: 16, connections: 4 },
    Shape { in_flight: 64, connections: 4 },
];
/// The shape that the ratios at the end are of.
const HEADLINE: Shape = Shape { in_flight: 64, connections: 4 };

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds; the medians over them are told
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long each target is measured in each round and shape
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Three rounds of half a second, for a first look
    #[arg(long)]
    quick: bool,
    /// Only the shape that the ratios are of: 64 in flight over 4 connections
    #[arg(long)]
    headline: bool,
    /// Where the stores are made; beside this program when not given. Not a file system in memory
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// A target, the server it is on, and what it is compared with.
struct Contender<'a> {
    target: Target,
    server: &'a Server,
    /// The name of the echo whose messages are as long, or of the same call by gRPC.
    yardstick: &'static str,
}

/// All samples of one target in one shape, a round each.
struct Row {
    name: &'static str,
    shape: Shape,
    samples: Vec<Sample>,
}

pub(crate) async fn run(arguments: &Arguments) -> Outcome {
    let (rounds, seconds) =
        if arguments.quick { (3, 0.5) } else { (arguments.rounds.max(1), arguments.seconds) };
    let window = Duration::try_from_secs_f64(seconds)?;
    let directory = crate::store::scratch(arguments.directory.as_deref())?;
    let data_plane = DataPlane::start(directory.path(), CONNECTIONS_MAX).await?;
    let control_plane = ControlPlane::start(directory.path(), CONNECTIONS_MAX).await?;
    let (first, second) = (Server::echo()?, Server::echo()?);
    let contenders = contenders(&data_plane, &control_plane, &first, &second).await?;
    println!("{rounds} rounds of {seconds} s; medians; every call signed afresh");
    for contender in &contenders {
        let (asked, answered) = contender.target.lengths().await?;
        println!("{:<17} request {asked} bytes, answer {answered} bytes", contender.target.name);
    }
    let shapes: &[Shape] = if arguments.headline { &[HEADLINE] } else { &SHAPES };
    let mut rows = rows(shapes, &contenders);
    let mut syncs = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let path = directory.path().to_owned();
        syncs.push(tokio::task::spawn_blocking(move || syncs::per_second(&path, window)).await??);
        for shape in shapes {
            for turn in 0..contenders.len() {
                // There and back again, so that nobody always follows the same one.
                let place = if round % 2 == 0 { turn } else { contenders.len() - 1 - turn };
                let Some(contender) = contenders.get((round + place) % contenders.len()) else { continue };
                let sample = contender.target.measure(contender.server, *shape, window).await?;
                let row =
                    rows.iter_mut().find(|row| row.shape == *shape && row.name == contender.target.name);
                row.ok_or("no row")?.samples.push(sample);
            }
        }
    }
    print_table(&rows, &contenders);
    crate::signature::run()?;
    print_ratios(&rows, &contenders, &syncs)?;
    drop(contenders);
    for server in [data_plane.server, control_plane.server, first, second] {
        server.stop()?;
    }
    Ok(())
}

async fn contenders<'a>(
    data_plane: &'a DataPlane,
    control_plane: &'a ControlPlane,
    first: &'a Server,
    second: &'a Server,
) -> Outcome<Vec<Contender<'a>>> {
    let DataPlane {
        authorize,
        assume_role,
        get_user,
        query_assume_role,
        query_get_user,
        relying,
        assuming,
        ..
    } = data_plane;
    let connections = connect(first, relying, CONNECTIONS_MAX).await?;
    let echo = Target::echo("echo", authorize, connections).await?;
    let connections = connect(second, relying, CONNECTIONS_MAX).await?;
    let echo_again = Target::echo("echo_again", authorize, connections).await?;
    let connections = connect(first, assuming, CONNECTIONS_MAX).await?;
    let echo_as_long = Target::echo("echo_assume_role", assume_role, connections).await?;
    let of = |target: &Target, server, yardstick| Contender { target: target.clone(), server, yardstick };
    Ok(vec![
        of(&echo, first, "echo"),
        of(authorize, &data_plane.server, "echo"),
        of(&echo_again, second, "echo"),
        of(assume_role, &data_plane.server, "echo_assume_role"),
        of(&echo_as_long, first, "echo_assume_role"),
        of(get_user, &data_plane.server, "get_user"),
        of(query_assume_role, &data_plane.server, "assume_role"),
        of(query_get_user, &data_plane.server, "get_user"),
        of(&control_plane.create_user, &control_plane.server, "echo"),
    ])
}

fn rows(shapes: &[Shape], contenders: &[Contender<'_>]) -> Vec<Row> {
    let of = |shape: &Shape, contender: &Contender<'_>| Row {
        name: contender.target.name,
        shape: *shape,
        samples: Vec::new(),
    };
    shapes.iter().flat_map(|shape| contenders.iter().map(|contender| of(shape, contender))).collect()
}

fn print_table(rows: &[Row], contenders: &[Contender<'_>]) {
    println!();
    println!(
        "{:<17} {:>6} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "target",
        "flight",
        "conns",
        "calls/s",
        "p50 us",
        "p99 us",
        "server us",
        "client us",
        "MiB",
        "of echo",
        "by cpu"
    );
    for row in rows {
        let contender = contenders.iter().find(|contender| contender.target.name == row.name);
        let ratio = |of: fn(&Sample) -> f64| {
            contender
                .and_then(|contender| ratio(rows, row.name, contender.yardstick, row.shape, of))
                .unwrap_or(f64::NAN)
        };
        println!(
            "{:<17} {:>6} {:>5} {:>9.0} {:>9.0} {:>9.0} {:>9.1} {:>9.1} {:>9.1} {:>8.2} {:>8.2}",
            row.name,
            row.shape.in_flight,
            row.shape.connections,
            row.median(throughput),
            row.median(|sample| micros(sample.p50)),
            row.median(|sample| micros(sample.p99)),
            row.median(|sample| micros(sample.processor)),
            row.median(|sample| micros(sample.client_processor)),
            row.median(|sample| sample.resident_bytes as f64) / 1_048_576.0,
            ratio(throughput),
            ratio(calls_per_processor_second),
        );
    }
    println!();
}

/// The lines that are compared with what was promised.
fn print_ratios(rows: &[Row], contenders: &[Contender<'_>], syncs: &[f64]) -> Outcome {
    for (label, name) in [
        ("echo_echo", "echo_again"),
        ("authorize", "authorize"),
        ("assume_role", "assume_role"),
        ("query_assume_role", "query_assume_role"),
        ("query_get_user", "query_get_user"),
    ] {
        let contender =
            contenders.iter().find(|contender| contender.target.name == name).ok_or("no such target")?;
        let ratio =
            ratio(rows, name, contender.yardstick, HEADLINE, throughput).ok_or("nothing was measured")?;
        println!("ratio {label} {ratio:.2}");
    }
    let created = rows.iter().find(|row| row.name == "create_user" && row.shape == HEADLINE);
    let created = created.ok_or("nothing was measured")?.median(throughput);
    let syncs = median(syncs.to_vec());
    println!("ratio create_user {:.3}", created / syncs);
    println!("create_user_per_second {created:.0}");
    println!("fdatasync_per_second {syncs:.0}");
    Ok(())
}

/// The median of the rounds' ratios: the two of a round were measured shortly after one another.
fn ratio(rows: &[Row], name: &str, yardstick: &str, shape: Shape, of: fn(&Sample) -> f64) -> Option<f64> {
    let row = |name: &str| rows.iter().find(|row| row.name == name && row.shape == shape);
    let (row, yardstick) = (row(name)?, row(yardstick)?);
    let rounds = row.samples.iter().zip(&yardstick.samples);
    Some(median(rounds.map(|(own, echo)| of(own) / of(echo)).collect()))
}

fn throughput(sample: &Sample) -> f64 {
    sample.calls_per_second
}

/// What the throughput would be on one processor that had nothing else to do: hardly touched by who else is at work.
fn calls_per_processor_second(sample: &Sample) -> f64 {
    1.0 / (sample.processor + sample.client_processor).as_secs_f64()
}

impl Row {
    fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(of).collect())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => f64::NAN,
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
