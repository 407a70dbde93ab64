//! A response as JSON: AWS's names in the order of the proto, what is absent left out.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage as _, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap as _, Serializer};
use serde_json::ser::PrettyFormatter;

use super::catalogue::{Names, Operation, TIMESTAMP};
use super::message::is_document;

/// As the AWS CLI indents.
const INDENT: &[u8] = b"    ";

/// Prints `response`; nothing when the operation has nothing to answer.
pub(crate) fn print(
    operation: &Operation,
    response: &DynamicMessage,
    output: &mut dyn Write,
) -> io::Result<()> {
    if operation.output.fields().len() == 0 {
        return Ok(());
    }
    let shown = Message { message: response, names: &operation.names, is_response: true };
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut *output, PrettyFormatter::with_indent(INDENT));
    shown.serialize(&mut serializer)?;
    writeln!(output)
}

struct Message<'m> {
    message: &'m DynamicMessage,
    names: &'m Names,
    is_response: bool,
}

impl Message<'_> {
    /// Whether a field is told. The lists of a response always are; one inside of it that is empty may just not have been
    /// asked for, as the tags of the users in a list.
    fn is_told(&self, field: &FieldDescriptor) -> bool {
        let optional = if field.is_list() { !self.is_response } else { field.supports_presence() };
        !optional || self.message.has_field(field)
    }
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.message.descriptor().fields().filter(|field| self.is_told(field)) {
            let value = self.message.get_field(&field);
            map.serialize_entry(
                &self.names.of(&field),
                &Member { value: &value, field: &field, names: self.names },
            )?;
        }
        map.end()
    }
}

struct Member<'m> {
    value: &'m Value,
    field: &'m FieldDescriptor,
    names: &'m Names,
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::I32(number) => serializer.serialize_i32(*number),
            Value::I64(number) => serializer.serialize_i64(*number),
            // As the AWS CLI prints what is not text.
            Value::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Value::String(text) => match document(self.field, text) {
                Some(document) => document.serialize(serializer),
                None => serializer.serialize_str(text),
            },
            Value::Message(message) if message.descriptor().full_name() == TIMESTAMP => {
                let time: prost_types::Timestamp = message.transcode_to().map_err(S::Error::custom)?;
                serializer.collect_str(&time)
            }
            Value::Message(message) => {
                Message { message, names: self.names, is_response: false }.serialize(serializer)
            }
            Value::List(items) => serializer.collect_seq(items.iter().map(|value| Member { value, ..*self })),
            Value::Map(entries) => {
                let in_order: BTreeMap<_, _> = entries.iter().collect();
                let named = in_order
                    .into_iter()
                    .filter_map(|(key, value)| Some((key.as_str()?, Member { value, ..*self })));
                serializer.collect_map(named)
            }
            other => Err(S::Error::custom(format!(
                "{} is of a type the terminal does not know: {other:?}",
                self.field.name()
            ))),
        }
    }
}

/// The policy document that a member holds: shown as what it is, as the AWS CLI does.
fn document(field: &FieldDescriptor, text: &str) -> Option<Ordered> {
    let parsed = is_document(field).then(|| serde_json::from_str(text).ok())?;
    parsed.filter(|document| matches!(document, Ordered::Object(_)))
}

/// JSON whose members keep their order, for a document is read by people.
enum Ordered {
    Leaf(serde_json::Value),
    Array(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OrderedVisitor;
        impl<'de> Visitor<'de> for OrderedVisitor {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Ordered, E> {
                Ok(Ordered::Leaf(serde_json::Value::Null))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Ordered, E> {
                Ok(Ordered::Leaf(flag.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Ordered, E> {
                Ok(Ordered::Leaf(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Ordered, E> {
                Ok(Ordered::Leaf(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Ordered, E> {
                Ok(Ordered::Leaf(number.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Ordered, E> {
                Ok(Ordered::Leaf(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
                let mut array = Vec::new();
                while let Some(item) = items.next_element()? {
                    array.push(item);
                }
                Ok(Ordered::Array(array))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Ordered, A::Error> {
                let mut object = Vec::new();
                while let Some(member) = members.next_entry()? {
                    object.push(member);
                }
                Ok(Ordered::Object(object))
            }
        }
        deserializer.deserialize_any(OrderedVisitor)
    }
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(leaf) => leaf.serialize(serializer),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}
