//! Reading a text of a policy: what in it is a wildcard or a variable, and what stands for itself.

use super::{Part, Pattern};
use crate::variable::Variable;

/// What may stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${...}` is a variable; so only in documents of version 2012-10-17.
    pub(crate) variables: bool,
}

impl Pattern {
    /// Compiles `text`; `None` when it holds something that begins like a variable and is none.
    pub(crate) fn parse(text: &str, syntax: Syntax) -> Option<Self> {
        match special(text, syntax) {
            None => Some(Self::Exact(text.into())),
            Some(at) if at + 1 == text.len() && text.ends_with('*') => {
                Some(Self::Prefix(text.get(..at)?.into()))
            }
            Some(_) => Some(Self::of_parts(parse_parts(text, syntax)?)),
        }
    }

    /// The same of a text that is not needed any more.
    pub(crate) fn parse_owned(mut text: String, syntax: Syntax) -> Option<Self> {
        match special(&text, syntax) {
            None => Some(Self::Exact(text.into())),
            Some(at) if at + 1 == text.len() && text.ends_with('*') => {
                text.pop();
                Some(Self::Prefix(text.into()))
            }
            Some(_) => Some(Self::of_parts(parse_parts(&text, syntax)?)),
        }
    }
}

/// Where the first character stands that may mean more than itself.
fn special(text: &str, syntax: Syntax) -> Option<usize> {
    text.bytes().position(|byte| match byte {
        b'*' | b'?' => syntax.wildcards,
        b'$' => syntax.variables,
        _ => false,
    })
}

/// Splits a text into its parts. `${*}`, `${?}` and `${$}` are those characters themselves.
pub(crate) fn parse_parts(text: &str, syntax: Syntax) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    loop {
        let plain = rest.find(['*', '?', '$']).unwrap_or(rest.len());
        literal.push_str(rest.get(..plain)?);
        rest = rest.get(plain..)?;
        let Some(character) = rest.chars().next() else { break };
        let after = rest.get(1..)?;
        let part = match character {
            '*' if syntax.wildcards => Part::Many,
            '?' if syntax.wildcards => Part::One,
            '$' if syntax.variables && after.starts_with('{') => {
                let (inside, end) = after.get(1..)?.split_once('}')?;
                rest = end;
                if let "*" | "?" | "$" = inside {
                    literal.push_str(inside);
                    continue;
                }
                flush(&mut literal, &mut parts);
                parts.push(Part::Variable(Box::new(Variable::parse(inside)?)));
                continue;
            }
            other => {
                literal.push(other);
                rest = after;
                continue;
            }
        };
        flush(&mut literal, &mut parts);
        // Stars in a row say no more than one.
        if !matches!((&part, parts.last()), (Part::Many, Some(Part::Many))) {
            parts.push(part);
        }
        rest = after;
    }
    flush(&mut literal, &mut parts);
    Some(parts)
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal).into()));
    }
}
