//! Health and reflection: what answers without credentials, and perhaps for as long as its client likes. Each such request has
//! its place in the budget of what is open to everybody.

use std::convert::Infallible;
use std::pin::pin;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tonic::body::Body;
use tower::Service as _;
use tower::util::BoxCloneSyncService;

use super::call::reply;
use super::{OPEN_BYTES_MAX, Peer, Service, deadline};
use crate::clock;
use crate::pipeline::Refused;

impl Service {
    /// Has a request answered by a service that asks nobody who they are.
    pub(super) async fn answer_anybody(
        &self,
        peer: &Peer,
        request: Request<Body>,
        answer: impl AsyncFnOnce(Request<Body>) -> Result<Response<Body>, Infallible>,
    ) -> Response<Body> {
        let deadline = Instant::now() + self.limits.deadline_max;
        let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
        let error = match self.budgets.open.take(OPEN_BYTES_MAX) {
            Ok(taken) => match clock::by(deadline, pin!(answer(request))).await {
                Ok(Ok(response)) => {
                    return response.map(|body| {
                        Body::new(body.map_frame(move |frame| {
                            let _for_as_long = &taken;
                            frame
                        }))
                    });
                }
                Ok(Err(never)) => match never {},
                Err(_) => deadline::missed(),
            },
            Err(spent) => spent,
        };
        let refused = Refused { action: &path, headers: &headers, source_ip: &peer.address };
        reply(self.pipeline.refuse(&refused, error).await)
    }
}

/// The reflection services, whose types tonic does not name.
#[derive(Clone)]
pub(super) struct Reflection {
    v1: BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
    v1alpha: BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
}

impl Reflection {
    pub(super) fn new() -> Result<Self, tonic_reflection::server::Error> {
        let builder = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(reeve_proto::DESCRIPTOR)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let v1 = builder().build_v1()?.max_decoding_message_size(OPEN_BYTES_MAX);
        let v1alpha = builder().build_v1alpha()?.max_decoding_message_size(OPEN_BYTES_MAX);
        Ok(Self { v1: BoxCloneSyncService::new(v1), v1alpha: BoxCloneSyncService::new(v1alpha) })
    }

    pub(super) async fn call(mut self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let service = if request.uri().path().starts_with("/grpc.reflection.v1alpha.") {
            &mut self.v1alpha
        } else {
            &mut self.v1
        };
        service.call(request).await
    }
}
