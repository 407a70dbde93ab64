//! The accept loop: ours over hyper-util and tokio-rustls, so that one port serves HTTP/1.1 beside gRPC, and so that
//! connections are bounded here, in all and from each address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::connection::Connection;
use super::places::Places;
use super::tls::Tls;
use super::{Peer, Service};

/// How long those who watch the health are told that a stopping server is not serving.
const WATCHED_MAX: Duration = Duration::from_millis(500);
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
        let places = Arc::new(Places::new(limits.connections_per_address_max));
        let stopping = watch::Sender::new(());
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
            let from = address.ip().to_canonical();
            let Some(place) = places.take(from) else {
                tracing::debug!(peer = %from, "an address has all the connections it may have");
                continue;
            };
            let connection = Connection {
                peer: Peer { address: from.to_string().into(), secure: self.tls.is_some() },
                service: Arc::clone(&service),
                stopping: stopping.subscribe(),
                limits: limits.clone(),
            };
            let tls = self.tls.clone();
            tokio::spawn(async move {
                connection.run(socket, tls).await;
                drop((permit, place));
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
            stopping.send_replace(());
            tokio::select! {
                () = stopping.closed() => {}
                () = watched => {}
            }
        };
        if tokio::time::timeout(limits.drain_max, drained).await.is_err() {
            tracing::warn!("calls were still under way when the drain's time was up");
        }
    }
}
