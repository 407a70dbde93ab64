//! The three workloads, as statements that are written out in each engine's own language, and the questions to them.

use serde_json::{Value as Json, json};

/// The one account that everything is in.
pub const ACCOUNT: &str = "111122223333";

/// Policies, and questions that every engine must answer alike before it is timed.
pub struct Workload {
    pub name: &'static str,
    pub policies: Vec<Vec<Statement>>,
    pub boundary: Option<Vec<Statement>>,
    /// The first one is timed.
    pub questions: Vec<Question>,
}

#[derive(Default)]
pub struct Statement {
    pub deny: bool,
    /// With `*` as a wildcard.
    pub actions: Vec<String>,
    /// With `*` and `${aws:username}`, which is followed by the end or by `/*`.
    pub resources: Vec<String>,
    pub conditions: Vec<Condition>,
}

/// What the workloads ask of a request. Each is in AWS's words in [`Condition::json`].
pub enum Condition {
    /// The resource's tag `team` is the principal's.
    SameTeam,
    /// The principal's tag `team` is this.
    Team(&'static str),
    /// The request comes from one of these ranges.
    From(&'static [&'static str]),
    /// Whether the caller has shown an MFA device.
    Mfa(bool),
}

/// A request; tags are always there.
#[derive(Clone)]
pub struct Question {
    pub action: String,
    pub resource: String,
    pub username: &'static str,
    pub team: &'static str,
    pub resource_team: &'static str,
    pub source_ip: &'static str,
    pub mfa: bool,
    pub allowed: bool,
}

impl Condition {
    pub fn json(&self) -> (&'static str, &'static str, Json) {
        match self {
            Self::SameTeam => ("StringEquals", "aws:ResourceTag/team", json!("${aws:PrincipalTag/team}")),
            Self::Team(team) => ("StringEquals", "aws:PrincipalTag/team", json!(team)),
            Self::From(ranges) => ("IpAddress", "aws:SourceIp", json!(ranges)),
            Self::Mfa(shown) => ("Bool", "aws:MultiFactorAuthPresent", json!(shown.to_string())),
        }
    }
}

/// Policies as AWS writes them.
pub fn document(statements: &[Statement]) -> String {
    let written = statements.iter().map(|statement| {
        let mut conditions = json!({});
        for condition in &statement.conditions {
            let (operator, key, value) = condition.json();
            conditions[operator][key] = value;
        }
        let effect = if statement.deny { "Deny" } else { "Allow" };
        let mut written =
            json!({"Effect": effect, "Action": statement.actions, "Resource": statement.resources});
        if !statement.conditions.is_empty() {
            written["Condition"] = conditions;
        }
        written
    });
    json!({"Version": "2012-10-17", "Statement": written.collect::<Vec<_>>()}).to_string()
}

pub fn all() -> Vec<Workload> {
    vec![w1(), w2("W2", 20), w2("W2H", 1), w3()]
}

fn allow(actions: &[&str], resources: &[&str], conditions: Vec<Condition>) -> Statement {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Statement { deny: false, actions: texts(actions), resources: texts(resources), conditions }
}

fn deny(actions: &[&str], resources: &[&str], conditions: Vec<Condition>) -> Statement {
    Statement { deny: true, ..allow(actions, resources, conditions) }
}

fn question(action: &str, resource: &str, allowed: bool) -> Question {
    Question {
        action: action.to_owned(),
        resource: resource.to_owned(),
        username: "alice",
        team: "blue",
        resource_team: "blue",
        source_ip: "10.20.30.40",
        mfa: true,
        allowed,
    }
}

/// An ordinary caller: 3 policies of 4 statements.
fn w1() -> Workload {
    let own = allow(
        &["s3:GetObject*", "s3:PutObject", "s3:DeleteObject"],
        &["arn:aws:s3:::home/${aws:username}/*"],
        vec![Condition::SameTeam, Condition::From(&["10.0.0.0/8", "192.168.0.0/16"]), Condition::Mfa(true)],
    );
    let first = vec![
        own,
        allow(&["s3:ListBucket"], &["arn:aws:s3:::home"], vec![Condition::From(&["10.0.0.0/8"])]),
        allow(&["ec2:Describe*", "cloudwatch:Get*"], &["*"], vec![]),
        allow(&["sqs:*"], &["arn:aws:sqs:*:111122223333:app-*"], vec![]),
    ];
    let second = vec![
        allow(
            &["iam:*AccessKey*"],
            &["arn:aws:iam::111122223333:user/${aws:username}"],
            vec![Condition::Mfa(true)],
        ),
        allow(&["logs:*"], &["arn:aws:logs:*:111122223333:log-group:/app/*"], vec![]),
        allow(&["sns:Publish"], &["arn:aws:sns:eu-west-1:111122223333:*"], vec![]),
        allow(&["kms:Decrypt"], &["arn:aws:kms:*:111122223333:key/*"], vec![Condition::SameTeam]),
    ];
    let third = vec![
        allow(
            &["dynamodb:GetItem", "dynamodb:Query"],
            &["arn:aws:dynamodb:*:111122223333:table/app-*"],
            vec![],
        ),
        allow(
            &["secretsmanager:Get*"],
            &["arn:aws:secretsmanager:*:111122223333:secret:app/*"],
            vec![Condition::Team("blue")],
        ),
        allow(&["sts:AssumeRole"], &["arn:aws:iam::111122223333:role/dev-*"], vec![Condition::Mfa(true)]),
        allow(&["lambda:Invoke*"], &["arn:aws:lambda:*:111122223333:function:app-*"], vec![]),
    ];
    let yes = question("s3:GetObject", "arn:aws:s3:::home/alice/notes.txt", true);
    let no = |change: fn(&mut Question)| {
        let mut question = Question { allowed: false, ..yes.clone() };
        change(&mut question);
        question
    };
    let questions = vec![
        yes.clone(),
        no(|question| question.resource = "arn:aws:s3:::home/bob/notes.txt".to_owned()),
        no(|question| question.resource_team = "red"),
        no(|question| question.source_ip = "203.0.113.9"),
        no(|question| question.mfa = false),
        no(|question| question.action = "s3:PutBucketPolicy".to_owned()),
        question("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:app-jobs", true),
        question("iam:CreateAccessKey", "arn:aws:iam::111122223333:user/alice", true),
        question("iam:CreateAccessKey", "arn:aws:iam::111122223333:user/bob", false),
    ];
    Workload { name: "W1", policies: vec![first, second, third], boundary: None, questions }
}

/// 50 policies of 20 statements over so many services.
fn w2(name: &'static str, services: usize) -> Workload {
    let statement = |policy: usize, at: usize| {
        let service = at % services;
        let thing = if services == 1 { policy * 20 + at } else { policy };
        Statement {
            deny: false,
            actions: vec![format!("svc{service}:Action{at}"), format!("svc{service}:Get*")],
            resources: vec![format!("arn:aws:svc{service}:*:111122223333:thing/{thing}/*")],
            conditions: vec![Condition::Team("blue")],
        }
    };
    let policies = (0..50).map(|policy| (0..20).map(|at| statement(policy, at)).collect()).collect();
    let (service, thing) = if services == 1 { (0, 527) } else { (7, 26) };
    let named = |action: &str, thing: usize, allowed| {
        let resource = format!("arn:aws:svc{service}:eu-west-1:111122223333:thing/{thing}/x");
        question(&format!("svc{service}:{action}"), &resource, allowed)
    };
    let red = Question { team: "red", ..named("Action7", thing, false) };
    let questions = vec![
        named("Action7", thing, true),
        named("GetMore", thing, true),
        named("Action7", 5_000, false),
        named("Put", thing, false),
        red,
    ];
    Workload { name, policies, boundary: None, questions }
}

/// W1 with a Deny and a permissions boundary.
fn w3() -> Workload {
    let mut workload = w1();
    workload.name = "W3";
    workload.policies.push(vec![
        deny(&["s3:*"], &["arn:aws:s3:::home/alice/secret/*"], vec![]),
        deny(&["s3:Delete*", "iam:*"], &["*"], vec![Condition::Mfa(false)]),
    ]);
    workload.boundary = Some(vec![
        deny(&["s3:*"], &["*"], vec![Condition::From(&["198.51.100.0/24"])]),
        allow(&["s3:*", "sqs:*", "iam:*"], &["*"], vec![]),
    ]);
    let question_from = Question {
        source_ip: "198.51.100.9",
        ..question("s3:GetObject", "arn:aws:s3:::home/alice/x", false)
    };
    workload.questions.extend([
        question_from,
        question("s3:GetObject", "arn:aws:s3:::home/alice/secret/x", false),
        question("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:topic", false),
    ]);
    workload
}
