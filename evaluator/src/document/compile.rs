//! From a document's JSON to statements, in the order in which AWS looks for faults: shape, version, what the
//! older parser refuses, then Sids, actions and resources.

use super::error::{Defect, Fault};
use super::json::{self, Json, Node};
use super::raw::{self, Document, Element, Place, Raw, items};
use super::{Kind, check};
use crate::condition::{Condition, Operator};
use crate::index::END;
use crate::pattern::{Pattern, Syntax};
use crate::principal::{self, Principals};
use crate::segments::ArnPattern;
use crate::statement::{Actions, Resources, Statement};

/// Compiles `text` of at most `characters_max` characters that are not whitespace. `old_version`: whether the document may be of version 2008-10-17, or say none.
pub(super) fn compile(
    text: &str,
    kind: Kind,
    characters_max: usize,
    old_version: bool,
) -> Result<Box<[Statement]>, Defect> {
    check_size(text, characters_max)?;
    let root = json::read(text)?;
    let document = raw::document(&root)?;
    for raw in &document.statements {
        check::elements(raw, kind)?;
    }
    let syntax = syntax(&document, old_version)?;
    let mut parts = Vec::with_capacity(document.statements.len());
    for raw in &document.statements {
        parts.push((effect(raw)?, conditions(raw, syntax)?));
    }
    let resources = check_statements(&document, kind, syntax)?;
    let mut statements = Vec::with_capacity(document.statements.len());
    for ((raw, (deny, conditions)), resources) in document.statements.iter().zip(parts).zip(resources) {
        statements.push(Statement {
            sid: raw.sid.and_then(Node::text).filter(|sid| !sid.is_empty()).map(Into::into),
            deny,
            actions: actions(raw)?,
            resources,
            principals: raw.principal.as_ref().map(|element| principals(element, &raw.place)).transpose()?,
            conditions,
        });
    }
    Ok(statements.into())
}

fn check_size(text: &str, limit: usize) -> Result<(), Defect> {
    if text.len() > limit && check::characters(text) > limit {
        let message = format!("Cannot exceed quota for PolicySize: {limit}");
        return Err(Defect { fault: Fault::Size, ..Defect::new(message, 0, "") });
    }
    Ok(())
}

/// Which syntax the document's texts have; in the older version `${` is just text.
fn syntax(document: &Document<'_>, old_version: bool) -> Result<Syntax, Defect> {
    let current = document.version.and_then(Node::text) == Some("2012-10-17");
    if !current && !old_version {
        let offset = document.version.map_or(0, |node| node.offset);
        return Err(Defect::new("Policy document must be version 2012-10-17 or greater.", offset, "Version"));
    }
    Ok(Syntax { wildcards: true, variables: current })
}

/// Whether the statement denies. The effect's name has case, but AWS notices only later.
fn effect(raw: &Raw<'_>) -> Result<bool, Defect> {
    match raw.effect.text() {
        Some("Allow") => Ok(false),
        Some("Deny") => Ok(true),
        _ => Err(Defect::new(check::LEGACY, raw.effect.offset, format!("{}.Effect", raw.place))),
    }
}

fn conditions(raw: &Raw<'_>, syntax: Syntax) -> Result<Box<[Condition]>, Defect> {
    let keys = raw.condition.iter().map(|operator| operator.value.object().len()).sum();
    let mut conditions = Vec::with_capacity(keys);
    for operator in raw.condition {
        let Some(parsed) = Operator::parse(&operator.key) else { continue };
        for key in operator.value.object() {
            let values = items(&key.value);
            let condition = Condition::compile(parsed, &key.key, values.iter().map(scalar), syntax);
            conditions.push(condition.map_err(|bad| {
                let offset = values.get(bad).map_or(key.offset, |node| node.offset);
                Defect::new(
                    check::LEGACY,
                    offset,
                    format!("{}.Condition.{}.{}", raw.place, operator.key, key.key),
                )
            })?);
        }
    }
    Ok(conditions.into())
}

/// The text of a value that need not be quoted.
fn scalar<'d>(node: &'d Node<'d>) -> &'d str {
    match &node.value {
        Json::Text(text) => text,
        Json::Number(digits) => digits,
        Json::Bool(true) => "true",
        _ => "false",
    }
}

/// The checks that look at all statements in turn, and the resources compiled on the way.
fn check_statements(
    document: &Document<'_>,
    kind: Kind,
    syntax: Syntax,
) -> Result<Vec<Option<Resources>>, Defect> {
    let statements = document.statements.as_slice();
    let mut malformed = None;
    let mut compiled = Vec::with_capacity(statements.len());
    for raw in statements {
        let Some(element) = &raw.resource else {
            compiled.push(None);
            continue;
        };
        malformed = malformed.or_else(|| malformed_resource(element, &raw.place));
        if malformed.is_none() {
            compiled.push(Some(resources(element, &raw.place, syntax)?));
        }
    }
    check::sids(statements, kind)?;
    statements.iter().try_for_each(check::actions_present)?;
    if let Some(defect) = malformed {
        return Err(defect);
    }
    for raw in statements {
        check_actions(raw, kind)?;
    }
    statements.iter().try_for_each(|raw| check::resources_present(raw, kind))?;
    Ok(compiled)
}

fn malformed_resource(element: &Element<'_>, place: &Place) -> Option<Defect> {
    element.items().iter().find_map(|item| {
        let message = check::resource(check::text(item)).err()?;
        Some(Defect::new(message, item.offset, format!("{place}.{}", element.name)))
    })
}

fn check_actions(raw: &Raw<'_>, kind: Kind) -> Result<(), Defect> {
    let Some(element) = &raw.action else { return Ok(()) };
    for item in element.items() {
        check::action(check::text(item), kind).map_err(|message| {
            Defect::new(message, item.offset, format!("{}.{}", raw.place, element.name))
        })?;
    }
    Ok(())
}

fn actions(raw: &Raw<'_>) -> Result<Actions, Defect> {
    let Some(element) = &raw.action else { return check::actions_present(raw).map(|()| Actions::default()) };
    let syntax = Syntax { wildcards: true, variables: false };
    let mut patterns = Vec::with_capacity(element.items().len());
    for item in element.items() {
        let text = check::text(item).to_ascii_lowercase();
        let legacy = || Defect::new(check::LEGACY, item.offset, format!("{}.{}", raw.place, element.name));
        // What ends an action in the index stands in none.
        let text = Some(text).filter(|text| !text.as_bytes().contains(&END)).ok_or_else(legacy)?;
        patterns.push(Pattern::parse_owned(text, syntax).ok_or_else(legacy)?);
    }
    Ok(Actions { negated: element.negated, patterns: patterns.into() })
}

fn resources(element: &Element<'_>, place: &Place, syntax: Syntax) -> Result<Resources, Defect> {
    let mut patterns = Vec::with_capacity(element.items().len());
    for item in element.items() {
        let text = check::text(item);
        let legacy = || Defect::new(check::LEGACY, item.offset, format!("{place}.{}", element.name));
        if !check::resource_fields(text) {
            return Err(legacy());
        }
        patterns.push(ArnPattern::resource(text, syntax).ok_or_else(legacy)?);
    }
    Ok(Resources { negated: element.negated, patterns: patterns.into() })
}

/// `"*"`, or an object of principal types.
fn principals(element: &Element<'_>, place: &Place) -> Result<Principals, Defect> {
    let path = || format!("{place}.{}", element.name);
    let mut principals = Principals::new(element.negated);
    let syntax = |offset| Defect::new(json::SYNTAX, offset, path());
    if let Some(text) = element.node.text() {
        if text != "*" {
            return Err(syntax(element.node.offset));
        }
        principals.anyone = true;
        return Ok(principals);
    }
    let Json::Object(members) = &element.node.value else { return Err(syntax(element.node.offset)) };
    for member in members {
        for item in items(&member.value) {
            let text = item.text().ok_or_else(|| syntax(item.offset))?;
            principals.add(&member.key, text).map_err(|fault| match fault {
                principal::Fault::Type => syntax(member.offset),
                principal::Fault::Value => {
                    let message = format!("Invalid principal in policy: \"{}\":\"{text}\"", member.key);
                    Defect::new(message, item.offset, path())
                }
            })?;
        }
    }
    if principals.is_empty() { Err(syntax(element.node.offset)) } else { Ok(principals) }
}
