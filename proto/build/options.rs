//! Reads what stands in the protos besides messages and services: the options, and the RPCs' comments. What an option
//! means is decided where it becomes Rust.

use heck::ToUpperCamelCase;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, MessageDescriptor, MethodDescriptor,
    Value,
};

/// The enum of a full name.
pub(crate) fn enumeration(pool: &DescriptorPool, name: &str) -> EnumDescriptor {
    pool.get_enum_by_name(name).unwrap_or_else(|| panic!("there is no {name}"))
}

/// The Rust name of an enum value that the RPC `at` must give.
pub(crate) fn enum_name(
    pool: &DescriptorPool,
    op: &DynamicMessage,
    field: &str,
    of: &str,
    prefix: &str,
    at: &str,
) -> String {
    let value = op.get_field_by_name(field).and_then(|value| value.as_enum_number()).unwrap_or(0);
    if value == 0 {
        panic!("{at}: {field} is not given");
    }
    let value = enumeration(pool, of).get_value(value).unwrap_or_else(|| panic!("{at}: {field} is unknown"));
    value.name().trim_start_matches(prefix).to_upper_camel_case()
}

/// What an option says, by its full name; none where it is not given.
pub(crate) fn extension_value(options: &DynamicMessage, pool: &DescriptorPool, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name).unwrap_or_else(|| panic!("there is no option {name}"));
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// As `extension_value`, of an option that is a message.
pub(crate) fn extension(
    options: &DynamicMessage,
    pool: &DescriptorPool,
    name: &str,
) -> Option<DynamicMessage> {
    extension_value(options, pool, name).and_then(|value| value.as_message().cloned())
}

/// A text option of `reeve.operation.v1`.
pub(crate) fn text(options: &DynamicMessage, pool: &DescriptorPool, name: &str) -> Option<String> {
    extension_value(options, pool, &format!("reeve.operation.v1.{name}"))
        .and_then(|value| value.as_str().map(str::to_owned))
}

/// A flag of `reeve.operation.v1`; false where it is not given.
pub(crate) fn bool_option(options: &DynamicMessage, pool: &DescriptorPool, name: &str) -> bool {
    extension_value(options, pool, &format!("reeve.operation.v1.{name}"))
        .and_then(|value| value.as_bool())
        .unwrap_or(false)
}

/// A text in an option; empty where it is not given.
pub(crate) fn string_field(message: &DynamicMessage, name: &str) -> String {
    message.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A number in an option; zero where it is not given.
pub(crate) fn number(message: &DynamicMessage, name: &str) -> u32 {
    message.get_field_by_name(name).and_then(|value| value.as_u32()).unwrap_or_default()
}

/// A flag in an option; false where it is not given.
pub(crate) fn flag(message: &DynamicMessage, name: &str) -> bool {
    message.get_field_by_name(name).and_then(|value| value.as_bool()).unwrap_or_default()
}

/// The messages of a list in an option.
pub(crate) fn messages(message: &DynamicMessage, name: &str) -> Vec<DynamicMessage> {
    let value = message.get_field_by_name(name);
    let list = value.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
    list.iter().filter_map(|item| item.as_message().cloned()).collect()
}

/// The texts of a list in an option.
pub(crate) fn strings(message: &DynamicMessage, name: &str) -> Vec<String> {
    let value = message.get_field_by_name(name);
    let list = value.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Every message that has a field marked secret.
pub(crate) fn with_secrets(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages().filter(|message| message.fields().any(|field| secret(pool, &field))).collect()
}

/// Whether a field is marked secret.
pub(crate) fn secret(pool: &DescriptorPool, field: &FieldDescriptor) -> bool {
    bool_option(&field.options(), pool, "secret")
}

/// The RPC's comment, on one line.
pub(crate) fn comment(method: &MethodDescriptor) -> String {
    let file = method.parent_file().file_descriptor_proto().clone();
    let locations = file.source_code_info.map(|info| info.location).unwrap_or_default();
    locations
        .iter()
        .find(|location| location.path == method.path())
        .map(|location| location.leading_comments().split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|comment| !comment.is_empty())
        .unwrap_or_else(|| panic!("{} lacks its comment", method.full_name()))
}
