//! Reeve's evaluator beside other engines, in one run: `cargo run --release --manifest-path bench/Cargo.toml -- evaluator`.
//! A crate of its own, so that what the peers need is not built for the rest of the bench.

use std::process::ExitCode;
use std::time::Duration;

use reeve_bench_evaluator::engine::{ENGINES, Engine, Outcome, with_context};
use reeve_bench_evaluator::measure::nanoseconds;
use reeve_bench_evaluator::workload::{self, Workload, document};
use reeve_evaluator::{Kind, Policy};
use serde_json::Value as Json;

/// The allocator of the `reeve` binary, for every engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long an engine is timed on a workload.
const TIME: Duration = Duration::from_millis(600);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let workloads = workload::all();
    let mut table = Vec::new();
    for (name, prepare) in ENGINES {
        let mut times = Vec::new();
        for workload in &workloads {
            let mut engine =
                prepare(workload).map_err(|error| format!("{name}, {}: {error}", workload.name))?;
            check(name, engine.as_mut(), workload)?;
            times.push(nanoseconds(TIME, || engine.decide(0).unwrap_or_default()));
        }
        table.push((name, times));
    }
    println!("nanoseconds a decision; all engines gave the same answers");
    println!(
        "{:20} {}",
        "",
        workloads.iter().map(|workload| format!("{:>10}", workload.name)).collect::<String>()
    );
    for (name, times) in &table {
        println!("{name:20} {}", times.iter().map(|time| format!("{time:>10.0}")).collect::<String>());
    }
    let (ours, peers) = table.split_first().ok_or("no engine")?;
    let time = |at: usize| ours.1.get(at).copied().unwrap_or_default();
    let fastest = |at: usize| {
        peers.iter().filter_map(|(_, times)| times.get(at)).copied().fold(f64::INFINITY, f64::min)
    };
    own(&workloads)?;
    println!("ratio w3_over_w1 {:.2}", time(3) / time(0));
    println!("ratio w2_over_w1 {:.2}", time(1) / time(0));
    println!("ratio w1_fastest_peer {:.1}", fastest(0) / time(0));
    println!("ratio w2h_fastest_peer {:.0}", fastest(2) / time(2));
    println!("ratio w2h_over_w1 {:.2}", time(2) / time(0));
    Ok(())
}

/// Fails unless the engine answers every question of the workload as it should.
fn check(name: &str, engine: &mut dyn Engine, workload: &Workload) -> Outcome<()> {
    for (at, question) in workload.questions.iter().enumerate() {
        let answer = engine
            .decide(at)
            .map_err(|error| format!("{name}, {}, question {at}: {error}", workload.name))?;
        if answer != question.allowed {
            let asked = (&question.action, &question.resource);
            return Err(format!("{name}, {}: {asked:?} is answered {answer}", workload.name).into());
        }
    }
    Ok(())
}

/// What only Reeve is asked: the context's share, and compiling.
fn own(workloads: &[Workload]) -> Outcome<()> {
    for workload in workloads {
        println!("{:4} with its context built from texts {:6.0} ns", workload.name, with_context(workload)?);
    }
    let texts: Vec<String> =
        workloads.iter().flat_map(|workload| &workload.policies).map(|policy| document(policy)).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let parse =
        nanoseconds(TIME, || texts.iter().filter(|text| serde_json::from_str::<Json>(text).is_ok()).count());
    let compiled =
        || texts.iter().filter(|text| Policy::compile_builtin(text, Kind::Identity).is_ok()).count();
    let compile = nanoseconds(TIME, compiled);
    println!(
        "compiling {:.0} MB/s, serde_json to Value {:.0} MB/s",
        bytes as f64 / compile * 1e3,
        bytes as f64 / parse * 1e3
    );
    println!("ratio compile_over_serde_json {:.2}", compile / parse);
    Ok(())
}
