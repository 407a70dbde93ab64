//! The `reeve` binary: it reads the command line, and hands over.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, FromArgMatches as _, Subcommand};
use reeve_server::bootstrap::{self, StartError};
use reeve_server::config::{Config, EngineName};
use reeve_server::{credentials, decide, demo, login, serve, terminal};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A call allocates some hundred times, on one thread and lets go on another: the system's allocator takes a tenth of a
/// call's time, this one a third of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The variable that chooses what is logged, as tracing's `EnvFilter` reads it.
const LOG_VARIABLE: &str = "REEVE_LOG";

/// Where a store lies, and what opens it. Flags stand before `REEVE_` environment variables, those before the
/// configuration file.
#[derive(Args, Debug)]
struct Place {
    /// Configuration file, TOML
    #[arg(long, value_name = "FILE", env = "REEVE_CONFIG")]
    config: Option<PathBuf>,
    /// Where the embedded store lies [default: ./reeve-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where root credentials are written [default: ./reeve-credentials]
    #[arg(long, value_name = "PATH")]
    credentials_file: Option<PathBuf>,
    /// Root key, created by the first start [default: ./reeve-root-key]
    #[arg(long, value_name = "PATH")]
    root_key_file: Option<PathBuf>,
}

/// Runs a server.
#[derive(Args, Debug)]
struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address of the port [default: 127.0.0.1:7443]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<std::net::SocketAddr>,
    /// Account that the first start creates, twelve digits [default: drawn]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// What stores: sled or memory [default: sled]
    #[arg(long, value_parser = engine)]
    engine: Option<EngineName>,
    /// Chain of certificates to serve TLS with, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Authorities of OpenID Connect providers besides those that the machine trusts, PEM
    #[arg(long, value_name = "FILE")]
    oidc_trust_anchors: Option<PathBuf>,
}

/// Changes a store that no server has open.
#[derive(Args, Debug)]
struct Store {
    #[command(subcommand)]
    change: Change,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Says that the store was put back from a backup: it begins a new incarnation
    MarkRestored(Place),
    /// Ends every access key of root's and writes a new one to the credentials file
    ReplaceRootCredentials(Place),
    /// Replaces the keys that sign tokens for others, in case somebody has them
    ReplaceSigningKeys(Place),
}

fn main() -> ExitCode {
    let operations = match terminal::commands() {
        Ok(operations) => operations,
        Err(failure) => return failure.tell(),
    };
    let command = clap::Command::new("reeve")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Identity and credential control plane with the semantics of AWS IAM and STS")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Serve::augment_args(clap::Command::new("serve")))
        .subcommand(Store::augment_args(clap::Command::new("store")))
        .subcommand(clap::Command::new("demo").about(demo::ABOUT))
        .subcommand(decide::Arguments::augment_args(clap::Command::new("decide")))
        .subcommands(login::commands())
        .subcommand(credentials::command())
        .subcommands(operations);
    let matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return terminal::refuse(&error),
    };
    match matches.subcommand() {
        Some(("serve", matches)) => match Serve::from_arg_matches(matches) {
            Ok(arguments) => run(serve_until_told(arguments)),
            Err(error) => terminal::refuse(&error),
        },
        Some(("store", matches)) => match Store::from_arg_matches(matches) {
            Ok(arguments) => run(arguments.change.make()),
            Err(error) => terminal::refuse(&error),
        },
        Some(("demo", _)) => demo::run(),
        Some(("decide", matches)) => match decide::Arguments::from_arg_matches(matches) {
            Ok(arguments) => decide::run(&arguments),
            Err(error) => terminal::refuse(&error),
        },
        Some(("login", matches)) => login::login(matches),
        Some(("logout", matches)) => login::logout(matches),
        Some(("credentials", matches)) => credentials::run(matches),
        Some((group, matches)) => terminal::run(group, matches),
        None => ExitCode::FAILURE,
    }
}

fn run(work: impl Future<Output = Result<(), StartError>>) -> ExitCode {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let ended = tokio::runtime::Runtime::new()
        .map_err(|error| StartError::Io { what: "the runtime".to_owned(), error })
        .and_then(|runtime| runtime.block_on(work));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever started it by hand looks here, whatever is logged.
            let _ = writeln!(std::io::stderr(), "reeve: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve_until_told(arguments: Serve) -> Result<(), StartError> {
    let config = arguments.into_config()?;
    let signals = |error| StartError::Io { what: "signals".to_owned(), error };
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let running = serve::start(&config).await?;
    writeln!(std::io::stdout(), "reeve is ready on {}", running.address())
        .and_then(|()| std::io::stdout().flush())
        .map_err(|error| StartError::Io { what: "stdout".to_owned(), error })?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

impl Change {
    async fn make(self) -> Result<(), StartError> {
        match self {
            Self::MarkRestored(place) => bootstrap::mark_restored(&place.into_config()?).await,
            Self::ReplaceRootCredentials(place) => {
                bootstrap::replace_root_credentials(&place.into_config()?).await
            }
            Self::ReplaceSigningKeys(place) => bootstrap::replace_signing_keys(&place.into_config()?).await,
        }
    }
}

impl Place {
    fn into_config(self) -> Result<Config, StartError> {
        let mut config = Config::load(self.config.as_deref(), |name| std::env::var(name).ok())?;
        set(&mut config.data_dir, self.data_dir);
        set(&mut config.credentials_file, self.credentials_file);
        set(&mut config.root_key_file, self.root_key_file);
        Ok(config)
    }
}

impl Serve {
    fn into_config(self) -> Result<Config, StartError> {
        let mut config = self.place.into_config()?;
        set(&mut config.listen, self.listen);
        set(&mut config.account, self.account);
        set(&mut config.engine, self.engine);
        set(&mut config.tls_certificate, self.tls_certificate);
        set(&mut config.tls_key, self.tls_key);
        set(&mut config.oidc_trust_anchors, self.oidc_trust_anchors);
        Ok(config)
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn engine(name: &str) -> Result<EngineName, String> {
    match name {
        "sled" => Ok(EngineName::Sled),
        "memory" => Ok(EngineName::Memory),
        _ => Err("an engine is sled or memory".to_owned()),
    }
}
