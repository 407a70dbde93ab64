//! A place on disk that servers are started in, one after the other or at the same time, and the servers themselves:
//! real processes, with nothing in their environment that the test did not put there.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use reeve_chassis::client::{Client, Credentials};
use reeve_server::profile;
use tempfile::TempDir;

pub(crate) const ACCOUNT: &str = "123456789012";

/// A folder with the data directory, the root key and the root credentials of one server.
pub(crate) struct Place {
    folder: TempDir,
}

/// A server that said it is ready. It is killed when the test lets go of it.
pub(crate) struct Server {
    child: Child,
    /// Where it answers.
    pub(crate) address: String,
    /// Everything that it wrote to stdout until it was ready.
    pub(crate) told: String,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("reeve-data")
    }

    pub(crate) fn credentials_file(&self) -> PathBuf {
        self.path("reeve-credentials")
    }

    pub(crate) fn root_key_file(&self) -> PathBuf {
        self.path("reeve-root-key")
    }

    /// What all servers of this place wrote to stderr.
    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).unwrap()
    }

    /// `reeve serve` in this place, with the default file names and a port of its own.
    pub(crate) fn command(&self) -> Command {
        self.command_at("127.0.0.1:0")
    }

    /// The same on a given port.
    pub(crate) fn command_at(&self, address: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reeve"));
        command.args(["serve", "--listen", address]).current_dir(self.folder.path()).env_clear();
        command
    }

    /// Starts a server.
    pub(crate) fn start(&self) -> Server {
        self.run(&mut self.command())
    }

    /// Starts a server by `command`, and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn run(&self, command: &mut Command) -> Server {
        let mut child = self.spawn(command);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        stdout.read_line(&mut told).unwrap();
        let address = told.trim_end().strip_prefix("reeve is ready on ");
        let address = address.unwrap_or_else(|| panic!("not ready: {told:?}\n{}", self.stderr())).to_owned();
        Server { child, address, told, stdout }
    }

    /// Starts a process whose stderr is kept, ready or not.
    pub(crate) fn spawn(&self, command: &mut Command) -> Child {
        let stderr = std::fs::OpenOptions::new().create(true).append(true).open(self.path("stderr")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap()
    }

    /// Runs a server that must refuse to start: what it says on stderr.
    #[track_caller]
    pub(crate) fn refused(&self, command: &mut Command) -> String {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        if !told.is_empty() {
            child.kill().unwrap();
        }
        assert_eq!(told, "", "it must not say that it is ready");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "it ended well: {said}");
        assert!(said.contains("reeve: ") || said.contains("error: "), "no reason: {said}");
        said
    }

    /// The root credentials, found as the AWS tools find them.
    pub(crate) fn root_credentials(&self) -> Credentials {
        let path = self.credentials_file().display().to_string();
        let variables = |name: &str| (name == "AWS_SHARED_CREDENTIALS_FILE").then(|| path.clone());
        profile::find(Some("root"), &variables).unwrap()
    }

    /// The root, at `server`.
    pub(crate) async fn root(&self, server: &Server) -> Client {
        server.anybody().await.signed(self.root_credentials())
    }
}

impl Server {
    /// A connection that does not sign.
    pub(crate) async fn anybody(&self) -> Client {
        Client::connect(&format!("http://{}", self.address)).await.unwrap()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until the process has ended by itself: how, and what it still wrote to stdout.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }

    /// Ends the process in order.
    pub(crate) fn stop(mut self) {
        self.terminate();
        assert!(self.wait().0.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every file under `folder`, with what it holds.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    found
}
