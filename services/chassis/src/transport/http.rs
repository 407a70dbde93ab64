//! Calls that are no gRPC, over HTTP/1.1 and HTTP/2 alike: reads the body within the limits, hands the call to AWS's Query
//! protocol, and sends what comes out.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming as HttpBody;
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;
use tokio::time::Instant;
use tonic::body::Body;

use super::{Peer, Service, deadline};
use crate::pipeline::{Encoding, Incoming};

/// The type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// A request with its body.
pub(super) struct Received {
    parts: Parts,
    body: Bytes,
    deadline: Instant,
    peer: Peer,
}

impl Received {
    /// Reads a request to its end.
    ///
    /// # Errors
    /// `RequestEntityTooLarge`; `RequestTimeout` when the body does not come in time; `MalformedInput` when it breaks off.
    pub(super) async fn read(
        request: Request<HttpBody>,
        peer: Peer,
        bytes_max: usize,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let announced = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > bytes_max) {
            return Err(too_large(bytes_max));
        }
        let read = Limited::new(body, bytes_max).collect();
        match tokio::time::timeout_at(deadline + deadline::GRACE, read).await {
            Ok(Ok(body)) => Ok(Self { parts, body: body.to_bytes(), deadline, peer }),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(bytes_max)),
            Ok(Err(_)) => Err(Error::new(ErrorReason::MalformedInput, "The body of the request broke off.")),
            Err(_) => Err(Error::request_timeout("The request did not arrive in time.")),
        }
    }

    /// The call that the request is, with its message written in `encoding`.
    pub(super) fn into_incoming(self, encoding: Box<dyn Encoding>) -> Incoming {
        let authority = authority(&self.parts.uri, &self.parts.headers);
        Incoming {
            method: self.parts.method,
            target: self.parts.uri.into_parts().path_and_query.unwrap_or(PathAndQuery::from_static("/")),
            headers: self.parts.headers,
            authority,
            payload: self.body,
            encoding,
            source_ip: self.peer.address,
            secure: self.peer.secure,
            deadline: self.deadline,
        }
    }
}

impl Service {
    /// Answers a call in AWS's Query protocol.
    pub(super) async fn query(&self, peer: Peer, request: Request<HttpBody>) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::POST {
            return plain(StatusCode::METHOD_NOT_ALLOWED);
        }
        if !is_form(request.headers()) {
            return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let deadline = Instant::now() + self.limits.deadline_max;
        let received = Received::read(request, peer, self.limits.message_bytes_max, deadline).await;
        let found = received.and_then(|received| {
            let query = received.parts.uri.query().unwrap_or_default();
            let found = self.query.find(query, &received.body)?;
            Ok((received, found))
        });
        let response = match found {
            Ok((received, found)) => {
                let incoming = received.into_incoming(self.query.encoding(&found));
                let outcome = self.pipeline.run(found.route(), incoming).await;
                self.query.answer(&found, &outcome)
            }
            Err(error) => self.query.refuse(&error, &self.pipeline.request_id()),
        };
        response.map(|text| Body::new(Full::new(text)))
    }
}

/// An answer without words.
pub(super) fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Whether a body is a form, or may be one for all that its headers say.
fn is_form(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().is_empty() || kind.trim().eq_ignore_ascii_case(FORM)
}

/// The host that was called: HTTP/2 and requests to a proxy have it in the target, others in a header.
pub(super) fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let named = uri.authority().cloned();
    named.or_else(|| Authority::try_from(headers.get(HOST)?.as_bytes()).ok())
}

fn too_large(bytes_max: usize) -> Error {
    let message = format!("The request is larger than {bytes_max} bytes.");
    Error::new(ErrorReason::RequestEntityTooLarge, message)
}
