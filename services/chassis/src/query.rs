//! AWS's Query protocol: a form in, XML out, for every operation that AWS has, derived from the descriptors and with no line
//! per operation. It only translates: what a form asks goes through the same pipeline as a gRPC call.
//! (Source: botocore's `query` serializer and parser, and the answers of IAM and STS.)

mod form;
mod layout;
mod read;
mod write;
mod xml;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;

pub use layout::LayoutError;

use crate::pipeline::{Encoding, Incoming, Outcome};
use crate::route::{Route, Routes};
use form::Form;
use layout::Layouts;

/// The services that AWS has, by the prefix of their actions, with the version of their Query protocol.
const VERSIONS: &[(&str, &str)] = &[("iam", "2010-05-08"), ("sts", "2011-06-15")];
/// The version in the refusal of a form without one.
const NO_VERSION: &str = "NO_VERSION_SPECIFIED";

/// The operations that are served as AWS serves them.
pub struct Query {
    layouts: Arc<Layouts>,
    services: Vec<Service>,
}

/// A service of AWS's.
struct Service {
    version: &'static str,
    namespace: String,
    operations: HashMap<&'static str, Operation>,
}

struct Operation {
    route: Arc<Route>,
    /// The layouts of its messages.
    request: usize,
    response: usize,
}

/// The operation that a form names.
pub(crate) struct Found<'a> {
    service: &'a Service,
    operation: &'a Operation,
}

impl Query {
    /// Serves those of `routes` that AWS has.
    ///
    /// # Errors
    /// A message holds what the protocol has no form for.
    pub fn new(routes: &Routes) -> Result<Self, LayoutError> {
        let mut layouts = Layouts::new()?;
        let mut services = Vec::new();
        for (prefix, version) in VERSIONS {
            let mut operations = HashMap::new();
            for route in routes.all().filter(|route| route.spec.prefix == *prefix) {
                let request = layouts.of(route.spec.request)?;
                let response = layouts.of(route.spec.response)?;
                operations
                    .insert(route.spec.method, Operation { route: Arc::clone(route), request, response });
            }
            let namespace = format!("https://{prefix}.amazonaws.com/doc/{version}/");
            services.push(Service { version, namespace, operations });
        }
        Ok(Self { layouts: Arc::new(layouts), services })
    }

    /// Finds the operation that a query and a form name.
    ///
    /// # Errors
    /// `MalformedQueryString`, `MissingAction` or `InvalidAction`.
    pub(crate) fn find(&self, query: &str, body: &[u8]) -> Result<Found<'_>, Error> {
        let form = Form::parse(query, body)?;
        let action = form.first("Action").filter(|action| !action.is_empty()).ok_or_else(|| {
            Error::missing_action("The request is missing an action or a required parameter.")
        })?;
        let version = form.first("Version").unwrap_or(NO_VERSION);
        let service = self.services.iter().find(|service| service.version == version);
        let found = service.and_then(|service| {
            let operation = service.operations.get(action)?;
            Some(Found { service, operation })
        });
        found.ok_or_else(|| {
            Error::invalid_action(format!(
                "Could not find operation {} for version {}",
                form::quoted(action),
                form::quoted(version)
            ))
        })
    }

    /// The request message of the operation that a query and a form name, in protobuf's binary form.
    ///
    /// # Errors
    /// Those of a form that names no operation; `MalformedInput` for a value that is not of its member's form.
    pub fn message(&self, query: &str, body: &[u8]) -> Result<Bytes, Error> {
        self.form_of(&self.find(query, body)?).read(query, body)
    }

    /// How the message of the operation that was found lies in its form.
    pub(crate) fn encoding(&self, found: &Found<'_>) -> Box<dyn Encoding> {
        Box::new(self.form_of(found))
    }

    fn form_of(&self, found: &Found<'_>) -> FormEncoding {
        FormEncoding { layouts: Arc::clone(&self.layouts), request: found.operation.request }
    }

    /// The answer to a call of the operation that was found.
    pub(crate) fn answer(&self, found: &Found<'_>, outcome: &Outcome) -> Response<Bytes> {
        let request_id = &outcome.request_id;
        let method = found.operation.route.spec.method;
        let written = match &outcome.result {
            Err(error) => Err(error.clone()),
            Ok(message) => {
                let layout = found.operation.response;
                write::response(&self.layouts, layout, message, method, &found.service.namespace, request_id)
                    .map_err(|error| {
                        tracing::error!(request_id, method, detail = error.to_string(), "a call failed");
                        Error::internal_failure(error.to_string())
                    })
            }
        };
        let (status, text) = match written {
            Ok(text) => (StatusCode::OK, text),
            Err(error) => refusal(&error, &found.service.namespace, request_id),
        };
        let mut response = reply(status, text, request_id);
        if let Some(revision) = &outcome.revision {
            response.headers_mut().insert("reeve-revision", revision.clone());
        }
        response
    }

    /// The answer to what names no operation, or is no form at all.
    pub(crate) fn refuse(&self, error: &Error, request_id: &str) -> Response<Bytes> {
        let namespace = self.services.first().map_or("", |service| &service.namespace);
        let (status, text) = refusal(error, namespace, request_id);
        reply(status, text, request_id)
    }
}

impl Found<'_> {
    /// The operation's route.
    pub(crate) fn route(&self) -> &Arc<Route> {
        &self.operation.route
    }
}

struct FormEncoding {
    layouts: Arc<Layouts>,
    request: usize,
}

impl FormEncoding {
    fn read(&self, query: &str, body: &[u8]) -> Result<Bytes, Error> {
        read::message(&self.layouts, self.request, Form::parse(query, body)?)
    }
}

impl Encoding for FormEncoding {
    fn message(&self, incoming: &Incoming) -> Result<Bytes, Error> {
        self.read(incoming.target.query().unwrap_or_default(), &incoming.payload)
    }
}

fn refusal(error: &Error, namespace: &str, request_id: &str) -> (StatusCode, String) {
    let answer = error.reason.answer();
    let status = StatusCode::from_u16(answer.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
    (status, xml::error(namespace, kind, answer.code, &error.message, request_id))
}

fn reply(status: StatusCode, text: String, request_id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
    response
}

/// The refusal of a value that does not have its member's form.
fn malformed(name: &str, value: &str, form: &str) -> Error {
    let name = form::quoted(name);
    Error::new(ErrorReason::MalformedInput, format!("{name}: '{}' is not {form}.", form::quoted(value)))
}

#[cfg(test)]
mod tests;
