//! Contrived input costs no more than ordinary input of its size, in time and in memory: without the bounds these tests
//! would not end. How much work a match may take is counted where matching is, in `wildcard.rs`.

#![cfg(test)]

use reeve_evaluator::{Context, Kind, Policies, Policy, PolicySet, Principal, Request, decide};
use serde_json::{Value as Json, json};

fn compile(statements: &Json, kind: Kind) -> Policy {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Policy::compile_builtin(&text, kind).unwrap()
}

fn allowed(statements: &Json, context: &Context<'_>, resource: &str) -> bool {
    let policies =
        Policies { identity: PolicySet::new([compile(statements, Kind::Identity)]), ..Policies::default() };
    let principal = Principal::User { arn: "arn:aws:iam::111122223333:user/a", id: "" };
    let request = Request::new(principal, "s3:GetObject", resource, context).owned_by("111122223333");
    decide(&policies, &request).is_allowed()
}

#[test]
fn patterns_of_nothing_but_wildcards() {
    let resource = format!("arn:aws:s3:::{}", "a".repeat(8_000));
    for unit in ["*a", "a*", "?*", "*?a", "a?*"] {
        let pattern = format!("arn:aws:s3:::{}b", unit.repeat(6_000 / unit.len()));
        let statements = json!([{"Effect": "Allow", "Action": "*", "Resource": pattern}]);
        assert!(!allowed(&statements, &Context::new(), &resource), "{unit}");
    }
    let actions = format!("s3:{}b", "*e".repeat(3_000));
    assert!(!allowed(
        &json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}]),
        &Context::new(),
        &resource
    ));
}

#[test]
fn conditions_of_ten_thousand_values() {
    let values = |value: fn(usize) -> String| (0..10_000).map(value).collect::<Vec<_>>();
    let mut context = Context::new();
    let many = values(|at| format!("v{at}"));
    let text = "v".repeat(4_000);
    context.insert("x:k", &many).insert("x:t", &text).insert("x:n", 9_999).insert("x:ip", "10.39.15.1");
    context.insert("x:a", "arn:aws:s3:::b9999/k").insert("x:d", "1970-01-01T02:46:39Z");
    for (operator, key, values) in [
        ("ForAllValues:StringEquals", "x:k", values(|at| format!("v{at}"))),
        ("StringLike", "x:t", [values(|at| format!("*{at}*v*?b")), vec!["v*".to_owned()]].concat()),
        ("StringEqualsIgnoreCase", "x:t", [values(|at| format!("V{at}")), vec!["V".repeat(4_000)]].concat()),
        ("NumericEquals", "x:n", values(|at| at.to_string())),
        ("DateEquals", "x:d", values(|at| at.to_string())),
        ("IpAddress", "x:ip", values(|at| format!("10.{}.{}.0/24", at / 256, at % 256))),
        ("ArnLike", "x:a", values(|at| format!("arn:aws:s3:::b{at}/*"))),
    ] {
        let statements = json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: values}}}]);
        assert!(allowed(&statements, &context, "*"), "{operator}");
    }
}

#[test]
fn policies_of_nothing_but_wildcards() {
    let resource = format!("arn:aws:s3:::{}", "a".repeat(1_000));
    for text in ["*".repeat(6_000), "?".repeat(6_000), "*?".repeat(3_000), "?*a".repeat(2_000)] {
        let patterns = [format!("arn:aws:s3:::{text}"), format!("arn:{text}:s3:::b")];
        let statements = json!([{"Effect": "Allow", "Action": format!("s3:{text}"), "Resource": patterns}]);
        let only_stars = !text.contains(['?', 'a']);
        assert_eq!(allowed(&statements, &Context::new(), &resource), only_stars);
    }
    let many: Vec<String> = (0..1_000).map(|at| format!("arn:aws:s3:::*a*a*{at}")).collect();
    let actions: Vec<String> = (0..1_000).map(|at| format!("s3:*e*e*{at}")).collect();
    let statements = json!([{"Effect": "Allow", "Action": actions, "Resource": many}]);
    assert!(!allowed(&statements, &Context::new(), &resource));
}

#[test]
fn nesting_to_the_limit() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [30, 31, 32, 33, 100_000] {
            let text = format!("{{\"Statement\":{}1{}}}", open.repeat(depth), close.repeat(depth));
            assert!(Policy::compile_builtin(&text, Kind::Identity).is_err());
        }
    }
}

#[test]
fn a_variable_with_a_contrived_value() {
    let name = "a".repeat(3_000);
    let mut context = Context::new();
    context.insert("aws:username", &name);
    let pattern = format!("arn:aws:s3:::{}b", "*${aws:username}".repeat(400));
    let statements = json!([{"Effect": "Allow", "Action": "*", "Resource": pattern}]);
    assert!(!allowed(&statements, &context, &format!("arn:aws:s3:::{}", "a".repeat(8_000))));
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
