//! iam-rs, which reads AWS's documents. It puts variables into resources and not into conditions: there they are put in
//! beforehand. It has no boundary: that is a second evaluator, and both must allow.

use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId,
};

use super::{Engine, Outcome};
use crate::workload::{ACCOUNT, Question, Statement, Workload, document};

struct IamRs {
    identity: PolicyEvaluator,
    boundary: Option<PolicyEvaluator>,
    requests: Vec<IAMRequest>,
}

pub fn prepare(workload: &Workload) -> Outcome<Box<dyn Engine>> {
    let policy = |statements: &Vec<Statement>| {
        IAMPolicy::from_json(&document(statements).replace("${aws:PrincipalTag/team}", "blue"))
    };
    let identity = workload.policies.iter().map(policy).collect::<Result<_, _>>()?;
    let boundary = workload.boundary.iter().map(policy).next().transpose()?;
    Ok(Box::new(IamRs {
        identity: PolicyEvaluator::with_policies(identity),
        boundary: boundary.map(|policy| PolicyEvaluator::with_policies(vec![policy])),
        requests: workload.questions.iter().map(request).collect::<Outcome<_>>()?,
    }))
}

fn request(asked: &Question) -> Outcome<IAMRequest> {
    let mut context = Context::new();
    let mut insert =
        |key: &str, value: &str| context.insert(key.to_owned(), ContextValue::String(value.to_owned()));
    insert("aws:SourceIp", asked.source_ip);
    insert("aws:username", asked.username);
    insert("aws:ResourceTag/team", asked.resource_team);
    insert("aws:PrincipalTag/team", asked.team);
    context.insert("aws:MultiFactorAuthPresent".to_owned(), ContextValue::Boolean(asked.mfa));
    let principal =
        Principal::Aws(PrincipalId::String(format!("arn:aws:iam::{ACCOUNT}:user/{}", asked.username)));
    let resource = Arn::parse(&asked.resource).map_err(|error| format!("{error:?}"))?;
    Ok(IAMRequest::new_with_context(principal, &*asked.action, resource, context))
}

impl Engine for IamRs {
    fn decide(&mut self, question: usize) -> Outcome<bool> {
        let request = self.requests.get(question).ok_or("no such question")?;
        let asks = |evaluator: &PolicyEvaluator| match evaluator.evaluate(request) {
            Ok(result) => Ok(result.decision == Decision::Allow),
            Err(error) => Err(format!("{error:?}")),
        };
        Ok(asks(&self.identity)? && self.boundary.as_ref().map_or(Ok(true), asks)?)
    }
}
