//! The documents that issuers of tokens publish, over plain HTTP and to everybody: whoever checks a token fetches them. Each
//! request has its place in the budget of what is open to everybody, and whoever fetched one may keep it for a while.

use std::pin::pin;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming as HttpBody;
use reeve_directory::Error;
use tokio::time::Instant;
use tonic::body::Body;

use super::http::plain;
use super::{Peer, Service, deadline};
use crate::clock;
use crate::outbound::{KEY_SET_SECONDS_MAX, find_document};
use crate::pipeline::Refused;

/// What the paths of all documents hold, and no operation's does. (Source: RFC 8615.)
const WELL_KNOWN: &str = "/.well-known/";

/// Whether a path is one of documents.
pub(super) fn is_document(path: &str) -> bool {
    path.contains(WELL_KNOWN)
}

impl Service {
    /// Answers a request for a document.
    pub(super) async fn document(&self, peer: Peer, request: Request<HttpBody>) -> Response<Body> {
        let deadline = Instant::now() + self.limits.deadline_max;
        let path = request.uri().path();
        let is_head = request.method() == Method::HEAD;
        if !is_head && request.method() != Method::GET {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let found = match self.budgets.open.take(0) {
            Ok(_for_as_long) => {
                let found = clock::by(deadline, pin!(find_document(&self.pipeline.environment, path))).await;
                found.unwrap_or_else(|_| Err(deadline::missed()))
            }
            Err(spent) => Err(spent),
        };
        match found {
            Ok(Some(document)) => shown(document, is_head),
            Ok(None) => plain(StatusCode::NOT_FOUND),
            Err(error) => {
                let refused = Refused { action: path, headers: request.headers(), source_ip: &peer.address };
                let (error, request_id) = self.pipeline.refuse(&refused, error).await.into_refusal();
                refusal(&error, &request_id)
            }
        }
    }
}

fn shown(document: Bytes, is_head: bool) -> Response<Body> {
    let length = document.len();
    let body = if is_head { Body::empty() } else { Body::new(Full::new(document)) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(kept) = HeaderValue::try_from(format!("public, max-age={KEY_SET_SECONDS_MAX}")) {
        headers.insert(CACHE_CONTROL, kept);
    }
    response
}

fn refusal(error: &Error, request_id: &str) -> Response<Body> {
    let answer = error.reason.answer();
    let mut response = plain(StatusCode::from_u16(answer.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in [("x-amzn-errortype", answer.code), ("x-amzn-requestid", request_id)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
