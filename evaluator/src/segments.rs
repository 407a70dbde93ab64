//! Patterns for ARNs, field by field.
//!
//! A wildcard stands for characters of its own field, so `arn:aws:iam::*:user/x` cannot reach into the name of
//! some other resource; only in the last field, the resource, are colons ordinary characters.

use crate::context::Context;
use crate::pattern::{Part, Pattern, Syntax, parse_parts};

/// The number of fields of an ARN.
const FIELDS: usize = 6;

/// A pattern for ARNs.
#[derive(Debug)]
pub(crate) enum ArnPattern {
    /// Everything, ARN or not.
    Any,
    /// The first five fields are literal: one comparison does.
    Whole(Pattern),
    /// The literal text up to the first field that is not literal, and the patterns of the fields from there.
    Fields(Box<str>, Box<[Pattern]>),
    /// No ARN has this form.
    Never(Box<str>),
}

impl ArnPattern {
    /// An entry of a Resource or NotResource element: `*` is everything, and missing fields are `*`, so that a
    /// trailing `*` reaches across the colons that follow.
    pub(crate) fn resource(text: &str, syntax: Syntax) -> Option<Self> {
        if let Some(plain) = Self::plain(text, syntax) {
            return Some(plain);
        }
        let parts = parse_parts(text, syntax)?;
        if matches!(parts.as_slice(), [Part::Many]) {
            return Some(Self::Any);
        }
        let mut fields = split(parts);
        while fields.len() < FIELDS {
            fields.push(vec![Part::Many]);
        }
        Some(Self::of_fields(fields))
    }

    /// A value of an Arn condition operator, all six fields of which must be there. The one exception is `*`
    /// alone, which AWS's own policies use for any ARN.
    pub(crate) fn condition(text: &str, syntax: Syntax) -> Option<Self> {
        let parts = parse_parts(text, syntax)?;
        if matches!(parts.as_slice(), [Part::Many]) {
            return Some(Self::Any);
        }
        let wild = parts.iter().any(|part| matches!(part, Part::Many | Part::One));
        Some(match (has_fields(&parts), wild) {
            (true, _) => Self::of_fields(split(parts)),
            // A variable may stand for a whole ARN.
            (false, false) => Self::Whole(Pattern::of_parts(parts)),
            (false, true) => Self::Never(text.into()),
        })
    }

    /// The usual case, in which all six fields are there and no variable stands before the last; `None` if it is
    /// not that. The text is looked at once: this is most of what compiling a document does.
    fn plain(text: &str, syntax: Syntax) -> Option<Self> {
        // Where each field begins, and the first that is not literal.
        let mut begins = [0; FIELDS];
        let mut field = 0;
        let mut wild = None;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b':' => {
                    field += 1;
                    *begins.get_mut(field)? = at + 1;
                    if field + 1 == FIELDS {
                        break;
                    }
                }
                b'$' => return None,
                b'*' | b'?' => wild = wild.or(Some(field)),
                _ => {}
            }
        }
        if field + 1 < FIELDS {
            return None;
        }
        let Some(wild) = wild else { return Pattern::parse(text, syntax).map(Self::Whole) };
        let head = text.get(..*begins.get(wild)?)?;
        let mut patterns = Vec::with_capacity(FIELDS - wild);
        for at in wild..FIELDS {
            let end = begins.get(at + 1).map_or(text.len(), |next| next - 1);
            patterns.push(Pattern::parse(text.get(*begins.get(at)?..end)?, syntax)?);
        }
        Some(Self::Fields(head.into(), patterns.into()))
    }

    fn of_fields(fields: Vec<Vec<Part>>) -> Self {
        let literal = |field: &Vec<Part>| field.iter().all(|part| matches!(part, Part::Literal(_)));
        let leading = fields.iter().take_while(|field| literal(field)).count().min(FIELDS - 1);
        let mut head = String::new();
        let mut rest = Vec::new();
        for (at, field) in fields.into_iter().enumerate() {
            if at >= leading {
                rest.push(field);
                continue;
            }
            for part in &field {
                if let Part::Literal(text) = part {
                    head.push_str(text);
                }
            }
            head.push(':');
        }
        if leading < FIELDS - 1 {
            let rest = rest.into_iter().map(Pattern::of_parts).collect();
            return Self::Fields(head.into(), rest);
        }
        let mut parts = rest.pop().unwrap_or_default();
        match parts.first_mut() {
            Some(Part::Literal(text)) => *text = format!("{head}{text}").into(),
            _ => parts.insert(0, Part::Literal(head.into())),
        }
        Self::Whole(Pattern::of_parts(parts))
    }

    pub(crate) fn matches(&self, text: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Never(_) => false,
            Self::Whole(pattern) => pattern.matches(text.as_bytes(), context),
            Self::Fields(head, patterns) => text.strip_prefix(&**head).is_some_and(|rest| {
                let mut fields = rest.splitn(patterns.len(), ':');
                patterns.iter().all(|pattern| {
                    fields.next().is_some_and(|field| pattern.matches(field.as_bytes(), context))
                })
            }),
        }
    }

    /// Whether it holds a variable that has no value.
    pub(crate) fn is_null(&self, context: &Context<'_>) -> bool {
        match self {
            Self::Any | Self::Never(_) => false,
            Self::Whole(pattern) => pattern.is_null(context),
            Self::Fields(_, patterns) => patterns.iter().any(|pattern| pattern.is_null(context)),
        }
    }

    /// The text that the last field of everything matching begins with.
    pub(crate) fn literal_name(&self) -> &str {
        match self {
            Self::Any | Self::Never(_) => "",
            Self::Whole(pattern) => {
                pattern.literal_prefix().splitn(FIELDS, ':').nth(FIELDS - 1).unwrap_or("")
            }
            Self::Fields(_, patterns) => patterns.last().map_or("", Pattern::literal_prefix),
        }
    }

    /// The pattern as it is written in a policy, for people.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Any => out.push('*'),
            Self::Never(text) => out.push_str(text),
            Self::Whole(pattern) => pattern.write(out),
            Self::Fields(head, patterns) => {
                out.push_str(head);
                for (at, pattern) in patterns.iter().enumerate() {
                    if at > 0 {
                        out.push(':');
                    }
                    pattern.write(out);
                }
            }
        }
    }
}

/// Whether the colons that are written make six fields.
fn has_fields(parts: &[Part]) -> bool {
    let colons = |part: &Part| match part {
        Part::Literal(text) => text.bytes().filter(|byte| *byte == b':').count(),
        _ => 0,
    };
    parts.iter().map(colons).sum::<usize>() + 1 >= FIELDS
}

/// Splits parts into at most six fields at the colons of their literals.
fn split(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut fields = vec![Vec::new()];
    for part in parts {
        let Part::Literal(text) = part else {
            push(&mut fields, part);
            continue;
        };
        let mut rest = &*text;
        while fields.len() < FIELDS
            && let Some((field, after)) = rest.split_once(':')
        {
            if !field.is_empty() {
                push(&mut fields, Part::Literal(field.into()));
            }
            fields.push(Vec::new());
            rest = after;
        }
        if !rest.is_empty() {
            push(&mut fields, Part::Literal(rest.into()));
        }
    }
    fields
}

fn push(fields: &mut [Vec<Part>], part: Part) {
    if let Some(last) = fields.last_mut() {
        last.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Syntax = Syntax { wildcards: true, variables: true };

    fn resource(pattern: &str, text: &str) -> bool {
        let mut context = Context::new();
        context.insert("a:name", "alice").insert("a:colon", "111122223333:role/x");
        ArnPattern::resource(pattern, ALL).unwrap().matches(text, &context)
    }

    fn condition(pattern: &str, text: &str) -> bool {
        ArnPattern::condition(pattern, ALL).unwrap().matches(text, &Context::new())
    }

    #[test]
    fn a_wildcard_stays_in_its_field() {
        assert!(resource("arn:aws:iam::*:user/a", "arn:aws:iam::111122223333:user/a"));
        assert!(!resource("arn:aws:iam::*:user/a", "arn:aws:iam::111122223333:role/x:user/a"));
        assert!(!resource("arn:*:iam::1:user/a", "arn:aws:s3:::b/k:iam::1:user/a"));
        assert!(resource("arn:aws:logs:*:*:log-group:*:b", "arn:aws:logs:r:1:log-group:a:x:b"));
    }

    #[test]
    fn a_trailing_star_reaches_across_colons_in_resources_only() {
        assert!(resource("arn:aws:sns:*", "arn:aws:sns:eu-west-1:111122223333:topic"));
        assert!(!condition("arn:aws:sns:*", "arn:aws:sns:eu-west-1:111122223333:topic"));
        assert!(condition("arn:aws:sns:*:*:*", "arn:aws:sns:eu-west-1:111122223333:topic:sub"));
        assert!(resource("arn:aws:s3:::bucket*", "arn:aws:s3:::bucket:odd/key"));
    }

    #[test]
    fn a_variable_cannot_shift_fields() {
        assert!(!resource("arn:aws:iam::${a:colon}", "arn:aws:iam::111122223333:role/x"));
        assert!(resource("arn:aws:iam::*:user/${a:name}", "arn:aws:iam::111122223333:user/alice"));
    }

    /// Every pattern that is read at once is also read part by part, to the same.
    #[test]
    fn the_quick_way_is_the_long_way() {
        let fields = ["aws", "*", "?", "a*", "*a", "", "a"];
        let names = ["b", "*", "b:c", "b*", "*b", "b:*", "?:c", "b/*/c", "", "${*}"];
        let texts = [
            "arn:aws:s3:::b",
            "arn:aws:s3:a::b:c",
            "arn:a:s3:x:aws:b/x/c",
            "arn:aws:s3:a:a:",
            "arn:x:s3:::ab",
            "arn:aws:s3::b",
            "b",
        ];
        let context = Context::new();
        for (partition, region) in fields.iter().flat_map(|one| fields.map(|other| (one, other))) {
            for (account, name) in fields.iter().flat_map(|one| names.map(|other| (one, other))) {
                let text = format!("arn:{partition}:s3:{region}:{account}:{name}");
                let long = ArnPattern::of_fields(split(parse_parts(&text, ALL).unwrap()));
                let Some(quick) = ArnPattern::plain(&text, ALL) else {
                    assert!(text.contains('$'), "{text}");
                    continue;
                };
                for text in texts {
                    assert_eq!(
                        quick.matches(text, &context),
                        long.matches(text, &context),
                        "{quick:?} {long:?} {text}"
                    );
                }
                assert_eq!(quick.literal_name(), long.literal_name(), "{quick:?} {long:?}");
                // What is escaped is shown as what it stands for.
                for pattern in [&quick, &long].into_iter().filter(|_| !text.contains('$')) {
                    let mut written = String::new();
                    pattern.write(&mut written);
                    assert_eq!(written, text);
                }
            }
        }
    }

    #[test]
    fn a_pattern_is_shown_as_it_was_written() {
        let shown = |pattern: Option<ArnPattern>| {
            let mut out = String::new();
            pattern.unwrap().write(&mut out);
            out
        };
        for text in ["*", "arn:aws:iam::*:user/${a:name}", "arn:${a:p}:iam::1:user/?", "arn:aws:s3:::b"] {
            assert_eq!(shown(ArnPattern::resource(text, ALL)), text);
            assert_eq!(shown(ArnPattern::condition(text, ALL)), text);
        }
        assert_eq!(shown(ArnPattern::resource("arn:aws:s3:*", ALL)), "arn:aws:s3:*:*:*");
        assert_eq!(shown(ArnPattern::condition("arn:aws:s3:*", ALL)), "arn:aws:s3:*");
        assert_eq!(shown(ArnPattern::condition("${a:name}", ALL)), "${a:name}");
    }

    #[test]
    fn one_comparison_does_where_five_fields_are_literal() {
        for text in
            ["arn:aws:s3:::b", "arn:aws:s3:::b*", "arn:aws:s3:::${a:name}/*", "arn:aws:iam::1:*x${a:name}"]
        {
            let pattern = ArnPattern::resource(text, ALL);
            assert!(matches!(pattern, Some(ArnPattern::Whole(_))), "{pattern:?}");
        }
        for text in ["arn:*:s3:::b", "arn:aws:iam::?:${a:name}", "arn:${a:name}:s3:::b", "arn:aws:s3::*:b"] {
            let pattern = ArnPattern::resource(text, ALL);
            assert!(matches!(pattern, Some(ArnPattern::Fields(_, _))), "{pattern:?}");
        }
    }

    #[test]
    fn everything_is_everything() {
        for text in ["", "*", "arn:aws:s3:::b", "no ARN"] {
            assert!(resource("*", text) && condition("*", text), "{text}");
        }
        assert!(!resource("arn:*", "*") && !condition("arn:*", "arn:aws:s3:::b"));
        assert!(resource("arn:*", "arn:aws:s3:::b"));
    }

    #[test]
    fn a_condition_asks_for_six_fields_or_for_one_value() {
        let mut context = Context::new();
        context.insert("a:arn", "arn:aws:s3:::b").insert("a:name", "b");
        let holds = |pattern, text| ArnPattern::condition(pattern, ALL).unwrap().matches(text, &context);
        assert!(holds("${a:arn}", "arn:aws:s3:::b") && !holds("${a:arn}", "arn:aws:s3:::c"));
        assert!(!holds("${a:arn}*", "arn:aws:s3:::b") && !holds("arn:aws:s3::*", "arn:aws:s3:::b"));
        assert!(holds("arn:aws:s3:::${a:name}", "arn:aws:s3:::b"));
        assert!(!holds("arn:aws:s3::${a:name}", "arn:aws:s3::b") || holds("arn:aws:s3::b", "arn:aws:s3::b"));
    }

    #[test]
    fn a_null_is_found_in_any_field() {
        let context = Context::new();
        let null = |text: &str| ArnPattern::resource(text, ALL).unwrap().is_null(&context);
        for text in [
            "arn:${a:b}:s3:::b",
            "arn:aws:s3:*:${a:b}:b",
            "arn:aws:s3:::${a:b}",
            "arn:aws:s3:::x${a:b}*",
            "arn:*:s3:::${a:b}",
        ] {
            assert!(null(text), "{text}");
        }
        for text in
            ["*", "arn:aws:s3:::b", "arn:aws:s3:*:1:b*", "arn:aws:s3:::${a:b, 'c'}", "arn:aws:s3:::${*}"]
        {
            assert!(!null(text), "{text}");
        }
        assert!(!ArnPattern::condition("arn:*", ALL).unwrap().is_null(&context));
    }

    #[test]
    fn what_a_name_begins_with() {
        let name = |text: &str| ArnPattern::resource(text, ALL).unwrap().literal_name().to_owned();
        for (text, expected) in [
            ("*", ""),
            ("arn:aws:s3:::b/k", "b/k"),
            ("arn:aws:s3:::b:c*", "b:c"),
            ("arn:aws:s3:*:1:b/*/c", "b/"),
            ("arn:aws:s3:::*b", ""),
            ("arn:aws:s3:::b${a:c}", "b"),
            ("arn:aws:s3:::${a:c}b", ""),
            ("arn:${a:c}:s3:::b/k*", "b/k"),
            ("arn:aws:s3:*", ""),
            ("arn:aws", ""),
        ] {
            assert_eq!(name(text), expected, "{text}");
        }
        assert_eq!(ArnPattern::condition("arn:*", ALL).unwrap().literal_name(), "");
    }

    #[test]
    fn case_counts() {
        assert!(!resource("arn:aws:s3:::Bucket/*", "arn:aws:s3:::bucket/k"));
    }
}
