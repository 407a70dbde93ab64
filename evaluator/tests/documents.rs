//! Documents that AWS accepts or refuses, and the words in which it refuses them.

#![cfg(test)]

use reeve_evaluator::{Fault, Kind, Policy};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    id: String,
    valid: bool,
    document: Value,
    error_message: Option<String>,
}

#[test]
fn recorded_documents_give_the_recorded_errors() {
    let cases: Vec<Case> = include_str!("documents/moto.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(cases.len(), 75);
    for case in cases {
        let text = match &case.document {
            Value::String(text) => text.clone(),
            document => document.to_string(),
        };
        let found = Policy::compile_managed(&text, Kind::Identity).err().map(|error| error.message);
        assert_eq!(found, case.error_message, "{} {text}", case.id);
        assert_eq!(found.is_none(), case.valid, "{}", case.id);
    }
}

/// The message a statement is refused with in a document of `kind`, or "" when it is accepted.
fn message(kind: Kind, statement: &Value) -> String {
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    Policy::compile(&document.to_string(), kind).err().map_or(String::new(), |error| error.message)
}

fn statement(more: Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": "s3:GetObject"});
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    statement
}

#[test]
fn each_kind_has_its_elements() {
    let syntax = "Syntax errors in policy.";
    let principal = json!({"AWS": "111122223333"});
    let anyone = statement(json!({"Principal": principal, "Resource": "*"}));
    let nobody = statement(json!({"Resource": "*"}));
    for kind in [Kind::Identity, Kind::Boundary, Kind::Session, Kind::ServiceControl] {
        assert_eq!(message(kind, &nobody), "");
        assert_eq!(message(kind, &anyone), "Policy document should not specify a principal.");
    }
    for kind in [Kind::Resource, Kind::ResourceControl] {
        assert_eq!(message(kind, &anyone), "");
        assert_eq!(message(kind, &nobody), "Missing required field Principal");
    }
    let trust = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal});
    assert_eq!(message(Kind::Trust, &trust), "");
    assert_eq!(message(Kind::Trust, &anyone), "Has prohibited field Resource");
    let other = statement(json!({"Principal": principal}));
    assert_eq!(message(Kind::Trust, &other), "AssumeRole policy may only specify STS AssumeRole actions.");
    assert_eq!(message(Kind::Resource, &other), "", "a repository's policy is about the repository");
    let not = json!({"Effect": "Deny", "Action": "sts:AssumeRole", "NotPrincipal": principal});
    assert_eq!(message(Kind::Trust, &not), "Has prohibited field NotPrincipal");
    let allow = statement(json!({"NotPrincipal": principal, "Resource": "*"}));
    assert_eq!(message(Kind::Resource, &allow), "Allow with NotPrincipal is not allowed.");
    for odd in [json!("x"), json!([]), json!({}), json!({"Somebody": "x"}), json!({"AWS": 1}), json!(null)] {
        assert_eq!(
            message(Kind::Resource, &statement(json!({"Principal": odd, "Resource": "*"}))),
            syntax,
            "{odd}"
        );
    }
    let wild = statement(json!({"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}, "Resource": "*"}));
    assert_eq!(
        message(Kind::Resource, &wild),
        "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/*\""
    );
}

#[test]
fn sids_are_alphanumeric_and_unique() {
    let with = |sid: &str| statement(json!({"Sid": sid, "Resource": "*"}));
    assert_eq!(message(Kind::Identity, &with("Allow1")), "");
    assert_eq!(message(Kind::Identity, &with("")), "");
    let alphanumeric = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
    assert_eq!(message(Kind::Identity, &with("a b")), alphanumeric);
    let twice = json!({"Version": "2012-10-17", "Statement": [with("a"), with("b"), with("a")]}).to_string();
    let error = Policy::compile(&twice, Kind::Identity).unwrap_err();
    assert_eq!(error.message, "Statement IDs (SID) in a single policy must be unique.");
    assert_eq!(error.path, "Statement[2].Sid");
}

#[test]
fn values_must_be_their_operators() {
    let with = |operator: &str, value: Value| {
        message(Kind::Identity, &statement(json!({"Resource": "*", "Condition": {operator: {"a:b": value}}})))
    };
    let legacy = "The policy failed legacy parsing";
    for (operator, good, bad) in [
        ("NumericLessThan", json!(10), json!("ten")),
        ("DateLessThan", json!("2026-01-01"), json!("soon")),
        ("Bool", json!(true), json!("maybe")),
        ("Null", json!("false"), json!("maybe")),
        ("IpAddress", json!("10.0.0.0/8"), json!("10.0.0.0/40")),
        ("BinaryEquals", json!("QUJD"), json!("QUJ")),
        ("StringLike", json!("${aws:username}*"), json!("${aws:username")),
    ] {
        assert_eq!(with(operator, good), "", "{operator}");
        assert_eq!(with(operator, bad), legacy, "{operator}");
    }
    assert_eq!(with("StringSounds", json!("x")), "Syntax errors in policy.");
    assert_eq!(with("StringEquals", json!(null)), "Syntax errors in policy.");
}

/// (Source: "You can use a policy variable for Condition values in any condition that involves the string operators or the
/// ARN operators", reference_policies_variables; Access Analyzer's INVALID_VARIABLE_FOR_OPERATOR.)
#[test]
fn variables_stand_under_string_and_arn_operators_alone() {
    let with = |operator: &str| {
        let condition = json!({operator: {"a:b": "${aws:PrincipalTag/x}"}});
        message(Kind::Identity, &statement(json!({"Resource": "*", "Condition": condition})))
    };
    for operator in
        ["StringEquals", "StringNotLike", "StringEqualsIgnoreCase", "ArnLike", "ForAnyValue:ArnEquals"]
    {
        assert_eq!(with(operator), "", "{operator}");
    }
    for operator in ["NumericEquals", "DateLessThan", "Bool", "BinaryEquals", "IpAddress", "Null"] {
        assert_eq!(with(operator), "The policy failed legacy parsing", "{operator}");
    }
}

#[test]
fn an_action_holds_no_end_mark() {
    for action in ["s3:Get\0", "s3:Get\0*", "\0s3:Get", "s3:*\0"] {
        let statement = statement(json!({"Action": action, "Resource": "*"}));
        assert_ne!(message(Kind::Identity, &statement), "", "{action:?}");
    }
}

#[test]
fn faults_are_located() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n    \"Effect\": \"Allow\",\n    \"Action\": [\"s3:*\", \"oops\"],\n    \"Resource\": \"*\"}]}";
    let error = Policy::compile(text, Kind::Identity).unwrap_err();
    assert_eq!((error.line, error.column, error.path.as_str()), (5, 24, "Statement[0].Action"));
    assert_eq!(error.code(), "MalformedPolicyDocument");
    let duplicate =
        "{\"Version\": \"2012-10-17\",\n \"Statement\": [{\"Effect\": \"Deny\", \"Effect\": \"Allow\"}]}";
    let error = Policy::compile(duplicate, Kind::Identity).unwrap_err();
    assert_eq!((error.line, error.path.as_str()), (2, "Statement[0].Effect"));
    assert!(error.located().to_string().ends_with("at line 2, column 35 (Statement[0].Effect)"));
}

#[test]
fn sizes_are_bounded_without_whitespace() {
    for kind in [Kind::Identity, Kind::Boundary, Kind::Session, Kind::ServiceControl] {
        let limit = kind.characters_max();
        let document = |padding: usize| {
            let resource = format!("arn:aws:s3:::{}", "a".repeat(padding));
            let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": resource});
            json!({"Version": "2012-10-17", "Statement": statement}).to_string()
        };
        let fits = document(limit - document(0).len());
        assert!(Policy::compile(&fits, kind).is_ok());
        let spaced = fits.replace(',', ",\n          ");
        assert!(Policy::compile(&spaced, kind).is_ok(), "whitespace does not count");
        let error = Policy::compile(&document(limit - document(0).len() + 1), kind).unwrap_err();
        assert_eq!(error.fault, Fault::Size);
        assert_eq!(error.message, format!("Cannot exceed quota for PolicySize: {limit}"));
    }
}

#[test]
fn versions() {
    let with = |version: &str| {
        format!("{{{version}\"Statement\":{{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}}}")
    };
    assert!(Policy::compile(&with("\"Version\":\"2008-10-17\","), Kind::Identity).is_ok());
    assert!(Policy::compile(&with(""), Kind::Identity).is_ok());
    assert!(Policy::compile(&with("\"Version\":\"2012-10-18\","), Kind::Identity).is_err());
    let managed = Policy::compile_managed(&with("\"Version\":\"2008-10-17\","), Kind::Identity).unwrap_err();
    assert_eq!(managed.message, "Policy document must be version 2012-10-17 or greater.");
    assert!(Policy::compile(&with(""), Kind::ServiceControl).is_err());
}

#[test]
fn compiled_policies_are_shared_by_what_they_say() {
    let text = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let policy = Policy::compile(text, Kind::Identity).unwrap();
    assert_eq!(policy.content_hash(), Policy::hash(text, Kind::Identity));
    assert_eq!(policy.clone().named("a").content_hash(), policy.content_hash());
    assert_ne!(
        policy.content_hash(),
        Policy::hash(text, Kind::Boundary),
        "what it may say depends on its kind"
    );
}
