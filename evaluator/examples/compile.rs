//! Compiles policy documents and says which are refused and why: `compile [--builtin] [--expect REFUSED] KIND FILE...`.
//!
//! A file holds one document, or a list of `{"id", "kind", "document"}`; KIND is `identity`, `resource`, ... and
//! is what a listed document's kind is taken for where it is not one of `SCP`, `RCP` and `VPCE`. With `--expect` the
//! refusals must be those that the file REFUSED has, line by line, or the exit status is 1.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use reeve_evaluator::{Kind, Policy};
use serde_json::Value;

fn main() -> std::io::Result<ExitCode> {
    // What the product ships: a managed policy without a quota.
    let mut arguments = std::env::args().skip(1).peekable();
    let builtin = arguments.next_if(|argument| argument == "--builtin").is_some();
    let expected = match arguments.next_if(|argument| argument == "--expect") {
        Some(_) => Some(std::fs::read_to_string(arguments.next().unwrap_or_default())?),
        None => None,
    };
    let kind = match arguments.next().as_deref() {
        Some("resource") => Kind::Resource,
        Some("trust") => Kind::Trust,
        Some("scp") => Kind::ServiceControl,
        Some("rcp") => Kind::ResourceControl,
        _ => Kind::Identity,
    };
    let (mut accepted, mut refused) = (0, BTreeSet::new());
    for path in arguments {
        let text = std::fs::read_to_string(&path)?;
        let documents = match serde_json::from_str(&text) {
            Ok(Value::Array(listed)) => listed,
            Ok(document) => vec![document],
            Err(_) => vec![Value::String(text)],
        };
        for document in &documents {
            let name = document.get("id").and_then(Value::as_str).unwrap_or(&path);
            let body = document.get("document").unwrap_or(document);
            let kind = kind_of(document.get("kind").and_then(Value::as_str), body, kind);
            let compile = if builtin { Policy::compile_builtin } else { Policy::compile };
            match compile(&body.to_string(), kind) {
                Ok(_) => accepted += 1,
                Err(error) => drop(refused.insert(format!("{name}: {}", error.located()))),
            }
        }
    }
    report(accepted, &refused, expected.as_deref())
}

fn report(accepted: usize, refused: &BTreeSet<String>, expected: Option<&str>) -> std::io::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut surprises = 0;
    match expected {
        None => refused.iter().try_for_each(|line| writeln!(out, "{line}"))?,
        Some(text) => {
            let expected: BTreeSet<String> = text.lines().map(str::to_owned).collect();
            for line in refused.symmetric_difference(&expected) {
                surprises += 1;
                writeln!(out, "{} {line}", if refused.contains(line) { "+" } else { "-" })?;
            }
        }
    }
    writeln!(out, "{accepted} accepted, {} refused, {surprises} surprises", refused.len())?;
    Ok(if surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A listed document's kind; what names principals is a resource policy, or a role's if it names no resource and speaks
/// of STS.
fn kind_of(named: Option<&str>, body: &Value, default: Kind) -> Kind {
    match named {
        Some("SCP") => Kind::ServiceControl,
        Some("RCP") => Kind::ResourceControl,
        Some("VPCE") => Kind::Resource,
        _ => {
            let statement = body.get("Statement").map(|all| all.get(0).unwrap_or(all));
            let has = |key: &str| statement.is_some_and(|statement| statement.get(key).is_some());
            let action = statement.and_then(|statement| statement.get("Action")).map(Value::to_string);
            let assumes = action.is_some_and(|action| action.contains("\"sts:"));
            match (has("Principal") || has("NotPrincipal"), has("Resource") || has("NotResource") || !assumes)
            {
                (true, true) => Kind::Resource,
                (true, false) => Kind::Trust,
                (false, _) => default,
            }
        }
    }
}
