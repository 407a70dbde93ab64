//! One line of output: the decision, what decided, and where it is told why.

use std::io::{self, Write};

use reeve_chassis::authorize::{effect_name, layer_name};
use reeve_evaluator::{Decision, Outcome, Policies, StatementReport};
use serde::Serialize;
use serde_json::value::RawValue;

use super::line::Expected;

/// What is answered where there is no decision.
const ERROR: &str = "error";

/// The answer to a line.
#[derive(Serialize)]
pub(crate) struct Answer<'t> {
    /// As the line gives it; its number otherwise.
    #[serde(skip)]
    id: Option<&'t RawValue>,
    decision: &'static str,
    layer: Option<&'static str>,
    statements: Vec<Statement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What the line expected, when that is not the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<Reason>>,
}

#[derive(Serialize)]
struct Statement {
    policy: String,
    sid: Option<String>,
    index: usize,
}

/// What one statement made of the request.
#[derive(Serialize)]
pub(crate) struct Reason {
    layer: &'static str,
    policy: String,
    sid: Option<String>,
    index: usize,
    effect: &'static str,
    /// `matched`, or the first element that did not: `principal`, `action`, `resource` or `condition`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Unmet>,
}

#[derive(Serialize)]
struct Unmet {
    operator: String,
    key: String,
    expected: Vec<String>,
    found: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: Id<'a>,
    #[serde(flatten)]
    answer: &'a Answer<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Id<'a> {
    Given(&'a RawValue),
    Number(u64),
}

impl<'t> Answer<'t> {
    pub(crate) fn decided(
        decision: &Decision,
        policies: &Policies,
        expected: Option<Expected>,
        reasons: Option<Vec<Reason>>,
    ) -> Self {
        let statements = decision.statements(policies).map(|statement| Statement {
            policy: statement.policy.to_owned(),
            sid: statement.sid.map(str::to_owned),
            index: statement.index,
        });
        Self {
            id: None,
            decision: effect_name(decision.effect),
            layer: Some(layer_name(decision.layer)),
            statements: statements.collect(),
            error: None,
            expected: expected.map(Expected::name),
            reasons,
        }
    }

    pub(crate) fn error(reason: String) -> Self {
        Self {
            id: None,
            decision: ERROR,
            layer: None,
            statements: Vec::new(),
            error: Some(reason),
            expected: None,
            reasons: None,
        }
    }

    /// The same answer, to a line of that id.
    pub(crate) fn to(self, id: Option<&'t RawValue>) -> Self {
        Self { id, ..self }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.error.is_some()
    }

    pub(crate) fn is_mismatch(&self) -> bool {
        self.expected.is_some()
    }

    /// Writes the answer to the line of that number.
    pub(crate) fn write(&self, number: u64, output: &mut impl Write) -> io::Result<()> {
        let id = self.id.map_or(Id::Number(number), Id::Given);
        serde_json::to_writer(&mut *output, &Line { id, answer: self })?;
        output.write_all(b"\n")
    }
}

pub(crate) fn reasons(reports: Vec<StatementReport>) -> Vec<Reason> {
    reports.into_iter().map(Reason::from).collect()
}

impl From<StatementReport> for Reason {
    fn from(report: StatementReport) -> Self {
        let outcome = match &report.outcome {
            Outcome::Matched => "matched",
            Outcome::Principal => "principal",
            Outcome::Action => "action",
            Outcome::Resource => "resource",
            Outcome::Condition { .. } => "condition",
            _ => "other",
        };
        let condition = match report.outcome {
            Outcome::Condition { operator, key, expected, found } => {
                Some(Unmet { operator, key, expected, found })
            }
            _ => None,
        };
        Self {
            layer: layer_name(report.layer),
            policy: report.policy,
            sid: report.sid,
            index: report.index,
            effect: effect_name(report.effect),
            outcome,
            condition,
        }
    }
}
