//! How long one call takes: the fastest of many short runs, because whatever else the machine does only adds to it.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long a run is to take, so that most are not interrupted; a call that takes longer is a run of its own.
const RUN: Duration = Duration::from_micros(100);

/// The nanoseconds of one call, tried for about `time`.
pub fn nanoseconds<T>(time: Duration, mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    let mut calls = 1_u32;
    while run(calls, &mut call) * f64::from(calls) < RUN.as_secs_f64() * 1e9 && calls < 1 << 20 {
        calls *= 2;
    }
    let mut fastest = f64::INFINITY;
    while fastest.is_infinite() || start.elapsed() < time {
        fastest = fastest.min(run(calls, &mut call));
    }
    fastest
}

fn run<T>(calls: u32, call: &mut impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(call());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}
