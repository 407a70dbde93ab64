//! A running server: the store opened, the operations registered, the port bound, and everything let go in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reeve_authorization::Authorization;
use reeve_chassis::clock::Clock;
use reeve_chassis::outbound::{IssuerUrl, OutboundIssuers, keep_rotating};
use reeve_chassis::transport::{Listener, Service, Tls, TlsFiles};
use reeve_chassis::{Environment, PasswordUses, Pipeline, Routes};
use reeve_iam::Iam;
use reeve_signin::SignIn;
use reeve_storage::Engine;
use reeve_sts::Sts;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::bootstrap::{self, StartError};
use crate::config::Config;

/// How often it is written when passwords were used.
const PASSWORD_USES_WRITTEN_EVERY: Duration = Duration::from_secs(60);

/// A server that answers.
pub struct Running {
    address: SocketAddr,
    environment: Arc<Environment>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// Every operation with its handler.
pub fn routes() -> Routes {
    let mut routes = Routes::new();
    Iam.register(&mut routes);
    Sts.register(&mut routes);
    SignIn.register(&mut routes);
    Authorization::default().register(&mut routes);
    routes
}

/// Starts a server; when this returns, it answers.
///
/// # Errors
/// The store cannot be opened, or the port cannot be bound.
pub async fn start(config: &Config) -> Result<Running, StartError> {
    start_with(config, async |_| {}).await
}

/// As [`start`]; `change` may change what the server is made of before it serves: its clock, its accounts.
///
/// # Errors
/// As [`start`].
pub async fn start_with(
    config: &Config,
    change: impl AsyncFnOnce(&mut Environment),
) -> Result<Running, StartError> {
    config.check()?;
    let tls = tls(config)?;
    // The port is tried first: a server that cannot serve starts no store.
    let listener = Listener::bind(config.listen, tls)
        .await
        .map_err(|error| StartError::Io { what: config.listen.to_string(), error })?;
    let address =
        listener.address().map_err(|error| StartError::Io { what: config.listen.to_string(), error })?;
    let mut environment = bootstrap::open(config).await?;
    let issuer_url = config.issuer_url()?.or_else(|| own_url(config, address));
    environment.outbound = OutboundIssuers::new(issuer_url, config.signing_keys.settings());
    change(&mut environment).await;
    let environment = Arc::new(environment);
    let audit = environment.audit.clone();
    let retention = config.retention().keep(Arc::clone(&environment.engine), Arc::clone(&environment.clock));
    let rotation = keep_rotating(Arc::clone(&environment));
    let uses = PasswordUseWriter::of(&environment);
    let pipeline = Arc::new(Pipeline::new(Arc::clone(&environment)));
    let service = Service::new(routes(), pipeline, config.limits(), config.reflection)
        .await
        .map_err(|error| StartError::Refused(format!("the descriptors: {error}")))?;
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(async move {
        let stopped = async {
            // A sender that is gone wants it stopped too.
            let _ = stopped.await;
        };
        let written = tokio::spawn(uses.clone().write_now_and_then());
        tokio::select! {
            () = listener.serve(service, stopped) => {}
            () = retention => {}
            () = rotation => {}
        }
        written.abort();
        uses.write().await;
        let closed = tokio::task::spawn_blocking(move || audit.close()).await;
        if let Err(error) = closed {
            tracing::error!(%error, "the audit log was not closed");
        }
    });
    Ok(Running { address, environment, stop: Some(stop), served })
}

impl Running {
    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it stores. Whoever runs the server in its own process can count its commits, and so tell which calls write.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.environment.engine
    }

    /// What it is made of. Whoever runs the server in its own process need not wait for what it does now and then.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Lets calls under way end, writes what is left to write, and returns when that is done.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Err(error) = (&mut self.served).await {
            tracing::error!(%error, "the server did not stop in order");
        }
    }
}

/// Writes when passwords were used, apart from the calls that use them.
#[derive(Clone)]
struct PasswordUseWriter {
    uses: Arc<PasswordUses>,
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
}

impl PasswordUseWriter {
    fn of(environment: &Environment) -> Self {
        Self {
            uses: Arc::clone(&environment.password_uses),
            engine: Arc::clone(&environment.engine),
            clock: Arc::clone(&environment.clock),
        }
    }

    async fn write_now_and_then(self) {
        let mut every = tokio::time::interval(PASSWORD_USES_WRITTEN_EVERY);
        loop {
            every.tick().await;
            self.write().await;
        }
    }

    async fn write(&self) {
        if let Err(error) = self.uses.write(&self.engine, self.clock.now().seconds()).await {
            tracing::error!(%error, detail = error.detail, "when passwords were used was not written; it is tried again");
        }
    }
}

/// The URL of the port itself; none where it is every address of the machine.
fn own_url(config: &Config, address: SocketAddr) -> Option<IssuerUrl> {
    let scheme = if config.tls_certificate.as_os_str().is_empty() { "http" } else { "https" };
    // Plain text off the loopback is no URL to issue tokens under.
    if address.ip().is_unspecified() { None } else { IssuerUrl::parse(&format!("{scheme}://{address}")).ok() }
}

fn tls(config: &Config) -> Result<Option<Tls>, StartError> {
    if config.tls_certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let files = TlsFiles {
        certificates: config.tls_certificate.clone(),
        key: config.tls_key.clone(),
        client_authorities: Some(config.tls_client_ca.clone()).filter(|path| !path.as_os_str().is_empty()),
    };
    Tls::read(files)
        .map(Some)
        .map_err(|error| StartError::Refused(format!("{}: {error}", config.tls_certificate.display())))
}
