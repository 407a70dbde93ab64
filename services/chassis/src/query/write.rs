//! From a response message to AWS's XML, straight from its encoded form: prost writes fields in the order of their numbers,
//! and the layout has them in that order, so one pass over both finds what is there and what is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Buf as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost::encoding::{WireType, decode_key, decode_varint};

use super::layout::{Field, Kind, Layouts};
use super::xml;

/// Everything but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a response is not what its descriptor says: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("a response is not laid out as its descriptor says")]
pub(super) struct WriteError;

impl From<prost::DecodeError> for WriteError {
    fn from(_: prost::DecodeError) -> Self {
        Self
    }
}

/// The whole answer of an operation.
pub(super) fn response(
    layouts: &Layouts,
    layout: usize,
    message: &[u8],
    method: &str,
    namespace: &str,
    request_id: &str,
) -> Result<String, WriteError> {
    let mut text = String::with_capacity(256 + message.len() * 3);
    xml::open_response(&mut text, method, namespace);
    structure(layouts, layout, message, true, &mut text)?;
    xml::close_response(&mut text, method, request_id);
    Ok(text)
}

/// A value as it stands in an encoded message.
enum Raw<'m> {
    Number(u64),
    Bytes(&'m [u8]),
}

/// Writes the fields of a message. The lists of a response itself are written though they be empty, those further in are not.
fn structure(
    layouts: &Layouts,
    layout: usize,
    mut message: &[u8],
    outermost: bool,
    text: &mut String,
) -> Result<(), WriteError> {
    let mut next = read(&mut message)?;
    for field in layouts.fields(layout) {
        if let Some(wrapper) = field.items {
            if !outermost && next.as_ref().is_none_or(|(number, _)| *number != field.number) {
                continue;
            }
            xml::open(text, &field.name);
            while let Some((_, raw)) = next.take_if(|(number, _)| *number == field.number) {
                element(layouts, field, wrapper, &raw, text)?;
                next = read(&mut message)?;
            }
            xml::close(text, &field.name);
        } else if let Some((_, raw)) = next.take_if(|(number, _)| *number == field.number) {
            element(layouts, field, &field.name, &raw, text)?;
            next = read(&mut message)?;
        } else if !field.optional {
            absent(field, text);
        }
    }
    if next.is_none() { Ok(()) } else { Err(WriteError) }
}

/// The next field of an encoded message, if there is one.
fn read<'m>(message: &mut &'m [u8]) -> Result<Option<(u32, Raw<'m>)>, WriteError> {
    if message.is_empty() {
        return Ok(None);
    }
    let (number, kind) = decode_key(message)?;
    match kind {
        WireType::Varint => Ok(Some((number, Raw::Number(decode_varint(message)?)))),
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(message)?).map_err(|_| WriteError)?;
            let value = message.get(..length).ok_or(WriteError)?;
            message.advance(length);
            Ok(Some((number, Raw::Bytes(value))))
        }
        _ => Err(WriteError),
    }
}

fn element(
    layouts: &Layouts,
    field: &Field,
    name: &str,
    raw: &Raw<'_>,
    text: &mut String,
) -> Result<(), WriteError> {
    xml::open(text, name);
    match (field.kind, raw) {
        (Kind::Text, Raw::Bytes(value)) => {
            let value = std::str::from_utf8(value).map_err(|_| WriteError)?;
            if field.url_encoded {
                text.extend(utf8_percent_encode(value, RESERVED));
            } else {
                xml::escape(text, value);
            }
        }
        (Kind::Boolean, Raw::Number(value)) => text.push_str(if *value == 0 { "false" } else { "true" }),
        // Both have the sign of the 64 bits.
        (Kind::Integer32 | Kind::Integer64, Raw::Number(value)) => {
            text.push_str(&value.cast_signed().to_string());
        }
        (Kind::Blob, Raw::Bytes(value)) => STANDARD.encode_string(value, text),
        (Kind::Time, Raw::Bytes(value)) => time(value, text)?,
        (Kind::Message(layout), Raw::Bytes(value)) => structure(layouts, layout, value, false, text)?,
        _ => return Err(WriteError),
    }
    xml::close(text, name);
    Ok(())
}

/// A field that is always written, of a message that holds its default.
fn absent(field: &Field, text: &mut String) {
    let default = match field.kind {
        Kind::Boolean => "false",
        Kind::Integer32 | Kind::Integer64 => "0",
        Kind::Text | Kind::Blob => "",
        Kind::Time | Kind::Message(_) => return,
    };
    xml::open(text, &field.name);
    text.push_str(default);
    xml::close(text, &field.name);
}

/// ISO 8601 in whole seconds, as AWS has it.
fn time(mut message: &[u8], text: &mut String) -> Result<(), WriteError> {
    let mut seconds = 0;
    while let Some((number, raw)) = read(&mut message)? {
        if let (1, Raw::Number(value)) = (number, raw) {
            seconds = value.cast_signed();
        }
    }
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| WriteError)?;
    let at = at.format(&time::format_description::well_known::Rfc3339).map_err(|_| WriteError)?;
    text.push_str(&at);
    Ok(())
}
