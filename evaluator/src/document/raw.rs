//! The shape of a document: which elements there are and what JSON stands in them, before any meaning.

use std::fmt;

use super::error::Defect;
use super::json::{Json, Member, Node, SYNTAX};
use crate::condition::Operator;

/// A document whose shape is right.
pub(super) struct Document<'d> {
    /// `Version`, as written.
    pub(super) version: Option<&'d Node<'d>>,
    pub(super) statements: Vec<Raw<'d>>,
}

/// A statement whose shape is right.
pub(super) struct Raw<'d> {
    pub(super) place: Place,
    pub(super) offset: usize,
    pub(super) sid: Option<&'d Node<'d>>,
    pub(super) effect: &'d Node<'d>,
    pub(super) action: Option<Element<'d>>,
    pub(super) resource: Option<Element<'d>>,
    pub(super) principal: Option<Element<'d>>,
    pub(super) condition: &'d [Member<'d>],
}

/// How error messages call a statement: `Statement[2]`, or `Statement` when it stands alone.
#[derive(Clone, Copy)]
pub(super) struct Place {
    index: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            None => f.write_str("Statement"),
            Some(index) => write!(f, "Statement[{index}]"),
        }
    }
}

/// An element or its negation: `Action` or `NotAction`.
#[derive(Clone, Copy)]
pub(super) struct Element<'d> {
    pub(super) name: &'static str,
    pub(super) negated: bool,
    pub(super) node: &'d Node<'d>,
}

impl<'d> Element<'d> {
    pub(super) fn items(&self) -> &'d [Node<'d>] {
        items(self.node)
    }
}

/// The elements of an array, or the one value that stands in its place.
pub(super) fn items<'d>(node: &'d Node<'d>) -> &'d [Node<'d>] {
    match &node.value {
        Json::Array(items) => items,
        _ => std::slice::from_ref(node),
    }
}

impl<'d> Node<'d> {
    pub(crate) fn text(&'d self) -> Option<&'d str> {
        match &self.value {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    fn members(&'d self, path: impl fmt::Display) -> Result<&'d [Member<'d>], Defect> {
        match &self.value {
            Json::Object(members) => Ok(members),
            _ => Err(Defect::new(SYNTAX, self.offset, path.to_string())),
        }
    }
}

/// Checks the shape of the whole document.
pub(super) fn document<'d>(root: &'d Node<'d>) -> Result<Document<'d>, Defect> {
    let (mut version, mut statement) = (None, None);
    for Member { key, offset, value } in root.members("")? {
        match &**key {
            "Version" if matches!(value.text(), Some("2008-10-17" | "2012-10-17")) => version = Some(value),
            "Id" if value.text().is_some() => {}
            "Statement" => statement = Some(value),
            _ => return Err(Defect::new(SYNTAX, *offset, &**key)),
        }
    }
    let node = statement.ok_or_else(|| Defect::new(SYNTAX, root.offset, ""))?;
    let single = matches!(node.value, Json::Object(_));
    if items(node).is_empty() {
        return Err(Defect::new(SYNTAX, node.offset, "Statement"));
    }
    let mut statements = Vec::with_capacity(items(node).len());
    for (index, node) in items(node).iter().enumerate() {
        statements.push(raw(node, Place { index: (!single).then_some(index) })?);
    }
    Ok(Document { version, statements })
}

fn raw<'d>(node: &'d Node<'d>, place: Place) -> Result<Raw<'d>, Defect> {
    let members = node.members(place)?;
    let fault = |offset: usize, name: &str| Defect::new(SYNTAX, offset, format!("{place}.{name}"));
    let (mut sid, mut effect, mut condition) = (None, None, [].as_slice());
    let (mut action, mut resource, mut principal) = (None, None, None);
    for Member { key, offset, value } in members {
        match &**key {
            "Sid" if value.text().is_some() => sid = Some(value),
            "Effect" => {
                let known = value.text().is_some_and(|effect| {
                    effect.eq_ignore_ascii_case("Allow") || effect.eq_ignore_ascii_case("Deny")
                });
                effect = Some(value).filter(|_| known);
            }
            "Condition" => {
                condition = value.members(format_args!("{place}.Condition"))?;
                check_condition(condition, place)?;
            }
            "Principal" | "NotPrincipal" => {
                set(&mut principal, key, value).map_err(|name| fault(*offset, name))?;
            }
            "Action" | "NotAction" => {
                check_texts(value).map_err(|at| fault(at, key))?;
                set(&mut action, key, value).map_err(|name| fault(*offset, name))?;
            }
            "Resource" | "NotResource" => {
                check_texts(value).map_err(|at| fault(at, key))?;
                set(&mut resource, key, value).map_err(|name| fault(*offset, name))?;
            }
            other => return Err(fault(*offset, other)),
        }
    }
    let effect = effect.ok_or_else(|| fault(node.offset, "Effect"))?;
    Ok(Raw { place, offset: node.offset, sid, effect, action, resource, principal, condition })
}

/// Sets an element that may stand there once, plain or negated.
fn set<'d>(slot: &mut Option<Element<'d>>, key: &str, node: &'d Node<'d>) -> Result<(), &'static str> {
    let (name, negated) = match key {
        "Action" => ("Action", false),
        "NotAction" => ("NotAction", true),
        "Resource" => ("Resource", false),
        "NotResource" => ("NotResource", true),
        "Principal" => ("Principal", false),
        _ => ("NotPrincipal", true),
    };
    if slot.is_some() {
        return Err(name);
    }
    *slot = Some(Element { name, negated, node });
    Ok(())
}

/// A text or an array of texts; else the offset of what is neither.
fn check_texts(node: &Node<'_>) -> Result<(), usize> {
    match items(node).iter().find(|item| item.text().is_none()) {
        Some(item) => Err(item.offset),
        None => Ok(()),
    }
}

/// Operators that exist, with objects of keys, with scalar values.
fn check_condition(operators: &[Member<'_>], place: Place) -> Result<(), Defect> {
    for operator in operators {
        let name = || format!("{place}.Condition.{}", operator.key);
        let keys = operator.value.members(format_args!("{place}.Condition.{}", operator.key))?;
        // AWS takes an operator without keys for no condition at all, whatever it is called.
        if !keys.is_empty() && Operator::parse(&operator.key).is_none() {
            return Err(Defect::new(SYNTAX, operator.offset, name()));
        }
        for key in keys {
            let scalar =
                |node: &&Node<'_>| !matches!(node.value, Json::Text(_) | Json::Bool(_) | Json::Number(_));
            if let Some(odd) = items(&key.value).iter().find(scalar) {
                return Err(Defect::new(SYNTAX, odd.offset, format!("{}.{}", name(), key.key)));
            }
        }
    }
    Ok(())
}
