//! The yardstick: tonic as it comes, with one unary method that answers as many bytes as it is asked for. It neither
//! authenticates nor decides anything, so it does the least that a gRPC server in Rust can do.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use prost::Message;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::Outcome;

/// Its only method.
pub(crate) const PATH: &str = "/reeve.bench.v1.EchoService/Echo";

/// Longest filler of an answer.
const FILLER_BYTES_MAX: usize = 64 * 1024;
static FILLER: [u8; FILLER_BYTES_MAX] = [b'e'; FILLER_BYTES_MAX];

/// What is asked.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct EchoRequest {
    /// Bytes of filler in the answer.
    #[prost(uint32, tag = "1")]
    answer_bytes: u32,
    /// What makes the request as long as another one.
    #[prost(bytes = "bytes", tag = "2")]
    filler: Bytes,
}

/// What is answered.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct EchoResponse {
    #[prost(bytes = "bytes", tag = "1")]
    filler: Bytes,
}

/// An encoded request of `request_bytes` that asks for an answer of `answer_bytes`.
pub(crate) fn request(request_bytes: usize, answer_bytes: usize) -> Outcome<Bytes> {
    let answer_filler = filler_to_reach(answer_bytes, |filler| EchoResponse { filler }.encoded_len())?;
    let answer_bytes = u32::try_from(answer_filler.len())?;
    let of = |filler| EchoRequest { answer_bytes, filler };
    let filler = filler_to_reach(request_bytes, |filler| of(filler).encoded_len())?;
    Ok(of(filler).encode_to_vec().into())
}

fn filler_to_reach(wanted: usize, encoded: impl Fn(Bytes) -> usize) -> Outcome<Bytes> {
    let filler = Bytes::from_static(&FILLER);
    // The length of the length makes some sizes unreachable; the next smaller one differs by a byte.
    let reached =
        (0..=wanted.min(filler.len())).rev().find(|length| encoded(filler.slice(..*length)) <= wanted);
    Ok(filler.slice(..reached.ok_or("no filler is short enough")?))
}

/// Serves on a free port of the loopback interface; returns where, and what to wait for.
pub(crate) async fn serve(
    stopped: impl Future<Output = ()>,
) -> Outcome<(SocketAddr, impl Future<Output = Outcome>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let connections = futures::StreamExt::map(TcpListenerStream::new(listener), |connection| {
        let connection = connection?;
        connection.set_nodelay(true)?;
        Ok::<_, std::io::Error>(connection)
    });
    let served = tonic::transport::Server::builder().add_service(EchoServer);
    Ok((address, async move { Ok(served.serve_with_incoming_shutdown(connections, stopped).await?) }))
}

/// The service, as generated code would have it.
#[derive(Clone)]
struct EchoServer;

impl NamedService for EchoServer {
    const NAME: &'static str = "reeve.bench.v1.EchoService";
}

impl tower_service::Service<http::Request<Body>> for EchoServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(async { Ok(Status::new(Code::Unimplemented, "").into_http()) });
        }
        Box::pin(async { Ok(Grpc::new(ProstCodec::default()).unary(Echo, request).await) })
    }
}

struct Echo;

impl UnaryService<EchoRequest> for Echo {
    type Response = EchoResponse;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<EchoResponse>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<EchoRequest>) -> Self::Future {
        Box::pin(async move {
            let wanted = usize::try_from(request.get_ref().answer_bytes).unwrap_or(usize::MAX);
            let filler = Bytes::from_static(&FILLER).slice(..wanted.min(FILLER_BYTES_MAX));
            Ok(tonic::Response::new(EchoResponse { filler }))
        })
    }
}
