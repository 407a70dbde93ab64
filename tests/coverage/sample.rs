//! Requests made from what their members declare: valid ones, and ones with a single member at fault. So an operation that
//! is added is covered without a line being written for it.

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    ReflectMessage, Value,
};
use regex::Regex;
use serde_json::json;

use crate::world::{allow, document};

/// The name of the user, the group, the role and the policy that samples speak of.
pub(crate) const NAME: &str = "covered";
/// Values for texts that do not name anything: the first that a shape allows is taken.
const TEXTS: &[&str] = &[
    NAME,
    "/",
    "v1",
    "123456",
    "123456789012",
    "AKIAIOSFODNN7EXAMPLE",
    "GET",
    "UNSIGNED-PAYLOAD",
    "s3:GetObject",
    "arn:aws:iam::123456789012:policy/covered",
    "0123456789abcdef0123456789abcdef01234567",
];
/// Texts that some shape may not allow.
const ODD_TEXTS: &[&str] = &["%$#\u{7}", "ä*", "Nonsense", "nonsense:nonsense:"];

/// What the protos declare.
pub(crate) struct Declarations {
    pool: DescriptorPool,
    shape: ExtensionDescriptor,
    required: ExtensionDescriptor,
    limits: ExtensionDescriptor,
}

/// What a member is held to.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// `SHAPE_...`.
    pub(crate) shape: String,
    length_min: Option<usize>,
    length_max: Option<usize>,
    value_min: Option<i32>,
    value_max: Option<i32>,
    count_min: Option<usize>,
    count_max: Option<usize>,
    pattern: Option<Regex>,
    one_of: Vec<String>,
}

/// A member of a request, or of a message in it: the fields on the way, itself last.
pub(crate) type Path = Vec<FieldDescriptor>;

impl Declarations {
    pub(crate) fn read() -> Self {
        let pool = DescriptorPool::decode(reeve_proto::DESCRIPTOR).unwrap();
        let shape = pool.get_extension_by_name("reeve.operation.v1.shape").unwrap();
        let required = pool.get_extension_by_name("reeve.operation.v1.required").unwrap();
        let limits = pool.get_extension_by_name("reeve.operation.v1.limits").unwrap();
        Self { pool, shape, required, limits }
    }

    pub(crate) fn message(&self, name: &str) -> MessageDescriptor {
        self.pool.get_message_by_name(name).unwrap()
    }

    /// What `field` is held to.
    pub(crate) fn limits(&self, field: &FieldDescriptor) -> Limits {
        let number = field.options().get_extension(&self.shape).as_enum_number().unwrap_or_default();
        let shapes = self.pool.get_enum_by_name("reeve.operation.v1.Shape").unwrap();
        let shape = shapes.get_value(number).unwrap();
        let options = shape.options();
        let declared = options.get_extension(&self.limits).into_owned();
        let declared = declared.as_message().unwrap();
        let given = |name: &str| {
            let field = declared.descriptor().get_field_by_name(name).unwrap();
            declared.has_field(&field).then(|| declared.get_field(&field).into_owned())
        };
        let size = |name: &str| given(name).and_then(|value| value.as_u32()).map(|number| number as usize);
        let value = |name: &str| {
            given(name).and_then(|value| value.as_i64()).map(|number| i32::try_from(number).unwrap())
        };
        let pattern = given("pattern").map(|value| value.as_str().unwrap().to_owned());
        let list = given("one_of").map(|value| value.as_list().unwrap().to_vec()).unwrap_or_default();
        Limits {
            shape: shape.name().to_owned(),
            length_min: size("length_min"),
            length_max: size("length_max"),
            value_min: value("value_min"),
            value_max: value("value_max"),
            count_min: size("count_min"),
            count_max: size("count_max"),
            pattern: pattern.map(|pattern| Regex::new(&format!(r"\A(?:{pattern})\z")).unwrap()),
            one_of: list.iter().map(|value| value.as_str().unwrap().to_owned()).collect(),
        }
    }

    /// A request with everything that it needs, and nothing else.
    pub(crate) fn minimal(&self, message: &MessageDescriptor) -> DynamicMessage {
        let mut made = DynamicMessage::new(message.clone());
        for field in message.fields() {
            let wanted = match field.kind() {
                _ if field.is_list() => self.is_required(&field) || self.limits(&field).count_min.is_some(),
                Kind::Message(_) => true,
                _ => self.is_required(&field),
            };
            if wanted {
                self.fill(&mut made, &field);
            }
        }
        made
    }

    /// Gives `field` a valid value.
    pub(crate) fn fill(&self, made: &mut DynamicMessage, field: &FieldDescriptor) {
        made.set_field(
            field,
            if field.is_list() { Value::List(vec![self.item(field)]) } else { self.item(field) },
        );
    }

    /// A call without it is refused.
    pub(crate) fn is_required(&self, field: &FieldDescriptor) -> bool {
        if field.options().has_extension(&self.required) {
            return true;
        }
        // An empty text counts as absent, and where it is allowed nothing is missing.
        let is_plain_text = field.kind() == Kind::String && !field.supports_presence() && !field.is_list();
        is_plain_text && self.limits(field).length_min != Some(0)
    }

    /// Every member of a request, those of the messages in it included.
    pub(crate) fn members(&self, message: &MessageDescriptor) -> Vec<Path> {
        let mut paths = Vec::new();
        for field in message.fields() {
            paths.push(vec![field.clone()]);
            if let Kind::Message(inner) = field.kind() {
                let within = |rest: Path| [vec![field.clone()], rest].concat();
                paths.extend(self.members(&inner).into_iter().map(within));
            }
        }
        paths
    }

    /// The message that holds the member at `path`, with its last field; what is missing on the way is made.
    pub(crate) fn reach<'m>(
        &self,
        made: &'m mut DynamicMessage,
        path: &[FieldDescriptor],
    ) -> &'m mut DynamicMessage {
        let Some((field, rest @ [_, ..])) = path.split_first() else { return made };
        if !made.has_field(field) {
            self.fill(made, field);
        }
        let inner = made.get_field_mut(field);
        let inner = match inner {
            Value::List(items) => items.first_mut().unwrap(),
            single => single,
        };
        self.reach(inner.as_message_mut().unwrap(), rest)
    }

    /// A condition that the sample of `field` meets: operator, key, value, and a value with which it would not. None for a
    /// field that supplies no key.
    pub(crate) fn condition(
        &self,
        field: &FieldDescriptor,
    ) -> Option<(&'static str, String, String, String)> {
        let options = field.options();
        let option = |name: &str| {
            let extension = self.pool.get_extension_by_name(&format!("reeve.operation.v1.{name}")).unwrap();
            options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
        };
        if option("request_tags").is_some() {
            let Value::Message(tag) = self.item(field) else { panic!("tags are messages") };
            let text = |name: &str| tag.get_field_by_name(name).unwrap().as_str().unwrap().to_owned();
            let (key, value) = (format!("aws:RequestTag/{}", text("key")), text("value"));
            return Some(("StringEquals", key, value.clone(), format!("{value}-else")));
        }
        let key = option("context_key")?.as_str().unwrap().to_owned();
        if let Value::I32(number) = self.item(field) {
            return Some(("NumericEquals", key, number.to_string(), (number + 1).to_string()));
        }
        let operator = if field.is_list() { "ForAnyValue:StringEquals" } else { "StringEquals" };
        let value = self.item(field).as_str().unwrap().to_owned();
        Some((operator, key, value.clone(), format!("{value}-else")))
    }

    /// Values that `field` must not have.
    pub(crate) fn values_past_limits(&self, field: &FieldDescriptor) -> Vec<Value> {
        let limits = self.limits(field);
        let mut values = Vec::new();
        if field.is_list() {
            let list = |count: usize| Value::List(vec![self.item(field); count]);
            values.extend(limits.count_max.map(|max| list(max + 1)));
            values.extend(limits.count_min.map(|min| list(min - 1)));
        }
        match field.kind() {
            Kind::String => {
                let texts = limits.texts_past().into_iter().map(Value::String);
                values.extend(texts.map(|text| if field.is_list() { Value::List(vec![text]) } else { text }));
            }
            Kind::Int32 => {
                values.extend(limits.value_max.map(|max| Value::I32(max + 1)));
                values.extend(limits.value_min.map(|min| Value::I32(min - 1)));
            }
            _ => {}
        }
        values
    }

    fn item(&self, field: &FieldDescriptor) -> Value {
        let limits = self.limits(field);
        match field.kind() {
            Kind::String => Value::String(limits.text()),
            Kind::Int32 => Value::I32(limits.value_min.unwrap_or(1)),
            Kind::Bool => Value::Bool(false),
            Kind::Message(message) => Value::Message(self.minimal(&message)),
            other => panic!("{}: no sample of a {other:?}", field.full_name()),
        }
    }
}

impl Limits {
    /// A text that the shape allows; one that leads to something, where the shape says what it names.
    fn text(&self) -> String {
        match self.shape.as_str() {
            "SHAPE_STS_ARN" => return format!("arn:aws:iam::123456789012:role/{NAME}"),
            "SHAPE_ARN" => return format!("arn:aws:iam::123456789012:policy/{NAME}"),
            "SHAPE_MFA_SERIAL_NUMBER" => return format!("arn:aws:iam::123456789012:mfa/{NAME}"),
            "SHAPE_OPEN_ID_CONNECT_PROVIDER_ARN" => {
                return format!("arn:aws:iam::123456789012:oidc-provider/{NAME}.example.com");
            }
            "SHAPE_OPEN_ID_CONNECT_PROVIDER_URL" => return format!("https://{NAME}.example.com"),
            "SHAPE_RESOURCE" => return "arn:aws:s3:::bucket/key".to_owned(),
            "SHAPE_POLICY_DOCUMENT" => return document(&json!([allow("s3:GetObject", "*")])),
            _ => {}
        }
        let candidates = self.one_of.iter().map(String::as_str).chain(TEXTS.iter().copied());
        let found = candidates.into_iter().find(|text| self.allows(text));
        found.unwrap_or_else(|| panic!("no sample is a {}: add one to TEXTS", self.shape)).to_owned()
    }

    fn texts_past(&self) -> Vec<String> {
        let mut texts = Vec::new();
        texts.extend(self.length_max.map(|max| "a".repeat(max + 1)));
        texts.extend(self.length_min.filter(|min| *min > 0).map(|min| "a".repeat(min - 1)));
        texts.extend(ODD_TEXTS.iter().find(|text| !self.allows(text)).map(|text| (*text).to_owned()));
        texts
    }

    fn allows(&self, text: &str) -> bool {
        let length = text.chars().count();
        self.length_min.is_none_or(|min| length >= min)
            && self.length_max.is_none_or(|max| length <= max)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && (self.one_of.is_empty() || self.one_of.iter().any(|value| value == text))
    }
}

/// The member as a refusal names it: `question.action`, `tags[0].key`.
pub(crate) fn name(path: &[FieldDescriptor]) -> String {
    let (last, outer) = path.split_last().unwrap();
    let outer = outer.iter().map(|field| {
        let index = if field.is_list() { "[0]" } else { "" };
        format!("{}{index}.", field.name())
    });
    outer.collect::<String>() + last.name()
}
