//! How the messages of operations lie in a form and in XML: read once from the descriptors and their options, so that a
//! call walks small tables and no reflection.

use std::collections::HashMap;

use heck::ToUpperCamelCase as _;
use prost_reflect::{DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind as ProtoKind};

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// Why a message has no form.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The descriptor does not decode.
    #[error("the descriptor: {0}")]
    Descriptor(#[from] prost_reflect::DescriptorError),
    /// The descriptor lacks what it was built with.
    #[error("there is no {0}")]
    Lacking(String),
    /// A field of a kind that AWS's Query protocol does not have.
    #[error("{0} has no form in AWS's Query protocol")]
    Kind(String),
}

/// Every message that was asked for, and those within them.
pub(super) struct Layouts {
    pool: DescriptorPool,
    wire_name: ExtensionDescriptor,
    url_encoded: ExtensionDescriptor,
    known: HashMap<String, usize>,
    messages: Vec<Message>,
}

/// A message: its fields in the order of their numbers, which is the order in which prost writes them.
#[derive(Clone, Default)]
pub(super) struct Message(pub(super) Vec<Field>);

#[derive(Clone)]
pub(super) struct Field {
    pub(super) number: u32,
    /// Its name in AWS's Query protocol.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What stands around each item of a list or of a map.
    pub(super) items: Option<&'static str>,
    /// It is left out where the message lacks it; others are always written.
    pub(super) optional: bool,
    /// Its text is percent-encoded in responses.
    pub(super) url_encoded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Boolean,
    Integer32,
    Integer64,
    Blob,
    Time,
    Message(usize),
}

impl Layouts {
    pub(super) fn new() -> Result<Self, LayoutError> {
        let pool = DescriptorPool::decode(reeve_proto::DESCRIPTOR)?;
        let option = |name: &str| {
            let name = format!("reeve.operation.v1.{name}");
            pool.get_extension_by_name(&name).ok_or(LayoutError::Lacking(name))
        };
        Ok(Self {
            wire_name: option("wire_name")?,
            url_encoded: option("url_encoded")?,
            pool,
            known: HashMap::new(),
            messages: Vec::new(),
        })
    }

    /// The place of the message of that full name.
    pub(super) fn of(&mut self, name: &str) -> Result<usize, LayoutError> {
        if let Some(place) = self.known.get(name) {
            return Ok(*place);
        }
        let message =
            self.pool.get_message_by_name(name).ok_or_else(|| LayoutError::Lacking(name.to_owned()))?;
        // Its place is taken before its fields are looked at: a message can hold itself.
        let place = self.messages.len();
        self.known.insert(name.to_owned(), place);
        self.messages.push(Message::default());
        let is_entry = message.is_map_entry();
        let mut fields =
            message.fields().map(|field| self.field(&field, is_entry)).collect::<Result<Vec<_>, _>>()?;
        fields.sort_by_key(|field| field.number);
        if let Some(message) = self.messages.get_mut(place) {
            message.0 = fields;
        }
        Ok(place)
    }

    /// The fields of the message at `place`.
    pub(super) fn fields(&self, place: usize) -> &[Field] {
        self.messages.get(place).map_or(&[], |message| &message.0)
    }

    fn field(&mut self, field: &FieldDescriptor, of_entry: bool) -> Result<Field, LayoutError> {
        let options = field.options();
        let kind = match field.kind() {
            ProtoKind::String => Kind::Text,
            ProtoKind::Bool => Kind::Boolean,
            ProtoKind::Int32 => Kind::Integer32,
            ProtoKind::Int64 => Kind::Integer64,
            ProtoKind::Bytes => Kind::Blob,
            ProtoKind::Message(inner) if inner.full_name() == TIMESTAMP => Kind::Time,
            ProtoKind::Message(inner) => Kind::Message(self.of(inner.full_name())?),
            _ => return Err(LayoutError::Kind(field.full_name().to_owned())),
        };
        let packed = field.is_list() && !matches!(kind, Kind::Text | Kind::Message(_));
        if packed {
            return Err(LayoutError::Kind(field.full_name().to_owned()));
        }
        let name = options.get_extension(&self.wire_name).as_str().unwrap_or_default().to_owned();
        Ok(Field {
            number: field.number(),
            name: match name.as_str() {
                // The two members of a map's entries keep the names that they have.
                "" if of_entry => field.name().to_owned(),
                "" => field.name().to_upper_camel_case(),
                _ => name,
            },
            kind,
            items: if field.is_map() { Some("entry") } else { field.is_list().then_some("member") },
            optional: field.supports_presence() && !of_entry,
            url_encoded: options.get_extension(&self.url_encoded).as_bool().unwrap_or_default(),
        })
    }
}
