//! Deciding does not allocate, whatever the decision.

#![cfg(test)]

use reeve_evaluator::{Context, Kind, Policies, Policy, PolicySet, Principal, Request, Value, decide};
use serde_json::{Value as Json, json};

fn set(kind: Kind, statements: &Json) -> PolicySet {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    PolicySet::new([Policy::compile(&text, kind).unwrap().named("policy")])
}

#[test]
fn a_context_with_room_for_its_keys_is_one_allocation() {
    let info = allocation_counter::measure(|| {
        let mut context = Context::with_capacity(16);
        for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            context.insert(key, "value").insert_tag("aws:PrincipalTag/", key, "value");
        }
        context.insert("a", "another");
        assert_eq!((context.len(), context.get("H")), (16, Some(Value::Text("value"))));
    });
    assert_eq!(info.count_total, 1, "{info:?}");
}

#[test]
fn deciding_does_not_allocate() {
    let identity = json!([
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}/*?", "Condition": {
            "StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team, 'none'}"},
            "StringLike": {"s3:prefix": ["*a?a?a?b", "x?y*"]},
            "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]},
            "DateLessThan": {"aws:CurrentTime": "2030-01-01"},
            "NumericLessThan": {"s3:max-keys": "100"},
            "ForAnyValue:StringLike": {"aws:TagKeys": ["t*"]},
            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"},
            "StringNotEquals": {"x:time": "${aws:CurrentTime}"},
            "Bool": {"aws:SecureTransport": "true"}}},
        {"Effect": "Deny", "Action": "s3:Delete*", "NotResource": "arn:aws:s3:::home/*"}
    ]);
    let anyone =
        json!([{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}]);
    let all = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let policies = Policies {
        identity: set(Kind::Identity, &identity),
        boundary: Some(set(Kind::Boundary, &all)),
        session: Some(set(Kind::Session, &all)),
        resource: Some(set(Kind::Resource, &anyone)),
        service_control: [set(Kind::ServiceControl, &all), set(Kind::ServiceControl, &all)].into(),
        resource_control: [PolicySet::default()].into(),
    };
    let keys = ["team".to_owned(), "other".to_owned()];
    // As long as texts may be that the automaton, which the pattern above is handed to, matches without allocating.
    let prefix = format!("{}b", "a".repeat(16_383));
    let mut context = Context::new();
    context.insert("aws:username", "alice").insert("aws:SourceIp", "10.1.2.3").insert("s3:prefix", &prefix);
    context.insert("aws:CurrentTime", Value::Time(1_772_323_200)).insert("s3:max-keys", 10);
    context.insert("aws:TagKeys", keys.as_slice()).insert("aws:SecureTransport", true).insert("x:time", "no");
    context.insert_tag("aws:PrincipalTag/", "team", "blue").insert_tag("aws:ResourceTag/", "team", "blue");
    context.insert("aws:PrincipalArn", "arn:aws:iam::111122223333:user/alice");
    let principal = Principal::User { arn: "arn:aws:iam::111122223333:user/alice", id: "" };
    let ask = |action, resource| Request::new(principal, action, resource, &context).owned_by("111122223333");
    let mut allowed = 0;
    let info = allocation_counter::measure(|| {
        for (action, resource) in [
            ("s3:GetObject", "arn:aws:s3:::home/alice/x"),
            ("s3:GetObject", "arn:aws:s3:::home/bob/x"),
            ("s3:DeleteObject", "arn:aws:s3:::other/x"),
            ("ec2:RunInstances", "*"),
            ("nonsense", "nonsense"),
        ] {
            let request = ask(action, resource);
            let decision = decide(&policies, &request);
            allowed += usize::from(decision.is_allowed());
            allowed += decision.statements(&policies).filter(|found| found.policy.is_empty()).count();
        }
    });
    assert_eq!(allowed, 1);
    assert_eq!(info.count_total, 0, "{info:?}");
}
