//! A unary call as gRPC frames it: one message behind five bytes in, one message and the status behind it out. Written
//! here because tonic's framing is made for streams: a call of one message in each direction paid for two buffers of
//! 8 KiB, four boxes and a copy of either message.
//! (Source: "gRPC over HTTP2", and its "Compression" companion for what a compressed message is answered with.)

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataValue;

static ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
static STATUS: HeaderName = HeaderName::from_static("grpc-status");
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
const IDENTITY: &str = "identity";

/// What stands before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// The one message of a call, once the whole body has come. What follows it is read and not looked at: it is nobody's,
/// and no signature covers it.
///
/// # Errors
/// The body is cut short, holds no message or one above `bytes_max`, or is compressed.
pub(super) async fn message<B>(headers: &HeaderMap, mut body: B, bytes_max: usize) -> Result<Bytes, Status>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    if let Some(encoding) = headers.get(&ENCODING).filter(|encoding| *encoding != IDENTITY) {
        return Err(compressed(encoding));
    }
    let mut message = None;
    let mut gathered = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Status::cancelled(format!("The request broke off: {error}")))?;
        let (Ok(data), None) = (frame.into_data(), &message) else { continue };
        // Nearly always the message comes whole in one frame, and is not copied.
        let data = if gathered.is_empty() && end_of_message(&data, bytes_max)?.is_some() {
            data
        } else {
            gathered.extend_from_slice(&data);
            if end_of_message(&gathered, bytes_max)?.is_none() {
                continue;
            }
            gathered.split().freeze()
        };
        message = end_of_message(&data, bytes_max)?.map(|end| data.slice(PREFIX_BYTES..end));
    }
    message.ok_or_else(|| Status::internal("The request holds no whole message."))
}

/// Where the message at the beginning of `data` ends; nothing when not all of it is there yet.
fn end_of_message(data: &[u8], bytes_max: usize) -> Result<Option<usize>, Status> {
    let Some(([flag, length @ ..], rest)) = data.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    match flag {
        0 => {}
        1 => return Err(Status::internal("The message is compressed, and no encoding is named.")),
        _ => return Err(Status::internal("The message's first byte is neither 0 nor 1.")),
    }
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > bytes_max {
        return Err(Status::out_of_range(format!(
            "The message is of {length} bytes; at most {bytes_max} are read."
        )));
    }
    Ok((rest.len() >= length).then_some(PREFIX_BYTES + length))
}

/// No message is taken compressed: the signature covers the bytes that were serialized.
fn compressed(encoding: &HeaderValue) -> Status {
    let mut status = Status::unimplemented(format!("The encoding {encoding:?} is not supported."));
    status.metadata_mut().insert(ACCEPT_ENCODING, MetadataValue::from_static(IDENTITY));
    status
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
    use futures::{FutureExt as _, stream};
    use http_body_util::StreamBody;
    use proptest::prelude::*;
    use tonic::Code;

    use super::*;

    const BYTES_MAX: usize = 20;

    async fn read(headers: &HeaderMap, chunks: Vec<Vec<u8>>) -> Result<Bytes, Code> {
        let frames = chunks.into_iter().map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from(chunk))));
        let body = StreamBody::new(stream::iter(frames));
        message(headers, body, BYTES_MAX).await.map_err(|status| status.code())
    }

    async fn check(body: &[u8], expected: Result<&[u8], Code>) {
        let expected = expected.map(Bytes::copy_from_slice);
        // However the body is cut into frames, an empty one among them.
        for size in 1..=body.len().max(1) {
            let chunks = body.chunks(size).map(<[u8]>::to_vec).chain([Vec::new()]).collect();
            assert_eq!(read(&HeaderMap::new(), chunks).await, expected, "{body:?} in frames of {size}");
        }
    }

    #[tokio::test]
    async fn one_message_is_read_and_what_follows_is_not() {
        check(b"\0\0\0\0\0", Ok(b"")).await;
        check(b"\0\0\0\0\x03abc", Ok(b"abc")).await;
        check(b"\0\0\0\0\x03abc\x07whatever", Ok(b"abc")).await;
        check(&framed(&[7; BYTES_MAX]), Ok(&[7; BYTES_MAX])).await;
    }

    #[tokio::test]
    async fn what_is_no_message_is_refused() {
        check(b"", Err(Code::Internal)).await;
        check(b"\0\0\0\0", Err(Code::Internal)).await;
        check(b"\0\0\0\0\x03ab", Err(Code::Internal)).await;
        check(b"\x01\0\0\0\0", Err(Code::Internal)).await;
        check(b"\x02\0\0\0\0", Err(Code::Internal)).await;
        check(&framed(&[7; BYTES_MAX + 1]), Err(Code::OutOfRange)).await;
        check(b"\0\xff\xff\xff\xff", Err(Code::OutOfRange)).await;
    }

    #[tokio::test]
    async fn only_identity_is_an_encoding() {
        for (encoding, expected) in [("identity", Ok(Bytes::new())), ("gzip", Err(Code::Unimplemented))] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
            assert_eq!(read(&headers, vec![vec![0; PREFIX_BYTES]]).await, expected);
        }
    }

    #[tokio::test]
    async fn an_answer_is_its_message_and_then_its_status() {
        let (parts, body) = response(b"abc").into_parts();
        let collected = body.collect().await.unwrap();
        assert_eq!(parts.headers[CONTENT_TYPE], "application/grpc");
        assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(*collected.to_bytes(), *b"\0\0\0\0\x03abc");
    }

    proptest! {
        #[test]
        fn reading_is_total_and_does_not_depend_on_the_frames(
            body in prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..40), size in 1..40_usize,
        ) {
            let whole = read(&HeaderMap::new(), vec![body.clone()]).now_or_never().unwrap();
            let chunks = body.chunks(size).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(read(&HeaderMap::new(), chunks).now_or_never().unwrap(), whole);
        }
    }
}
