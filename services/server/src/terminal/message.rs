//! From JSON to a message. What does not fit is told by its path and never by its value, which may be a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value as Field};
use serde_json::{Map, Value};

use super::catalogue::{Names, TIMESTAMP};
use super::failure::Failure;

/// The message that `input` describes.
pub(crate) fn decode(
    names: &Names,
    message: &MessageDescriptor,
    input: &Map<String, Value>,
) -> Result<DynamicMessage, Failure> {
    let mut reader = Reader { names, faults: Vec::new() };
    let decoded = reader.message(message, input, "input");
    if reader.faults.is_empty() { Ok(decoded) } else { Err(Failure::Input(reader.faults)) }
}

struct Reader<'n> {
    names: &'n Names,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn message(
        &mut self,
        message: &MessageDescriptor,
        members: &Map<String, Value>,
        path: &str,
    ) -> DynamicMessage {
        let mut decoded = DynamicMessage::new(message.clone());
        for (name, value) in members {
            let Some(field) = self.names.find(message, name) else {
                let known = self.names.all(message).join(", ");
                let known = if known.is_empty() {
                    "it has no members".to_owned()
                } else {
                    format!("must be one of: {known}")
                };
                self.faults.push(format!("Unknown parameter in {path}: \"{name}\", {known}"));
                continue;
            };
            // As in the JSON mapping of proto3, null is as good as absent.
            if value.is_null() {
                continue;
            }
            let path = if path == "input" {
                self.names.of(&field)
            } else {
                format!("{path}.{}", self.names.of(&field))
            };
            if decoded.has_field(&field) {
                self.faults.push(format!("{path} is given twice"));
            }
            if let Some(value) = self.field(&field, value, &path) {
                decoded.set_field(&field, value);
            }
        }
        decoded
    }

    fn field(&mut self, field: &FieldDescriptor, value: &Value, path: &str) -> Option<Field> {
        if !field.is_list() {
            return self.single(field, value, path);
        }
        let Value::Array(items) = value else { return self.wrong(path, value, "list") };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            list.push(self.single(field, item, &format!("{path}[{index}]"))?);
        }
        Some(Field::List(list))
    }

    fn single(&mut self, field: &FieldDescriptor, value: &Value, path: &str) -> Option<Field> {
        match (field.kind(), value) {
            (Kind::String, Value::String(text)) => Some(Field::String(text.clone())),
            // A policy document may stand as what it is.
            (Kind::String, Value::Object(_)) if is_document(field) => Some(Field::String(value.to_string())),
            (Kind::String, _) => self.wrong(path, value, "text"),
            (Kind::Bool, Value::Bool(flag)) => Some(Field::Bool(*flag)),
            (Kind::Bool, Value::String(text)) if text.eq_ignore_ascii_case("true") => Some(Field::Bool(true)),
            (Kind::Bool, Value::String(text)) if text.eq_ignore_ascii_case("false") => {
                Some(Field::Bool(false))
            }
            (Kind::Bool, _) => self.wrong(path, value, "true or false"),
            (Kind::Bytes, Value::String(text)) => match STANDARD.decode(text) {
                Ok(bytes) => Some(Field::Bytes(bytes.into())),
                Err(_) => self.wrong(path, value, "base64"),
            },
            (Kind::Bytes, _) => self.wrong(path, value, "base64"),
            (Kind::Int32, _) => {
                let number = whole_number(value).and_then(|number| i32::try_from(number).ok());
                number.map(Field::I32).or_else(|| self.wrong(path, value, "whole number"))
            }
            (Kind::Int64, _) => {
                whole_number(value).map(Field::I64).or_else(|| self.wrong(path, value, "whole number"))
            }
            (Kind::Message(message), Value::String(text)) if message.full_name() == TIMESTAMP => {
                let Ok(time) = text.parse::<prost_types::Timestamp>() else {
                    return self.wrong(path, value, "RFC 3339 time");
                };
                let mut decoded = DynamicMessage::new(message);
                match decoded.transcode_from(&time) {
                    Ok(()) => Some(Field::Message(decoded)),
                    Err(_) => self.wrong(path, value, "RFC 3339 time"),
                }
            }
            (Kind::Message(message), Value::Object(members)) => {
                Some(Field::Message(self.message(&message, members, path)))
            }
            (Kind::Message(_), _) => self.wrong(path, value, "structure"),
            (kind, _) => {
                self.faults.push(format!("{path} is of a type the terminal does not know: {kind:?}"));
                None
            }
        }
    }

    fn wrong(&mut self, path: &str, value: &Value, wanted: &str) -> Option<Field> {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "structure",
        };
        // A text can be of the right type and still not read as what is wanted.
        let found = if found == wanted { "another" } else { found };
        self.faults.push(format!("Invalid type for parameter {path}, type: {found}, valid types: {wanted}"));
        None
    }
}

/// A whole number, as JSON or as the command line writes it.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Whether a text member holds a policy document.
pub(crate) fn is_document(field: &FieldDescriptor) -> bool {
    field.name() == "document" || field.name().ends_with("_document")
}
