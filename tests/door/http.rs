//! HTTP/1.1 by hand, signed by hand in either form. As with gRPC, the signature is made here from its description and from
//! nothing of the server's.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reeve_chassis::client::Credentials;
use reeve_chassis::clock::{Clock as _, SystemClock};
use ring::{digest, hmac};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::transport::wire::{PATIENCE, hex, stamp};

/// A request, to be spoilt as the test likes.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// Name and value, not yet encoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) host: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A connection, plain or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Sent {
    /// A form to `endpoint`, unsigned.
    pub(crate) fn form(endpoint: &str, pairs: &[(String, String)]) -> Self {
        let mut sent = Self {
            method: "POST",
            path: "/".to_owned(),
            query: Vec::new(),
            host: endpoint.trim_start_matches("http://").to_owned(),
            headers: HeaderMap::new(),
            body: encoded(pairs).into_bytes(),
        };
        sent.set("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        sent
    }

    /// A call in JSON.
    pub(crate) fn json(endpoint: &str, path: &str, body: &str) -> Self {
        let mut sent = Self::form(endpoint, &[]).with("content-type", "application/json");
        path.clone_into(&mut sent.path);
        sent.body = body.as_bytes().to_vec();
        sent
    }

    /// The same as a query string.
    pub(crate) fn get(endpoint: &str, pairs: &[(String, String)]) -> Self {
        let mut sent = Self::form(endpoint, &[]);
        sent.method = "GET";
        sent.query = pairs.to_vec();
        sent.headers.remove("content-type");
        sent
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Signs it in its `authorization` header, now.
    pub(crate) fn signed(self, credentials: &Credentials, service: &str) -> Self {
        self.signed_at(credentials, service, SystemClock.now().seconds())
    }

    /// Signs it in its `authorization` header.
    pub(crate) fn signed_at(mut self, credentials: &Credentials, service: &str, now: i64) -> Self {
        self.set("x-amz-date", &stamp(now));
        if let Some(token) = &credentials.session_token {
            self.set("x-amz-security-token", token);
        }
        let scope = scope(now, service);
        let names = self.signed_names();
        let signature = self.signature(credentials, &scope, now, &names);
        let id = &credentials.access_key_id;
        let value =
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        self.set("authorization", &value);
        self
    }

    /// Signs it in its query, for `expires` seconds.
    pub(crate) fn presigned_at(
        mut self,
        credentials: &Credentials,
        service: &str,
        now: i64,
        expires: &str,
    ) -> Self {
        let scope = scope(now, service);
        let names = self.signed_names();
        let mut add = |name: &str, value: &str| self.query.push((name.to_owned(), value.to_owned()));
        add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
        add("X-Amz-Credential", &format!("{}/{scope}", credentials.access_key_id));
        add("X-Amz-Date", &stamp(now));
        add("X-Amz-Expires", expires);
        add("X-Amz-SignedHeaders", &names);
        if let Some(token) = &credentials.session_token {
            add("X-Amz-Security-Token", token);
        }
        let signature = self.signature(credentials, &scope, now, &names);
        self.query.push(("X-Amz-Signature".to_owned(), signature));
        self
    }

    fn signed_names(&self) -> String {
        let mut names: Vec<&str> = self
            .headers
            .keys()
            .map(HeaderName::as_str)
            .filter(|name| name.starts_with("x-amz-") || name.starts_with("reeve-"))
            .collect();
        names.push("host");
        names.sort_unstable();
        names.join(";")
    }

    fn signature(&self, credentials: &Credentials, scope: &str, now: i64, names: &str) -> String {
        let mut pairs: Vec<(String, String)> =
            self.query.iter().map(|(name, value)| (percent(name), percent(value))).collect();
        pairs.sort();
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut canonical = format!("{}\n{}\n{}\n", self.method, self.path, query.join("&"));
        for name in names.split(';') {
            let value = if name == "host" { &self.host } else { self.headers[name].to_str().unwrap() };
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        let payload = hex(digest::digest(&digest::SHA256, &self.body).as_ref());
        write!(canonical, "\n{names}\n{payload}").unwrap();
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hashed}", stamp(now));
        let mut key = format!("AWS4{}", credentials.secret_access_key.as_str()).into_bytes();
        for part in scope.split('/').chain([to_sign.as_str()]) {
            key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
        }
        hex(&key)
    }

    /// Sends it to where its host says, on a connection of its own.
    pub(crate) async fn send(&self) -> Reply {
        self.send_to(&self.host).await
    }

    /// Sends it to `address`.
    pub(crate) async fn send_to(&self, address: &str) -> Reply {
        self.send_over(TcpStream::connect(address).await.unwrap()).await
    }

    /// Sends it over a stream that stands.
    pub(crate) async fn send_over(&self, stream: impl Stream) -> Reply {
        Reply::of(self.bytes_over(stream).await)
    }

    /// Sends it, where the answer is no text.
    pub(crate) async fn send_for_bytes(&self) -> Bare {
        self.bytes_over(TcpStream::connect(&self.host).await.unwrap()).await
    }

    /// Sends it over HTTP/2, where the host is no header.
    pub(crate) async fn send_over_http_2(&self) -> Reply {
        let socket = TokioIo::new(TcpStream::connect(&self.host).await.unwrap());
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), socket).await.unwrap();
        tokio::spawn(connection);
        let request = self.request(&format!("http://{}", self.host));
        Reply::of(answered(sender.send_request(request)).await)
    }

    async fn bytes_over(&self, stream: impl Stream) -> Bare {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = self.request("");
        request.headers_mut().insert("host", HeaderValue::from_str(&self.host).unwrap());
        answered(sender.send_request(request)).await
    }

    /// As hyper has it; `origin` stands before the path.
    fn request(&self, origin: &str) -> Request<Full<Bytes>> {
        let mut target = format!("{origin}{}", self.path);
        if !self.query.is_empty() {
            write!(target, "?{}", encoded(&self.query)).unwrap();
        }
        let body = Full::new(Bytes::from(self.body.clone()));
        let mut request = Request::builder().method(self.method).uri(target).body(body).unwrap();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// An answer whose body is no text: its status, its headers and its body.
type Bare = (u16, HeaderMap, Vec<u8>);

/// Waits for an answer to its end.
async fn answered(answer: impl Future<Output = hyper::Result<Response<Incoming>>>) -> Bare {
    let read = async {
        let (parts, body) = answer.await.unwrap().into_parts();
        (parts.status.as_u16(), parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    };
    tokio::time::timeout(PATIENCE, read).await.expect("no answer")
}

impl Reply {
    fn of((status, headers, body): Bare) -> Self {
        Self { status, headers, body: String::from_utf8(body).unwrap() }
    }

    /// AWS's code; empty where there is no error.
    pub(crate) fn code(&self) -> &str {
        self.element("Code")
    }

    /// The text of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> &str {
        let found = self
            .body
            .split_once(&format!("<{name}>"))
            .and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
        found.map_or("", |(text, _)| text)
    }
}

fn scope(now: i64, service: &str) -> String {
    format!("{}/us-east-1/{service}/aws4_request", stamp(now).split_at(8).0)
}

/// A form, encoded.
pub(crate) fn encoded(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect();
    pairs.join("&")
}

/// RFC 3986.
pub(crate) fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    })
}
