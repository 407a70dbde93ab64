//! The evaluator beside other engines. They are a crate of their own in this workspace, `evaluator/`, which is built when it
//! is asked for: what the peers need would take longer to build than all the rest.

use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// Measures memory, and then time; the last lines are the ratios.
pub fn run() -> Outcome {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("evaluator/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for program in [["--example", "memory"], ["--bin", "reeve-bench-evaluator"]] {
        let mut command = Command::new(&cargo);
        command
            .args(["run", "--release", "--locked", "--quiet"])
            .args(program)
            .arg("--manifest-path")
            .arg(&manifest);
        if !command.status()?.success() {
            return Err(format!("{} failed", program.join(" ")).into());
        }
    }
    Ok(())
}
