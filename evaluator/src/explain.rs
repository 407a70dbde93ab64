//! Decisions with their reasons, for those who may see them.

use crate::condition::Condition;
use crate::context::{Context, Value};
use crate::decide::{ask, decide};
use crate::decision::{Decision, Effect, Layer};
use crate::policies::{Policies, PolicySet};
use crate::request::Request;
use crate::statement::{Ask, Statement, Unmet};
use crate::text::Text;

/// A decision and, for each statement that could have mattered, why it did or did not match.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The decision, the same that [`decide`] gives.
    pub decision: Decision,
    /// The statements of every layer, in the order of evaluation.
    pub statements: Vec<StatementReport>,
}

/// What one statement made of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementReport {
    /// The layer the statement stands in.
    pub layer: Layer,
    /// For control policies, the level of the organization, the root being 0.
    pub level: usize,
    /// The policy's name, or empty.
    pub policy: String,
    /// The statement's Sid.
    pub sid: Option<String>,
    /// The statement's position in its document, from 0.
    pub index: usize,
    /// What the statement would do: [`Effect::Allowed`] or [`Effect::ExplicitDeny`].
    pub effect: Effect,
    /// Whether it applied to the request.
    pub outcome: Outcome,
}

/// Whether a statement applied and, if not, the first element that did not match.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Every element matched.
    Matched,
    /// The principal is not the statement's.
    Principal,
    /// The action is not the statement's.
    Action,
    /// The resource is not the statement's.
    Resource,
    /// A condition was not met.
    Condition {
        /// The operator.
        operator: String,
        /// The condition key, as written.
        key: String,
        /// The values the statement asks for.
        expected: Vec<String>,
        /// The values the request has; `None` when it has no such key.
        found: Option<Vec<String>>,
    },
}

/// Decides like [`decide`] and keeps the reasons. It costs in proportion to the number of statements.
#[must_use]
pub fn explain(policies: &Policies, request: &Request<'_>) -> Explanation {
    let action = request.action.to_ascii_lowercase();
    let ask = ask(policies, request, action.as_bytes());
    let mut statements = Vec::new();
    let mut report = |layer, level, set: &PolicySet| {
        statements.extend(set.statements().map(|(policy, index, statement)| StatementReport {
            layer,
            level,
            policy: policy.to_owned(),
            sid: statement.sid.as_deref().map(ToOwned::to_owned),
            index,
            effect: if statement.deny { Effect::ExplicitDeny } else { Effect::Allowed },
            outcome: outcome(statement, &ask),
        }));
    };
    for (layer, levels) in [
        (Layer::ResourceControl, &policies.resource_control),
        (Layer::ServiceControl, &policies.service_control),
    ] {
        levels.iter().enumerate().for_each(|(level, set)| report(layer, level, set));
    }
    if let Some(resource) = &policies.resource {
        report(if ask.is_about_trust(policies) { Layer::Trust } else { Layer::Resource }, 0, resource);
    }
    report(Layer::Identity, 0, &policies.identity);
    for (layer, set) in [(Layer::Boundary, &policies.boundary), (Layer::Session, &policies.session)] {
        set.iter().for_each(|set| report(layer, 0, set));
    }
    Explanation { decision: decide(policies, request), statements }
}

fn outcome(statement: &Statement, ask: &Ask<'_>) -> Outcome {
    match statement.check(ask, false, false) {
        Ok(_) => Outcome::Matched,
        Err(Unmet::Principal) => Outcome::Principal,
        Err(Unmet::Action) => Outcome::Action,
        Err(Unmet::Resource) => Outcome::Resource,
        Err(Unmet::Condition(condition)) => unmet(condition, ask.context),
    }
}

fn unmet(condition: &Condition, context: &Context<'_>) -> Outcome {
    Outcome::Condition {
        operator: condition.operator().name(),
        key: condition.key().to_owned(),
        expected: condition.expected(),
        found: context.get(condition.key()).map(texts),
    }
}

fn texts(value: Value<'_>) -> Vec<String> {
    match value {
        Value::Texts(texts) => texts.iter().map(ToString::to_string).collect(),
        Value::Strings(texts) => texts.to_vec(),
        single => Text::of(single).iter().map(|text| text.as_str().to_owned()).collect(),
    }
}
