//! One connection, from its handshake to its end: bounded in what its client can make the server hold, and told to go
//! when it makes no calls, when it does not answer, and when the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::gather::Gathering;
use super::tls::Tls;
use super::{Limits, Peer, PeerService, Service};

/// A TLS handshake that takes longer is nobody's.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// What hyper needs at least to read a request's head in HTTP/1.1.
const HTTP_1_BUFFER_BYTES_MIN: u32 = 8192;
/// An idle connection is asked this often whether anybody is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long the answer to that may take.
const PING_ANSWER_MAX: Duration = Duration::from_secs(20);
/// Streams that a client resets before they are answered, before it is told to go (rapid reset).
const RESET_STREAMS_MAX: usize = 64;
/// A connection that has made no call by then holds its place for nothing.
const FIRST_CALL_MAX: Duration = Duration::from_secs(60);
/// How long one that was told to go for making no calls may take to do so.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) peer: Peer,
    pub(super) service: Arc<Service>,
    /// Changes when the server stops. The server waits until all of these are dropped.
    pub(super) stopping: watch::Receiver<()>,
    pub(super) limits: Limits,
}

/// What a connection is used for.
#[derive(Default)]
pub(crate) struct Use {
    /// Requests of any kind.
    begun: AtomicU64,
    /// Calls under way. Who watches health, or holds a reflection stream, makes none.
    under_way: AtomicU64,
}

/// A call under way, until it is dropped.
pub(super) struct UnderWay<'a>(&'a Use);

impl Use {
    pub(super) fn request(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn call(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) == 0
    }

    /// Resolves when a whole `idle_max` has passed without a request, and no call is under way.
    async fn idle(&self, idle_max: Duration) {
        tokio::time::sleep(idle_max.min(FIRST_CALL_MAX)).await;
        let mut begun = 0;
        loop {
            let now = self.begun.load(Ordering::Relaxed);
            if now == begun && self.is_idle() {
                return;
            }
            begun = now;
            tokio::time::sleep(idle_max).await;
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection {
    pub(super) async fn run(self, socket: TcpStream, tls: Option<Tls>) {
        // Answers are small and awaited: they leave at once.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it was served");
            return;
        }
        let Some(tls) = tls else {
            return self.serve(socket).await;
        };
        match tokio::time::timeout(HANDSHAKE_MAX, tls.acceptor().accept(socket)).await {
            Ok(Ok(stream)) => self.serve(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, peer = %self.peer.address, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %self.peer.address, "TLS handshake took too long"),
        }
    }

    async fn serve<S>(mut self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // Counted from the answer before: who keeps a connection for the next request has sent none of it yet.
            .header_read_timeout(self.limits.idle_max)
            .max_buf_size(self.limits.header_bytes_max.max(HTTP_1_BUFFER_BYTES_MIN) as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams_max)
            .max_header_list_size(self.limits.header_bytes_max)
            .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
            .max_local_error_reset_streams(RESET_STREAMS_MAX)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_ANSWER_MAX);
        let used = Arc::new(Use::default());
        let service = PeerService { service: self.service, peer: self.peer.clone(), used: Arc::clone(&used) };
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(Gathering::new(stream)), service));
        tokio::select! {
            ended = connection.as_mut() => return told(ended, &self.peer),
            _ = self.stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                return told(connection.await, &self.peer);
            }
            () = used.idle(self.limits.idle_max) => connection.as_mut().graceful_shutdown(),
        }
        // A call that was on its way when the connection was told to go is still answered.
        let left = async {
            tokio::time::sleep(LEAVE_MAX).await;
            while !used.is_idle() {
                tokio::time::sleep(LEAVE_MAX).await;
            }
        };
        tokio::select! {
            ended = connection => told(ended, &self.peer),
            () = left => tracing::debug!(peer = %self.peer.address, "a connection that makes no calls was closed"),
        }
    }
}

fn told<E: std::fmt::Display>(ended: Result<(), E>, peer: &Peer) {
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %peer.address, "a connection ended");
    }
}
