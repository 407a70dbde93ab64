//! The values a condition asks for, compiled to what its operator compares.

use std::net::IpAddr;

use super::operator::{Order, Test};
use super::{date, network::Network, number};
use crate::context::{Context, Value};
use crate::pattern::{Pattern, Syntax};
use crate::segments::ArnPattern;
use crate::text::Text;

/// A condition's values.
#[derive(Debug)]
pub(crate) enum Values {
    /// Literal texts, sorted, so that thousands of them cost no more than a few.
    Literals(Box<[Box<str>]>),
    /// Bytes in base64, likewise.
    Bytes(Box<[Box<str>]>),
    Patterns(Box<[Pattern]>),
    /// Texts that are compared without case.
    WithoutCase(Box<[Pattern]>),
    Arns(Box<[ArnPattern]>),
    Numbers(Order, Box<[number::Number]>),
    Dates(Order, Box<[date::Moment]>),
    Bools(Box<[bool]>),
    Networks(Box<[Network]>),
}

/// What comparing one value came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Match,
    NoMatch,
    /// The value is not of the type that the operator compares.
    Incomparable,
}

impl From<bool> for Verdict {
    fn from(matches: bool) -> Self {
        if matches { Self::Match } else { Self::NoMatch }
    }
}

impl Values {
    /// Compiles the texts of a condition; the position of the first that is none of its operator's.
    pub(crate) fn compile<'t>(
        test: Test,
        texts: impl Iterator<Item = &'t str> + Clone,
        syntax: Syntax,
    ) -> Result<Self, usize> {
        let plain = Syntax { wildcards: false, ..syntax };
        Ok(match test {
            Test::Text
                if !(syntax.variables && texts.clone().any(|text| text.bytes().any(|byte| byte == b'$'))) =>
            {
                Self::Literals(sorted(texts.map(Into::into).collect()))
            }
            Test::Text => Self::Patterns(each(texts, |text| Pattern::parse(text, plain))?),
            Test::TextFolded => Self::WithoutCase(each(texts, |text| Pattern::parse(text, plain))?),
            Test::Like => Self::Patterns(each(texts, |text| Pattern::parse(text, syntax))?),
            Test::Arn => Self::Arns(each(texts, |text| ArnPattern::condition(text, syntax))?),
            Test::Number(order) => Self::Numbers(order, each(texts, number::parse)?),
            Test::Date(order) => Self::Dates(order, each(texts, date::parse)?),
            Test::Bool | Test::Null => Self::Bools(each(texts, boolean)?),
            Test::Binary => Self::Bytes(sorted(each(texts, |text| is_base64(text).then(|| text.into()))?)),
            Test::Address => Self::Networks(each(texts, Network::parse)?),
        })
    }

    /// Whether any of the values matches `value`, which is a single one.
    pub(crate) fn compare(&self, value: Value<'_>, context: &Context<'_>) -> Verdict {
        match self {
            Self::Literals(_) | Self::Bytes(_) | Self::Patterns(_) | Self::WithoutCase(_) | Self::Arns(_) => {
                self.compare_text(value, context)
            }
            Self::Numbers(order, limits) => {
                let number = match value {
                    Value::Text(text) => number::parse(text),
                    Value::Integer(number) | Value::Time(number) => Some(number::from_integer(number)),
                    _ => None,
                };
                any(number, limits, |number, limit| order.holds(number, limit))
            }
            Self::Dates(order, limits) => {
                let moment = match value {
                    Value::Text(text) => date::parse(text),
                    Value::Integer(seconds) | Value::Time(seconds) => Some(date::from_seconds(seconds)),
                    _ => None,
                };
                any(moment, limits, |moment, limit| order.holds(moment, limit))
            }
            Self::Bools(values) => {
                let found = match value {
                    Value::Bool(found) => Some(found),
                    Value::Text(text) => boolean(text),
                    _ => None,
                };
                any(found, values, |found, value| found == value)
            }
            Self::Networks(networks) => {
                let address: Option<IpAddr> = match value {
                    Value::Text(text) => text.parse().ok(),
                    _ => None,
                };
                any(address, networks, |address, network| network.contains(*address))
            }
        }
    }

    fn compare_text(&self, value: Value<'_>, context: &Context<'_>) -> Verdict {
        if let Value::Text(text) = value {
            return self.compare_str(text, context);
        }
        Text::of(value).map_or(Verdict::Incomparable, |text| self.compare_str(text.as_str(), context))
    }

    fn compare_str(&self, text: &str, context: &Context<'_>) -> Verdict {
        match self {
            Self::Literals(literals) => holds(literals, text).into(),
            Self::Bytes(_) if !is_base64(text) => Verdict::Incomparable,
            Self::Bytes(literals) => holds(literals, text).into(),
            Self::Patterns(patterns) => {
                patterns.iter().any(|pattern| pattern.matches(text.as_bytes(), context)).into()
            }
            Self::WithoutCase(patterns) => {
                patterns.iter().any(|pattern| pattern.equals_without_case(text, context)).into()
            }
            Self::Arns(patterns) => {
                if !text.starts_with("arn:") {
                    return Verdict::Incomparable;
                }
                patterns.iter().any(|pattern| pattern.matches(text, context)).into()
            }
            _ => Verdict::Incomparable,
        }
    }

    /// The values, for people, one text each.
    pub(crate) fn describe(&self) -> Vec<String> {
        match self {
            Self::Literals(texts) | Self::Bytes(texts) => texts.iter().map(ToString::to_string).collect(),
            Self::Patterns(patterns) | Self::WithoutCase(patterns) => {
                patterns.iter().map(|pattern| written(|out| pattern.write(out))).collect()
            }
            Self::Arns(patterns) => {
                patterns.iter().map(|pattern| written(|out| pattern.write(out))).collect()
            }
            Self::Numbers(_, numbers) => numbers.iter().map(|number| number::describe(*number)).collect(),
            Self::Dates(_, moments) => moments.iter().map(|moment| date::describe(*moment)).collect(),
            Self::Bools(values) => values.iter().map(ToString::to_string).collect(),
            Self::Networks(networks) => networks.iter().map(ToString::to_string).collect(),
        }
    }
}

fn sorted(mut texts: Box<[Box<str>]>) -> Box<[Box<str>]> {
    texts.sort_unstable();
    texts
}

/// Whether `text` is one of the sorted `literals`.
fn holds(literals: &[Box<str>], text: &str) -> bool {
    literals.binary_search_by(|literal| literal.as_bytes().cmp(text.as_bytes())).is_ok()
}

fn written(write: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    write(&mut out);
    out
}

/// Compiles every text, or says which one is the first that does not.
fn each<'t, T>(
    texts: impl Iterator<Item = &'t str>,
    mut compile: impl FnMut(&str) -> Option<T>,
) -> Result<Box<[T]>, usize> {
    let mut compiled = Vec::with_capacity(texts.size_hint().0);
    for (at, text) in texts.enumerate() {
        compiled.push(compile(text).ok_or(at)?);
    }
    Ok(compiled.into())
}

fn any<V, L>(value: Option<V>, limits: &[L], test: impl Fn(&V, &L) -> bool) -> Verdict {
    match value {
        None => Verdict::Incomparable,
        Some(value) => limits.iter().any(|limit| test(&value, limit)).into(),
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

/// Whether `text` is base64 in the one form that every byte sequence has, so that texts can be compared for bytes.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    // The bits of the last digit that stand for nothing must be zero.
    let unused = [0, 0b11, 0b1111];
    let last = digits.bytes().last().and_then(value).unwrap_or(0);
    text.len().is_multiple_of(4)
        && digits.bytes().all(|byte| value(byte).is_some())
        && unused.get(padding).is_some_and(|unused| last & unused == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &[&str] = &["a"];

    fn verdict(test: Test, asked: &[&str], found: Value<'_>) -> Verdict {
        let syntax = Syntax { wildcards: true, variables: true };
        let mut context = Context::new();
        context.insert("x:name", "alice").insert("x:star", "*");
        Values::compile(test, asked.iter().copied(), syntax).unwrap().compare(found, &context)
    }

    #[test]
    fn every_type_is_compared_with_its_own_operators() {
        let equal = Order::Equal;
        let strings = ["a".to_owned()];
        let found = [
            Value::Text("a"),
            Value::Text("7"),
            Value::Text("true"),
            Value::Text("2026-01-31"),
            Value::Text("10.1.2.3"),
            Value::Text("arn:aws:s3:::b"),
            Value::Text("QUI="),
            Value::Bool(true),
            Value::Integer(7),
            Value::Time(7),
            Value::Texts(LISTED),
            Value::Strings(&strings),
        ];
        for (test, asked, matching, compared) in [
            (Test::Text, "a", "m...........", "nnnnnnnnnn.."),
            (Test::Text, "true", "..m....m....", "nnnnnnnnnn.."),
            (Test::Text, "7", ".m......m...", "nnnnnnnnnn.."),
            (Test::Text, "1970-01-01T00:00:07Z", ".........m..", "nnnnnnnnnn.."),
            (Test::TextFolded, "A", "m...........", "nnnnnnnnnn.."),
            (Test::TextFolded, "TRUE", "..m....m....", "nnnnnnnnnn.."),
            (Test::Like, "?", "mm......m...", "nnnnnnnnnn.."),
            (Test::Like, "t*e", "..m....m....", "nnnnnnnnnn.."),
            (Test::Number(equal), "7.0", ".m......mm..", ".n......nn.."),
            (Test::Date(equal), "1970-01-01T00:00:07Z", ".m......mm..", ".n.n....nn.."),
            (Test::Date(equal), "2026-01-31T00:00Z", "...m........", ".n.n....nn.."),
            (Test::Bool, "True", "..m....m....", "..n....n...."),
            (Test::Binary, "QUI=", "......m.....", "..n...nn...."),
            (Test::Address, "10.0.0.0/8", "....m.......", "....n......."),
            (Test::Arn, "arn:aws:s3:*:*:?", ".....m......", ".....n......"),
        ] {
            for ((found, matching), compared) in found.iter().zip(matching.chars()).zip(compared.chars()) {
                let expected = match (matching, compared) {
                    ('m', _) => Verdict::Match,
                    (_, 'n') => Verdict::NoMatch,
                    _ => Verdict::Incomparable,
                };
                assert_eq!(verdict(test, &[asked], *found), expected, "{test:?} {asked} {found:?}");
            }
        }
    }

    #[test]
    fn any_of_the_values_will_do_and_none_of_none() {
        for (test, others, one, found) in [
            (Test::Text, ["b", "c"], "a", "a"),
            (Test::Text, ["b", "${x:none}"], "${x:name}", "alice"),
            (Test::TextFolded, ["b", "c"], "A", "a"),
            (Test::Like, ["b*", "c"], "a*", "ab"),
            (Test::Number(Order::Less), ["1", "2"], "4", "3"),
            (Test::Date(Order::Greater), ["2030-01-01", "2031-01-01"], "2020-01-01", "2026-01-01"),
            (Test::Binary, ["QQ==", "QUJD"], "QUI=", "QUI="),
            (Test::Address, ["10.0.0.0/8", "::/0"], "192.0.2.0/24", "192.0.2.1"),
            (Test::Arn, ["arn:aws:s3:::c", "arn:aws:s3:::d"], "arn:aws:s3:::b", "arn:aws:s3:::b"),
        ] {
            let found = Value::Text(found);
            assert_eq!(verdict(test, &[], found), Verdict::NoMatch, "{test:?}");
            assert_eq!(verdict(test, &others, found), Verdict::NoMatch, "{test:?}");
            for asked in
                [[one, others[0], others[1]], [others[0], one, others[1]], [others[0], others[1], one]]
            {
                assert_eq!(verdict(test, &asked, found), Verdict::Match, "{test:?} {asked:?}");
            }
        }
    }

    #[test]
    fn wildcards_and_variables_are_read_where_their_operators_know_them() {
        let text = |test, asked: &str, found| verdict(test, &[asked], Value::Text(found)) == Verdict::Match;
        assert!(text(Test::Text, "a*", "a*") && !text(Test::Text, "a*", "ab"));
        assert!(text(Test::Text, "a*${x:name}", "a*alice") && !text(Test::Text, "a*${x:name}", "abalice"));
        assert!(text(Test::Text, "${x:star}", "*") && !text(Test::Text, "${x:star}", "b"));
        assert!(text(Test::TextFolded, "A?${x:name}", "a?ALICE") && !text(Test::TextFolded, "a?", "ab"));
        assert!(text(Test::Like, "a*${x:star}", "ab*") && !text(Test::Like, "a*${x:star}", "abc"));
        let old = Syntax { wildcards: true, variables: false };
        let old = Values::compile(Test::Text, ["${x:name}"].into_iter(), old).unwrap();
        assert_eq!(old.compare(Value::Text("${x:name}"), &Context::new()), Verdict::Match);
    }

    #[test]
    fn the_first_value_that_is_none_is_told() {
        let syntax = Syntax { wildcards: true, variables: true };
        for (test, good, bad) in [
            (Test::Text, "a", "${"),
            (Test::TextFolded, "a", "${}"),
            (Test::Like, "a*", "${a, b}"),
            (Test::Number(Order::Equal), "1", "one"),
            (Test::Date(Order::Equal), "2026-01-01", "soon"),
            (Test::Bool, "true", "yes"),
            (Test::Null, "false", "no"),
            (Test::Binary, "QUI=", "QUI"),
            (Test::Address, "::1", "localhost"),
            (Test::Arn, "arn:aws:s3:::b", "${"),
        ] {
            let compiled = |texts: &[&str]| Values::compile(test, texts.iter().copied(), syntax).err();
            assert_eq!(compiled(&[good, good]), None, "{test:?}");
            assert_eq!(compiled(&[bad, good]), Some(0), "{test:?}");
            assert_eq!(compiled(&[good, good, bad, bad]), Some(2), "{test:?}");
        }
    }

    #[test]
    fn base64_has_one_form() {
        for good in ["", "QQ==", "QUI=", "QUJD", "+/A=", "Qg==", "Qw==", "QUg=", "QU0=", "QU4=", "QU8="] {
            assert!(is_base64(good), "{good}");
        }
        for bad in [
            "QQ", "QR==", "QUJ=", "Q===", "====", "QU D", "-_A=", "Qh==", "QUh=", "QU1=", "Q4==", "QU+=",
            "QU/=", "Q/==",
        ] {
            assert!(!is_base64(bad), "{bad}");
        }
    }
}
