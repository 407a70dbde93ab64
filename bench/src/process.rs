//! The servers, each in a process of its own, so that memory and processor time are told for each. They are this program
//! run again; they end when their standard input does, so that none outlives the bench however that ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Subcommand;
use reeve_chassis::client::Credentials;
use reeve_directory::Quotas;
use reeve_server::bootstrap::ROOT_PROFILE;
use reeve_server::config::Config;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::{Outcome, echo};

/// The account of every store that the bench makes.
pub(crate) const ACCOUNT: &str = "123456789012";
/// Authorities of identity providers that a server trusts, if the file is in its folder.
pub(crate) const TRUST_ANCHORS: &str = "trust-anchors.pem";
/// Processor time is counted in these.
const TICK: Duration = Duration::from_millis(10);

/// Which server.
#[derive(Subcommand)]
pub(crate) enum Kind {
    /// The bare one
    Echo,
    /// Reeve
    Reeve {
        /// Where the store, the root key and the credentials lie
        home: PathBuf,
    },
}

/// Runs a server in this process, for the bench that started it.
pub(crate) async fn serve(kind: Kind) -> Outcome {
    let (stop, stopped) = oneshot::channel();
    std::thread::spawn(move || {
        // The bench writes nothing: this returns when it lets go or is gone.
        let ended = std::io::stdin().read(&mut [0]);
        let _ = stop.send(ended.is_ok());
    });
    let stopped = async {
        let _ = stopped.await;
    };
    match kind {
        Kind::Echo => {
            let (address, served) = echo::serve(stopped).await?;
            announce(address)?;
            served.await
        }
        Kind::Reeve { home } => {
            let running = reeve_server::serve::start(&config(&home)).await?;
            announce(running.address())?;
            stopped.await;
            running.stop().await;
            Ok(())
        }
    }
}

fn announce(address: SocketAddr) -> Outcome {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{address}")?;
    Ok(stdout.flush()?)
}

/// Everything as a server has it by default, but for where it lies and how many users an account can hold.
pub(crate) fn config(home: &Path) -> Config {
    let anchors = home.join(TRUST_ANCHORS);
    Config {
        oidc_trust_anchors: if anchors.exists() { anchors } else { PathBuf::new() },
        data_dir: home.join("data"),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        account: ACCOUNT.to_owned(),
        credentials_file: home.join("credentials"),
        root_key_file: home.join("root-key"),
        quotas: Quotas { users_per_account_max: 1_000_000_000, ..Quotas::default() },
        ..Config::default()
    }
}

/// The root credentials that the first start wrote.
pub(crate) fn root_credentials(home: &Path) -> Outcome<Credentials> {
    let text = Zeroizing::new(std::fs::read_to_string(home.join("credentials"))?);
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='));
        line.map(|value| value.trim().to_owned()).ok_or(format!("no {name} of the profile {ROOT_PROFILE}"))
    };
    Ok(Credentials {
        access_key_id: value("aws_access_key_id")?,
        secret_access_key: Zeroizing::new(value("aws_secret_access_key")?),
        session_token: None,
    })
}

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    started_in: Duration,
}

impl Server {
    pub(crate) fn echo() -> Outcome<Self> {
        Self::start(Command::new(std::env::current_exe()?).args(["serve", "echo"]))
    }

    pub(crate) fn reeve(home: &Path) -> Outcome<Self> {
        Self::start(Command::new(std::env::current_exe()?).args(["serve", "reeve"]).arg(home))
    }

    fn start(command: &mut Command) -> Outcome<Self> {
        let begun = Instant::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("a server without output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| "a server did not start")?;
        Ok(Self { child, address, started_in: begun.elapsed() })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How long it took from nothing until it answered.
    pub(crate) fn started_in(&self) -> Duration {
        self.started_in
    }

    pub(crate) fn resident_bytes(&self) -> Outcome<u64> {
        resident_bytes(&self.pid().to_string())
    }

    /// Processor time so far, in user and kernel mode together.
    pub(crate) fn processor_time(&self) -> Outcome<Duration> {
        processor_time(&self.pid().to_string())
    }

    /// Lets it stop in order, and waits for that.
    pub(crate) fn stop(mut self) -> Outcome {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("a server ended with {status}").into()) }
    }
}

/// The resident memory of a process, `self` or a number.
pub(crate) fn resident_bytes(process: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

/// The processor time that a process, `self` or a number, has taken so far.
pub(crate) fn processor_time(process: &str) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the name, which may hold anything; what follows it is plain.
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in stat")?;
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u32>()?;
    }
    Ok(TICK * ticks)
}
