//! Texts of a policy as they are matched: literal pieces, wildcards and variables.

use crate::context::Context;
use crate::variable::Variable;
use crate::wildcard::{self, Piece, Pieces};
use crate::without_case::Folded;

/// What may stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${...}` is a variable; so only in documents of version 2012-10-17.
    pub(crate) variables: bool,
}

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
mod tests {
    use super::*;

    const ALL: Syntax = Syntax { wildcards: true, variables: true };

    fn check(pattern: &str, text: &str, context: &Context<'_>) -> bool {
        let pattern = Pattern::parse(pattern, ALL).unwrap();
        pattern.matches(text.as_bytes(), context)
    }

    #[test]
    fn a_substituted_value_is_literal() {
        let mut context = Context::new();
        context
            .insert("a:star", "*")
            .insert("a:mark", "?")
            .insert("a:nested", "${a:star}")
            .insert("a:up", "/../");
        assert!(check("home/${a:star}/x", "home/*/x", &context));
        assert!(!check("home/${a:star}/x", "home/bob/x", &context));
        assert!(!check("home/${a:mark}", "home/b", &context));
        assert!(check("${a:nested}", "${a:star}", &context));
        assert!(!check("${a:nested}", "*", &context));
        assert!(check("home/${a:up}*", "home//../etc", &context));
    }

    #[test]
    fn a_variable_without_a_value_matches_nothing() {
        let context = Context::new();
        for text in ["", "home/", "home/x", "home/${a:b}", "*"] {
            assert!(!check("home/${a:b}*", text, &context));
            assert!(!check("${a:b}", text, &context));
        }
    }

    #[test]
    fn a_text_has_the_simplest_form_there_is() {
        let form = |text: &str, syntax| match Pattern::parse(text, syntax).unwrap() {
            Pattern::Exact(text) => format!("exactly {text}"),
            Pattern::Prefix(text) => format!("begins with {text}"),
            Pattern::Parts(parts) => format!("{} parts", parts.len()),
        };
        let plain = Syntax { wildcards: false, variables: false };
        for (text, expected) in [
            ("", "exactly "),
            ("a", "exactly a"),
            ("a$", "exactly a$"),
            ("a${*}", "exactly a*"),
            ("*", "begins with "),
            ("**", "begins with "),
            ("a*", "begins with a"),
            ("a**", "begins with a"),
            ("a$*", "begins with a$"),
            ("a${$}*", "begins with a$"),
            ("?", "1 parts"),
            ("a?", "2 parts"),
            ("*a", "2 parts"),
            ("*a*", "3 parts"),
            ("a*b", "3 parts"),
            ("a**b", "3 parts"),
            ("?*?", "3 parts"),
            ("${a:b}", "1 parts"),
            ("x${a:b}y${a:c}*", "5 parts"),
        ] {
            assert_eq!(form(text, ALL), expected, "{text}");
            assert_eq!(form(text, plain), format!("exactly {text}"));
            let (once, owned) = (Pattern::parse(text, ALL), Pattern::parse_owned(text.to_owned(), ALL));
            assert_eq!(format!("{once:?}"), format!("{owned:?}"));
        }
        assert_eq!(form("${a:b}?", Syntax { wildcards: false, variables: true }), "2 parts");
        assert_eq!(form("${a:b}?", Syntax { wildcards: true, variables: false }), "2 parts");
        for broken in ["${", "${}", "a${b", "${a'}", "${a, b}", "x${"] {
            assert!(Pattern::parse(broken, ALL).is_none(), "{broken}");
            assert!(Pattern::parse_owned(broken.to_owned(), ALL).is_none(), "{broken}");
            assert!(Pattern::parse(broken, plain).is_some(), "{broken}");
        }
    }

    #[test]
    fn a_pattern_is_shown_as_it_was_written() {
        for text in ["", "a", "*", "a*", "?a*b", "x${a:b}y", "${a:b, 'c d'}*"] {
            let mut out = String::new();
            Pattern::parse(text, ALL).unwrap().write(&mut out);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn what_a_pattern_begins_with() {
        for (text, expected) in [
            ("", ""),
            ("ab", "ab"),
            ("ab*", "ab"),
            ("ab?", "ab"),
            ("*ab", ""),
            ("?", ""),
            ("a${b:c}d", "a"),
            ("${b:c}d", ""),
        ] {
            assert_eq!(Pattern::parse(text, ALL).unwrap().literal_prefix(), expected, "{text}");
        }
    }

    #[test]
    fn case_is_ignored_in_what_is_written_and_in_what_is_put_in() {
        let mut context = Context::new();
        context.insert("a:b", "Été");
        let no_wildcards = Syntax { wildcards: false, variables: true };
        let same = |pattern: &str, text: &str| {
            Pattern::parse(pattern, no_wildcards).unwrap().equals_without_case(text, &context)
        };
        for (pattern, text) in [
            ("", ""),
            ("aB", "Ab"),
            ("x${a:b}Y", "XÉTÉy"),
            ("${a:b}${a:b}", "étéÉTÉ"),
            ("a*", "A*"),
            ("?", "?"),
        ] {
            assert!(same(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("ab", "a"),
            ("a", "ab"),
            ("x${a:b}", "xété!"),
            ("${a:c}", ""),
            ("a*", "ab"),
            ("?", "a"),
        ] {
            assert!(!same(pattern, text), "{pattern} {text}");
        }
        let prefix = Pattern::parse("a*", ALL).unwrap();
        assert!(!prefix.equals_without_case("a", &context) && !prefix.equals_without_case("ab", &context));
        assert!(!Pattern::parse("a?", ALL).unwrap().equals_without_case("ab", &context));
    }

    #[test]
    fn only_a_variable_can_be_null() {
        let mut context = Context::new();
        context.insert("a:there", "").insert("a:many", &["a"]);
        let null = |text: &str| Pattern::parse(text, ALL).unwrap().is_null(&context);
        assert!(null("${a:none}") && null("x${a:there}${a:none}*") && null("${a:many}"));
        assert!(!null("") && !null("a*") && !null("a?b") && !null("${a:there}") && !null("${a:none, ''}"));
    }

    #[test]
    fn an_empty_value_stands_anywhere() {
        let mut context = Context::new();
        context.insert("a:empty", "");
        for pattern in
            ["a*${a:empty}", "${a:empty}a*", "a${a:empty}?", "*${a:empty}b", "a?${a:empty}", "*${a:empty}*"]
        {
            assert!(check(pattern, "ab", &context), "{pattern}");
        }
        assert!(check("${a:empty}", "", &context) && !check("${a:empty}", "a", &context));
    }

    #[test]
    fn escapes_are_literal() {
        let context = Context::new();
        assert!(check("a${*}b${?}c${$}", "a*b?c$", &context));
        assert!(!check("a${*}b${?}c${$}", "axbxc$", &context));
    }

    #[test]
    fn a_dollar_alone_is_a_dollar_and_a_broken_variable_is_refused() {
        assert!(check("cost$5", "cost$5", &Context::new()));
        assert!(Pattern::parse("${a", ALL).is_none());
        assert!(Pattern::parse("${}", ALL).is_none());
        let plain = Syntax { wildcards: true, variables: false };
        let old = Pattern::parse("${a:b}*", plain).unwrap();
        assert!(old.matches(b"${a:b}c", &Context::new()), "in 2008-10-17 it is just text");
    }
}
