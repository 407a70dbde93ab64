//! What compiled policies take, and that deciding takes nothing: counted by an allocator of its own, which is why this is a
//! program of its own.

use reeve_bench_evaluator::engine::{Outcome, allocations, policies};
use reeve_bench_evaluator::workload;

fn main() -> Outcome<()> {
    for workload in workload::all() {
        let count = allocations(&workload, |ask| allocation_counter::measure(ask).count_total)?;
        println!(
            "{:4} {count} allocations while deciding {} questions",
            workload.name,
            workload.questions.len()
        );
        let mut compiled = None;
        let measured = allocation_counter::measure(|| compiled = policies(&workload).ok());
        compiled.ok_or("a policy does not compile")?;
        let statements: usize = workload.policies.iter().map(Vec::len).sum();
        let bytes = u64::try_from(measured.bytes_current)? / statements as u64;
        println!(
            "{:4} {bytes} bytes a statement, ratio to a kibibyte {:.2}",
            workload.name,
            bytes as f64 / 1_024.0
        );
    }
    Ok(())
}
