//! The one message of a gRPC call, out of a body that comes as its sender likes. What has not come whole with the headers
//! is waited for only when it is known who sends it, and when there is room for all that it announces.
//! (Source: "gRPC over HTTP2", and its "Compression" companion for what a compressed message is answered with.)

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName};
use http_body::Frame;
use http_body_util::BodyExt as _;
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;

use super::budget::{Budget, Taken};

static ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// What stands before a message: whether it is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;

/// A message, and the place that it has while its call goes on, if it had to be waited for.
pub(super) struct Message {
    pub(super) payload: Bytes,
    pub(super) taken: Option<Taken>,
}

/// Reads the one message of a call to the end of its body. `admission` is asked before anything is waited for.
///
/// # Errors
/// What `admission` says; `ServiceUnavailable` when there is no room; `RequestEntityTooLarge` above `bytes_max`;
/// `UnsupportedMediaType` for a compressed message; `MalformedInput` for any other body than one message.
pub(super) async fn read<B, A>(
    headers: &HeaderMap,
    mut body: B,
    bytes_max: usize,
    admission: A,
) -> Result<Message, Error>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
    A: AsyncFnOnce() -> Result<Arc<Budget>, Error>,
{
    if headers.get(&ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(compressed());
    }
    let mut reading = Reading { gathered: BytesMut::new(), message: None, bytes_max };
    // Nearly always all of it is there with the headers, in one frame, or lies in the socket yet.
    let mut is_ended = reading.accept_ready(&mut body)?;
    if !is_ended {
        tokio::task::yield_now().await;
        is_ended = reading.accept_ready(&mut body)?;
    }
    let mut taken = None;
    if !is_ended {
        let budget = admission().await?;
        let mut announced = None;
        while !is_ended {
            if taken.is_none() || announced.is_none() {
                announced = reading.announced()?;
                // What it held without a length is given back first.
                drop(taken.take());
                taken = Some(budget.take(announced.unwrap_or_default())?);
            }
            is_ended = reading.accept(body.frame().await)?;
        }
    }
    let payload = reading.message.ok_or_else(|| malformed("The request holds no whole message."))?;
    Ok(Message { payload, taken })
}

/// A body of which so much has come.
struct Reading {
    /// The beginning of the message, when it comes in pieces.
    gathered: BytesMut,
    message: Option<Bytes>,
    bytes_max: usize,
}

impl Reading {
    /// Takes all that is there; whether it was the end.
    fn accept_ready<B>(&mut self, body: &mut B) -> Result<bool, Error>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let mut is_ended = body.is_end_stream();
        while !is_ended && let Some(frame) = body.frame().now_or_never() {
            is_ended = self.accept(frame)? || body.is_end_stream();
        }
        Ok(is_ended)
    }

    /// Takes what comes next; whether it was the end.
    fn accept<E: std::fmt::Display>(
        &mut self,
        frame: Option<Result<Frame<Bytes>, E>>,
    ) -> Result<bool, Error> {
        let Some(frame) = frame else { return Ok(true) };
        let frame = frame.map_err(|error| malformed(format!("The request broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { return Ok(false) };
        if data.is_empty() {
            return Ok(false);
        }
        if self.message.is_some() {
            return Err(second());
        }
        // A message that comes whole is not copied.
        let whole = if self.gathered.is_empty() && end_of_message(&data, self.bytes_max)?.is_some() {
            data
        } else {
            self.gathered.extend_from_slice(&data);
            if end_of_message(&self.gathered, self.bytes_max)?.is_none() {
                return Ok(false);
            }
            self.gathered.split().freeze()
        };
        match end_of_message(&whole, self.bytes_max)? {
            Some(end) if end == whole.len() => self.message = Some(whole.slice(PREFIX_BYTES..)),
            _ => return Err(second()),
        }
        Ok(false)
    }

    /// The length of the message, once it is known.
    fn announced(&self) -> Result<Option<usize>, Error> {
        match &self.message {
            Some(message) => Ok(Some(message.len())),
            None => length(&self.gathered, self.bytes_max),
        }
    }
}

/// Where the message at the beginning of `data` ends; nothing when not all of it is there yet.
fn end_of_message(data: &[u8], bytes_max: usize) -> Result<Option<usize>, Error> {
    let end = length(data, bytes_max)?.map(|length| PREFIX_BYTES + length);
    Ok(end.filter(|end| *end <= data.len()))
}

/// The length that stands before a message; nothing when not all of that is there yet.
fn length(data: &[u8], bytes_max: usize) -> Result<Option<usize>, Error> {
    let Some([flag, length @ ..]) = data.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    match flag {
        0 => {}
        1 => return Err(compressed()),
        _ => return Err(malformed("The message's first byte is neither 0 nor 1.")),
    }
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > bytes_max {
        let message = format!("The message is of {length} bytes; at most {bytes_max} are read.");
        return Err(Error::new(ErrorReason::RequestEntityTooLarge, message));
    }
    Ok(Some(length))
}

/// No message is taken compressed: the signature covers the bytes that were serialized.
fn compressed() -> Error {
    Error::new(
        ErrorReason::UnsupportedMediaType,
        "A message is read only as it was serialized, not compressed.",
    )
}

fn second() -> Error {
    malformed("The request holds more than its one message.")
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorReason::MalformedInput, message)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{StreamExt as _, stream};
    use http::HeaderValue;
    use http_body_util::StreamBody;
    use proptest::prelude::*;
    use reeve_proto::error::v1::ErrorReason::{MalformedInput, RequestEntityTooLarge, UnsupportedMediaType};

    use super::*;
    use crate::transport::budget::Budgets;

    const BYTES_MAX: usize = 20;

    type Answer = Result<Vec<u8>, ErrorReason>;

    fn told(read: Result<Message, Error>) -> Answer {
        read.map(|message| message.payload.to_vec()).map_err(|error| error.reason)
    }

    fn frames(chunks: Vec<Vec<u8>>) -> impl stream::Stream<Item = Result<Frame<Bytes>, Infallible>> + Unpin {
        stream::iter(chunks.into_iter().map(|chunk| Ok(Frame::data(Bytes::from(chunk)))))
    }

    /// Reads a body that is all there: nobody is asked.
    async fn read_ready(headers: &HeaderMap, chunks: Vec<Vec<u8>>) -> Answer {
        let body = StreamBody::new(frames(chunks));
        told(read(headers, body, BYTES_MAX, async || panic!("nothing was waited for")).await)
    }

    /// Reads a body that is waited for before each of its frames.
    async fn read_slowly(chunks: Vec<Vec<u8>>) -> Answer {
        let slowly = frames(chunks).then(async |frame| {
            tokio::task::yield_now().await;
            frame
        });
        let body = StreamBody::new(Box::pin(slowly));
        told(read(&HeaderMap::new(), body, BYTES_MAX, async || Ok(Budgets::of(1 << 20).known)).await)
    }

    async fn check(body: &[u8], expected: Result<&[u8], ErrorReason>) {
        let expected = expected.map(<[u8]>::to_vec);
        // However the body is cut into frames, an empty one among them.
        for size in 1..=body.len().max(1) {
            let chunks: Vec<_> = body.chunks(size).map(<[u8]>::to_vec).chain([Vec::new()]).collect();
            let ready = read_ready(&HeaderMap::new(), chunks.clone()).await;
            assert_eq!(ready, expected, "{body:?} in frames of {size}");
            assert_eq!(read_slowly(chunks).await, expected, "{body:?} in slow frames of {size}");
        }
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
    }

    #[tokio::test]
    async fn one_message_is_read() {
        check(b"\0\0\0\0\0", Ok(b"")).await;
        check(b"\0\0\0\0\x03abc", Ok(b"abc")).await;
        check(&framed(&[7; BYTES_MAX]), Ok(&[7; BYTES_MAX])).await;
    }

    #[tokio::test]
    async fn what_is_no_message_or_more_than_one_is_refused() {
        check(b"", Err(MalformedInput)).await;
        check(b"\0\0\0\0", Err(MalformedInput)).await;
        check(b"\0\0\0\0\x03ab", Err(MalformedInput)).await;
        check(b"\x01\0\0\0\0", Err(UnsupportedMediaType)).await;
        check(b"\x02\0\0\0\0", Err(MalformedInput)).await;
        check(b"\0\0\0\0\x01a\0", Err(MalformedInput)).await;
        check(b"\0\0\0\0\0\0\0\0\0\0", Err(MalformedInput)).await;
        check(&framed(&[7; BYTES_MAX + 1]), Err(RequestEntityTooLarge)).await;
        check(b"\0\xff\xff\xff\xff", Err(RequestEntityTooLarge)).await;
    }

    #[tokio::test]
    async fn only_identity_is_an_encoding() {
        for (encoding, expected) in [("identity", Ok(Vec::new())), ("gzip", Err(UnsupportedMediaType))] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
            assert_eq!(read_ready(&headers, vec![vec![0; PREFIX_BYTES]]).await, expected);
        }
    }

    #[tokio::test]
    async fn nothing_is_waited_for_that_is_not_admitted_or_has_no_room() {
        for begun in [vec![], vec![0], framed(b"abc")[..6].to_vec(), framed(b"abc")] {
            let body = || {
                let first = frames(vec![begun.clone()]);
                StreamBody::new(first.chain(stream::pending()))
            };
            let refused = async || Err(Error::missing_authentication_token(""));
            let answer = told(read(&HeaderMap::new(), body(), BYTES_MAX, refused).await);
            assert_eq!(answer, Err(ErrorReason::MissingAuthenticationToken), "{begun:?}");
            let spent = Budgets::of(0).known;
            let answer = told(read(&HeaderMap::new(), body(), BYTES_MAX, async || Ok(spent)).await);
            assert_eq!(answer, Err(ErrorReason::ServiceUnavailable), "{begun:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_is_total_and_does_not_depend_on_the_frames(
            body in prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..40), size in 1..40_usize,
        ) {
            let whole = read_ready(&HeaderMap::new(), vec![body.clone()]).now_or_never().unwrap();
            let chunks = body.chunks(size).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(read_ready(&HeaderMap::new(), chunks).now_or_never().unwrap(), whole);
        }
    }
}
