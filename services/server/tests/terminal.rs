//! The terminal as its users have it: the real binary against a real server process.
#![cfg(test)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// A server process with a store of its own, killed when the test ends.
struct Server {
    process: Child,
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_reeve"))
            .args(["serve", "--engine", "memory", "--listen", "127.0.0.1:0", "--account", "111122223333"])
            .current_dir(folder.path())
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let address = ready.trim().rsplit(' ').next().unwrap().to_owned();
        Self { process, folder, endpoint: address }
    }

    fn credentials(&self) -> PathBuf {
        self.folder.path().join("reeve-credentials")
    }

    /// A command with nothing in its environment but where the server is and where credentials are.
    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reeve"));
        command
            .args(line)
            .current_dir(self.folder.path())
            .env_clear()
            .env("REEVE_ENDPOINT", &self.endpoint)
            .env("AWS_SHARED_CREDENTIALS_FILE", self.credentials());
        command
    }

    /// Runs a command as root.
    fn run(&self, line: &[&str]) -> Output {
        self.command(line).env("AWS_PROFILE", "root").output().unwrap()
    }

    /// What a command that is answered prints.
    fn answer(&self, line: &[&str]) -> Value {
        let ran = self.run(line);
        assert!(ran.status.success(), "{line:?}: {}", text(&ran.stderr));
        assert!(ran.stderr.is_empty());
        serde_json::from_slice(&ran.stdout).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn check_failure(ran: &Output, code: i32, told: &str) {
    let errors = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(code), "{errors}");
    assert!(errors.contains(told), "{errors}");
    assert!(ran.stdout.is_empty());
}

#[test]
fn an_operation_goes_there_and_back() {
    let server = Server::start();
    let create =
        ["iam", "create-user", "--user-name", "alice", "--path", "/eng/", "--tags", "Key=team,Value=blue"];
    let created = server.answer(&create);
    assert_eq!(created["User"]["Arn"], json!("arn:aws:iam::111122223333:user/eng/alice"));
    assert!(created["User"]["CreateDate"].as_str().unwrap().ends_with('Z'));
    assert_eq!(created["User"]["Tags"], json!([{"Key": "team", "Value": "blue"}]));
    let listed = server.answer(&["iam", "list-users", "--max-items", "5"]);
    assert_eq!(listed["Users"][0]["UserName"], json!("alice"));
    assert_eq!(listed["IsTruncated"], json!(false));
    let whole = r#"{"UserName": "nobody", "NewPath": "/ops/"}"#;
    let updated = server.run(&["iam", "update-user", "--cli-input-json", whole, "--user-name", "alice"]);
    assert!(updated.status.success() && updated.stdout.is_empty(), "{}", text(&updated.stderr));
    assert_eq!(server.answer(&["iam", "get-user", "--user-name", "alice"])["User"]["Path"], json!("/ops/"));

    let document = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}}"#;
    std::fs::write(server.folder.path().join("policy.json"), document).unwrap();
    let put = [
        "iam",
        "put-user-policy",
        "--user-name",
        "alice",
        "--policy-name",
        "p",
        "--policy-document",
        "file://policy.json",
    ];
    assert!(server.run(&put).status.success());
    let got = server.answer(&["iam", "get-user-policy", "--user-name", "alice", "--policy-name", "p"]);
    assert_eq!(got["PolicyDocument"], serde_json::from_str::<Value>(document).unwrap());
}

#[test]
fn credentials_are_found_as_the_aws_tools_find_them() {
    let server = Server::start();
    let who = ["sts", "get-caller-identity"];
    let arn = |command: &mut Command| {
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        serde_json::from_slice::<Value>(&ran.stdout).unwrap()["Arn"].as_str().unwrap().to_owned()
    };
    server.answer(&["iam", "create-user", "--user-name", "bob"]);
    let key = server.answer(&["iam", "create-access-key", "--user-name", "bob"])["AccessKey"].clone();
    let (id, secret) = (key["AccessKeyId"].as_str().unwrap(), key["SecretAccessKey"].as_str().unwrap());
    let root = "arn:aws:iam::111122223333:root";
    let bob = "arn:aws:iam::111122223333:user/bob";
    let with_key = |mut command: Command| {
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        command
    };
    assert_eq!(arn(server.command(&who).env("AWS_PROFILE", "root")), root);
    assert_eq!(arn(with_key(server.command(&who)).env("AWS_PROFILE", "root")), bob);
    let named = ["sts", "get-caller-identity", "--profile", "root"];
    assert_eq!(arn(&mut with_key(server.command(&named))), root);

    let told = "Unable to locate credentials";
    check_failure(&server.command(&who).output().unwrap(), 253, told);
    let unknown = ["sts", "get-caller-identity", "--profile", "nobody"];
    check_failure(&server.run(&unknown), 253, "The config profile (nobody) could not be found");
    let wrong = server
        .command(&who)
        .env("AWS_ACCESS_KEY_ID", id)
        .env("AWS_SECRET_ACCESS_KEY", "wr0ng")
        .output()
        .unwrap();
    check_failure(
        &wrong,
        254,
        "An error occurred (SignatureDoesNotMatch) when calling the GetCallerIdentity operation",
    );
    assert!(!text(&wrong.stderr).contains("wr0ng"));
}

#[test]
fn failures_have_the_words_and_exit_codes_of_the_aws_cli() {
    let server = Server::start();
    let missing = server.run(&["iam", "get-user", "--user-name", "x"]);
    let told = "An error occurred (NoSuchEntity) when calling the GetUser operation: The user with name x cannot be found.";
    check_failure(&missing, 254, told);
    assert!(text(&missing.stderr).contains("Request id: "));
    let invalid = server.run(&["iam", "create-user", "--user-name", "a b"]);
    check_failure(&invalid, 254, "(ValidationError)");
    assert!(text(&invalid.stderr).contains("\n  UserName: "), "{}", text(&invalid.stderr));

    check_failure(
        &server.run(&["iam", "create-user"]),
        252,
        "the following arguments are required: --user-name",
    );
    check_failure(&server.run(&["iam", "create-user", "--user-nmae", "x"]), 252, "--user-nmae");
    check_failure(&server.run(&["iam", "created-user"]), 252, "created-user");
    check_failure(
        &server.run(&["iam", "list-users", "--max-items", "few"]),
        252,
        "Parameter validation failed:",
    );
    let nowhere = ["iam", "list-users", "--endpoint-url", "http://127.0.0.1:1"];
    check_failure(&server.run(&nowhere), 255, "from the endpoint URL: \"http://127.0.0.1:1\"");
    let untrusted = ["iam", "list-users", "--ca-file", "/nonexistent.pem"];
    check_failure(&server.run(&untrusted), 253, "/nonexistent.pem");

    let help = server.run(&["iam", "create-user", "--help"]);
    assert!(help.status.success() && text(&help.stdout).contains("--user-name <TEXT>"));
}
