//! A call in gRPC: its operation found, its message read from whoever may send one, its answer and its refusal written.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;
use reeve_proto::{Gate, Spec};
use tokio::time::Instant;
use tonic::body::Body;
use tower::Service as _;

use super::budget::Budget;
use super::connection::Use;
use super::message::{self, Message};
use super::{OPEN_BYTES_MAX, Peer, Service, TOKEN_BYTES_MAX, deadline, grpc, http as door};
use crate::clock;
use crate::pipeline::{Framed, Incoming, Outcome, Refused};
use crate::route::Route;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
static REVISION: HeaderName = HeaderName::from_static("reeve-revision");

/// What is shown of a path that is none of ours.
const PATH_CHARACTERS_MAX: usize = 128;
/// How long the rest of a refused request is let come.
const LINGER_MAX: Duration = Duration::from_millis(500);

/// What a call's body must be, whichever wrapping it came in.
pub(super) trait CallBody:
    http_body::Body<Data = Bytes, Error: CallError> + Unpin + Send + 'static
{
}

impl<B: http_body::Body<Data = Bytes, Error: CallError> + Unpin + Send + 'static> CallBody for B {}

/// What can be wrong with one.
pub(super) trait CallError:
    Into<Box<dyn std::error::Error + Send + Sync>> + std::fmt::Display
{
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>> + std::fmt::Display> CallError for E {}

impl Service {
    /// Answers a request in gRPC.
    pub(super) fn grpc<B: CallBody>(
        self: Arc<Self>,
        peer: Peer,
        used: Arc<Use>,
        request: Request<B>,
    ) -> BoxFuture<'static, Response<Body>> {
        // What follows a question mark belongs to no method's name.
        let path = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
        match self.routes.get(path).cloned() {
            Some(route) => self.call(route, peer, used, request),
            None => Box::pin(async move { self.beside_calls(peer, request).await }),
        }
    }

    /// Answers what is a call of no operation: health, reflection, or nothing that there is.
    async fn beside_calls<B: CallBody>(&self, peer: Peer, request: Request<B>) -> Response<Body> {
        let path = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
        if path.starts_with("/grpc.health.v1.Health/") {
            let (mut health, request) = (self.health.clone(), request.map(Body::new));
            return self.answer_anybody(&peer, request, async |request| health.call(request).await).await;
        }
        if path.starts_with("/grpc.reflection.")
            && let Some(reflection) = self.reflection.clone()
        {
            let request = request.map(Body::new);
            return self.answer_anybody(&peer, request, async |request| reflection.call(request).await).await;
        }
        let path: String = path.chars().take(PATH_CHARACTERS_MAX).collect();
        let (parts, mut body) = request.into_parts();
        self.linger(&mut body).await;
        let refused = Refused { action: &path, headers: &parts.headers, source_ip: &peer.address };
        let error = Error::invalid_action(format!("There is no operation {path}."));
        reply(self.pipeline.refuse(&refused, error).await)
    }

    /// Answers a call. All that can be done before anything is waited for is done here: what a future takes in, it holds twice.
    fn call<B: CallBody>(
        self: Arc<Self>,
        route: Arc<Route>,
        peer: Peer,
        used: Arc<Use>,
        request: Request<B>,
    ) -> BoxFuture<'static, Response<Body>> {
        let deadline = deadline::of(request.headers(), self.limits.deadline_max);
        let authority = door::authority(request.uri(), request.headers());
        let (parts, mut body) = request.into_parts();
        let target = parts.uri.into_parts().path_and_query;
        let mut incoming = Incoming {
            method: parts.method,
            target: target.unwrap_or_else(|| PathAndQuery::from_static("/")),
            headers: parts.headers,
            authority,
            payload: Bytes::new(),
            awaited: true,
            encoding: Box::new(Framed),
            source_ip: peer.address,
            secure: peer.secure,
            deadline,
        };
        Box::pin(async move {
            let _under_way = used.call();
            let admission = async || self.admit(route.spec, &incoming).await;
            let read = message::read(&incoming.headers, &mut body, self.bytes_max(route.spec), admission);
            let read = clock::by(deadline, pin!(read)).await.unwrap_or_else(|_| Err(deadline::missed()));
            reply(match read {
                Ok(Message { payload, taken: _for_as_long }) => {
                    (incoming.payload, incoming.awaited) = (payload, false);
                    self.pipeline.run(&route, &incoming).await
                }
                Err(error) => {
                    if error.reason != ErrorReason::RequestTimeout {
                        self.linger(&mut body).await;
                    }
                    self.pipeline.refuse(&Refused::of(route.spec, &incoming), error).await
                }
            })
        })
    }

    /// What the rest of a call's message is counted against, if it is worth waiting for.
    async fn admit(&self, spec: &'static Spec, incoming: &Incoming) -> Result<Arc<Budget>, Error> {
        if spec.gate == Gate::Open {
            return Ok(Arc::clone(&self.budgets.open));
        }
        // Boxed: most messages come with their headers, and ask nothing of this.
        Box::pin(self.pipeline.admit(spec, incoming)).await?;
        Ok(Arc::clone(&self.budgets.known))
    }

    /// The largest request message of an operation: nobody signs in with more than what is read of anybody.
    pub(super) fn bytes_max(&self, spec: &Spec) -> usize {
        let most = self.limits.message_bytes_max;
        match (spec.gate, spec.takes_identity_token) {
            (Gate::Open, false) => most.min(OPEN_BYTES_MAX),
            (Gate::Open, true) => most.min(TOKEN_BYTES_MAX),
            (Gate::Policy | Gate::Authenticated, _) => most,
        }
    }

    /// Lets the rest of a refused request come, and go unseen: a stream that is cut off while its client still writes counts as
    /// an error of its connection, and the calls beside it would pay for it.
    async fn linger<B: CallBody>(&self, body: &mut B) {
        if !body.is_end_stream()
            && let Ok(_for_as_long) = self.budgets.open.take(0)
        {
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            // Whether it came is all the same.
            drop(clock::by(Instant::now() + LINGER_MAX, pin!(rest)).await);
        }
    }
}

/// The answer to a call.
pub(super) fn reply(outcome: Outcome) -> Response<Body> {
    let mut response = match &outcome.result {
        Ok(message) => grpc::response(message),
        Err(error) => grpc::refusal(error, &outcome.request_id),
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
