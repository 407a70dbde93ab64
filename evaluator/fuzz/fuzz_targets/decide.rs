//! Any request under any policies is decided, alike each time; an explanation agrees; and a Deny of everything denies.
//!
//! The input is lines: the action, the resource, the principal, how the policies are layered, then condition keys as
//! `key=value` (`key=[value,value` for several), and after an empty line the documents, one a line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reeve_evaluator::{
    Context, Effect, Kind, Outcome, Policies, Policy, PolicySet, Principal, Request, decide, explain,
};

fuzz_target!(|text: &str| {
    let (head, documents) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut line = || lines.next().unwrap_or_default();
    let (action, resource, who, layered) = (line(), line(), line(), line());
    let keys: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    let lists: Vec<Vec<&str>> = keys.iter().map(|(_, value)| value.split(',').collect()).collect();
    let mut context = Context::new();
    for ((key, value), list) in keys.iter().zip(&lists) {
        match value.strip_prefix('[') {
            Some(_) => context.insert(key, list.as_slice()),
            None => context.insert(key, *value),
        };
    }
    let mut request = Request::new(principal(who), action, resource, &context).owned_by("111122223333");
    request.standing.resource_policy_required = layered.contains('k');
    let policies = policies(layered, documents);
    let decision = decide(&policies, &request);
    let again = explain(&policies, &request);
    assert_eq!((decision.effect, decision.layer), (again.decision.effect, again.decision.layer));
    for named in decision.statements(&policies) {
        let known = again.statements.iter().find(|report| {
            (report.layer, report.level, &*report.policy, report.index) == (named.layer, named.level, named.policy, named.index)
        });
        assert_eq!(known.map(|report| &report.outcome), Some(&Outcome::Matched), "{named:?}");
    }
    if decision.invalid.is_none() {
        let closed = Policies { resource: Some(PolicySet::new([Policy::unreadable(Kind::Resource)])), ..policies };
        assert_eq!(decide(&closed, &request).effect, Effect::ExplicitDeny);
    }
});

fn principal(who: &str) -> Principal<'_> {
    const ROLE: &str = "arn:aws:iam::111122223333:role/path/app";
    match who.split_at_checked(1) {
        Some(("u", arn)) => Principal::User { arn, id: "AIDAEXAMPLEEXAMPLE123" },
        Some(("r", session_arn)) => Principal::RoleSession { role_arn: ROLE, role_id: "", session_arn },
        Some(("f", arn)) => Principal::FederatedUser { arn, user_arn: "", user_id: "" },
        Some(("s", name)) => Principal::Service(name),
        Some(("p", name)) => Principal::Federated(name),
        Some(("a", _)) => Principal::Anonymous,
        _ => Principal::Root { account: "111122223333" },
    }
}

/// The documents that compile, each in the layer that the next letter says.
fn policies(layered: &str, documents: &str) -> Policies {
    let (mut identity, mut boundary, mut session, mut resource, mut control) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((at, text), letter) in documents.lines().enumerate().zip(layered.chars().chain(std::iter::repeat('i'))) {
        let (layer, kind) = match letter {
            'b' => (&mut boundary, Kind::Boundary),
            's' => (&mut session, Kind::Session),
            'r' => (&mut resource, Kind::Resource),
            't' => (&mut resource, Kind::Trust),
            'c' => (&mut control, Kind::ServiceControl),
            _ => (&mut identity, Kind::Identity),
        };
        layer.extend(Policy::compile(text, kind).map(|policy| policy.named(at.to_string())));
    }
    let some = |policies: Vec<Policy>| (!policies.is_empty()).then(|| PolicySet::new(policies));
    Policies {
        identity: PolicySet::new(identity),
        boundary: some(boundary),
        session: some(session),
        resource: some(resource),
        service_control: control.into_iter().map(|policy| PolicySet::new([policy])).collect(),
        resource_control: [].into(),
    }
}
