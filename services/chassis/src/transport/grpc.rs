//! A unary call as gRPC frames it: one message behind five bytes in, one message and the status behind it out. Written
//! here because tonic's framing is made for streams: a call of one message in each direction paid for two buffers of
//! 8 KiB, four boxes and a copy of either message.
//! (Source: "gRPC over HTTP2".)

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Frame;
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;
use tonic::body::Body;

use super::http::plain;
use super::message::PREFIX_BYTES;
use super::status;

static STATUS: HeaderName = HeaderName::from_static("grpc-status");
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

/// The answer to a request that says it speaks gRPC and does not: it is always a `POST`, and always over HTTP/2.
pub(super) fn fault<B>(request: &Request<B>) -> Option<Response<Body>> {
    if request.version() != Version::HTTP_2 {
        return Some(plain(StatusCode::HTTP_VERSION_NOT_SUPPORTED));
    }
    if request.method() == Method::POST {
        return None;
    }
    let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED);
    refused.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    Some(refused)
}

/// The response to a call that failed.
pub(super) fn refusal(error: &Error, request_id: &str) -> Response<Body> {
    let mut response = status::of(error, request_id).into_http();
    if error.reason == ErrorReason::UnsupportedMediaType {
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    response
}

/// The response to a call that went well.
pub(super) fn response(message: &[u8]) -> Response<Body> {
    let mut response = Response::new(Body::new(Answer { message: Some(framed(message)), ended: false }));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = Vec::with_capacity(PREFIX_BYTES + message.len());
    framed.push(0);
    // What is answered is bounded far below four gibibytes.
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

/// The body of such a response: its message, then the status in the trailers.
struct Answer {
    message: Option<Bytes>,
    ended: bool,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        if std::mem::replace(&mut self.ended, true) {
            return Poll::Ready(None);
        }
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert(STATUS.clone(), HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_its_message_and_then_its_status() {
        let (parts, body) = response(b"abc").into_parts();
        let collected = body.collect().await.unwrap();
        assert_eq!(parts.headers[CONTENT_TYPE], "application/grpc");
        assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(*collected.to_bytes(), *b"\0\0\0\0\x03abc");
    }
}
