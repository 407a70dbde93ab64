//! How long decisions take: `cargo bench -p reeve-evaluator`.
//!
//! W1 is an ordinary caller's 3 policies of 4 statements; W2 is 1,000 statements over 20 services, one of which
//! matches; W2H the same in one service; W3 is W1 with a boundary and a Deny.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use reeve_evaluator::{Context, Kind, Policies, Policy, PolicySet, Principal, Request, Value, decide};
use serde_json::{Value as Json, json};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    // `cargo bench -p reeve-evaluator -- w1`: only that one.
    let only = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    let w1 = policies(&w1(), None);
    let boundary = json!([{"Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]);
    let w3 = policies(&self::w1(), Some(&boundary));
    let context = context();
    let own = "arn:aws:s3:::home/alice/notes.txt";
    for (name, policies, action, resource) in [
        ("w1", &w1, "s3:GetObject", own),
        ("w1 denied", &w1, "s3:PutBucketPolicy", "arn:aws:s3:::home"),
        ("w2", &policies(&w2(20), None), "svc7:Action7", "arn:aws:svc7:eu-west-1:111122223333:thing/27/x"),
        ("w2h", &policies(&w2(1), None), "svc0:Action7", "arn:aws:svc0:eu-west-1:111122223333:thing/527/x"),
        (
            "w2 by action",
            &policies(&w2_actions(), None),
            "svc:Action527",
            "arn:aws:svc:eu-west-1:111122223333:t/x",
        ),
        ("w3", &w3, "s3:GetObject", own),
    ] {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let request = request(action, resource, &context);
        let allowed = decide(policies, &request).is_allowed();
        let time = nanoseconds(|| decide(black_box(policies), black_box(&request)).is_allowed());
        writeln!(out, "{name:14} {time:8.0} ns  allowed {allowed}")?;
    }
    if only.is_some() {
        return Ok(());
    }
    writeln!(out, "{:14} {:8.0} ns", "context", nanoseconds(|| self::context().len()))?;
    let text = document(w1_statements()).to_string();
    let parse = nanoseconds(|| serde_json::from_str::<Json>(black_box(&text)).is_ok());
    let compile = nanoseconds(|| Policy::compile(black_box(&text), Kind::Identity).is_ok());
    let ratio = compile / parse;
    writeln!(
        out,
        "compile        {compile:8.0} ns  of {} bytes, {ratio:.2} times serde_json's Value",
        text.len()
    )?;
    let thousand: Vec<Policy> = w2(20).iter().map(compile_one).collect();
    let build = nanoseconds(|| PolicySet::new(thousand.iter().cloned()).is_empty());
    writeln!(out, "index of 1,000 {build:8.0} ns")
}

/// The median of several runs of as many calls as take about a fifth of a millisecond.
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u32;
    while start.elapsed().as_micros() < 20_000 {
        black_box(call());
        calls += 1;
    }
    let calls = (calls / 100).max(1);
    let mut runs: Vec<f64> = (0..101)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(call());
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs.get(50).copied().unwrap_or_default()
}

fn context<'a>() -> Context<'a> {
    let mut context = Context::with_capacity(16);
    context
        .insert("aws:SourceIp", "10.20.30.40")
        .insert("aws:UserAgent", "aws-cli/2")
        .insert("s3:prefix", "home/");
    context.insert("aws:CurrentTime", Value::Time(1_772_323_200)).insert("aws:EpochTime", 1_772_323_200);
    context.insert("aws:SecureTransport", true).insert_tag("aws:ResourceTag/", "team", "blue");
    context
        .insert("aws:PrincipalArn", "arn:aws:iam::111122223333:user/alice")
        .insert("aws:userid", "AIDAEXAMPLE");
    context.insert("aws:username", "alice").insert("aws:PrincipalAccount", "111122223333");
    context.insert("aws:MultiFactorAuthPresent", true).insert("aws:PrincipalType", "User");
    context.insert_tag("aws:PrincipalTag/", "team", "blue");
    context
}

fn request<'a>(action: &'a str, resource: &'a str, context: &'a Context<'a>) -> Request<'a> {
    let principal =
        Principal::User { arn: "arn:aws:iam::111122223333:user/alice", id: "AIDAEXAMPLEEXAMPLE123" };
    Request::new(principal, action, resource, context).owned_by("111122223333")
}

fn document(statements: Json) -> Json {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn compile_one(statements: &Json) -> Policy {
    let text = document(statements.clone()).to_string();
    match Policy::compile_builtin(&text, Kind::Identity) {
        Ok(policy) => policy,
        Err(_) => Policy::unreadable(Kind::Identity),
    }
}

fn policies(identity: &[Json], boundary: Option<&Json>) -> Policies {
    Policies {
        identity: identity.iter().map(compile_one).collect(),
        boundary: boundary.map(|statements| PolicySet::new([compile_one(statements)])),
        ..Policies::default()
    }
}

fn w1_statements() -> Json {
    json!([
        {"Sid": "Own", "Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObject", "s3:DeleteObject"],
         "Resource": "arn:aws:s3:::home/${aws:username}/*",
         "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]},
                       "StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"},
                       "Bool": {"aws:MultiFactorAuthPresent": "true"}}},
        {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::home",
         "Condition": {"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}},
        {"Sid": "Describe", "Effect": "Allow", "Action": ["ec2:Describe*", "cloudwatch:Get*"], "Resource": "*"},
        {"Sid": "Queues", "Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:111122223333:app-*"}
    ])
}

fn w1() -> Vec<Json> {
    let second = json!([
        {"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "arn:aws:iam::*:user/${aws:username}"},
        {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:/app/*"},
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": "arn:aws:sns:eu-west-1:111122223333:*"},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringLike": {"kms:ViaService": "s3.*"}}}
    ]);
    let third = json!([
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::secret-*"},
        {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
         "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111122223333:role/dev-*"},
        {"Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "arn:aws:lambda:*:111122223333:function:app-*"}
    ]);
    vec![w1_statements(), second, third]
}

/// 50 policies of 20 statements over so many services.
fn w2(services: usize) -> Vec<Json> {
    let statement = |policy: usize, at: usize| {
        let (service, thing) = (at % services, policy * 20 + at);
        let thing = if services == 1 { thing } else { policy };
        json!({"Effect": "Allow", "Action": [format!("svc{service}:Action{at}"), format!("svc{service}:Get*")],
            "Resource": format!("arn:aws:svc{service}:*:111122223333:thing/{thing}/*"),
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}})
    };
    (0..50).map(|policy| (0..20).map(|at| statement(policy, at)).collect()).collect()
}

/// 1,000 actions of one service on everything.
fn w2_actions() -> Vec<Json> {
    let statement =
        |at: usize| json!({"Effect": "Allow", "Action": format!("svc:Action{at}"), "Resource": "*"});
    (0..50).map(|policy| (0..20).map(|at| statement(policy * 20 + at)).collect()).collect()
}
