//! One line of input, borrowed from its text: documents stay text until somebody has to compile them.

use std::borrow::Cow;
use std::fmt;

use reeve_evaluator::{Arn, Context, Value, is_same_key};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The most condition keys a line may give. No request of AWS's comes near, and each is compared with the others.
pub(crate) const KEYS_MAX: usize = 1024;

/// A question with the policies that apply to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line<'t> {
    #[serde(borrow)]
    pub(crate) id: Option<&'t RawValue>,
    #[serde(borrow)]
    pub(crate) request: Question<'t>,
    #[serde(borrow)]
    pub(crate) identity_policies: Option<&'t RawValue>,
    #[serde(borrow)]
    pub(crate) group_policies: Option<&'t RawValue>,
    #[serde(borrow)]
    pub(crate) permissions_boundary: Option<&'t RawValue>,
    #[serde(borrow)]
    pub(crate) session_policies: Option<&'t RawValue>,
    #[serde(borrow)]
    pub(crate) resource_policy: Option<&'t RawValue>,
    #[serde(borrow)]
    pub(crate) service_control_policies: Option<&'t RawValue>,
    #[serde(borrow)]
    pub(crate) resource_control_policies: Option<&'t RawValue>,
    pub(crate) expect: Option<Expected>,
}

/// Who wants to do what, where.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question<'t> {
    #[serde(borrow)]
    pub(crate) principal: Asker<'t>,
    #[serde(borrow)]
    pub(crate) role: Option<Cow<'t, str>>,
    #[serde(borrow)]
    pub(crate) action: Cow<'t, str>,
    #[serde(borrow)]
    pub(crate) resource: Cow<'t, str>,
    #[serde(borrow)]
    pub(crate) resource_account: Option<Cow<'t, str>>,
    #[serde(borrow, default)]
    pub(crate) context: Keys<'t>,
}

/// The decision that a line expects.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Expected {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

impl Expected {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicitDeny",
            Self::ImplicitDeny => "implicitDeny",
        }
    }
}

/// How a line names its principal.
pub(crate) enum Asker<'t> {
    /// An ARN, or `*` for the anonymous.
    Text(Cow<'t, str>),
    /// `{"service": ...}`.
    Service(Cow<'t, str>),
}

/// The condition keys of a line, as it gives them.
#[derive(Default)]
pub(crate) struct Keys<'t>(Vec<(Cow<'t, str>, KeyValue<'t>)>);

/// A condition key's value; a list is multivalued even when it holds one.
enum KeyValue<'t> {
    One(Cow<'t, str>),
    Flag(bool),
    Number(i64),
    Many(Vec<String>),
}

impl<'t> Question<'t> {
    /// Whether the resource's policy is a role's trust policy: the only one that a role has, and STS alone asks it.
    pub(crate) fn asks_trust_policy(&self) -> bool {
        let service = self.action.split(':').next().unwrap_or_default();
        service.eq_ignore_ascii_case("sts")
            && Arn::parse(&self.resource)
                .is_ok_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
    }

    /// Puts the condition keys into `context`.
    pub(crate) fn describe<'r>(&'r self, context: &mut Context<'r>) {
        for (key, value) in &self.context.0 {
            match value {
                KeyValue::One(text) => context.insert(key, &**text),
                KeyValue::Flag(flag) => context.insert(key, *flag),
                KeyValue::Number(number) => context.insert(key, *number),
                KeyValue::Many(texts) => context.insert(key, Value::Strings(texts)),
            };
        }
    }
}

impl Keys<'_> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'de: 't, 't> Deserialize<'de> for Asker<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AskerVisitor;
        impl<'de> Visitor<'de> for AskerVisitor {
            type Value = Asker<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ARN, \"*\" or {\"service\": \"...\"}")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Asker::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Asker::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let service = Service::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Asker::Service(service.service))
            }
        }
        deserializer.deserialize_any(AskerVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service<'t> {
    #[serde(borrow)]
    service: Cow<'t, str>,
}

impl<'de: 't, 't> Deserialize<'de> for Keys<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("condition keys and their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut keys: Vec<(Cow<'de, str>, KeyValue<'de>)> = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    if keys.len() == KEYS_MAX {
                        return Err(de::Error::custom(format!("more than {KEYS_MAX} condition keys")));
                    }
                    if keys.iter().any(|(known, _)| is_same_key(known, &key)) {
                        return Err(de::Error::custom(format!("the condition key {key} is given twice")));
                    }
                    keys.push((key, map.next_value()?));
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(KeysVisitor)
    }
}

/// A text that is borrowed where it can be.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'de: 't, 't> Deserialize<'de> for KeyValue<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyValueVisitor)
    }
}

struct KeyValueVisitor;

impl<'de> Visitor<'de> for KeyValueVisitor {
    type Value = KeyValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a boolean or a list of them")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(KeyValue::One(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(KeyValue::One(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(KeyValue::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(KeyValue::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        let whole = i64::try_from(number).map(KeyValue::Number);
        Ok(whole.unwrap_or_else(|_| KeyValue::One(Cow::Owned(number.to_string()))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(KeyValue::One(Cow::Owned(number.to_string())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = items.next_element()? {
            texts.push(match item {
                KeyValue::One(text) => text.into_owned(),
                KeyValue::Flag(flag) => flag.to_string(),
                KeyValue::Number(number) => number.to_string(),
                KeyValue::Many(_) => return Err(de::Error::custom("a list of values holds no lists")),
            });
        }
        Ok(KeyValue::Many(texts))
    }
}
