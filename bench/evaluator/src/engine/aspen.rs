//! scratchstack-aspen, which reads AWS's documents and has boundaries.

use std::net::IpAddr;

use scratchstack_arn::Arn;
use scratchstack_aspen::{Context, Decision, Policy, PolicySet, PolicySource};
use scratchstack_aws_principal::{Principal, SessionData, SessionValue, User};

use super::{Engine, Outcome};
use crate::workload::{ACCOUNT, Question, Workload, document};

struct Aspen {
    policies: PolicySet,
    contexts: Vec<Context>,
}

pub fn prepare(workload: &Workload) -> Outcome<Box<dyn Engine>> {
    let mut policies = PolicySet::new();
    for (at, statements) in workload.policies.iter().enumerate() {
        let source = PolicySource::new_entity_inline(
            "arn:aws:iam::111122223333:user/alice",
            "AIDAEXAMPLEEXAMPLE123",
            format!("p{at}"),
        );
        policies.add_policy(source, document(statements).parse::<Policy>()?);
    }
    for statements in &workload.boundary {
        let source = PolicySource::new_permission_boundary(
            "arn:aws:iam::111122223333:policy/b",
            "ANPAEXAMPLEEXAMPLE123",
            "v1",
        );
        policies.add_policy(source, document(statements).parse::<Policy>()?);
    }
    let contexts = workload.questions.iter().map(context).collect::<Outcome<_>>()?;
    Ok(Box::new(Aspen { policies, contexts }))
}

fn context(asked: &Question) -> Outcome<Context> {
    let mut session = SessionData::new();
    session.insert("aws:SourceIp", SessionValue::IpAddr(asked.source_ip.parse::<IpAddr>()?));
    session.insert("aws:MultiFactorAuthPresent", SessionValue::Bool(asked.mfa));
    let mut insert = |key: &str, value: &str| session.insert(key, SessionValue::String(value.to_owned()));
    insert("aws:username", asked.username);
    insert("aws:ResourceTag/team", asked.resource_team);
    insert("aws:PrincipalTag/team", asked.team);
    let (service, api) = asked.action.split_once(':').ok_or("an action has a service")?;
    let user = User::new("aws", ACCOUNT, "/", asked.username)?;
    let mut builder = Context::builder();
    builder.service(service).api(api).actor(Principal::from(user)).session_data(session);
    builder.resources(vec![asked.resource.parse::<Arn>()?]);
    Ok(builder.build()?)
}

impl Engine for Aspen {
    fn decide(&mut self, question: usize) -> Outcome<bool> {
        let context = self.contexts.get(question).ok_or("no such question")?;
        Ok(self.policies.evaluate(context)?.0 == Decision::Allow)
    }
}
