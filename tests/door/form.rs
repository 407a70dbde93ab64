//! A message as AWS's clients write it out as a form, from the protos' declarations and from nothing of the server's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{
    DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MapKey, ReflectMessage as _, Value,
};
use reeve_proto::Spec;

use super::http::percent;

/// The version of a service's Query protocol; none for a service that AWS does not have.
pub(crate) fn version(spec: &Spec) -> Option<&'static str> {
    match spec.prefix {
        "iam" => Some("2010-05-08"),
        "sts" => Some("2011-06-15"),
        _ => None,
    }
}

/// The form of a call; none for an operation that AWS does not have.
pub(crate) fn of(spec: &Spec, request: &DynamicMessage) -> Option<Vec<(String, String)>> {
    let mut pairs = vec![
        ("Action".to_owned(), spec.method.to_owned()),
        ("Version".to_owned(), version(spec)?.to_owned()),
    ];
    leaves(request, &Side::Request, "", &mut pairs);
    Some(pairs)
}

/// Whether a form can say what the message says: it cannot say that there is an item that holds nothing.
pub(crate) fn can_say(request: &DynamicMessage) -> bool {
    let says = |value: &Value| {
        let mut pairs = Vec::new();
        leaf(value, &Side::Request, "item", &mut pairs);
        !pairs.is_empty()
    };
    request.fields().all(|(_, value)| value.as_list().is_none_or(|items| items.iter().all(says)))
}

/// Which way a message goes.
#[derive(PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    /// Where policy documents are percent-encoded.
    Response,
}

/// The leaves of a message with their paths, items of lists numbered.
pub(crate) fn leaves(message: &DynamicMessage, side: &Side, prefix: &str, into: &mut Vec<(String, String)>) {
    for field in message.descriptor().fields() {
        // An item is there though everything in it be empty.
        let is_plain_text = field.kind() == Kind::String && !field.supports_presence() && !field.is_list();
        let is_written = *side == Side::Request && !prefix.is_empty() && is_plain_text;
        if !is_written && !message.has_field(&field) {
            continue;
        }
        let path = format!("{prefix}{}", name(&field));
        let first = into.len();
        match message.get_field(&field).as_ref() {
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    leaf(item, side, &format!("{path}.member.{}", at + 1), into);
                }
            }
            Value::Map(entries) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    let MapKey::String(key) = key else { panic!("AWS's maps have texts as keys") };
                    into.push((format!("{path}.entry.{}.key", at + 1), key.clone()));
                    leaf(value, side, &format!("{path}.entry.{}.value", at + 1), into);
                }
            }
            single => leaf(single, side, &path, into),
        }
        if *side == Side::Response && option(&field, "url_encoded").as_bool() == Some(true) {
            into.iter_mut().skip(first).for_each(|(_, text)| *text = percent(text));
        }
    }
}

fn leaf(value: &Value, side: &Side, path: &str, into: &mut Vec<(String, String)>) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => STANDARD.encode(bytes),
        Value::Bool(flag) => flag.to_string(),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::Message(inner) if inner.descriptor().full_name() == "google.protobuf.Timestamp" => {
            let time: prost_types::Timestamp = inner.transcode_to().unwrap();
            prost_types::Timestamp { nanos: 0, ..time }.to_string()
        }
        Value::Message(inner) => return leaves(inner, side, &format!("{path}."), into),
        other => panic!("{path}: {other:?} has no form here yet"),
    };
    into.push((path.to_owned(), text));
}

/// The member's name in AWS's Query protocol.
pub(crate) fn name(field: &FieldDescriptor) -> String {
    let given = option(field, "wire_name").as_str().unwrap_or_default().to_owned();
    if !given.is_empty() {
        return given;
    }
    let words = field.name().split('_');
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}

/// An option of a field.
pub(crate) fn option(field: &FieldDescriptor, name: &str) -> Value {
    let pool = field.parent_pool();
    let extension: ExtensionDescriptor =
        pool.get_extension_by_name(&format!("reeve.operation.v1.{name}")).unwrap();
    field.options().get_extension(&extension).into_owned()
}
