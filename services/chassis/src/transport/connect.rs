//! Connect's unary protocol over HTTP: its headers, its deadline, and its errors. (Source: the Connect protocol reference.)

use std::time::Duration;

use ::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming as HttpBody;
use prost::Message as _;
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;
use serde_json::json;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use super::http::plain;
use super::{Peer, Service, status};
use crate::json::Format;
use crate::pipeline::Refused;

const PROTOCOL_VERSION: &str = "connect-protocol-version";
const TIMEOUT: &str = "connect-timeout-ms";
/// Most digits of a timeout.
const TIMEOUT_DIGITS_MAX: usize = 10;

impl Service {
    /// Answers a call of the operation at the request's path.
    pub(super) async fn connect(&self, peer: Peer, request: Request<HttpBody>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let Some(route) = self.routes.get(path.as_str()) else { return plain(StatusCode::NOT_FOUND) };
        if request.method() != Method::POST {
            return with_header(plain(StatusCode::METHOD_NOT_ALLOWED), ALLOW.as_str(), "POST");
        }
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(format) = content_type.and_then(Format::of) else {
            let refused = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            return with_header(
                refused,
                "accept-post",
                "application/json, application/proto, application/grpc",
            );
        };
        let timeout = match check(request.headers()) {
            Ok(timeout) => timeout.unwrap_or(self.limits.deadline_max).min(self.limits.deadline_max),
            Err(error) => {
                let refused = Refused {
                    action: route.spec.action,
                    headers: request.headers(),
                    source_ip: &peer.address,
                };
                let (error, request_id) = self.pipeline.refuse(&refused, error).await.into_refusal();
                return Self::connect_refused(&error, &request_id);
            }
        };
        let deadline = Instant::now() + timeout;
        let expected = (route.spec.action, self.bytes_max(route.spec));
        let received = match self.receive(request, peer, expected, deadline).await {
            Ok(received) => received,
            Err((error, request_id)) => return Self::connect_refused(&error, &request_id),
        };
        let (incoming, _for_as_long) = received.into_incoming(self.messages.encoding(&path, format));
        let outcome = self.pipeline.run(route, &incoming).await;
        let written = outcome.result.and_then(|message| self.messages.written(&path, format, message));
        let mut response = match written {
            Ok(message) => with_header(
                Response::new(Body::new(Full::new(message))),
                CONTENT_TYPE.as_str(),
                format.content_type(),
            ),
            Err(error) => Self::connect_refused(&error, &outcome.request_id),
        };
        if let Some(revision) = outcome.revision {
            response.headers_mut().insert("reeve-revision", revision);
        }
        with_header(response, "x-amzn-requestid", &outcome.request_id)
    }

    fn connect_refused(error: &Error, request_id: &str) -> Response<Body> {
        let response = refusal(&status::of(error, request_id));
        let response = with_header(response, "x-amzn-errortype", error.reason.answer().code);
        with_header(response, "x-amzn-requestid", request_id)
    }
}

/// The timeout that a call asks for, if its headers are ones that are understood here.
fn check(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let malformed = |message: &str| Error::new(ErrorReason::MalformedInput, message);
    if headers.get(PROTOCOL_VERSION).is_some_and(|version| version != "1") {
        return Err(malformed("connect-protocol-version must be 1."));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let message = "Unknown compression: the supported encoding is identity.";
        return Err(Error::new(ErrorReason::UnsupportedMediaType, message));
    }
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| {
        (1..=TIMEOUT_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    });
    let milliseconds = digits.and_then(|digits| digits.parse().ok());
    match milliseconds {
        Some(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
        None => Err(malformed("connect-timeout-ms must be up to ten digits.")),
    }
}

/// An error as Connect says it.
fn refusal(status: &Status) -> Response<Body> {
    let told = tonic_types::Status::decode(status.details()).unwrap_or_default();
    let details: Vec<_> = told
        .details
        .iter()
        .map(|any| {
            let kind = any.type_url.rsplit('/').next().unwrap_or_default();
            json!({ "type": kind, "value": STANDARD_NO_PAD.encode(&any.value) })
        })
        .collect();
    let body = json!({ "code": name(status.code()), "message": status.message(), "details": details });
    let mut response = Response::new(Body::new(Full::new(Bytes::from(body.to_string()))));
    *response.status_mut() = http_status(status.code());
    with_header(response, CONTENT_TYPE.as_str(), "application/json")
}

fn with_header(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Connect's name of a code.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok | Code::Unknown => "unknown",
        Code::Cancelled => "canceled",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// The HTTP status that Connect gives a code.
fn http_status(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
