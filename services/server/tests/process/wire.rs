//! HTTP/2 by hand, for what a gRPC client hides: a body that comes slowly, a stream that stays open.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) struct Wire {
    sender: SendRequest<Channel<Bytes>>,
    authority: String,
}

/// A call whose message is still to be sent.
pub(crate) struct Call {
    body: Option<Sender<Bytes>>,
    response: JoinHandle<hyper::Result<Response<Incoming>>>,
}

impl Wire {
    pub(crate) async fn connect(address: &str) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, authority: address.to_owned() }
    }

    /// Sends the headers of a call, unsigned.
    pub(crate) fn open(&self, path: &str) -> Call {
        let (body, channel) = Channel::new(4);
        let request = Request::post(format!("http://{}{path}", self.authority))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(channel)
            .unwrap();
        let mut sender = self.sender.clone();
        let response = tokio::spawn(async move { sender.send_request(request).await });
        Call { body: Some(body), response }
    }
}

impl Call {
    /// Sends the message, and that it was all.
    pub(crate) async fn send(&mut self, message: &[u8]) {
        self.body.take().unwrap().send_data(frame(message)).await.unwrap();
    }

    /// The response's headers, when they come.
    pub(crate) async fn response(self) -> Response<Incoming> {
        tokio::time::timeout(PATIENCE, self.response).await.expect("no answer").unwrap().unwrap()
    }
}

/// The next message of a stream; none at its end.
pub(crate) async fn message(body: &mut Incoming) -> Option<Bytes> {
    let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("nothing comes");
    frame?.ok()?.into_data().ok()
}

/// A gRPC frame.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(message);
    frame.freeze()
}
