//! Contrived input costs no more than ordinary input of its size, in time and in memory.

#![cfg(test)]

use std::time::{Duration, Instant};

use reeve_evaluator::{Context, Kind, Policies, Policy, PolicySet, Principal, Request, decide};
use serde_json::{Value as Json, json};

/// Far above what any of these takes, optimised or not, and far below what they take without the bounds.
const PATIENCE: Duration = Duration::from_secs(2);

fn compile(statements: &Json, kind: Kind) -> Policy {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Policy::compile(&text, kind).unwrap()
}

fn timed(statements: &Json, context: &Context<'_>, resource: &str) -> bool {
    let start = Instant::now();
    let policies =
        Policies { identity: PolicySet::new([compile(statements, Kind::Identity)]), ..Policies::default() };
    let principal = Principal::User { arn: "arn:aws:iam::111122223333:user/a", id: "" };
    let request = Request::new(principal, "s3:GetObject", resource, context).owned_by("111122223333");
    let allowed = decide(&policies, &request).is_allowed();
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    allowed
}

#[test]
fn patterns_of_nothing_but_wildcards() {
    let resource = format!("arn:aws:s3:::{}", "a".repeat(8_000));
    for unit in ["*a", "a*", "?*", "*?a", "a?*"] {
        let pattern = format!("arn:aws:s3:::{}b", unit.repeat(6_000 / unit.len()));
        let statements = json!([{"Effect": "Allow", "Action": "*", "Resource": pattern}]);
        assert!(!timed(&statements, &Context::new(), &resource), "{unit}");
    }
    let actions = format!("s3:{}b", "*e".repeat(3_000));
    assert!(!timed(
        &json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}]),
        &Context::new(),
        &resource
    ));
}

#[test]
fn conditions_of_thousands_of_values() {
    let values: Vec<String> = (0..1_400).map(|at| format!("v{at}")).collect();
    let many: Vec<String> = (0..10_000).map(|at| format!("v{}", at % 1_400)).collect();
    let mut context = Context::new();
    context.insert("x:k", &many);
    let statements = json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"x:k": values}}}]);
    assert!(timed(&statements, &context, "*"));
}

#[test]
fn a_variable_with_a_contrived_value() {
    let name = "a".repeat(3_000);
    let mut context = Context::new();
    context.insert("aws:username", &name);
    let pattern = format!("arn:aws:s3:::{}b", "*${aws:username}".repeat(400));
    let statements = json!([{"Effect": "Allow", "Action": "*", "Resource": pattern}]);
    assert!(!timed(&statements, &context, &format!("arn:aws:s3:::{}", "a".repeat(8_000))));
}

#[test]
fn a_statement_takes_less_than_a_kibibyte() {
    let statement = |at: usize| {
        json!({"Sid": format!("S{at}"), "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": [format!("arn:aws:s3:::bucket-{at}"), format!("arn:aws:s3:::bucket-{at}/home/${{aws:username}}/*")],
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}})
    };
    let documents: Vec<Json> =
        (0..50).map(|policy| (0..20).map(|at| statement(policy * 20 + at)).collect()).collect();
    let mut set = PolicySet::default();
    let measured = allocation_counter::measure(|| {
        set = documents.iter().map(|statements| compile(statements, Kind::Identity)).collect();
    });
    let bytes = usize::try_from(measured.bytes_current).unwrap() / 1_000;
    assert!(bytes <= 1_024, "{bytes} bytes a statement");
    assert!(!set.is_empty());
}
