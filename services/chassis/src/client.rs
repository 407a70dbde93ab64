//! A client of Reeve: any operation, signed, over one connection. The request type names the operation.

use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message as _;
use reeve_proto::Operation;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::signature;
use crate::transport::BytesCodec;

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The region that calls are signed for when none is given; Reeve accepts any unless one is configured.
pub const REGION_DEFAULT: &str = "us-east-1";

/// What a client signs with.
#[derive(Clone)]
pub struct Credentials {
    /// For example `AKIA...`.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Zeroizing<String>,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Credentials {
    fn borrowed(&self) -> signature::Credentials<'_> {
        signature::Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
        }
    }
}

/// What a client proves with who it is.
#[derive(Clone)]
enum Proof {
    Nothing,
    Signature(Credentials),
    Bearer(Zeroizing<String>),
}

/// Why a call was not answered with a response.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {message}", if code.is_empty() { "error" } else { code })]
pub struct CallError {
    /// AWS's error code; empty when the answer is not one of Reeve's.
    pub code: String,
    /// What the server says, or what went wrong on the way.
    pub message: String,
    /// The canonical gRPC status, as google.rpc.Code numbers it.
    pub grpc: i32,
    /// Names the call in the server's audit log; empty when it did not get there.
    pub request_id: String,
    /// The members at fault, each with what is wrong.
    pub violations: Vec<(String, String)>,
    /// When to come again, where the server says so.
    pub retry_after: Option<Duration>,
}

/// A connection, and what it proves with who calls.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    authority: String,
    region: String,
    proof: Proof,
}

impl Client {
    /// Connects to `endpoint`, `http://127.0.0.1:7443` or `https://...`; calls are unsigned until [`Client::signed`].
    ///
    /// # Errors
    /// The endpoint is no URL, or nobody answers there.
    pub async fn connect(endpoint: &str) -> Result<Self, CallError> {
        Self::connect_trusting(endpoint, None).await
    }

    /// As [`Client::connect`]; over TLS, trusts the certificate authority `pem` besides the system's.
    ///
    /// # Errors
    /// The endpoint is no URL, or nobody answers there.
    pub async fn connect_trusting(endpoint: &str, pem: Option<Vec<u8>>) -> Result<Self, CallError> {
        let mut target = Endpoint::from_shared(endpoint.to_owned()).map_err(unreachable)?;
        target = target.connect_timeout(CONNECT_MAX).tcp_nodelay(true);
        if target.uri().scheme_str() == Some("https") {
            let mut tls = ClientTlsConfig::new().with_enabled_roots();
            if let Some(pem) = pem {
                tls = tls.ca_certificate(Certificate::from_pem(pem));
            }
            target = target.tls_config(tls).map_err(unreachable)?;
        }
        let authority = target.uri().authority().map(|authority| authority.as_str().to_owned());
        Ok(Self {
            channel: target.connect().await.map_err(unreachable)?,
            authority: authority.unwrap_or_default(),
            region: REGION_DEFAULT.to_owned(),
            proof: Proof::Nothing,
        })
    }

    /// The same connection, signing with `credentials`.
    #[must_use]
    pub fn signed(&self, credentials: Credentials) -> Self {
        Self { proof: Proof::Signature(credentials), ..self.clone() }
    }

    /// The same connection, presenting a bearer token instead of signing.
    #[must_use]
    pub fn bearing(&self, token: &str) -> Self {
        Self { proof: Proof::Bearer(Zeroizing::new(token.to_owned())), ..self.clone() }
    }

    /// The same connection, proving nothing.
    #[must_use]
    pub fn unsigned(&self) -> Self {
        Self { proof: Proof::Nothing, ..self.clone() }
    }

    /// The same connection, signing for `region`.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// Makes a call.
    ///
    /// # Errors
    /// What the server answered, or why it could not be asked.
    pub async fn call<O: Operation>(&self, operation: &O) -> Result<O::Response, CallError> {
        let answer =
            self.call_bytes(O::SPEC.prefix, O::SPEC.grpc_path, operation.encode_to_vec().into()).await?;
        O::Response::decode(answer).map_err(|error| local(Code::Internal, error.to_string()))
    }

    /// Makes the call at `path` of the service whose actions begin with `prefix`, with an encoded request.
    ///
    /// # Errors
    /// What the server answered, or why it could not be asked.
    pub async fn call_bytes(&self, prefix: &str, path: &str, message: Bytes) -> Result<Bytes, CallError> {
        let mut headers = http::HeaderMap::new();
        match &self.proof {
            Proof::Nothing => {}
            Proof::Signature(credentials) => {
                let call = signature::Call {
                    service: prefix,
                    region: &self.region,
                    method: "POST",
                    path,
                    query: "",
                    authority: &self.authority,
                    payload: &message,
                    now_unix: SystemClock.now().seconds(),
                };
                signature::sign(&credentials.borrowed(), &call, &mut headers)
                    .map_err(|error| local(Code::InvalidArgument, error.to_string()))?;
            }
            Proof::Bearer(token) => {
                let value = http::HeaderValue::try_from(format!("Bearer {}", token.as_str()));
                let mut value = value.map_err(|error| local(Code::InvalidArgument, error.to_string()))?;
                value.set_sensitive(true);
                headers.insert(http::header::AUTHORIZATION, value);
            }
        }
        let metadata = MetadataMap::from_headers(headers);
        let request = tonic::Request::from_parts(metadata, tonic::Extensions::new(), message);
        let path =
            PathAndQuery::try_from(path).map_err(|error| local(Code::InvalidArgument, error.to_string()))?;
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.map_err(unreachable)?;
        let answer = grpc.unary(request, path, BytesCodec).await.map_err(|status| refused(&status))?;
        Ok(answer.into_inner())
    }
}

/// Signs an HTTP request to the Query door or the JSON door as it is, now: `service` is the prefix of the operation's
/// actions, and the host is the one of the request's URI, or of its `host` header.
///
/// # Errors
/// The credentials cannot stand in a header.
pub fn sign_request(
    credentials: &Credentials,
    service: &str,
    region: &str,
    request: &mut http::Request<Bytes>,
) -> Result<(), CallError> {
    let mut headers = std::mem::take(request.headers_mut());
    let host = headers.get(http::header::HOST).cloned();
    let host = host.as_ref().and_then(|host| host.to_str().ok());
    let call = signature::Call {
        service,
        region,
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        authority: request.uri().authority().map(|authority| authority.as_str()).or(host).unwrap_or_default(),
        payload: request.body(),
        now_unix: SystemClock.now().seconds(),
    };
    let signed = signature::sign(&credentials.borrowed(), &call, &mut headers);
    *request.headers_mut() = headers;
    signed.map_err(|error| local(Code::InvalidArgument, error.to_string()))
}

fn refused(status: &Status) -> CallError {
    let details = status.get_error_details();
    CallError {
        code: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        message: status.message().to_owned(),
        grpc: status.code().into(),
        request_id: details.request_info().map(|info| info.request_id.clone()).unwrap_or_default(),
        violations: details
            .bad_request()
            .map(|bad| {
                bad.field_violations.iter().map(|v| (v.field.clone(), v.description.clone())).collect()
            })
            .unwrap_or_default(),
        retry_after: details.retry_info().and_then(|info| info.retry_delay),
    }
}

fn unreachable(error: impl std::error::Error) -> CallError {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    local(Code::Unavailable, message)
}

fn local(code: Code, message: String) -> CallError {
    CallError {
        code: String::new(),
        message,
        grpc: code.into(),
        request_id: String::new(),
        violations: Vec::new(),
        retry_after: None,
    }
}
