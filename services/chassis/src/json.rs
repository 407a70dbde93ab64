//! Operations in JSON, or in protobuf without a frame, over plain HTTP: Connect's unary protocol, for curl and for Connect's
//! clients. JSON is protobuf's own mapping, read and written by reflection. It only translates, as the Query door does.
//! (Source: the Connect protocol reference, and protobuf's ProtoJSON.)

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor};
use reeve_directory::Error;

use crate::crowd;
use crate::pipeline::{Encoding, Incoming};
use crate::query::LayoutError;
use crate::route::Routes;

/// How the messages of a call are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Protobuf,
}

impl Format {
    /// The one that a content type names, if it names one.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind {
            _ if kind.eq_ignore_ascii_case("application/json") => Some(Self::Json),
            _ if kind.eq_ignore_ascii_case("application/proto") => Some(Self::Protobuf),
            _ => None,
        }
    }

    /// Its content type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/proto",
        }
    }
}

/// The messages of every operation, by its path.
pub(crate) struct Messages(HashMap<&'static str, (MessageDescriptor, MessageDescriptor)>);

impl Messages {
    /// Those of `routes`.
    ///
    /// # Errors
    /// The descriptor does not decode, or lacks a message.
    pub(crate) fn new(routes: &Routes) -> Result<Self, LayoutError> {
        let pool = DescriptorPool::decode(reeve_proto::DESCRIPTOR)?;
        let message =
            |name: &str| pool.get_message_by_name(name).ok_or_else(|| LayoutError::Lacking(name.to_owned()));
        let messages = routes
            .all()
            .map(|route| {
                Ok((route.spec.grpc_path, (message(route.spec.request)?, message(route.spec.response)?)))
            })
            .collect::<Result<_, LayoutError>>()?;
        Ok(Self(messages))
    }

    /// How the request's message of the operation at `path` lies in its payload.
    pub(crate) fn encoding(&self, path: &str, format: Format) -> Box<dyn Encoding> {
        match (format, self.0.get(path)) {
            (Format::Json, Some((request, _))) => Box::new(Json(request.clone())),
            _ => Box::new(Unframed),
        }
    }

    /// The response's message of the operation at `path` as its caller wants it.
    ///
    /// # Errors
    /// It is not what its descriptor says: a fault of ours.
    pub(crate) fn written(&self, path: &str, format: Format, message: Bytes) -> Result<Bytes, Error> {
        let (Format::Json, Some((_, response))) = (format, self.0.get(path)) else { return Ok(message) };
        let fault = |error: String| {
            tracing::error!(path, detail = error, "a response could not be written");
            Error::internal_failure(error)
        };
        let message =
            DynamicMessage::decode(response.clone(), message).map_err(|error| fault(error.to_string()))?;
        Ok(serde_json::to_vec(&message).map_err(|error| fault(error.to_string()))?.into())
    }
}

struct Json(MessageDescriptor);

impl Encoding for Json {
    fn message(&self, incoming: &Incoming) -> Result<Bytes, Error> {
        let refused = |error: serde_json::Error| {
            Error::validation_error(format!("The request is not a {}: {error}", self.0.full_name()))
        };
        crowd::check_json(&incoming.payload)?;
        let mut text = serde_json::Deserializer::from_slice(&incoming.payload);
        // Unknown members are passed over, as AWS has it.
        let options = DeserializeOptions::new().deny_unknown_fields(false);
        let message =
            DynamicMessage::deserialize_with_options(self.0.clone(), &mut text, &options).map_err(refused)?;
        text.end().map_err(refused)?;
        Ok(message.encode_to_vec().into())
    }
}

/// The payload is the message.
struct Unframed;

impl Encoding for Unframed {
    fn message(&self, incoming: &Incoming) -> Result<Bytes, Error> {
        Ok(incoming.payload.clone())
    }
}
