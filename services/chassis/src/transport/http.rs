//! Calls that are no gRPC, over HTTP/1.1 and HTTP/2 alike: reads the body within the limits, hands the call to AWS's Query
//! protocol, and sends what comes out.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming as HttpBody};
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;
use tokio::time::Instant;
use tonic::body::Body;

use super::budget::Taken;
use super::{Peer, Service, TOKEN_BYTES_MAX, deadline};
use crate::clock;
use crate::pipeline::{Encoding, Incoming, Refused};

/// The type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// A request with its body.
pub(super) struct Received {
    parts: Parts,
    body: Bytes,
    taken: Option<Taken>,
    deadline: Instant,
    peer: Peer,
}

impl Received {
    /// The call that the request is, with its message written in `encoding`, and the place that it has while it goes on.
    pub(super) fn into_incoming(self, encoding: Box<dyn Encoding>) -> (Incoming, Option<Taken>) {
        let authority = authority(&self.parts.uri, &self.parts.headers);
        let incoming = Incoming {
            method: self.parts.method,
            target: self.parts.uri.into_parts().path_and_query.unwrap_or(PathAndQuery::from_static("/")),
            headers: self.parts.headers,
            authority,
            payload: self.body,
            awaited: false,
            encoding,
            source_ip: self.peer.address,
            secure: self.peer.secure,
            deadline: self.deadline,
        };
        (incoming, self.taken)
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
        let bytes_max = self.limits.message_bytes_max;
        let response = match self.receive(request, peer, ("", bytes_max), deadline).await {
            Ok(received) => {
                let query = received.parts.uri.query().unwrap_or_default();
                match self.query.find(query, &received.body) {
                    Ok(found) => {
                        let (incoming, _for_as_long) = received.into_incoming(self.query.encoding(&found));
                        let outcome = self.pipeline.run(found.route(), &incoming).await;
                        self.query.answer(&found, &outcome)
                    }
                    Err(error) => {
                        let refused = Refused {
                            action: "",
                            headers: &received.parts.headers,
                            source_ip: &received.peer.address,
                        };
                        let (error, request_id) = self.pipeline.refuse(&refused, error).await.into_refusal();
                        self.query.refuse(&error, &request_id)
                    }
                }
            }
            Err((error, request_id)) => self.query.refuse(&error, &request_id),
        };
        response.map(|text| Body::new(Full::new(text)))
    }

    /// Reads a request of `action`, where that is known, to its end.
    ///
    /// # Errors
    /// Those of reading its body, audited, with the request's id; `RequestTimeout` when it does not come in time.
    pub(super) async fn receive(
        &self,
        request: Request<HttpBody>,
        peer: Peer,
        (action, bytes_max): (&str, usize),
        deadline: Instant,
    ) -> Result<Received, (Error, String)> {
        let (parts, body) = request.into_parts();
        let read = clock::by(deadline, pin!(self.body(&parts, body, bytes_max))).await;
        match read.unwrap_or_else(|_| Err(deadline::missed())) {
            Ok((body, taken)) => Ok(Received { parts, body, taken, deadline, peer }),
            Err(error) => {
                let refused = Refused { action, headers: &parts.headers, source_ip: &peer.address };
                Err(self.pipeline.refuse(&refused, error).await.into_refusal())
            }
        }
    }

    /// A body, and its place. What is small is waited for from everybody, while there is room for that; anything else only
    /// from those who show good credentials.
    ///
    /// # Errors
    /// `RequestEntityTooLarge`; `ServiceUnavailable`; those of authentication; `MalformedInput` when the body breaks off.
    async fn body(
        &self,
        parts: &Parts,
        mut body: HttpBody,
        bytes_max: usize,
    ) -> Result<(Bytes, Option<Taken>), Error> {
        let announced = if body.is_end_stream() { Some(0) } else { length(&parts.headers) };
        if announced.is_some_and(|length| length > bytes_max) {
            return Err(too_large(bytes_max));
        }
        // A body that does not announce its length may be small.
        let first = announced.unwrap_or(TOKEN_BYTES_MAX);
        let mut open = if first <= TOKEN_BYTES_MAX { self.budgets.open.take(first).ok() } else { None };
        let mut known = match open {
            Some(_) => None,
            None => Some(self.admitted(parts, announced.unwrap_or(bytes_max)).await?),
        };
        let mut gathered = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let broken = |_| Error::new(ErrorReason::MalformedInput, "The body of the request broke off.");
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            let length = gathered.len() + data.len();
            if length > bytes_max {
                return Err(too_large(bytes_max));
            }
            if known.is_none() && length > TOKEN_BYTES_MAX {
                known = Some(self.admitted(parts, bytes_max).await?);
                open = None;
            }
            gathered.extend_from_slice(&data);
        }
        Ok((gathered.freeze(), known.or(open)))
    }

    /// The place of a body of `bytes`, for those whose headers show good credentials.
    async fn admitted(&self, parts: &Parts, bytes: usize) -> Result<Taken, Error> {
        let query = parts.uri.query().unwrap_or_default();
        Box::pin(self.pipeline.admit_unnamed(&parts.headers, query)).await?;
        self.budgets.known.take(bytes)
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
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
