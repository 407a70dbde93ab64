//! Cedar. A pattern of its `like` holds no variables, so the request brings the name that stands where the variable
//! would: `owner`. Actions and resources are texts in the context, because Cedar's own actions have no wildcards. It has no
//! boundary: that is a second policy set, and both must allow.

use std::fmt::Write;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use serde_json::json;

use super::{Engine, Outcome};
use crate::workload::{Condition, Question, Statement, Workload};

struct Cedar {
    authorizer: Authorizer,
    identity: PolicySet,
    boundary: Option<PolicySet>,
    entities: Entities,
    requests: Vec<Request>,
}

pub fn prepare(workload: &Workload) -> Outcome<Box<dyn Engine>> {
    let identity = policies(workload.policies.iter().flatten())?;
    let boundary =
        workload.boundary.iter().map(|statements| policies(statements.iter())).next().transpose()?;
    let requests = workload.questions.iter().map(request).collect::<Outcome<_>>()?;
    Ok(Box::new(Cedar {
        authorizer: Authorizer::new(),
        identity,
        boundary,
        entities: Entities::empty(),
        requests,
    }))
}

fn policies<'s>(statements: impl Iterator<Item = &'s Statement>) -> Outcome<PolicySet> {
    let mut text = String::new();
    for statement in statements {
        let effect = if statement.deny { "forbid" } else { "permit" };
        let mut all = vec![any("action", &statement.actions), any("resource", &statement.resources)];
        all.extend(statement.conditions.iter().map(condition));
        writeln!(text, "{effect}(principal, action, resource) when {{ {} }};", all.join(" && "))?;
    }
    Ok(text.parse()?)
}

fn any(attribute: &str, patterns: &[String]) -> String {
    let tests = patterns.iter().map(|pattern| match pattern.split_once("${aws:username}") {
        Some((before, after)) => {
            format!("context.resource like \"{before}*{after}\" && context.owner == context.username")
        }
        None if pattern.contains('*') => format!("context.{attribute} like \"{pattern}\""),
        None => format!("context.{attribute} == \"{pattern}\""),
    });
    format!("({})", tests.collect::<Vec<_>>().join(" || "))
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::SameTeam => "context.resourceTeam == context.team".to_owned(),
        Condition::Team(team) => format!("context.team == \"{team}\""),
        Condition::Mfa(shown) => format!("context.mfa == {shown}"),
        Condition::From(ranges) => {
            let tests = ranges.iter().map(|range| format!("context.ip.isInRange(ip(\"{range}\"))"));
            format!("({})", tests.collect::<Vec<_>>().join(" || "))
        }
    }
}

fn request(asked: &Question) -> Outcome<Request> {
    let uid = |text: &str| text.parse::<EntityUid>();
    let context = json!({
        "action": asked.action, "resource": asked.resource, "username": asked.username, "owner": owner(&asked.resource),
        "team": asked.team, "resourceTeam": asked.resource_team, "mfa": asked.mfa,
        "ip": {"__extn": {"fn": "ip", "arg": asked.source_ip}},
    });
    let context = Context::from_json_value(context, None)?;
    Ok(Request::new(
        uid("User::\"alice\"")?,
        uid("Action::\"call\"")?,
        uid("Resource::\"it\"")?,
        context,
        None,
    )?)
}

/// The name that stands where a policy says `${aws:username}`.
pub fn owner(resource: &str) -> &str {
    let rest = resource
        .strip_prefix("arn:aws:s3:::home/")
        .or_else(|| resource.split_once(":user/").map(|(_, name)| name));
    rest.and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

impl Engine for Cedar {
    fn decide(&mut self, question: usize) -> Outcome<bool> {
        let request = self.requests.get(question).ok_or("no such question")?;
        let asks = |policies| {
            self.authorizer.is_authorized(request, policies, &self.entities).decision() == Decision::Allow
        };
        Ok(asks(&self.identity) && self.boundary.as_ref().is_none_or(asks))
    }
}
