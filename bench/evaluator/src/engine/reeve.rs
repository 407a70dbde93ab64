//! Reeve's own evaluator.

use std::hint::black_box;
use std::time::Duration;

use reeve_evaluator::{Context, Kind, Policies, Policy, PolicySet, Principal, Request, decide};

use super::{Engine, Outcome};
use crate::measure::nanoseconds;
use crate::workload::{ACCOUNT, Question, Statement, Workload, document};

struct Reeve {
    policies: Policies,
    requests: Vec<Request<'static>>,
}

/// The texts of a request, as they come off the wire.
struct Asked {
    question: Question,
    arn: String,
}

pub fn prepare(workload: &Workload) -> Outcome<Box<dyn Engine>> {
    let requests = workload.questions.iter().map(|question| {
        // What requests borrow lives as long as the bench.
        let asked: &'static Asked = Box::leak(Box::new(Asked::of(question)));
        asked.request(Box::leak(Box::new(asked.context())))
    });
    Ok(Box::new(Reeve { policies: policies(workload)?, requests: requests.collect() }))
}

/// The nanoseconds of a decision with its context built from the request's texts.
pub fn with_context(workload: &Workload) -> Outcome<f64> {
    let policies = policies(workload)?;
    let asked = Asked::of(workload.questions.first().ok_or("no question")?);
    Ok(nanoseconds(Duration::from_millis(300), || {
        let context = asked.context();
        decide(&policies, &asked.request(&context)).is_allowed()
    }))
}

/// What `measure` counts while all the workload's questions are decided.
pub fn allocations(workload: &Workload, measure: impl FnOnce(&mut dyn FnMut()) -> u64) -> Outcome<u64> {
    let policies = policies(workload)?;
    let asked: Vec<Asked> = workload.questions.iter().map(Asked::of).collect();
    let contexts: Vec<Context<'_>> = asked.iter().map(Asked::context).collect();
    Ok(measure(&mut || {
        for (asked, context) in asked.iter().zip(&contexts) {
            let _ = black_box(decide(&policies, &asked.request(context)));
        }
    }))
}

/// The workload's policies, compiled.
pub fn policies(workload: &Workload) -> Outcome<Policies> {
    let set = |statements: &Vec<Statement>, kind| Policy::compile_builtin(&document(statements), kind);
    let identity = workload.policies.iter().map(|statements| set(statements, Kind::Identity));
    let boundary =
        workload.boundary.iter().map(|statements| set(statements, Kind::Boundary)).next().transpose()?;
    Ok(Policies {
        identity: identity.collect::<Result<PolicySet, _>>()?,
        boundary: boundary.map(|policy| PolicySet::new([policy])),
        ..Policies::default()
    })
}

impl Asked {
    fn of(question: &Question) -> Self {
        Self { question: question.clone(), arn: format!("arn:aws:iam::{ACCOUNT}:user/{}", question.username) }
    }

    /// The condition keys that a service and the session tell of.
    fn context(&self) -> Context<'_> {
        let asked = &self.question;
        let mut context = Context::with_capacity(16);
        context
            .insert("aws:SourceIp", asked.source_ip)
            .insert("aws:UserAgent", "aws-cli/2")
            .insert("aws:CurrentTime", reeve_evaluator::Value::Time(1_772_323_200))
            .insert("aws:EpochTime", 1_772_323_200)
            .insert("aws:SecureTransport", true)
            .insert_tag("aws:ResourceTag/", "team", asked.resource_team)
            .insert("aws:PrincipalArn", &self.arn)
            .insert("aws:PrincipalAccount", ACCOUNT)
            .insert("aws:PrincipalType", "User")
            .insert("aws:userid", "AIDAEXAMPLEEXAMPLE123")
            .insert("aws:username", asked.username)
            .insert("aws:MultiFactorAuthPresent", asked.mfa)
            .insert_tag("aws:PrincipalTag/", "team", asked.team);
        context
    }

    fn request<'a>(&'a self, context: &'a Context<'a>) -> Request<'a> {
        let principal = Principal::User { arn: &self.arn, id: "AIDAEXAMPLEEXAMPLE123" };
        Request::new(principal, &self.question.action, &self.question.resource, context).owned_by(ACCOUNT)
    }
}

impl Engine for Reeve {
    fn decide(&mut self, question: usize) -> Outcome<bool> {
        let request = self.requests.get(question).ok_or("no such question")?;
        Ok(decide(&self.policies, request).is_allowed())
    }
}
