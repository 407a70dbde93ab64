//! From a form to the message that it writes out: `Tags.member.1.Key=team` becomes the key of the first tag. Unknown
//! parameters are passed over, list items may come in any order and with gaps, as AWS has it.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use prost::encoding::{WireType, encode_key, encode_varint};
use reeve_directory::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::form::Form;
use super::layout::{Field, Kind, Layouts};
use super::malformed;

/// No name that means anything is longer; this bounds how deep a name can lead.
const NAME_BYTES_MAX: usize = 512;

/// What is left of a parameter's name, and its value.
type Part<'f> = (&'f str, &'f str);

/// Encodes the message laid out at `layout`.
///
/// # Errors
/// `MalformedInput`: a value that does not have its member's form.
pub(super) fn message(layouts: &Layouts, layout: usize, form: Form<'_>) -> Result<Bytes, Error> {
    let mut parts: Vec<Part<'_>> = form
        .0
        .iter()
        .filter(|parameter| parameter.name.len() <= NAME_BYTES_MAX)
        .map(|parameter| (&*parameter.name, &*parameter.value))
        .collect();
    // A stable sort: of two that are the same the first stays first.
    parts.sort_by(|one, other| by_segments(one.0, other.0));
    let mut encoded = Vec::with_capacity(256);
    structure(layouts, layout, &parts, &mut encoded)?;
    Ok(encoded.into())
}

/// Encodes the fields that `parts` name.
fn structure(layouts: &Layouts, layout: usize, parts: &[Part<'_>], into: &mut Vec<u8>) -> Result<(), Error> {
    let fields = layouts.fields(layout);
    for group in parts.chunk_by(|one, other| segment(one.0) == segment(other.0)) {
        let Some(name) = group.first().map(|(name, _)| segment(name)) else { continue };
        let Some(field) = fields.iter().find(|field| field.name == name) else { continue };
        match field.items {
            None => value(layouts, field, &within(group), into)?,
            Some(wrapper) => list(layouts, field, wrapper, &within(group), into)?,
        }
    }
    Ok(())
}

/// Encodes the items of a list, in the order of their numbers.
fn list(
    layouts: &Layouts,
    field: &Field,
    wrapper: &str,
    parts: &[Part<'_>],
    into: &mut Vec<u8>,
) -> Result<(), Error> {
    let items: Vec<Part<'_>> = parts.iter().filter(|(name, _)| segment(name) == wrapper).copied().collect();
    let items = within(&items);
    for item in items.chunk_by(|one, other| segment(one.0) == segment(other.0)) {
        let is_item = item.first().is_some_and(|(name, _)| number(segment(name)).is_some());
        if is_item {
            value(layouts, field, &within(item), into)?;
        }
    }
    Ok(())
}

/// Encodes one value: what `parts` say of it, whose names have led here.
fn value(layouts: &Layouts, field: &Field, parts: &[Part<'_>], into: &mut Vec<u8>) -> Result<(), Error> {
    if let Kind::Message(layout) = field.kind {
        let parts: Vec<Part<'_>> = parts.iter().filter(|(name, _)| !name.is_empty()).copied().collect();
        if parts.is_empty() {
            return Ok(());
        }
        let mut inner = Vec::new();
        structure(layouts, layout, &parts, &mut inner)?;
        bytes(field.number, &inner, into);
        return Ok(());
    }
    let Some((_, text)) = parts.iter().find(|(name, _)| name.is_empty()) else { return Ok(()) };
    match field.kind {
        Kind::Text => bytes(field.number, text.as_bytes(), into),
        Kind::Boolean => {
            let flag = if text.eq_ignore_ascii_case("true") {
                true
            } else if text.eq_ignore_ascii_case("false") {
                false
            } else {
                return Err(malformed(&field.name, text, "a boolean"));
            };
            varint(field.number, flag.into(), into);
        }
        Kind::Integer32 => {
            let parsed: i32 = text.parse().map_err(|_| malformed(&field.name, text, "an integer"))?;
            varint(field.number, i64::from(parsed).cast_unsigned(), into);
        }
        Kind::Integer64 => {
            let parsed: i64 = text.parse().map_err(|_| malformed(&field.name, text, "a long"))?;
            varint(field.number, parsed.cast_unsigned(), into);
        }
        Kind::Blob => {
            let decoded =
                STANDARD.decode(text.as_bytes()).map_err(|_| malformed(&field.name, text, "base64"))?;
            bytes(field.number, &decoded, into);
        }
        Kind::Time => {
            let at = OffsetDateTime::parse(text, &Rfc3339)
                .map_err(|_| malformed(&field.name, text, "a timestamp"))?;
            let mut inner = Vec::with_capacity(16);
            varint(1, at.unix_timestamp().cast_unsigned(), &mut inner);
            varint(2, at.nanosecond().into(), &mut inner);
            bytes(field.number, &inner, into);
        }
        Kind::Message(_) => {}
    }
    Ok(())
}

/// The same parts behind the first segments of their names.
fn within<'f>(parts: &[Part<'f>]) -> Vec<Part<'f>> {
    parts.iter().map(|(name, value)| (name.split_once('.').map_or("", |(_, rest)| rest), *value)).collect()
}

/// What a name begins with, up to its first dot.
fn segment(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// An index; leading zeros and signs make it a name.
fn number(segment: &str) -> Option<u32> {
    segment.bytes().all(|byte| byte.is_ascii_digit()).then(|| segment.parse().ok())?
}

/// Numbers by what they are, and before names: a total order, which sorting needs.
fn by_segments(one: &str, other: &str) -> Ordering {
    let mut others = other.split('.');
    for segment in one.split('.') {
        let Some(counterpart) = others.next() else { return Ordering::Greater };
        let by_number = match (number(segment), number(counterpart)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let ordering = by_number.then_with(|| segment.cmp(counterpart));
        if ordering.is_ne() {
            return ordering;
        }
    }
    if others.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

fn bytes(number: u32, value: &[u8], into: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, into);
    encode_varint(u64::try_from(value.len()).unwrap_or(u64::MAX), into);
    into.extend_from_slice(value);
}

fn varint(number: u32, value: u64, into: &mut Vec<u8>) {
    encode_key(number, WireType::Varint, into);
    encode_varint(value, into);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn items_are_sorted_by_their_numbers() {
        let mut names = ["a.10", "a.9.b", "a.1a", "a.9", "a", "a.x", "b", "a.09", "a.99999999999"];
        names.sort_by(|one, other| by_segments(one, other));
        assert_eq!(names, ["a", "a.09", "a.9", "a.9.b", "a.10", "a.1a", "a.99999999999", "a.x", "b"]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(
            one in "[019a.]{0,5}|\\PC{0,4}", two in "[019a.]{0,5}|\\PC{0,4}", three in "[019a.]{0,5}|\\PC{0,4}",
        ) {
            prop_assert_eq!(by_segments(&one, &two), by_segments(&two, &one).reverse());
            prop_assert_eq!(by_segments(&one, &two).is_eq(), one == two);
            let mut sorted = [&one, &two, &three];
            sorted.sort_by(|one, other| by_segments(one, other));
            let [low, middle, high] = sorted;
            prop_assert!(by_segments(low, middle).is_le() && by_segments(middle, high).is_le() && by_segments(low, high).is_le());
        }
    }
}
