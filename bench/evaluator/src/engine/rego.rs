//! Regorus, which runs Rego: one rule for each statement, compiled for its entry point. Rego puts the variable into the text
//! itself; a boundary is a second pair of rules.

use std::fmt::Write;

use regorus::{CompiledPolicy, Engine as Rego, Value};
use serde_json::json;

use super::{Engine, Outcome};
use crate::workload::{Condition, Question, Statement, Workload};

struct Regorus {
    compiled: CompiledPolicy,
    inputs: Vec<Value>,
}

pub fn prepare(workload: &Workload) -> Outcome<Box<dyn Engine>> {
    let mut text = "package bench\nimport rego.v1\n\
        default decision := false\ndefault allowed := false\ndefault denied := false\n\
        default bounded := false\ndefault forbidden := false\n"
        .to_owned();
    let bounded = if workload.boundary.is_some() { "bounded; not forbidden" } else { "true" };
    writeln!(text, "decision if {{ allowed; not denied; {bounded} }}")?;
    for statement in workload.policies.iter().flatten() {
        rules(&mut text, statement, ["allowed", "denied"])?;
    }
    for statement in workload.boundary.iter().flatten() {
        rules(&mut text, statement, ["bounded", "forbidden"])?;
    }
    let mut engine = Rego::new();
    engine.add_policy("bench.rego".to_owned(), text)?;
    let compiled = engine.compile_with_entrypoint(&"data.bench.decision".into())?;
    Ok(Box::new(Regorus { compiled, inputs: workload.questions.iter().map(input).collect() }))
}

/// A rule for each pair of an action and a resource, as disjunctions are written in Rego.
fn rules(text: &mut String, statement: &Statement, [allow, deny]: [&str; 2]) -> Outcome<()> {
    let name = if statement.deny { deny } else { allow };
    let conditions: Vec<String> = statement.conditions.iter().map(condition).collect();
    for action in &statement.actions {
        for resource in &statement.resources {
            let mut all = vec![test("input.action", action), test("input.resource", resource)];
            all.extend(conditions.iter().cloned());
            writeln!(text, "{name} if {{ {} }}", all.join("; "))?;
        }
    }
    Ok(())
}

fn test(value: &str, pattern: &str) -> String {
    if let Some((before, after)) = pattern.split_once("${aws:username}") {
        let (call, after) = match after.strip_suffix('*') {
            Some(after) => ("startswith", after),
            None => return format!("{value} == concat(\"\", [\"{before}\", input.username, \"{after}\"])"),
        };
        return format!("{call}({value}, concat(\"\", [\"{before}\", input.username, \"{after}\"]))");
    }
    match pattern.strip_suffix('*') {
        Some("") => "true".to_owned(),
        Some(start) if !start.contains('*') => format!("startswith({value}, \"{start}\")"),
        None if !pattern.contains('*') => format!("{value} == \"{pattern}\""),
        _ => format!("glob.match(\"{pattern}\", null, {value})"),
    }
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::SameTeam => "input.resource_team == input.team".to_owned(),
        Condition::Team(team) => format!("input.team == \"{team}\""),
        Condition::Mfa(shown) => format!("input.mfa == {shown}"),
        Condition::From(ranges) => {
            let ranges = ranges.iter().map(|range| format!("\"{range}\"")).collect::<Vec<_>>().join(", ");
            format!("some range in [{ranges}]; net.cidr_contains(range, input.ip)")
        }
    }
}

fn input(asked: &Question) -> Value {
    Value::from(json!({
        "action": asked.action, "resource": asked.resource, "username": asked.username, "team": asked.team,
        "resource_team": asked.resource_team, "mfa": asked.mfa, "ip": asked.source_ip,
    }))
}

impl Engine for Regorus {
    fn decide(&mut self, question: usize) -> Outcome<bool> {
        let input = self.inputs.get(question).ok_or("no such question")?;
        Ok(self.compiled.eval_with_input(input.clone())?.as_bool().copied()?)
    }
}
