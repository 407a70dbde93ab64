//! Explanations name the first element that did not match; requests of the wrong form are refused, and lists are lists
//! however they are given.

#![cfg(test)]

use reeve_evaluator::{
    ACTION_CHARACTERS_MAX, Context, Invalid, Kind, Layer, Outcome, Policies, Policy, PolicySet, Principal,
    Request, Value, decide, explain,
};
use serde_json::{Value as Json, json};

const ALICE: Principal<'_> = Principal::User { arn: "arn:aws:iam::111122223333:user/alice", id: "" };

fn set(kind: Kind, statement: &Json) -> PolicySet {
    let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    PolicySet::new([Policy::compile(&text, kind).unwrap()])
}

fn outcome(kind: Kind, more: Json, context: &Context<'_>) -> Outcome {
    let mut statement = json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"});
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut policies = Policies::default();
    match kind {
        Kind::Resource => policies.resource = Some(set(kind, &statement)),
        _ => policies.identity = set(kind, &statement),
    }
    let request = Request::new(ALICE, "s3:GetObject", "arn:aws:s3:::b/k", context).owned_by("111122223333");
    explain(&policies, &request).statements.remove(0).outcome
}

#[test]
fn the_first_element_that_does_not_match_is_named() {
    let context = Context::new();
    let identity = |more| outcome(Kind::Identity, more, &context);
    assert_eq!(identity(json!({})), Outcome::Matched);
    assert_eq!(identity(json!({"Action": "s3:Put*", "Resource": "arn:aws:s3:::c"})), Outcome::Action);
    assert_eq!(identity(json!({"Resource": "arn:aws:s3:::c"})), Outcome::Resource);
    let bob = json!({"Principal": {"AWS": "arn:aws:iam::111122223333:user/bob"}});
    assert_eq!(outcome(Kind::Resource, bob, &context), Outcome::Principal);
}

#[test]
fn a_condition_is_told_with_what_it_asks_for_and_what_there_was() {
    let many = ["x".to_owned(), "y".to_owned()];
    let mut context = Context::new();
    context
        .insert("x:text", "a")
        .insert("x:list", many.as_slice())
        .insert("x:number", 7)
        .insert("x:flag", false);
    context.insert("x:time", Value::Time(0)).insert("x:texts", &["p", "q"]).insert("x:ip", "192.0.2.1");
    for (operator, key, asked, expected, found) in [
        ("StringEquals", "x:text", json!(["c", "b"]), vec!["b", "c"], Some(vec!["a"])),
        ("StringLike", "X:Text", json!("b*${aws:username}?"), vec!["b*${aws:username}?"], Some(vec!["a"])),
        ("StringEqualsIgnoreCase", "x:none", json!("B"), vec!["B"], None),
        ("ForAllValues:StringLike", "x:list", json!("x*"), vec!["x*"], Some(vec!["x", "y"])),
        ("ForAnyValue:StringEquals", "x:texts", json!("r"), vec!["r"], Some(vec!["p", "q"])),
        ("NumericLessThan", "x:number", json!("6.50"), vec!["6.5"], Some(vec!["7"])),
        (
            "DateGreaterThan",
            "x:time",
            json!("1970-01-02"),
            vec!["1970-01-02T00:00:00Z"],
            Some(vec!["1970-01-01T00:00:00Z"]),
        ),
        ("Bool", "x:flag", json!(true), vec!["true"], Some(vec!["false"])),
        ("IpAddress", "x:ip", json!("10.0.0.0/8"), vec!["10.0.0.0/8"], Some(vec!["192.0.2.1"])),
        ("ArnLikeIfExists", "x:text", json!("arn:aws:s3:*:*:b"), vec!["arn:aws:s3:*:*:b"], Some(vec!["a"])),
        ("Null", "x:text", json!("true"), vec!["true"], Some(vec!["a"])),
    ] {
        let told = outcome(Kind::Identity, json!({"Condition": {operator: {key: asked}}}), &context);
        let texts = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let wanted = Outcome::Condition {
            operator: operator.to_owned(),
            key: key.to_owned(),
            expected: texts(expected),
            found: found.map(texts),
        };
        assert_eq!(told, wanted);
    }
}

#[test]
fn an_empty_list_is_no_value_however_it_is_given() {
    let none: &[&str] = &[];
    let owned: &[String] = &[];
    for (value, there) in
        [(Value::Texts(none), "true"), (Value::Strings(owned), "true"), (Value::Texts(&["a"]), "false")]
    {
        let mut context = Context::new();
        context.insert("x:list", value);
        let null = json!({"Condition": {"Null": {"x:list": there}}});
        assert_eq!(outcome(Kind::Identity, null, &context), Outcome::Matched, "{value:?}");
    }
}

#[test]
fn a_trust_policy_is_one_whatever_is_asked() {
    let context = Context::new();
    let statement =
        json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sts:AssumeRole"});
    let policies = Policies { resource: Some(set(Kind::Trust, &statement)), ..Policies::default() };
    let request = Request::new(ALICE, "sts:AssumeRole", "arn:aws:iam::111122223333:thing/x", &context);
    assert_eq!(decide(&policies, &request).layer, Layer::Trust);
    assert_eq!(explain(&policies, &request).statements.remove(0).layer, Layer::Trust);
}

#[test]
fn a_list_of_empty_texts_is_none_however_it_is_given() {
    let owned = [String::new()];
    for value in [Value::Text(""), Value::Texts(&["", ""]), Value::Strings(&owned)] {
        let mut context = Context::new();
        context.insert("x:list", value);
        let any = json!({"Condition": {"ForAnyValue:StringLike": {"x:list": "*"}}});
        let told = outcome(Kind::Identity, any, &context);
        assert!(matches!(told, Outcome::Condition { .. }), "{value:?} {told:?}");
    }
    let mut context = Context::new();
    context.insert("x:list", &["", "a"]);
    let any = json!({"Condition": {"ForAnyValue:StringLike": {"x:list": "a"}}});
    assert_eq!(outcome(Kind::Identity, any, &context), Outcome::Matched);
}

#[test]
fn an_action_has_a_service_and_a_name_and_bounds() {
    let context = Context::new();
    let policies = Policies {
        identity: set(Kind::Identity, &json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
        ..Policies::default()
    };
    let invalid = |action: &str| {
        let request = Request::new(ALICE, action, "*", &context).owned_by("111122223333");
        let decision = decide(&policies, &request);
        assert_eq!(decision.is_allowed(), decision.invalid.is_none(), "{action}");
        decision.invalid
    };
    let named = |length: usize| format!("s3:{}", "a".repeat(length - 3));
    for good in ["s3:GetObject", "a:b", &named(ACTION_CHARACTERS_MAX)] {
        assert_eq!(invalid(good), None, "{good}");
    }
    let nul = "s3:Get\0Object";
    for bad in ["", ":", ":GetObject", "s3:", "s3", nul, "s3:GetObject\0", &named(ACTION_CHARACTERS_MAX + 1)]
    {
        assert_eq!(invalid(bad), Some(Invalid::Action), "{bad:?}");
    }
}
