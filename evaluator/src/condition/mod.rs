//! Conditions: one operator, one key, the values asked for.

pub(crate) mod date;
mod network;
mod number;
mod operator;
mod values;

pub(crate) use operator::Operator;
use operator::{Set, Test};
use values::{Values, Verdict};

use crate::context::{Context, Mark, Value};
use crate::pattern::Syntax;

/// A compiled condition. All the conditions of a statement must hold.
#[derive(Debug)]
pub(crate) struct Condition {
    operator: Operator,
    mark: Mark,
    key: Box<str>,
    values: Values,
}

impl Condition {
    /// Compiles a condition; the position of the first value that is none of its operator's.
    pub(crate) fn compile<'t>(
        operator: Operator,
        key: &str,
        texts: impl Iterator<Item = &'t str> + Clone,
        syntax: Syntax,
    ) -> Result<Self, usize> {
        let values = Values::compile(operator.test, texts, syntax)?;
        Ok(Self { operator, mark: Mark::of("", key), key: key.into(), values })
    }

    /// Whether the condition holds. Where that cannot be told (a value that is not of the operator's type; several
    /// values and no set operator), it holds for a statement that denies and not for one that allows.
    pub(crate) fn holds(&self, context: &Context<'_>, deny: bool) -> bool {
        let found = context.lookup(self.mark, &self.key).filter(|value| value_count(*value) > 0);
        if self.operator.test == Test::Null {
            let absent = Value::Bool(found.is_none());
            return self.values.compare(absent, context) == Verdict::Match;
        }
        let Some(value) = found else { return self.holds_without_value() };
        let each = |value| match self.values.compare(value, context) {
            Verdict::Incomparable => deny,
            verdict => (verdict == Verdict::Match) != self.operator.negated,
        };
        let satisfied = match (self.operator.set, is_multivalued(value)) {
            (_, false) => each(value),
            (Some(Set::All), true) => texts(value).all(each),
            (Some(Set::Any), true) => texts(value).any(each),
            // What a single-valued operator makes of several values is not documented; see above.
            (None, true) => deny && texts(value).any(each),
        };
        match self.operator.set {
            // AWS's guide calls an empty text "a null data set" here and compares it elsewhere: the stricter of the two.
            Some(Set::All) if is_blank(value) => deny || satisfied,
            Some(Set::Any) if is_blank(value) => deny && satisfied,
            _ => satisfied,
        }
    }

    /// A missing key satisfies what is negated, what asks for all of no values, and what asks only if it exists.
    fn holds_without_value(&self) -> bool {
        let Operator { set, negated, if_exists, .. } = self.operator;
        if_exists || set == Some(Set::All) || negated && set.is_none()
    }

    pub(crate) fn operator(&self) -> Operator {
        self.operator
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The values asked for, for people.
    pub(crate) fn expected(&self) -> Vec<String> {
        self.values.describe()
    }
}

fn is_multivalued(value: Value<'_>) -> bool {
    matches!(value, Value::Texts(_) | Value::Strings(_))
}

/// Whether nothing stands in a value but empty texts.
fn is_blank(value: Value<'_>) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::Texts(texts) => texts.iter().all(|text| text.is_empty()),
        Value::Strings(texts) => texts.iter().all(String::is_empty),
        _ => false,
    }
}

fn value_count(value: Value<'_>) -> usize {
    match value {
        Value::Texts(texts) => texts.len(),
        Value::Strings(texts) => texts.len(),
        _ => 1,
    }
}

/// The values of a multivalued key.
fn texts<'a>(value: Value<'a>) -> impl Iterator<Item = Value<'a>> {
    let (borrowed, owned) = match value {
        Value::Texts(texts) => (texts, [].as_slice()),
        Value::Strings(texts) => ([].as_slice(), texts),
        _ => ([].as_slice(), [].as_slice()),
    };
    borrowed.iter().map(|text| Value::Text(text)).chain(owned.iter().map(|text| Value::Text(text)))
}
