//! The accept loop: ours over hyper-util and tokio-rustls, so that one port serves HTTP/1.1 beside gRPC, and so that
//! connections, headers, streams and handshakes are bounded here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::gather::Gathering;
use super::tls::Tls;
use super::{Limits, Peer, PeerService, Service};

/// A handshake, of TLS or of HTTP, that takes longer is nobody's.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// An idle connection is asked this often whether anybody is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long the answer to that may take.
const PING_ANSWER_MAX: Duration = Duration::from_secs(20);
/// Streams that a client resets before they are answered, before it is told to go (rapid reset).
const RESET_STREAMS_MAX: usize = 64;
/// A connection that has made no call by then holds its place for nothing.
const FIRST_CALL_MAX: Duration = Duration::from_secs(60);
/// How long those who watch the health are told that a stopping server is not serving.
const WATCHED_MAX: Duration = Duration::from_millis(500);
/// What hyper needs at least to read a request's head in HTTP/1.1.
const HTTP_1_BUFFER_BYTES_MIN: u32 = 8192;
/// After a failed accept (no file descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound port.
pub struct Listener {
    socket: TcpListener,
    tls: Option<Tls>,
}

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>) -> std::io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, tls })
    }

    /// The address bound, with its port where the caller left that open.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` resolves; then takes no more connections, lets calls under way end, and returns when they
    /// have or when the drain's time is up.
    pub async fn serve(self, service: Service, stop: impl Future<Output = ()>) {
        let service = Arc::new(service);
        let limits = service.limits().clone();
        let connections = Arc::new(Semaphore::new(limits.connections_max));
        let graceful = GracefulShutdown::new();
        let follow = self.tls.clone().map(|tls| tokio::spawn(tls.follow()));
        tokio::pin!(stop);
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&connections).acquire_owned() => permit,
                () = &mut stop => break,
            };
            let Ok(permit) = permit else { break };
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = &mut stop => break,
            };
            let (socket, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let connection = Connection {
                peer: Peer {
                    address: address.ip().to_canonical().to_string().into(),
                    secure: self.tls.is_some(),
                },
                service: Arc::clone(&service),
                watcher: graceful.watcher(),
                limits: limits.clone(),
            };
            let tls = self.tls.clone();
            tokio::spawn(async move {
                connection.run(socket, tls).await;
                drop(permit);
            });
        }
        drop(self.socket);
        if let Some(follow) = follow {
            follow.abort();
        }
        service.drain().await;
        let watched = async {
            tokio::time::sleep(WATCHED_MAX).await;
            service.end_watches().await;
            std::future::pending::<()>().await;
        };
        let drained = async {
            tokio::select! {
                () = graceful.shutdown() => {}
                () = watched => {}
            }
        };
        if tokio::time::timeout(limits.drain_max, drained).await.is_err() {
            tracing::warn!("calls were still under way when the drain's time was up");
        }
    }
}

struct Connection {
    peer: Peer,
    service: Arc<Service>,
    watcher: hyper_util::server::graceful::Watcher,
    limits: Limits,
}

impl Connection {
    async fn run(self, socket: TcpStream, tls: Option<Tls>) {
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

    async fn serve<S>(self, stream: S)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE_MAX)
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
        let used = Arc::new(AtomicBool::new(false));
        let service = PeerService { service: self.service, peer: self.peer.clone(), used: Arc::clone(&used) };
        let connection = builder.serve_connection(TokioIo::new(Gathering(stream)), service).into_owned();
        let unused = async {
            tokio::time::sleep(FIRST_CALL_MAX).await;
            if used.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = self.watcher.watch(connection) => if let Err(error) = ended {
                tracing::debug!(%error, peer = %self.peer.address, "a connection ended");
            },
            () = unused => tracing::debug!(peer = %self.peer.address, "a connection made no call"),
        }
    }
}
