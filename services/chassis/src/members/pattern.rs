//! AWS's patterns, compiled once each. They are Java's: `\w` and `\d` are ASCII, and the whole value must match.
//!
//! Nearly all are one class repeated, and nearly all values ASCII: for those the characters of the class are tabulated,
//! and the engine is left alone.

use std::sync::OnceLock;

use regex::Regex;

/// A pattern ready to be used.
pub(super) struct Pattern {
    /// As it is declared; patterns are told apart by where they lie.
    source: &'static str,
    /// Which ASCII characters are of the class, a bit each, when the pattern is `[class]*` or `[class]+`.
    ascii: Option<u128>,
    /// Nothing when the pattern does not compile, and then no value matches: a test sees to it that all do.
    regex: Option<Regex>,
}

/// The compiled form of a pattern.
pub(super) fn of(source: &'static str) -> &'static Pattern {
    // A table that only grows, read without a lock. It has room for several times the shapes there are.
    static TABLE: [OnceLock<Pattern>; 256] = [const { OnceLock::new() }; 256];
    static NONE: Pattern = Pattern { source: "", ascii: None, regex: None };
    // Where a text lies is as good as chance; its lowest bits are not.
    let start = (source.as_ptr().addr() >> 3) % TABLE.len();
    let (before, after) = TABLE.split_at_checked(start).unwrap_or_default();
    after
        .iter()
        .chain(before)
        .map(|place| place.get_or_init(|| Pattern::compile(source)))
        .find(|pattern| std::ptr::eq(pattern.source, source))
        .unwrap_or(&NONE)
}

impl Pattern {
    fn compile(source: &'static str) -> Self {
        let regex = Regex::new(&format!(r"\A(?:{})\z", of_java(source))).ok();
        let class = is_one_class(source);
        let ascii = regex.as_ref().filter(|_| class).map(|regex| {
            let is_in = |c: &u8| regex.is_match(char::from(*c).encode_utf8(&mut [0; 4]));
            (0..128).filter(is_in).fold(0, |set, c| set | 1 << c)
        });
        Self { source, ascii, regex }
    }

    /// Whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let of_class = |set: u128| text.bytes().all(|byte| byte < 128 && (set >> byte) & 1 == 1);
        // What the table refuses may hold characters beyond ASCII, and what is empty depends on the repetition.
        (!text.is_empty() && self.ascii.is_some_and(of_class))
            || self.regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// The pattern as the regex crate writes it.
fn of_java(source: &str) -> String {
    let mut text = String::with_capacity(source.len() + 16);
    let mut in_class = false;
    let mut characters = source.chars();
    while let Some(c) = characters.next() {
        match (c, in_class) {
            ('\\', _) => match (characters.next(), in_class) {
                (Some('w'), true) => text.push_str("0-9A-Za-z_"),
                (Some('w'), false) => text.push_str("[0-9A-Za-z_]"),
                (Some('d'), true) => text.push_str("0-9"),
                (Some('d'), false) => text.push_str("[0-9]"),
                (escaped, _) => {
                    text.push('\\');
                    text.extend(escaped);
                }
            },
            ('[', false) => {
                in_class = true;
                text.push('[');
            }
            (']', true) => {
                in_class = false;
                text.push(']');
            }
            _ => text.push(c),
        }
    }
    text
}

/// Whether the pattern is one class, repeated.
fn is_one_class(source: &str) -> bool {
    let Some(class) = source.strip_prefix('[') else { return false };
    let Some(class) = class.strip_suffix("]+").or_else(|| class.strip_suffix("]*")) else { return false };
    let mut escaped = false;
    for c in class.chars() {
        if c == ']' && !escaped {
            return false;
        }
        escaped = c == '\\' && !escaped;
    }
    !escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::sync::LazyLock;

    use prost_reflect::{DescriptorPool, Value};

    use super::*;

    /// Every pattern that a shape declares.
    fn declared() -> Vec<&'static str> {
        let pool = DescriptorPool::decode(reeve_proto::DESCRIPTOR).unwrap();
        let limits = pool.get_extension_by_name("reeve.operation.v1.limits").unwrap();
        let shapes = pool.get_enum_by_name("reeve.operation.v1.Shape").unwrap();
        let mut patterns = Vec::new();
        for shape in shapes.values() {
            let value = shape.options().get_extension(&limits).into_owned();
            let Value::Message(limits) = value else { panic!("{} has no limits", shape.name()) };
            let pattern = limits.get_field_by_name("pattern").unwrap().as_str().unwrap().to_owned();
            if !pattern.is_empty() {
                patterns.push(&*pattern.leak());
            }
        }
        assert!(patterns.len() > 20);
        patterns
    }

    #[test]
    fn every_declared_pattern_compiles_and_there_is_room_for_all() {
        let patterns = declared();
        assert!(patterns.len() < 128, "the table is to be enlarged");
        for source in patterns {
            assert!(Pattern::compile(source).regex.is_some(), "{source}");
            assert!(std::ptr::eq(of(source), of(source)), "{source}");
        }
    }

    #[test]
    fn the_whole_value_matches_and_words_are_ascii() {
        for (source, value, expected) in [
            (r"[\w+=,.@-]+", "alice@example.com", true),
            (r"[\w+=,.@-]+", "alice smith", false),
            (r"[\w+=,.@-]+", "älice", false),
            (r"[\w+=,.@-]+", "alice\n", false),
            (r"[\w+=,.@-]+", "", false),
            (r"[\w+=,.@-]*", "", true),
            (r"[\d]*", "٣", false),
            (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "Größe 1", true),
            (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "a*b", false),
            (r"[\w+=,.@:\/-]*", "a/b", true),
            (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a/b/", true),
            (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a/b", false),
            (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/\n/a/", false),
            (r"[A-Za-z0-9.:\[\]*-]+", "[::1]:7443", true),
            (r"[^\x00-\x1F\x7F]+", "arn:aws:s3:::ü", true),
            (r"[^\x00-\x1F\x7F]+", "a\0", false),
            (r"\w\d", "a1", true),
        ] {
            assert_eq!(of(source).matches(value), expected, "{source} {value:?}");
        }
    }

    #[test]
    fn only_a_single_class_is_tabulated() {
        for (source, expected) in [
            (r"[\w+=,.@-]+", true),
            (r"[a\]b]*", true),
            (r"[A-Za-z0-9.:\[\]*-]+", true),
            (r"[a]b[c]+", false),
            (r"[a]", false),
            (r"(a)|[b]+", false),
            (r"v[1-9][0-9]*", false),
        ] {
            assert_eq!(is_one_class(source), expected, "{source}");
        }
    }

    proptest! {
        #[test]
        fn the_table_says_what_the_engine_says(text in "\\PC{0,12}|[ -~]{0,12}", at in 0usize..64) {
            static PATTERNS: LazyLock<Vec<&'static str>> = LazyLock::new(declared);
            let pattern = of(PATTERNS[at % PATTERNS.len()]);
            let by_engine = pattern.regex.as_ref().unwrap().is_match(&text);
            prop_assert_eq!(pattern.matches(&text), by_engine);
        }
    }
}
