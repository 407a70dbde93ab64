//! `reeve demo`: what Reeve is for, played through over real gRPC against a fresh server of its own. Every step says what it
//! proves, and every expectation is checked, so that the demonstration is a test that people can read.

mod cast;
mod endings;
mod stage;
mod story;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use reeve_chassis::client::{CallError, Client};

use crate::bootstrap::{ROOT_PROFILE, StartError};
use crate::config::{Config, EngineName};
use crate::profile::{self, ProfileError};
use crate::serve;
use stage::Stage;

/// What the command does, for its help.
pub const ABOUT: &str =
    "Plays through what Reeve is for, against a fresh server of its own, and checks every step";

/// Why a demonstration did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The server did not start.
    #[error("the server did not start: {0}")]
    Start(#[from] StartError),
    /// The root credentials are not where they belong.
    #[error("the root credentials: {0}")]
    Credentials(#[from] ProfileError),
    /// A call was refused that should have been answered.
    #[error("a call failed: {0}")]
    Call(#[from] CallError),
    /// An answer lacks what the next step needs.
    #[error("an answer lacks its {0}")]
    Lacking(&'static str),
    /// A file, or the terminal.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Runs the demonstration and prints it; fails unless everything held.
#[must_use]
pub fn run() -> ExitCode {
    let played = tokio::runtime::Runtime::new()
        .map_err(DemoError::Io)
        .and_then(|runtime| runtime.block_on(play(&mut io::stdout())));
    match played {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "\nreeve: the demonstration stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the demonstration against a server that lives as long as it does; whether everything held.
///
/// # Errors
/// The server did not start, or a call failed that the story cannot go on without.
pub async fn play(output: &mut dyn Write) -> Result<bool, DemoError> {
    let folder = tempfile::tempdir()?;
    let config = Config {
        data_dir: folder.path().join("data"),
        credentials_file: folder.path().join("credentials"),
        root_key_file: folder.path().join("root-key"),
        listen: ([127, 0, 0, 1], 0).into(),
        engine: EngineName::Sled,
        ..Config::default()
    };
    let started = Instant::now();
    let server = serve::start(&config).await?;
    writeln!(
        output,
        "A fresh server answers on {} after {} ms: embedded store, one account, everything below over gRPC.",
        server.address(),
        started.elapsed().as_millis()
    )?;
    let client = Client::connect(&format!("http://{}", server.address())).await?;
    let file = config.credentials_file.display().to_string();
    let variable = |name: &str| (name == "AWS_SHARED_CREDENTIALS_FILE").then(|| file.clone());
    let root = client.signed(profile::find(Some(ROOT_PROFILE), &variable)?);
    let mut stage = Stage::new(output);
    let played = story::play(&mut stage, &client, &root).await;
    server.stop().await;
    played?;
    Ok(stage.end(started.elapsed())?)
}
