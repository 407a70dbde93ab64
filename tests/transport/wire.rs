//! HTTP/2 by hand, signed by hand: what a client library would never send. The signature is made here from its
//! description and from nothing of the server's, so that the two agree because both are right.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use futures::TryStreamExt as _;
use http::header::HeaderValue;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use reeve_chassis::client::Credentials;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::Operation;
use ring::{digest, hmac};
use tokio::net::TcpStream;

/// Nothing here takes longer, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Body = BoxBody<Bytes, std::io::Error>;

/// A connection.
#[derive(Clone)]
pub(crate) struct Wire {
    sender: SendRequest<Body>,
    authority: String,
}

/// A call, to be spoilt as the test likes.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) path: String,
    pub(crate) authority: String,
    pub(crate) headers: HeaderMap,
    pub(crate) message: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http: StatusCode,
    /// Headers and trailers together.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Wire {
    pub(crate) async fn connect(endpoint: &str) -> Self {
        Self::try_connect(endpoint).await.unwrap()
    }

    /// The same, where the server may not want it.
    pub(crate) async fn try_connect(endpoint: &str) -> Result<Self, hyper::Error> {
        let authority = endpoint.trim_start_matches("http://").to_owned();
        let socket = TcpStream::connect(&authority).await.unwrap();
        let handshake = http2::Builder::new(TokioExecutor::new())
            .max_header_list_size(1024 * 1024)
            .handshake(TokioIo::new(socket));
        let (sender, connection) = handshake.await?;
        tokio::spawn(connection);
        Ok(Self { sender, authority })
    }

    /// Waits until the server has ended the connection.
    pub(crate) async fn closed(&self) {
        while !self.sender.is_closed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A call of `operation`, unsigned.
    pub(crate) fn outgoing<O: Operation>(&self, operation: &O) -> Outgoing {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        Outgoing {
            path: O::SPEC.grpc_path.to_owned(),
            authority: self.authority.clone(),
            headers,
            message: operation.encode_to_vec(),
        }
    }

    /// Sends a call whole.
    pub(crate) async fn send(&self, outgoing: &Outgoing) -> Answer {
        let body = Full::new(frame(&outgoing.message)).map_err(|never| match never {}).boxed();
        self.send_body(outgoing, body).await
    }

    /// Sends a call whole, by another method than gRPC's.
    pub(crate) async fn send_by(&self, method: &Method, outgoing: &Outgoing) -> Answer {
        self.request(method, outgoing, bytes(frame(&outgoing.message))).await.unwrap()
    }

    /// Sends a call whose body comes as it comes.
    pub(crate) async fn send_body(&self, outgoing: &Outgoing, body: Body) -> Answer {
        self.try_send(outgoing, body).await.unwrap()
    }

    /// The same, where the stream may be reset.
    pub(crate) async fn try_send(&self, outgoing: &Outgoing, body: Body) -> Result<Answer, hyper::Error> {
        self.request(&Method::POST, outgoing, body).await
    }

    async fn request(
        &self,
        method: &Method,
        outgoing: &Outgoing,
        body: Body,
    ) -> Result<Answer, hyper::Error> {
        let uri = format!("http://{}{}", outgoing.authority, outgoing.path);
        let mut request = Request::builder().method(method).uri(uri).body(body).unwrap();
        *request.headers_mut() = outgoing.headers.clone();
        let mut sender = self.sender.clone();
        let answered = async {
            sender.ready().await?;
            Answer::read(sender.send_request(request).await?).await
        };
        tokio::time::timeout(PATIENCE, answered).await.expect("no answer")
    }
}

impl Outgoing {
    /// Signs the call as it is, for the service of its operation, now.
    pub(crate) fn signed(self, credentials: &Credentials, service: &str) -> Self {
        self.signed_at(credentials, service, SystemClock.now().seconds())
    }

    /// Signs the call as it is.
    pub(crate) fn signed_at(mut self, credentials: &Credentials, service: &str, now: i64) -> Self {
        let payload_hash = hex(digest::digest(&digest::SHA256, &self.message).as_ref());
        self.set("x-amz-content-sha256", &payload_hash);
        self.sign_stating(credentials, service, now, &payload_hash)
    }

    /// Signs the call with whatever `payload_hash` it states.
    pub(crate) fn sign_stating(
        mut self,
        credentials: &Credentials,
        service: &str,
        now: i64,
        payload_hash: &str,
    ) -> Self {
        let stamp = stamp(now);
        self.set("x-amz-content-sha256", payload_hash);
        self.set("x-amz-date", &stamp);
        if let Some(token) = &credentials.session_token {
            self.set("x-amz-security-token", token);
        }
        let values = |name: &HeaderName| {
            let values = self.headers.get_all(name).iter().map(|value| value.to_str().unwrap().trim());
            values.collect::<Vec<_>>().join(",")
        };
        let mut signed: Vec<(String, String)> = self
            .headers
            .keys()
            .filter(|name| name.as_str().starts_with("x-amz-") || name.as_str().starts_with("reeve-"))
            .map(|name| (name.to_string(), values(name)))
            .collect();
        signed.push(("host".to_owned(), self.authority.clone()));
        signed.sort();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let mut canonical = format!("POST\n{}\n\n", self.path);
        for (name, value) in &signed {
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        write!(canonical, "\n{names}\n{payload_hash}").unwrap();
        let day = stamp.split_at(8).0;
        let scope = format!("{day}/us-east-1/{service}/aws4_request");
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}");
        let mut key = format!("AWS4{}", credentials.secret_access_key.as_str()).into_bytes();
        for part in [day, "us-east-1", service, "aws4_request", &to_sign] {
            key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
        }
        let id = &credentials.access_key_id;
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={}",
            hex(&key)
        );
        self.set("authorization", &value);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
    }

    /// The same with one more header, after those of its name that it has.
    pub(crate) fn and(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value).unwrap());
        self
    }

    /// The same with one header in place of those of its name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// The same without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name).unwrap();
        self
    }
}

impl Answer {
    async fn read(response: http::Response<Incoming>) -> Result<Self, hyper::Error> {
        let (parts, body) = response.into_parts();
        let collected = body.collect().await?;
        let mut headers = parts.headers;
        headers.extend(collected.trailers().cloned().unwrap_or_default());
        Ok(Self { http: parts.status, headers, body: collected.to_bytes() })
    }

    /// The gRPC status; -1 where there is none.
    pub(crate) fn grpc(&self) -> i32 {
        self.headers.get("grpc-status").map_or(-1, |status| status.to_str().unwrap().parse().unwrap())
    }

    /// The details of the status.
    pub(crate) fn details(&self) -> Vec<prost_types::Any> {
        let Some(details) = self.headers.get("grpc-status-details-bin") else { return Vec::new() };
        let text = details.to_str().unwrap();
        let bytes = STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).unwrap();
        Status::decode(bytes.as_slice()).unwrap().details
    }

    /// AWS's code, and the domain that it is of; empty where there is no error.
    pub(crate) fn reason(&self) -> (String, String) {
        let mut details = self.details().into_iter();
        let info = details.find(|any| any.type_url == "type.googleapis.com/google.rpc.ErrorInfo");
        let info =
            info.map_or_else(ErrorInfo::default, |any| ErrorInfo::decode(any.value.as_slice()).unwrap());
        (info.reason, info.domain)
    }

    /// AWS's code.
    pub(crate) fn code(&self) -> String {
        self.reason().0
    }
}

/// `google.rpc.Status`.
#[derive(prost::Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(prost::Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
}

/// A gRPC frame.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap();
    [&[0][..], &length.to_be_bytes(), message].concat().into()
}

/// A body that is exactly these bytes.
pub(crate) fn bytes(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A body that begins with `bytes` and then sends nothing more, and no end.
pub(crate) fn unending(bytes: impl Into<Bytes>) -> Body {
    let first = futures::stream::iter([Ok(bytes.into())]);
    let stream = futures::StreamExt::chain(first, futures::stream::pending());
    BoxBody::new(StreamBody::new(stream.map_ok(Frame::data)))
}

/// The date of a signature.
pub(crate) fn stamp(now: i64) -> String {
    prost_types::Timestamp { seconds: now, nanos: 0 }.to_string().replace(['-', ':'], "")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
