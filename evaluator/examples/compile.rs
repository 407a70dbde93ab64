//! Compiles policy documents and says which are refused and why: `compile [--builtin] KIND FILE...`.
//!
//! A file holds one document, or a list of `{"id", "kind", "document"}`; KIND is `identity`, `resource`, ... and
//! is what a listed document's kind is taken for where it is not one of `SCP`, `RCP` and `VPCE`.

use std::io::Write;
use std::time::Instant;

use reeve_evaluator::{Kind, Policy};
use serde_json::Value;

fn main() -> std::io::Result<()> {
    // What the product ships: a managed policy without a quota.
    let mut arguments = std::env::args().skip(1).peekable();
    let builtin = arguments.next_if(|argument| argument == "--builtin").is_some();
    let kind = match arguments.next().as_deref() {
        Some("resource") => Kind::Resource,
        Some("trust") => Kind::Trust,
        Some("scp") => Kind::ServiceControl,
        Some("rcp") => Kind::ResourceControl,
        _ => Kind::Identity,
    };
    let mut out = std::io::stdout().lock();
    let (mut accepted, mut refused, mut bytes) = (0, 0, 0);
    let start = Instant::now();
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
            let text = body.to_string();
            bytes += text.len();
            let compile = if builtin { Policy::compile_builtin } else { Policy::compile };
            match compile(&text, kind) {
                Ok(_) => accepted += 1,
                Err(error) => {
                    refused += 1;
                    writeln!(out, "{name}: {}", error.located())?;
                }
            }
        }
    }
    writeln!(out, "{accepted} accepted, {refused} refused, {bytes} bytes in {:?}", start.elapsed())
}

/// A listed document's kind; what names principals is a resource policy, or a role's if it names no resource.
fn kind_of(named: Option<&str>, body: &Value, default: Kind) -> Kind {
    match named {
        Some("SCP") => Kind::ServiceControl,
        Some("RCP") => Kind::ResourceControl,
        Some("VPCE") => Kind::Resource,
        _ => {
            let statement = body.get("Statement").map(|all| all.get(0).unwrap_or(all));
            let has = |key: &str| statement.is_some_and(|statement| statement.get(key).is_some());
            match (has("Principal") || has("NotPrincipal"), has("Resource") || has("NotResource")) {
                (true, true) => Kind::Resource,
                (true, false) => Kind::Trust,
                (false, _) => default,
            }
        }
    }
}
