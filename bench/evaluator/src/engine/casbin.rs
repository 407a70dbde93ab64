//! Casbin: a line for each pair of an action and a resource. It has neither patterns with a variable in them nor conditions
//! of this kind, so both are functions that are given to it; the pattern matching inside is Reeve's, which is kind. A
//! boundary is a second enforcer.

use std::net::IpAddr;

use casbin::function_map::OperatorFunction;
use casbin::rhai::Dynamic;
use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use reeve_evaluator::wildcard_match;

use super::{Engine, Outcome};
use crate::workload::{Condition, Question, Statement, Workload};

const MODEL: &str = r#"
[request_definition]
r = act, obj, user, team, rteam, ip, mfa
[policy_definition]
p = act, obj, cond, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = like(r.act, p.act) && names(r.obj, p.obj, r.user) && holds(p.cond, r.team, r.rteam, r.ip, r.mfa)
"#;

struct Casbin {
    identity: Enforcer,
    boundary: Option<Enforcer>,
    questions: Vec<Question>,
}

pub fn prepare(workload: &Workload) -> Outcome<Box<dyn Engine>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let identity = runtime.block_on(enforcer(workload.policies.iter().flatten()))?;
    let boundary = workload
        .boundary
        .iter()
        .map(|statements| runtime.block_on(enforcer(statements.iter())))
        .next()
        .transpose()?;
    Ok(Box::new(Casbin { identity, boundary, questions: workload.questions.clone() }))
}

async fn enforcer<'s>(statements: impl Iterator<Item = &'s Statement>) -> Outcome<Enforcer> {
    let mut enforcer = Enforcer::new(DefaultModel::from_str(MODEL).await?, MemoryAdapter::default()).await?;
    enforcer.add_function(
        "like",
        OperatorFunction::Arg2(|value, pattern| wildcard_match(&text(&pattern), &text(&value)).into()),
    );
    enforcer.add_function(
        "names",
        OperatorFunction::Arg3(|value, pattern, user| {
            names(&text(&value), &text(&pattern), &text(&user)).into()
        }),
    );
    enforcer.add_function(
        "holds",
        OperatorFunction::Arg5(|conditions, team, resource_team, ip, mfa| {
            let (conditions, ip, mfa) = (text(&conditions), text(&ip), text(&mfa));
            conditions
                .split_terminator('&')
                .all(|condition| holds(condition, [&text(&team), &text(&resource_team)], &ip, &mfa))
                .into()
        }),
    );
    let mut lines = Vec::new();
    for (at, statement) in statements.enumerate() {
        let effect = if statement.deny { "deny" } else { "allow" };
        // Lines must differ, so each begins with its number, as a condition that always holds.
        let conditions = format!("#{at}&{}", statement.conditions.iter().map(written).collect::<String>());
        for action in &statement.actions {
            for resource in &statement.resources {
                lines.push(vec![action.clone(), resource.clone(), conditions.clone(), effect.to_owned()]);
            }
        }
    }
    enforcer.add_policies(lines).await?;
    Ok(enforcer)
}

fn text(value: &Dynamic) -> String {
    value.clone().into_string().unwrap_or_default()
}

fn names(value: &str, pattern: &str, user: &str) -> bool {
    match pattern.split_once("${aws:username}") {
        None => wildcard_match(pattern, value),
        Some((before, after)) => {
            let rest = value.strip_prefix(before).and_then(|rest| rest.strip_prefix(user));
            rest.is_some_and(|rest| wildcard_match(after, rest))
        }
    }
}

fn written(condition: &Condition) -> String {
    match condition {
        Condition::SameTeam => "same&".to_owned(),
        Condition::Team(team) => format!("team={team}&"),
        Condition::Mfa(shown) => format!("mfa={shown}&"),
        Condition::From(ranges) => format!("from={}&", ranges.join(",")),
    }
}

fn holds(condition: &str, [team, resource_team]: [&str; 2], ip: &str, mfa: &str) -> bool {
    match condition.split_once('=') {
        Some(("team", wanted)) => team == wanted,
        Some(("mfa", wanted)) => mfa == wanted,
        Some(("from", ranges)) => ranges.split(',').any(|range| contains(range, ip)),
        _ => condition.starts_with('#') || team == resource_team,
    }
}

fn contains(range: &str, address: &str) -> bool {
    let Some((network, length)) = range.split_once('/') else { return range == address };
    let (Ok(IpAddr::V4(network)), Ok(IpAddr::V4(address)), Ok(length)) =
        (network.parse(), address.parse(), length.parse::<u32>())
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0);
    (network.to_bits() ^ address.to_bits()) & mask == 0
}

impl Engine for Casbin {
    fn decide(&mut self, question: usize) -> Outcome<bool> {
        let asked = self.questions.get(question).ok_or("no such question")?;
        let mfa = if asked.mfa { "true" } else { "false" };
        let asks = |enforcer: &Enforcer| {
            enforcer.enforce((
                &*asked.action,
                &*asked.resource,
                asked.username,
                asked.team,
                asked.resource_team,
                asked.source_ip,
                mfa,
            ))
        };
        Ok(asks(&self.identity)? && self.boundary.as_ref().map_or(Ok(true), asks)?)
    }
}
