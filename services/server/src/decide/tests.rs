//! Lines in, decisions out.

use serde_json::{Value, json};

use super::*;

const USER: &str = "arn:aws:iam::111122223333:user/alice";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/s1";

fn allow(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Sid": "s", "Effect": "Allow", "Action": action, "Resource": "*"}})
}

fn line(principal: &str, more: Value) -> Value {
    let request = json!({"principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
        "resource_account": "111122223333"});
    let mut line = json!({"request": request});
    merge(&mut line, more);
    line
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            more.into_iter().for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value));
        }
        (into, more) => *into = more,
    }
}

fn run(text: &str, explained: bool) -> (Vec<Value>, Summary) {
    let mut output = Vec::new();
    let summary = decide_lines(BufReader::new(text.as_bytes()), &mut output, explained).unwrap();
    let lines = String::from_utf8(output).unwrap();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), summary)
}

fn one(line: Value) -> Value {
    let (mut answers, _) = run(&line.to_string(), false);
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

fn decision(line: Value) -> (String, String) {
    let answer = one(line);
    let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    (text("decision"), if answer["error"].is_null() { text("layer") } else { text("error") })
}

fn check(line: Value, effect: &str, layer: &str) {
    assert_eq!(decision(line), (effect.to_owned(), layer.to_owned()));
}

#[test]
fn a_decision_names_its_layer_and_its_statements() {
    let named = json!({"name": "readers", "document": allow("s3:Get*")});
    let answer = one(line(USER, json!({"id": "x", "identity_policies": [allow("sqs:*"), named]})));
    let expected = json!({"id": "x", "decision": "allowed", "layer": "identity",
        "statements": [{"policy": "readers", "sid": "s", "index": 0}]});
    assert_eq!(answer, expected);
    let answer = one(line(USER, json!({"group_policies": [allow("s3:*")]})));
    assert_eq!(answer["id"], json!(1));
    assert_eq!(answer["statements"][0]["policy"], json!("group_policies[0]"));
    check(line(USER, json!({})), "implicitDeny", "identity");
}

#[test]
fn a_principal_is_named_in_many_ways() {
    let all = json!({"identity_policies": [allow("*")]});
    for principal in [USER, SESSION, "arn:aws:iam::111122223333:role/app"] {
        check(line(principal, all.clone()), "allowed", "identity");
    }
    check(line("arn:aws:iam::111122223333:root", json!({})), "allowed", "identity");
    let open = |principal: Value| {
        json!({"resource_policy": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": principal,
            "Action": "s3:*", "Resource": "*"}}})
    };
    check(line("*", open(json!("*"))), "allowed", "resource");
    check(line("*", all.clone()), "implicitDeny", "resource");
    let service = json!({"request": {"principal": {"service": "s3.amazonaws.com"}}});
    let mut asked = line(USER, service);
    merge(&mut asked, open(json!({"Service": "s3.amazonaws.com"})));
    check(asked, "allowed", "resource");
    let federated = "arn:aws:sts::111122223333:federated-user/bob";
    check(line(federated, all.clone()), "implicitDeny", "session");
    let mut asked = line(federated, all);
    merge(&mut asked, json!({"session_policies": [allow("s3:*")]}));
    check(asked, "allowed", "identity");
}

#[test]
fn a_session_has_its_role() {
    let trusting = |role: &str| {
        json!({"resource_policy": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": role},
            "Action": "s3:*", "Resource": "*"}}})
    };
    let with_path = "arn:aws:iam::111122223333:role/path/app";
    check(line(SESSION, trusting("arn:aws:iam::111122223333:role/app")), "allowed", "resource");
    check(line(SESSION, trusting(with_path)), "implicitDeny", "identity");
    let mut asked = line(SESSION, trusting(with_path));
    merge(&mut asked, json!({"request": {"role": with_path}}));
    check(asked, "allowed", "resource");
    for role in ["arn:aws:iam::111122223333:role/other", "arn:aws:iam::444455556666:role/app", "app", USER] {
        let (decision, reason) = decision(line(SESSION, json!({"request": {"role": role}})));
        assert_eq!(decision, "error");
        assert!(reason.starts_with("role: "), "{reason}");
    }
    assert_eq!(decision(line(USER, json!({"request": {"role": with_path}}))).0, "error");
}

#[test]
fn every_layer_has_its_say() {
    let with = |more: Value| {
        let mut asked = line(USER, json!({"identity_policies": [allow("*")]}));
        merge(&mut asked, more);
        asked
    };
    check(with(json!({"permissions_boundary": allow("sqs:*")})), "implicitDeny", "boundary");
    check(with(json!({"session_policies": [allow("sqs:*")]})), "implicitDeny", "session");
    check(with(json!({"session_policies": []})), "allowed", "identity");
    check(
        with(json!({"service_control_policies": [[allow("*")], [allow("sqs:*")]]})),
        "implicitDeny",
        "service_control",
    );
    check(with(json!({"service_control_policies": [[allow("*")], []]})), "implicitDeny", "service_control");
    check(with(json!({"service_control_policies": [[allow("*")], [allow("s3:*")]]})), "allowed", "identity");
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}});
    check(with(json!({"resource_control_policies": [[], [deny]]})), "explicitDeny", "resource_control");
    check(with(json!({"resource_control_policies": [[]]})), "allowed", "identity");
}

#[test]
fn a_role_is_assumed_through_its_trust_policy() {
    let asked = |trust: Value| {
        let request = json!({"principal": USER, "action": "sts:AssumeRole", "resource": "arn:aws:iam::111122223333:role/app"});
        let mut asked = json!({"request": request, "identity_policies": [allow("*")]});
        merge(&mut asked, trust);
        asked
    };
    check(asked(json!({})), "implicitDeny", "trust");
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}});
    assert_eq!(one(asked(json!({"resource_policy": trust})))["decision"], json!("allowed"));
    let mut key = line(USER, json!({"identity_policies": [allow("*")]}));
    merge(
        &mut key,
        json!({"request": {"action": "kms:Decrypt", "resource": "arn:aws:kms:eu-west-1:111122223333:key/k"}}),
    );
    check(key, "implicitDeny", "resource");
}

#[test]
fn condition_keys_are_taken_as_given() {
    let conditional = |operator: &str, key: &str, value: Value| {
        json!({"identity_policies": [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {operator: {key: value}}}}],
            "request": {"context": {"aws:PrincipalTag/team": "blue", "x:n": 5, "x:f": 1.5, "x:b": true, "x:l": ["a", "b"]}}})
    };
    for (operator, key, value) in [
        ("StringEquals", "aws:principaltag/team", json!("blue")),
        ("NumericLessThan", "x:n", json!("6")),
        ("NumericLessThan", "x:f", json!("1.6")),
        ("Bool", "x:b", json!("true")),
        ("ForAnyValue:StringEquals", "x:l", json!("b")),
    ] {
        check(line(USER, conditional(operator, key, value)), "allowed", "identity");
    }
    let twice = r#"{"request": {"principal": "*", "action": "a:b", "resource": "*", "context": {"a:b": "1", "A:B": "2"}}}"#;
    let (answers, _) = run(twice, false);
    assert!(answers[0]["error"].as_str().unwrap().contains("the condition key A:B is given twice"));
}

#[test]
fn what_cannot_be_decided_is_an_error_and_the_rest_goes_on() {
    let good = line(USER, json!({"id": 7})).to_string();
    let no_account = json!({"id": "n", "request": {"principal": USER, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}});
    let malformed = line(
        USER,
        json!({"id": "m", "identity_policies": [{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}]}),
    );
    let unknown = line(USER, json!({"identity_policy": []}));
    let no_list = line(USER, json!({"service_control_policies": [allow("*")]}));
    let text = format!("{{\n\n{good}\n{no_account}\n{malformed}\n{unknown}\n{no_list}\n\u{fffd}\n{good}");
    let (answers, summary) = run(&text, false);
    let brief: Vec<_> =
        answers.iter().map(|answer| (answer["id"].clone(), answer["decision"].as_str().unwrap())).collect();
    assert_eq!(
        brief,
        [
            (json!(1), "error"),
            (json!(7), "implicitDeny"),
            (json!("n"), "error"),
            (json!("m"), "error"),
            (json!(6), "error"),
            (json!(7), "error"),
            (json!(8), "error"),
            (json!(7), "implicitDeny"),
        ]
    );
    assert_eq!(summary, Summary { lines: 8, mismatches: 0, errors: 6 });
    assert!(!summary.is_clean());
    let error = |at: usize| answers[at]["error"].as_str().unwrap().to_owned();
    assert!(error(2).contains("no resource account was given"), "{}", error(2));
    assert!(error(3).starts_with("identity_policies[0]: MalformedPolicyDocument: "), "{}", error(3));
    assert!(error(4).contains("identity_policy"), "{}", error(4));
    assert_eq!(error(5), "service_control_policies[0]: a list is wanted");
}

#[test]
fn what_is_crowded_or_deep_or_no_text_is_answered_too() {
    let with_keys = |count: usize| {
        let keys: serde_json::Map<String, Value> =
            (0..count).map(|at| (format!("x:k{at}"), json!("v"))).collect();
        line(USER, json!({"id": "k", "request": {"context": keys}}))
    };
    check(with_keys(line::KEYS_MAX), "implicitDeny", "identity");
    let (effect, reason) = decision(with_keys(100_000));
    assert_eq!(effect, "error");
    assert!(reason.contains("more than 1024 condition keys"), "{reason}");
    let umlauts =
        json!({"request": {"context": {"aws:PrincipalTag/größe": "1", "aws:PrincipalTag/GRÖßE": "2"}}});
    assert!(decision(line(USER, umlauts)).1.contains("given twice"));

    // More levels than any organization has, the last of which denies.
    let mut levels = vec![json!([allow("*")]); 70_000];
    check(
        line(USER, json!({"identity_policies": [allow("*")], "service_control_policies": levels})),
        "allowed",
        "identity",
    );
    let deny = json!({"Version": "2012-10-17", "Statement": {"Sid": "d", "Effect": "Deny", "Action": "*", "Resource": "*"}});
    levels.push(json!([deny]));
    let answer =
        one(line(USER, json!({"identity_policies": [allow("*")], "service_control_policies": levels})));
    assert_eq!((&answer["decision"], &answer["statements"]), (&json!("explicitDeny"), &json!([])));

    let good = line(USER, json!({})).to_string();
    let deep = format!("{{\"id\": {}1{}, \"request\": 1}}", "[".repeat(100_000), "]".repeat(100_000));
    let mut text = format!("{deep}\n").into_bytes();
    text.extend_from_slice(b"{\"id\": \"\xFF\"}\n[]\nnull\n\"x\"\n{\"request\": {}}\n\0\n");
    text.extend_from_slice(good.as_bytes());
    let mut output = Vec::new();
    let summary = decide_lines(BufReader::new(text.as_slice()), &mut output, true).unwrap();
    assert_eq!(summary, Summary { lines: 8, mismatches: 0, errors: 7 });
}

#[test]
fn an_expectation_that_fails_is_told_with_its_reasons() {
    let policy = json!({"identity_policies": [allow("sqs:*")]});
    let expecting = |effect: &str| {
        let mut asked = line(USER, policy.clone());
        merge(&mut asked, json!({"expect": effect}));
        asked.to_string()
    };
    let (answers, summary) = run(&expecting("implicitDeny"), false);
    assert!(summary.is_clean() && answers[0]["reasons"].is_null() && answers[0]["expected"].is_null());
    let (answers, summary) = run(&expecting("allowed"), false);
    assert_eq!(summary, Summary { lines: 1, mismatches: 1, errors: 0 });
    assert_eq!(answers[0]["expected"], json!("allowed"));
    let reason = json!({"layer": "identity", "policy": "identity_policies[0]", "sid": "s", "index": 0,
        "effect": "allowed", "outcome": "action"});
    assert_eq!(answers[0]["reasons"], json!([reason]));
    assert_eq!(run(&expecting("perhaps"), false).1.errors, 1);
}

#[test]
fn reasons_are_told_everywhere_when_asked_for() {
    let conditional = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"x:y": "z"}}}});
    let asked = line(USER, json!({"identity_policies": [allow("*"), conditional]})).to_string();
    let (answers, _) = run(&asked, true);
    assert_eq!(answers[0]["reasons"][0]["outcome"], json!("matched"));
    let condition = json!({"operator": "StringEquals", "key": "x:y", "expected": ["z"], "found": null});
    assert_eq!(answers[0]["reasons"][1]["condition"], condition);
}

#[test]
fn a_line_that_is_too_long_is_skipped() {
    let mut text = vec![b' '; LINE_BYTES_MAX + 10];
    text.extend_from_slice(format!("\n{}", line(USER, json!({}))).as_bytes());
    let mut output = Vec::new();
    let summary = decide_lines(BufReader::new(text.as_slice()), &mut output, false).unwrap();
    assert_eq!(summary, Summary { lines: 2, mismatches: 0, errors: 1 });
}

proptest::proptest! {
    #[test]
    fn any_line_is_answered(at in 0_usize..400, with in ".{0,3}", drop in 0_usize..5) {
        let whole = line(SESSION, json!({"identity_policies": [allow("s3:*")], "service_control_policies": [[allow("*")]]}));
        let mut text: Vec<char> = whole.to_string().chars().collect();
        let from = at.min(text.len());
        let to = (from + drop).min(text.len());
        text.splice(from..to, with.chars().filter(|c| *c != '\n'));
        let (answers, summary) = run(&text.into_iter().collect::<String>(), true);
        assert_eq!((answers.len(), summary.lines), (1, 1));
    }
}
