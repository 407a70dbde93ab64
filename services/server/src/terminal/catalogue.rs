//! The operations as a terminal sees them: groups, kebab-case names, and for every member its option and its limits, all
//! read from the descriptors.

use heck::{ToKebabCase as _, ToUpperCamelCase as _};
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, Value,
};
use reeve_proto::{DESCRIPTOR, OPERATIONS, Spec};

use super::failure::Failure;

/// The message that stands for a moment.
pub(crate) const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// Everything that can be called.
pub struct Catalogue {
    pool: DescriptorPool,
    names: Names,
    limits: Limits,
}

/// An operation.
pub struct Operation {
    /// What its RPC declares.
    pub spec: &'static Spec,
    /// The message it takes.
    pub input: MessageDescriptor,
    /// The message it answers with.
    pub output: MessageDescriptor,
    /// The members of the message it takes.
    pub members: Vec<Member>,
    pub(crate) names: Names,
}

/// A member of a request.
pub struct Member {
    /// Its field.
    pub field: FieldDescriptor,
    /// Its name in AWS's API, `UserName`.
    pub name: String,
    /// Its option, `user-name`.
    pub option: String,
    /// A call without it is refused.
    pub required: bool,
    /// What its value is held to, in words; empty when nothing is declared.
    pub limits: String,
    /// It holds a secret.
    pub secret: bool,
}

/// How fields are called in AWS's API.
#[derive(Clone)]
pub(crate) struct Names(ExtensionDescriptor);

/// The options that limit members.
struct Limits {
    shape: ExtensionDescriptor,
    limits: ExtensionDescriptor,
    secret: ExtensionDescriptor,
    required: ExtensionDescriptor,
}

/// The group of an operation: the middle of its package's name.
pub(crate) fn group_of(spec: &Spec) -> &'static str {
    spec.package.split('.').nth(1).unwrap_or(spec.package)
}

impl Catalogue {
    /// Reads the descriptors.
    ///
    /// # Errors
    /// They do not decode, or lack an option that everything rests on.
    pub fn load() -> Result<Self, Failure> {
        let pool = DescriptorPool::decode(DESCRIPTOR).map_err(Failure::descriptor)?;
        let option = |name: &str| {
            let name = format!("reeve.operation.v1.{name}");
            pool.get_extension_by_name(&name)
                .ok_or_else(|| Failure::descriptor(format!("there is no option {name}")))
        };
        let names = Names(option("wire_name")?);
        let limits = Limits {
            shape: option("shape")?,
            limits: option("limits")?,
            secret: option("secret")?,
            required: option("required")?,
        };
        Ok(Self { pool, names, limits })
    }

    /// The groups, in order of their names.
    #[must_use]
    pub fn groups(&self) -> Vec<&'static str> {
        let mut groups: Vec<_> = OPERATIONS.iter().map(|spec| group_of(spec)).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The operations of a group, in order of their names.
    ///
    /// # Errors
    /// The descriptors lack a message.
    pub fn operations(&self, group: &str) -> Result<Vec<Operation>, Failure> {
        let mut specs: Vec<_> = OPERATIONS.iter().filter(|spec| group_of(spec) == group).collect();
        specs.sort_unstable_by_key(|spec| spec.method);
        specs.into_iter().map(|spec| self.describe(spec)).collect()
    }

    /// The operation of a subcommand.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn operation(&self, group: &str, command: &str) -> Result<Operation, Failure> {
        let mut specs = OPERATIONS.iter().filter(|spec| group_of(spec) == group);
        match specs.find(|spec| spec.method.to_kebab_case() == command) {
            Some(spec) => self.describe(spec),
            None => Err(Failure::Usage(format!("there is no operation {group} {command}"))),
        }
    }

    fn describe(&self, spec: &'static Spec) -> Result<Operation, Failure> {
        let message = |name: &str| {
            let found = self.pool.get_message_by_name(name);
            found.ok_or_else(|| Failure::descriptor(format!("there is no message {name}")))
        };
        let input = message(spec.request)?;
        let members = input.fields().map(|field| self.member(field)).collect();
        Ok(Operation { spec, output: message(spec.response)?, input, members, names: self.names.clone() })
    }

    fn member(&self, field: FieldDescriptor) -> Member {
        let options = field.options();
        Member {
            name: self.names.of(&field),
            option: field.name().to_kebab_case(),
            required: options.has_extension(&self.limits.required) || is_required(&field),
            limits: self.limits.in_words(&field, &options),
            secret: options.get_extension(&self.limits.secret).as_bool().unwrap_or(false),
            field,
        }
    }
}

impl Operation {
    /// The subcommand, `create-user`.
    #[must_use]
    pub fn command(&self) -> String {
        self.spec.method.to_kebab_case()
    }
}

/// As the build derives it where nothing is declared: a text that is always there must not be empty.
fn is_required(field: &FieldDescriptor) -> bool {
    !field.supports_presence()
        && field.cardinality() != Cardinality::Repeated
        && matches!(field.kind(), Kind::String)
}

impl Names {
    /// The name of a field in AWS's API.
    pub(crate) fn of(&self, field: &FieldDescriptor) -> String {
        let options = field.options();
        let irregular = options.has_extension(&self.0).then(|| options.get_extension(&self.0));
        irregular
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_else(|| field.name().to_upper_camel_case())
    }

    /// The field of `message` that `name` means: AWS's name, the proto's or JSON's, in any case.
    pub(crate) fn find(&self, message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
        let wanted = folded(name);
        message.fields().find(|field| folded(&self.of(field)) == wanted || folded(field.name()) == wanted)
    }

    /// The names of the fields of `message`.
    pub(crate) fn all(&self, message: &MessageDescriptor) -> Vec<String> {
        message.fields().map(|field| self.of(&field)).collect()
    }
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

impl Limits {
    /// What the shape of a member holds it to, in words.
    fn in_words(&self, field: &FieldDescriptor, options: &DynamicMessage) -> String {
        let shape = options.get_extension(&self.shape).as_enum_number().unwrap_or_default();
        let Kind::Enum(shapes) = self.shape.kind() else { return String::new() };
        let Some(shape) = shapes.get_value(shape) else { return String::new() };
        let declared = shape.options();
        let limits = declared.get_extension(&self.limits);
        let Some(limits) = limits.as_message().filter(|_| declared.has_extension(&self.limits)) else {
            return String::new();
        };
        let of_each = if field.is_list() { " each" } else { "" };
        let texts = [
            between(limits, "value_min", "value_max", ""),
            between(limits, "count_min", "count_max", " items"),
            between(limits, "length_min", "length_max", " characters").map(|text| text + of_each),
            one_of(limits),
            pattern(limits),
        ];
        texts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn between(limits: &DynamicMessage, min: &str, max: &str, unit: &str) -> Option<String> {
    match (limit(limits, min), limit(limits, max)) {
        (Some(min), Some(max)) if min == max => Some(format!("{min}{unit}")),
        (Some(min), Some(max)) => Some(format!("{min} to {max}{unit}")),
        (Some(min), None) => Some(format!("at least {min}{unit}")),
        (None, Some(max)) => Some(format!("at most {max}{unit}")),
        (None, None) => None,
    }
}

fn limit(limits: &DynamicMessage, name: &str) -> Option<i64> {
    if !limits.has_field_by_name(name) {
        return None;
    }
    match limits.get_field_by_name(name)?.as_ref() {
        Value::U32(number) => Some(i64::from(*number)),
        Value::I64(number) => Some(*number),
        _ => None,
    }
}

fn one_of(limits: &DynamicMessage) -> Option<String> {
    let values = limits.get_field_by_name("one_of")?;
    let values: Vec<&str> = values.as_list()?.iter().filter_map(Value::as_str).collect();
    (!values.is_empty()).then(|| values.join(" | "))
}

fn pattern(limits: &DynamicMessage) -> Option<String> {
    let pattern = limits.get_field_by_name("pattern")?;
    let pattern = pattern.as_str()?;
    (!pattern.is_empty()).then(|| format!("matching {pattern}"))
}
