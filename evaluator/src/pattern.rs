//! Texts of a policy as they are matched: literal pieces, wildcards and variables.

mod parse;

use crate::context::Context;
use crate::variable::Variable;
use crate::wildcard::{self, Piece, Pieces};
use crate::without_case::Folded;

pub(crate) use parse::{Syntax, parse_parts};

/// A compiled text. The shapes that most texts have are matched without walking through parts.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Just this.
    Exact(Box<str>),
    /// This, and anything after it.
    Prefix(Box<str>),
    /// Anything else.
    Parts(Box<[Part]>),
}

#[derive(Debug)]
pub(crate) enum Part {
    Literal(Box<str>),
    One,
    Many,
    Variable(Box<Variable>),
}

impl Pattern {
    pub(crate) fn of_parts(mut parts: Vec<Part>) -> Self {
        match parts.as_mut_slice() {
            [] => Self::Exact("".into()),
            [Part::Many] => Self::Prefix("".into()),
            [Part::Literal(text)] => Self::Exact(std::mem::take(text)),
            [Part::Literal(text), Part::Many] => Self::Prefix(std::mem::take(text)),
            _ => Self::Parts(parts.into()),
        }
    }

    /// Whether all of `text` matches. A variable without a value matches nothing.
    pub(crate) fn matches(&self, text: &[u8], context: &Context<'_>) -> bool {
        match self {
            Self::Exact(literal) => literal.as_bytes() == text,
            Self::Prefix(literal) => text.starts_with(literal.as_bytes()),
            Self::Parts(parts) => match_parts(parts, text, context),
        }
    }

    /// Whether `text` is the same without case; for patterns without wildcards.
    pub(crate) fn equals_without_case(&self, text: &str, context: &Context<'_>) -> bool {
        let mut rest = Folded::of(text);
        let same = match self {
            Self::Exact(literal) => rest.consume(literal),
            Self::Prefix(_) => false,
            Self::Parts(parts) => parts.iter().all(|part| match part {
                Part::Literal(literal) => rest.consume(literal),
                Part::Variable(variable) => {
                    variable.text(context).is_some_and(|value| rest.consume(value.as_str()))
                }
                Part::One | Part::Many => false,
            }),
        };
        same && rest.is_empty()
    }

    /// Whether the pattern holds a variable that has no value.
    pub(crate) fn is_null(&self, context: &Context<'_>) -> bool {
        let Self::Parts(parts) = self else { return false };
        parts.iter().any(|part| matches!(part, Part::Variable(variable) if variable.text(context).is_none()))
    }

    /// The text that everything matching begins with.
    pub(crate) fn literal_prefix(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) => text,
            Self::Parts(parts) => match parts.first() {
                Some(Part::Literal(text)) => text,
                _ => "",
            },
        }
    }

    /// The pattern as it is written in a policy, for people.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Exact(text) => out.push_str(text),
            Self::Prefix(text) => {
                out.push_str(text);
                out.push('*');
            }
            Self::Parts(parts) => {
                for part in parts {
                    match part {
                        Part::Literal(text) => out.push_str(text),
                        Part::One => out.push('?'),
                        Part::Many => out.push('*'),
                        Part::Variable(variable) => variable.write(out),
                    }
                }
            }
        }
    }
}

/// What stands before the first star is compared once, part by part: that is most of what most patterns are.
fn match_parts(parts: &[Part], text: &[u8], context: &Context<'_>) -> bool {
    let (mut parts, mut rest) = (parts, text);
    while let Some((part, after)) = parts.split_first() {
        let left = match part {
            Part::Many if after.is_empty() => return true,
            Part::Many => return wildcard::matches(&Resolved { parts, context }, rest),
            Part::One => wildcard::one(rest).and_then(|width| rest.get(width..)),
            Part::Literal(literal) => rest.strip_prefix(literal.as_bytes()),
            Part::Variable(variable) => {
                variable.text(context).and_then(|value| rest.strip_prefix(value.as_bytes()))
            }
        };
        let Some(left) = left else { return false };
        (parts, rest) = (after, left);
    }
    rest.is_empty()
}

/// The parts with their variables replaced.
struct Resolved<'p> {
    parts: &'p [Part],
    context: &'p Context<'p>,
}

impl Pieces for Resolved<'_> {
    fn with<R>(&self, at: usize, visit: impl FnOnce(Piece<'_>, usize) -> R) -> Option<R> {
        let next = at + 1;
        Some(match self.parts.get(at)? {
            Part::Literal(text) => visit(Piece::Literal(text.as_bytes()), next),
            Part::One => visit(Piece::One, next),
            Part::Many => visit(Piece::Many, next),
            Part::Variable(variable) => match variable.text(self.context) {
                Some(text) => visit(Piece::Literal(text.as_bytes()), next),
                None => visit(Piece::Nothing, next),
            },
        })
    }
}

#[cfg(test)]
mod tests;
