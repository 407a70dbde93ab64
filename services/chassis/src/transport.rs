//! One port for every protocol: finds out by the content type and the path which one a request speaks, hands gRPC's to the
//! pipeline itself, and the others to their doors. The only place, with its folder and the client, that names tonic.

mod accept;
mod codec;
mod connect;
mod deadline;
mod gather;
mod grpc;
mod http;
pub(crate) mod status;
mod tls;

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::http::header::CONTENT_TYPE;
use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use bytes::Bytes;
use hyper::body::Incoming as HttpBody;
use reeve_directory::Error;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer as _, Service as _};

pub use accept::Listener;
pub(crate) use codec::BytesCodec;
pub use tls::{Tls, TlsFiles};

use crate::clock;
use crate::json::Messages;
use crate::pipeline::{Framed, Incoming, Outcome, Pipeline};
use crate::query::Query;
use crate::route::{Route, Routes};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
static REVISION: HeaderName = HeaderName::from_static("reeve-revision");

/// What one client can make the server hold or wait for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest request message.
    pub message_bytes_max: usize,
    /// Calls at the same time on one connection.
    pub streams_max: u32,
    /// All headers of a call together.
    pub header_bytes_max: u32,
    /// Connections at the same time.
    pub connections_max: usize,
    /// The deadline of a call that brings none, and the latest that one may bring.
    pub deadline_max: Duration,
    /// How long a drain waits for calls under way.
    pub drain_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A batch of questions, each with a session token and a resource policy, fits.
            message_bytes_max: 4 * 1024 * 1024,
            streams_max: 256,
            header_bytes_max: 16 * 1024,
            connections_max: 4096,
            deadline_max: Duration::from_secs(30),
            drain_max: Duration::from_secs(20),
        }
    }
}

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: Arc<str>,
    /// The connection is encrypted.
    pub(crate) secure: bool,
}

type Health = tonic_health::pb::health_server::HealthServer<tonic_health::server::HealthService>;
type Reflection = BoxedGrpc;

/// Everything that is served on the port.
pub struct Service {
    routes: HashMap<&'static str, Arc<Route>>,
    query: Query,
    messages: Messages,
    pipeline: Arc<Pipeline>,
    limits: Limits,
    health: Health,
    reporter: tonic_health::server::HealthReporter,
    reflection: Option<Reflection>,
}

impl Service {
    /// Serves `routes`, gRPC health, and reflection unless the operator closes it.
    ///
    /// # Errors
    /// The descriptor does not decode, or holds what a protocol has no form for.
    pub async fn new(
        routes: Routes,
        pipeline: Arc<Pipeline>,
        limits: Limits,
        reflection: bool,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let reporter = tonic_health::server::HealthReporter::new();
        let health = Health::new(tonic_health::server::HealthService::from_health_reporter(reporter.clone()));
        reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
        for service in routes.services() {
            reporter.set_service_status(service, tonic_health::ServingStatus::Serving).await;
        }
        let reflection = if reflection { Some(BoxedGrpc::reflection()?) } else { None };
        let routes = routes.into_map();
        Ok(Self {
            query: Query::new(&routes)?,
            messages: Messages::new(&routes)?,
            routes,
            pipeline,
            limits,
            health,
            reporter,
            reflection,
        })
    }

    /// Tells health checks that no more calls are wanted.
    pub(crate) async fn drain(&self) {
        for service in self.health_names() {
            self.reporter.set_service_status(service, tonic_health::ServingStatus::NotServing).await;
        }
    }

    /// Ends the streams of those who watch the health: they never end by themselves, and would hold a drain up.
    pub(crate) async fn end_watches(&self) {
        let mut reporter = self.reporter.clone();
        for service in self.health_names() {
            reporter.clear_service_status(&service).await;
        }
    }

    /// The names that health answers for: the whole, and each service.
    fn health_names(&self) -> std::collections::BTreeSet<String> {
        self.routes.values().map(|route| route.service_name()).chain([String::new()]).collect()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Answers one HTTP request.
    pub(crate) async fn answer(&self, peer: Peer, request: Request<HttpBody>) -> Response<Body> {
        match Protocol::of(request.headers()) {
            Protocol::Grpc => self.grpc(peer, request).await,
            // Boxed: they would be part of every call's future, which is copied whole, and are many times as large.
            Protocol::GrpcWeb => Box::pin(self.grpc_web(peer, request)).await,
            Protocol::Other if request.uri().path() == "/" => Box::pin(self.query(peer, request)).await,
            Protocol::Other => Box::pin(self.connect(peer, request)).await,
        }
    }

    /// gRPC-web is gRPC in another wrapping, which is taken off here and put on again.
    async fn grpc_web(&self, peer: Peer, request: Request<HttpBody>) -> Response<Body> {
        let grpc = tower::service_fn(move |request: Request<Body>| {
            let peer = peer.clone();
            async move { Ok::<_, Infallible>(self.grpc(peer, request).await) }
        });
        infallible(tonic_web::GrpcWebLayer::new().layer(grpc).call(request).await)
    }

    async fn grpc<B>(&self, peer: Peer, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + std::fmt::Display,
    {
        let path = request.uri().path();
        if let Some(route) = self.routes.get(path) {
            return self.call(route, peer, request).await;
        }
        if path.starts_with("/grpc.health.v1.Health/") {
            let mut health = self.health.clone();
            return infallible(health.call(request.map(Body::new)).await);
        }
        if path.starts_with("/grpc.reflection.")
            && let Some(reflection) = &self.reflection
        {
            return reflection.clone().call(request.map(Body::new)).await;
        }
        status::of(&Error::invalid_action(format!("There is no operation {path}.")), "").into_http()
    }

    async fn call<B>(&self, route: &Route, peer: Peer, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + std::fmt::Display,
    {
        let deadline = deadline::of(request.headers(), self.limits.deadline_max);
        let authority = http::authority(request.uri(), request.headers());
        let (parts, body) = request.into_parts();
        let message = grpc::message(&parts.headers, body, self.limits.message_bytes_max);
        // The pipeline keeps the deadline itself, so that it can tell of it; this one ends a body that never comes.
        let payload = match clock::by(deadline + deadline::GRACE, message).await {
            Ok(Ok(payload)) => payload,
            Ok(Err(status)) => return status.into_http(),
            Err(_) => return Status::deadline_exceeded("The request did not arrive in time.").into_http(),
        };
        let target = parts.uri.into_parts().path_and_query;
        let incoming = Incoming {
            method: parts.method,
            target: target.unwrap_or_else(|| PathAndQuery::from_static("/")),
            headers: parts.headers,
            authority,
            payload,
            encoding: Box::new(Framed),
            source_ip: peer.address,
            secure: peer.secure,
            deadline,
        };
        reply(self.pipeline.run(route, incoming).await)
    }
}

/// What a request speaks.
enum Protocol {
    Grpc,
    GrpcWeb,
    /// AWS's Query protocol, or Connect's.
    Other,
}

impl Protocol {
    fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
        match content_type.strip_prefix(b"application/grpc") {
            Some(rest) if rest.starts_with(b"-web") => Self::GrpcWeb,
            Some(_) => Self::Grpc,
            None => Self::Other,
        }
    }
}

fn reply(outcome: Outcome) -> Response<Body> {
    let mut response = match &outcome.result {
        Ok(message) => grpc::response(message),
        Err(error) => status::of(error, &outcome.request_id).into_http(),
    };
    let headers = response.headers_mut();
    if let Ok(mut request_id) = HeaderValue::from_str(&outcome.request_id) {
        // HPACK then keeps it out of its table, where an id that never comes back only drives out what does.
        request_id.set_sensitive(true);
        headers.insert(REQUEST_ID.clone(), request_id);
    }
    if let Some(revision) = outcome.revision {
        headers.insert(REVISION.clone(), revision);
    }
    response
}

/// The reflection services, whose types tonic does not name.
#[derive(Clone)]
struct BoxedGrpc {
    v1: tower::util::BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
    v1alpha: tower::util::BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
}

impl BoxedGrpc {
    fn reflection() -> Result<Self, tonic_reflection::server::Error> {
        let builder = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(reeve_proto::DESCRIPTOR)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        Ok(Self {
            v1: tower::util::BoxCloneSyncService::new(builder().build_v1()?),
            v1alpha: tower::util::BoxCloneSyncService::new(builder().build_v1alpha()?),
        })
    }

    async fn call(mut self, request: Request<Body>) -> Response<Body> {
        let service = if request.uri().path().starts_with("/grpc.reflection.v1alpha.") {
            &mut self.v1alpha
        } else {
            &mut self.v1
        };
        infallible(service.call(request).await)
    }
}

fn infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// A connection's view of the service, as hyper wants to see it.
#[derive(Clone)]
pub(crate) struct PeerService {
    pub(crate) service: Arc<Service>,
    pub(crate) peer: Peer,
    /// Set by the connection's first call.
    pub(crate) used: Arc<AtomicBool>,
}

impl hyper::service::Service<Request<HttpBody>> for PeerService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<HttpBody>) -> Self::Future {
        self.used.store(true, Ordering::Relaxed);
        let service = Arc::clone(&self.service);
        let peer = self.peer.clone();
        Box::pin(async move { Ok(service.answer(peer, request).await) })
    }
}
