//! `reeve decide` as a process: from a file and from a pipe, with the exit status that a build looks at.
#![cfg(test)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};

const ALLOWED: &str = r#"{"id": "reads", "request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "resource_account": "111122223333", "context": {"aws:PrincipalTag/team": "blue"}}, "identity_policies": [{"name": "own", "document": {"Version": "2012-10-17", "Statement": {"Sid": "Own", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}}}}], "expect": "allowed"}"#;

fn decide(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_reeve"))
        .arg("decide")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn expectations_that_hold_end_well() {
    let ran = decide(&[], ALLOWED);
    let expected = r#"{"id":"reads","decision":"allowed","layer":"identity","statements":[{"policy":"own","sid":"Own","index":0}]}"#;
    assert_eq!(text(&ran.stdout), format!("{expected}\n"));
    assert!(ran.status.success() && ran.stderr.is_empty());
}

#[test]
fn a_file_is_a_policy_test() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.jsonl");
    let denied = ALLOWED.replace(r#""s3:Get*""#, r#""s3:Put*""#);
    std::fs::write(&path, format!("{ALLOWED}\n{denied}\nnonsense\n{ALLOWED}\n")).unwrap();
    let ran = decide(&[path.to_str().unwrap()], "");
    assert_eq!(ran.status.code(), Some(1));
    let lines: Vec<String> = text(&ran.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[1].contains(r#""decision":"implicitDeny""#) && lines[1].contains(r#""expected":"allowed""#)
    );
    assert!(lines[1].contains(r#""outcome":"action""#), "{}", lines[1]);
    assert!(lines[2].contains(r#""decision":"error""#) && lines[3].contains(r#""decision":"allowed""#));
    let told = text(&ran.stderr);
    assert_eq!(told, "reeve: of 4 lines, 1 were not decided as expected, and 1 could not be decided\n");
}

#[test]
fn reasons_come_when_they_are_asked_for() {
    let ran = decide(&["--explain", "-"], ALLOWED);
    assert!(text(&ran.stdout).contains(r#""reasons":[{"layer":"identity","policy":"own","sid":"Own","index":0,"effect":"allowed","outcome":"matched"}]"#));
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let ran = decide(&["/nonexistent/cases.jsonl"], "");
    assert_eq!(ran.status.code(), Some(1));
    assert!(text(&ran.stderr).starts_with("reeve: /nonexistent/cases.jsonl: "), "{}", text(&ran.stderr));
}

#[test]
fn each_line_is_answered_as_it_comes() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_reeve"))
        .arg("decide")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        writeln!(input, "{ALLOWED}").unwrap();
        assert!(output.next().unwrap().unwrap().contains("allowed"));
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}
