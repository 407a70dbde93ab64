//! One port for every protocol: finds out by the content type and the path which one a request speaks, hands gRPC's to the
//! pipeline itself, and the others to their doors. The only place, with its folder and the client, that names tonic.

mod accept;
mod budget;
mod call;
mod codec;
mod connect;
mod connection;
mod deadline;
mod documents;
mod gather;
mod grpc;
mod http;
mod message;
mod open;
mod places;
pub(crate) mod status;
mod tls;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue, Request, Response};
use futures::FutureExt as _;
use futures::future::{BoxFuture, NeverError};
use hyper::body::Incoming as HttpBody;
use tonic::body::Body;
use tower::{Layer as _, Service as _};

pub use accept::Listener;
pub(crate) use codec::BytesCodec;
pub use tls::{Tls, TlsFiles};

use budget::Budgets;
use connection::Use;
use open::Reflection;

use crate::json::Messages;
use crate::pipeline::Pipeline;
use crate::query::Query;
use crate::route::Routes;

/// Largest request that is read from whoever sends one.
const OPEN_BYTES_MAX: usize = 8 * 1024;
/// The same where a token of an identity provider's may be in it: that has AWS's 20,000 characters at most, and a session policy
/// 2,048 that a form writes as three each.
const TOKEN_BYTES_MAX: usize = 32 * 1024;

/// What one client can make the server hold or wait for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest request message.
    pub message_bytes_max: usize,
    /// Bytes of request messages, all together, that are waited for at the same time.
    pub incoming_bytes_max: usize,
    /// Calls at the same time on one connection.
    pub streams_max: u32,
    /// All headers of a call together.
    pub header_bytes_max: u32,
    /// Connections at the same time.
    pub connections_max: usize,
    /// Connections from one address at the same time.
    pub connections_per_address_max: usize,
    /// How long a connection may be without a request.
    pub idle_max: Duration,
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
            incoming_bytes_max: 128 * 1024 * 1024,
            streams_max: 256,
            header_bytes_max: 16 * 1024,
            connections_max: 4096,
            connections_per_address_max: 1024,
            idle_max: Duration::from_secs(300),
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

/// Everything that is served on the port.
pub struct Service {
    routes: Routes,
    query: Query,
    messages: Messages,
    pipeline: Arc<Pipeline>,
    limits: Limits,
    budgets: Budgets,
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
        let health = Health::new(tonic_health::server::HealthService::from_health_reporter(reporter.clone()))
            .max_decoding_message_size(OPEN_BYTES_MAX);
        reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
        for service in routes.services() {
            reporter.set_service_status(service, tonic_health::ServingStatus::Serving).await;
        }
        let reflection = if reflection { Some(Reflection::new()?) } else { None };
        Ok(Self {
            query: Query::new(&routes)?,
            messages: Messages::new(&routes)?,
            budgets: Budgets::of(limits.incoming_bytes_max),
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
        self.routes.services().into_iter().chain([String::new()]).collect()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Answers one HTTP request: in one future, without others around it, because a future is copied whole.
    fn answer(
        self: Arc<Self>,
        peer: Peer,
        used: Arc<Use>,
        request: Request<HttpBody>,
    ) -> BoxFuture<'static, Response<Body>> {
        match Protocol::of(request.headers()) {
            Protocol::Grpc => match grpc::fault(&request) {
                Some(fault) => Box::pin(std::future::ready(fault)),
                None => self.grpc(peer, used, request),
            },
            Protocol::GrpcWeb => Box::pin(self.grpc_web(peer, used, request)),
            Protocol::Other => Box::pin(async move {
                let _under_way = used.call();
                match request.uri().path() {
                    "/" => self.query(peer, request).await,
                    path if documents::is_document(path) => self.document(peer, request).await,
                    _ => self.connect(peer, request).await,
                }
            }),
        }
    }

    /// gRPC-web is gRPC in another wrapping, which is taken off here and put on again.
    async fn grpc_web(
        self: Arc<Self>,
        peer: Peer,
        used: Arc<Use>,
        request: Request<HttpBody>,
    ) -> Response<Body> {
        let grpc = tower::service_fn(move |request: Request<Body>| {
            Arc::clone(&self).grpc(peer.clone(), Arc::clone(&used), request).never_error()
        });
        infallible(tonic_web::GrpcWebLayer::new().layer(grpc).call(request).await)
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
            // Its messages are protobuf, whether it says so or not.
            Some(b"" | b"+proto") => Self::Grpc,
            Some([b';', ..]) => Self::Grpc,
            _ => Self::Other,
        }
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
    pub(crate) used: Arc<Use>,
}

impl hyper::service::Service<Request<HttpBody>> for PeerService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = NeverError<BoxFuture<'static, Response<Body>>>;

    fn call(&self, request: Request<HttpBody>) -> Self::Future {
        self.used.request();
        let (service, used) = (Arc::clone(&self.service), Arc::clone(&self.used));
        service.answer(self.peer.clone(), used, request).never_error()
    }
}
