//! Who calls: by gRPC, many calls at a time over one connection, or by AWS's Query protocol as AWS's SDKs do, one at a time
//! over HTTP/1.1. Both sign every call afresh; a stranger has nothing to sign with, and calls by the Query protocol too.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use reeve_chassis::client::{Client, Credentials, REGION_DEFAULT, sign_request};
use tokio::net::TcpStream;

use crate::Outcome;

/// The content type of a form.
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// A caller; a clone of one that calls over HTTP/1.1 makes a connection of its own.
pub(crate) enum Caller {
    Grpc(Client),
    Query(QueryCaller),
}

/// A caller of the Query protocol.
pub(crate) struct QueryCaller {
    address: String,
    /// None for a stranger.
    credentials: Option<Credentials>,
    /// Made by the first call.
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Clone for Caller {
    fn clone(&self) -> Self {
        match self {
            Self::Grpc(client) => Self::Grpc(client.clone()),
            Self::Query(caller) => {
                Self::Query(QueryCaller::new(caller.address.clone(), caller.credentials.clone()))
            }
        }
    }
}

impl Caller {
    /// Calls: with a message at a gRPC path, or with a form.
    pub(crate) async fn call(&mut self, prefix: &str, path: &str, message: Bytes) -> Outcome<Bytes> {
        match self {
            Self::Grpc(client) => Ok(client.call_bytes(prefix, path, message).await?),
            Self::Query(caller) => caller.call(prefix, path, message).await,
        }
    }
}

impl QueryCaller {
    /// Of the server at `address`, without a connection yet.
    pub(crate) fn new(address: String, credentials: Option<Credentials>) -> Self {
        Self { address, credentials, connection: None }
    }

    /// Sends a form, and waits for the answer.
    pub(crate) async fn call(&mut self, prefix: &str, path: &str, form: Bytes) -> Outcome<Bytes> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let socket = TcpStream::connect(&self.address).await?;
                socket.set_nodelay(true)?;
                let (sender, connection) = handshake(TokioIo::new(socket)).await?;
                tokio::spawn(connection);
                self.connection.insert(sender)
            }
        };
        let mut request =
            Request::post(path).header("host", &self.address).header("content-type", FORM).body(form)?;
        if let Some(credentials) = &self.credentials {
            sign_request(credentials, prefix, REGION_DEFAULT, &mut request)?;
        }
        connection.ready().await?;
        let response = connection.send_request(request.map(Full::new)).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(body)
    }
}
