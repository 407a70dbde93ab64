//! Decisions as files: every file under `decisions/` is about one subject, names its source, and holds cases.
//!
//! A case takes what it does not say from its file. `expect` is the effect; `layer`, `statements` (Sids) and
//! `refused` (the message with which a document is not even compiled) are checked where they are given.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use reeve_evaluator::{
    Context, Decision, Effect, Kind, Layer, Policies, Policy, PolicySet, Principal, Request, Standing, Value,
    decide, explain,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the cases are about.
    #[serde(rename = "about")]
    _about: String,
    /// The page they were written from.
    source: String,
    #[serde(default)]
    given: Setting,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    given: Setting,
    #[serde(default)]
    expect: Option<String>,
    #[serde(default)]
    layer: Option<String>,
    #[serde(default)]
    statements: Option<Vec<String>>,
    #[serde(default)]
    clause: Option<String>,
    #[serde(default)]
    refused: Option<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
struct Setting {
    principal: Option<Who>,
    action: Option<String>,
    resource: Option<String>,
    account: Option<String>,
    context: BTreeMap<String, Json>,
    standing: Vec<String>,
    identity: Option<Vec<Json>>,
    boundary: Option<Vec<Json>>,
    session: Option<Vec<Json>>,
    resource_policy: Option<Vec<Json>>,
    trust: Option<Vec<Json>>,
    scp: Option<Vec<Vec<Json>>>,
    rcp: Option<Vec<Vec<Json>>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Who {
    Anonymous,
    Service(String),
    Root(String),
    User {
        arn: String,
        #[serde(default)]
        id: String,
    },
    Role {
        arn: String,
        session: String,
        #[serde(default)]
        id: String,
    },
    Federated {
        arn: String,
        behind: String,
    },
    Provider(String),
}

#[test]
fn every_case_is_decided_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decisions");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut count, mut failures) = (0, String::new());
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(file.source.starts_with("https://"), "{name} names no source");
        for case in &file.cases {
            count += 1;
            if let Err(failure) = check(&case.given.over(&file.given), case) {
                writeln!(failures, "{name}: {}: {failure}", case.name).unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(count >= 250, "{count} cases");
}

impl Setting {
    /// This setting, with what it does not say taken from `base`.
    fn over(&self, base: &Self) -> Self {
        let mut context = base.context.clone();
        context.extend(self.context.clone());
        context.retain(|_, value| !value.is_null());
        let (ours, base) = (self.clone(), base.clone());
        Self {
            principal: ours.principal.or(base.principal),
            action: ours.action.or(base.action),
            resource: ours.resource.or(base.resource),
            account: ours.account.or(base.account),
            context,
            standing: if ours.standing.is_empty() { base.standing } else { ours.standing },
            identity: ours.identity.or(base.identity),
            boundary: ours.boundary.or(base.boundary),
            session: ours.session.or(base.session),
            resource_policy: ours.resource_policy.or(base.resource_policy),
            trust: ours.trust.or(base.trust),
            scp: ours.scp.or(base.scp),
            rcp: ours.rcp.or(base.rcp),
        }
    }

    fn policies(&self) -> Result<Policies, String> {
        let levels = |levels: &Option<Vec<Vec<Json>>>, kind| {
            levels.iter().flatten().map(|level| set(level, kind)).collect::<Result<Vec<_>, _>>()
        };
        let optional =
            |documents: &Option<Vec<Json>>, kind| documents.as_ref().map(|all| set(all, kind)).transpose();
        let trust = optional(&self.trust, Kind::Trust)?;
        Ok(Policies {
            identity: optional(&self.identity, Kind::Identity)?.unwrap_or_default(),
            boundary: optional(&self.boundary, Kind::Boundary)?,
            session: optional(&self.session, Kind::Session)?,
            resource: trust.or(optional(&self.resource_policy, Kind::Resource)?),
            service_control: levels(&self.scp, Kind::ServiceControl)?.into(),
            resource_control: levels(&self.rcp, Kind::ResourceControl)?.into(),
        })
    }
}

fn set(documents: &[Json], kind: Kind) -> Result<PolicySet, String> {
    let compile = |document: &Json| {
        let document = match document {
            Json::Object(members) if members.contains_key("Statement") => document.clone(),
            statement => json!({"Version": "2012-10-17", "Statement": statement}),
        };
        Policy::compile(&document.to_string(), kind).map_err(|error| error.message)
    };
    documents.iter().map(compile).collect::<Result<Vec<_>, _>>().map(PolicySet::new)
}

fn check(setting: &Setting, case: &Case) -> Result<(), String> {
    let policies = match (setting.policies(), &case.refused) {
        (Ok(policies), None) => policies,
        (Err(message), Some(expected)) if message == *expected => return Ok(()),
        (Err(message), _) => return Err(format!("refused: {message}")),
        (Ok(_), Some(_)) => return Err("not refused".to_owned()),
    };
    let lists: Vec<(&str, Vec<String>)> = setting
        .context
        .iter()
        .filter_map(|(key, value)| Some((key.as_str(), serde_json::from_value(value.clone()).ok()?)))
        .collect();
    let mut context = Context::new();
    for (key, value) in &setting.context {
        match value {
            Json::String(text) => context.insert(key, text),
            Json::Bool(value) => context.insert(key, *value),
            Json::Number(number) => context.insert(key, number.as_i64().unwrap()),
            Json::Object(time) => context.insert(key, Value::Time(time["time"].as_i64().unwrap())),
            _ => context.insert(key, &lists.iter().find(|(known, _)| known == key).unwrap().1),
        };
    }
    let request = Request {
        principal: setting.principal.as_ref().ok_or("no principal")?.principal(),
        action: setting.action.as_deref().ok_or("no action")?,
        resource: setting.resource.as_deref().ok_or("no resource")?,
        resource_account: setting.account.as_deref().filter(|account| !account.is_empty()),
        context: &context,
        standing: standing(&setting.standing)?,
    };
    compare(&decide(&policies, &request), &policies, &request, case)
}

fn compare(
    decision: &Decision,
    policies: &Policies,
    request: &Request<'_>,
    case: &Case,
) -> Result<(), String> {
    let effect = match decision.effect {
        Effect::Allowed => "allowed",
        Effect::ExplicitDeny => "explicitDeny",
        Effect::ImplicitDeny => "implicitDeny",
    };
    let layer = match decision.layer {
        Layer::Request => "request",
        Layer::ResourceControl => "rcp",
        Layer::ServiceControl => "scp",
        Layer::Resource => "resource",
        Layer::Trust => "trust",
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
    };
    let sids: Vec<&str> = decision.statements(policies).map(|found| found.sid.unwrap_or("")).collect();
    let clause = decision.clause(request.action).to_string();
    let expected = case.expect.as_deref().ok_or("no expectation")?;
    let wrong = effect != expected
        || case.layer.as_deref().is_some_and(|expected| expected != layer)
        || case.statements.as_ref().is_some_and(|expected| *expected != sids)
        || case.clause.as_ref().is_some_and(|expected| *expected != clause);
    if wrong {
        let reasons = explain(policies, request).statements;
        return Err(format!(
            "expected {expected}, found {effect} in {layer} by {sids:?}, {clause}\n{reasons:#?}"
        ));
    }
    Ok(())
}

fn standing(words: &[String]) -> Result<Standing, String> {
    let mut standing = Standing::default();
    for word in words {
        match word.as_str() {
            "principal in the management account" => standing.principal_in_management_account = true,
            "resource in the management account" => standing.resource_in_management_account = true,
            "service-linked role" => standing.service_linked_role = true,
            "resource policy required" => standing.resource_policy_required = true,
            "ordinary" => {}
            other => return Err(format!("unknown standing {other}")),
        }
    }
    Ok(standing)
}

impl Who {
    fn principal(&self) -> Principal<'_> {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::Service(name) => Principal::Service(name),
            Self::Root(account) => Principal::Root { account },
            Self::User { arn, id } => Principal::User { arn, id },
            Self::Role { arn, session, id } => {
                Principal::RoleSession { role_arn: arn, role_id: id, session_arn: session }
            }
            Self::Federated { arn, behind } => {
                Principal::FederatedUser { arn, user_arn: behind, user_id: "" }
            }
            Self::Provider(provider) => Principal::Federated(provider),
        }
    }
}
