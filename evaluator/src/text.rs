//! Context values as text, without allocating: numbers and dates are written into a small buffer.

use crate::condition::date;
use crate::context::Value;

/// A text borrowed from the context, or a short one made on the spot.
#[derive(Clone, Copy)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Inline(Inline),
}

/// Room for an `i64` or a date.
#[derive(Clone, Copy, Default)]
pub(crate) struct Inline {
    bytes: [u8; 32],
    length: u8,
}

impl<'a> Text<'a> {
    /// The text of a single value; none for a multivalued one, which has no one text.
    pub(crate) fn of(value: Value<'a>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(Self::Borrowed(text)),
            Value::Bool(value) => Some(Self::Borrowed(if value { "true" } else { "false" })),
            Value::Integer(value) => Some(Self::Inline(Inline::number(value))),
            Value::Time(seconds) => Some(Self::Inline(date::format(seconds))),
            Value::Texts(_) | Value::Strings(_) => None,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(text) => text.as_bytes(),
            Self::Inline(inline) => inline.bytes.get(..usize::from(inline.length)).unwrap_or_default(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Inline(_) => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
        }
    }
}

impl Inline {
    fn number(value: i64) -> Self {
        let mut inline = Self::default();
        if value < 0 {
            inline.push(b'-');
        }
        inline.digits(value.unsigned_abs(), 1);
        inline
    }

    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(usize::from(self.length)) {
            *slot = byte;
            self.length += 1;
        }
    }

    /// The decimal digits of `value`, at least `width` of them.
    pub(crate) fn digits(&mut self, value: u64, width: u32) {
        let mut place = 10_u64.pow(width.saturating_sub(1));
        while value / place >= 10 {
            place *= 10;
        }
        while place > 0 {
            self.push(
                b"0123456789".get(usize::try_from(value / place % 10).unwrap_or(0)).copied().unwrap_or(b'0'),
            );
            place /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_value_has_a_text() {
        let text = |value| Text::of(value).unwrap().as_str().to_owned();
        assert_eq!(text(Value::Integer(0)), "0");
        assert_eq!(text(Value::Integer(i64::MIN)), "-9223372036854775808");
        assert_eq!(text(Value::Integer(i64::MAX)), "9223372036854775807");
        assert_eq!(text(Value::Bool(true)), "true");
        assert_eq!(text(Value::Time(0)), "1970-01-01T00:00:00Z");
        assert!(Text::of(Value::Texts(&["a"])).is_none());
    }
}
