//! Starting: what the first start leaves behind and where, what a later one finds, and everything that is refused
//! before a port answers.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use reeve_chassis::client::Credentials;
use reeve_proto::iam::v1::{CreateAccessKeyRequest, CreateRoleRequest, CreateUserRequest, GetUserRequest};
use reeve_proto::sts::v1::{AssumeRoleRequest, GetCallerIdentityRequest};
use zeroize::Zeroizing;

use crate::place::{ACCOUNT, Place, Server, files};

/// The promise of a start, in the best of a few: other tests want the machine too.
const START_MAX: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_is_quick_and_says_where_it_answers() {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let place = Place::new();
        let begun = Instant::now();
        let mut server = place.start();
        best = best.min(begun.elapsed());
        assert!(server.told.starts_with("reeve is ready on 127.0.0.1:"), "{}", server.told);
        assert!(server.address.parse::<std::net::SocketAddr>().unwrap().port() > 0);
        assert_eq!(root_account(&place, &server).await.len(), 12);
        server.terminate();
        assert_eq!(server.wait().1, "", "the readiness line is all there is on stdout");
        if best < START_MAX {
            return;
        }
    }
    panic!("the quickest of five starts took {best:?}");
}

#[test]
fn the_first_start_writes_the_credentials_and_the_root_key_for_nobody_else_to_read() {
    let place = Place::new();
    let server = place.run(place.command().args(["--account", ACCOUNT]));
    for path in [place.credentials_file(), place.root_key_file()] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let text = std::fs::read_to_string(place.credentials_file()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let [profile, id, secret] = lines[..] else { panic!("{} lines", lines.len()) };
    assert_eq!(profile, "[root]");
    let id = id.strip_prefix("aws_access_key_id = ").unwrap();
    assert!(id.starts_with("AKIA") && id.len() == 20);
    assert_eq!(secret.strip_prefix("aws_secret_access_key = ").unwrap().len(), 40);
    assert!(text.ends_with('\n'));
    let key = std::fs::read_to_string(place.root_key_file()).unwrap();
    assert_eq!(key.trim_end().len(), 44, "the base64 of 32 bytes");
    assert_eq!(mode(&place.data().join("audit.log")), 0o600);
    let mut names: Vec<_> = std::fs::read_dir(place.data().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["reeve-credentials", "reeve-data", "reeve-root-key", "stderr"],
        "nothing else is left"
    );
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_directory_is_refused_and_disturbs_nothing() {
    let place = Place::new();
    let server = place.start();
    let before = std::fs::read(place.credentials_file()).unwrap();
    let said = place.refused(&mut place.command());
    assert!(said.contains("reeve-data"), "it must name the directory: {said}");
    assert_eq!(std::fs::read(place.credentials_file()).unwrap(), before);
    assert_eq!(root_account(&place, &server).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_start_writes_no_credentials() {
    let place = Place::new();
    place.start().stop();
    let kept = place.root_credentials();
    let before = (std::fs::read(place.credentials_file()).unwrap(), modified(&place.credentials_file()));
    let server = place.start();
    assert_eq!(
        (std::fs::read(place.credentials_file()).unwrap(), modified(&place.credentials_file())),
        before
    );
    server.stop();

    // An operator who has put them away does not find them lying about again.
    std::fs::remove_file(place.credentials_file()).unwrap();
    let server = place.start();
    assert!(!place.credentials_file().exists());
    let root = server.anybody().await.signed(kept);
    root.call(&GetCallerIdentityRequest {}).await.unwrap();
}

#[test]
fn a_file_of_that_name_is_never_overwritten() {
    for engine in ["sled", "memory"] {
        let place = Place::new();
        std::fs::write(place.credentials_file(), "mine").unwrap();
        let said = place.refused(place.command().args(["--engine", engine]));
        assert!(said.contains("reeve-credentials exists already"), "{said}");
        assert_eq!(std::fs::read_to_string(place.credentials_file()).unwrap(), "mine");
        std::fs::remove_file(place.credentials_file()).unwrap();
        place.run(place.command().args(["--engine", engine])).stop();
    }
}

#[test]
fn a_server_that_stores_nothing_replaces_its_own_credentials_and_no_others() {
    let place = Place::new();
    place.run(place.command().args(["--engine", "memory"])).stop();
    let first = place.root_credentials().access_key_id;
    place.run(place.command().args(["--engine", "memory"])).stop();
    assert_ne!(place.root_credentials().access_key_id, first);
    assert!(!place.data().exists(), "it stores nothing");

    let place = Place::new();
    place.start().stop();
    let kept = std::fs::read(place.credentials_file()).unwrap();
    place.refused(place.command().args(["--engine", "memory"]));
    assert_eq!(std::fs::read(place.credentials_file()).unwrap(), kept);
}

#[test]
fn secrets_never_lie_inside_the_data_directory() {
    for (flag, path) in [
        ("--credentials-file", "reeve-data/credentials"),
        ("--credentials-file", "./reeve-data/../reeve-data/credentials"),
        ("--credentials-file", "link/credentials"),
        ("--root-key-file", "reeve-data/key"),
        ("--root-key-file", "link/key"),
    ] {
        let place = Place::new();
        std::fs::create_dir(place.data()).unwrap();
        std::os::unix::fs::symlink(place.data(), place.path("link")).unwrap();
        let said = place.refused(place.command().args([flag, path]));
        assert!(said.contains("inside the data directory"), "{path}: {said}");
        for (file, _) in files(&place.data()) {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(!name.contains("credentials") && !name.contains("key"), "{path}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_root_key_opens_nothing() {
    let place = Place::new();
    place.start().stop();
    let right = std::fs::read_to_string(place.root_key_file()).unwrap();
    let wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    std::fs::write(place.root_key_file(), wrong).unwrap();
    let said = place.refused(&mut place.command());
    assert!(said.contains("root key is not the one"), "{said}");
    for malformed in ["", "short", "AAAA"] {
        std::fs::write(place.root_key_file(), malformed).unwrap();
        let said = place.refused(&mut place.command());
        assert!(said.contains("base64 of 32 bytes"), "{said}");
    }
    // Without its key a store is not given another.
    std::fs::remove_file(place.root_key_file()).unwrap();
    let said = place.refused(&mut place.command());
    assert!(said.contains("root key"), "{said}");
    assert!(!place.root_key_file().exists());
    // From the environment it stands before any file.
    place.refused(place.command().env("REEVE_ROOT_KEY", wrong));
    let server = place.run(place.command().env("REEVE_ROOT_KEY", right.trim_end()));
    assert_eq!(root_account(&place, &server).await.len(), 12);
    assert!(!place.stderr().contains(right.trim_end()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_is_the_operator_s_to_choose_once() {
    let place = Place::new();
    for malformed in ["1234", "12345678901a", "1234567890123", "../../escape"] {
        let said = place.refused(place.command().args(["--account", malformed]));
        assert!(said.contains("twelve digits"), "{malformed}: {said}");
        assert!(!place.credentials_file().exists(), "{malformed} left credentials");
    }
    let server = place.run(place.command().args(["--account", ACCOUNT]));
    assert_eq!(root_account(&place, &server).await, ACCOUNT);
    server.stop();
    let said = place.refused(place.command().args(["--account", "999988887777"]));
    assert!(said.contains(ACCOUNT), "{said}");
    let server = place.start();
    assert_eq!(root_account(&place, &server).await, ACCOUNT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flags_stand_before_the_environment_and_that_before_the_file() {
    let place = Place::new();
    std::fs::write(place.path("config.toml"), "account = '111111111111'\nengine = 'memory'\n").unwrap();
    for (variable, flag, expected) in [
        (None, None, "111111111111"),
        (Some("222222222222"), None, "222222222222"),
        (Some("222222222222"), Some("333333333333"), "333333333333"),
    ] {
        let mut command = place.command();
        command.args(["--config", "config.toml"]);
        variable.into_iter().for_each(|account| {
            command.env("REEVE_ACCOUNT", account);
        });
        flag.into_iter().for_each(|account| {
            command.args(["--account", account]);
        });
        let server = place.run(&mut command);
        assert_eq!(root_account(&place, &server).await, expected);
        assert!(!place.data().exists(), "the file says that nothing is stored");
        server.stop();
    }
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused() {
    let place = Place::new();
    for (text, named) in [
        ("data_dri = 'x'", "data_dri"),
        ("[limits]\nstreams = 7", "streams"),
        ("[signatures]\nskew_seconds_max = 901", "skew_seconds_max"),
        ("tls_key = 'key.pem'", "tls_certificate"),
        ("engine = 'etcd'", "etcd"),
        ("listen = 'nowhere'", "listen"),
        ("= 1", "config.toml"),
        ("[limits]\nconnections_max = 0", "limits.connections_max"),
        ("[limits]\ndeadline_seconds_max = 9223372036854775807", "limits.deadline_seconds_max"),
        ("[quotas]\nusers_per_account_max = -1", "quotas.users_per_account_max"),
        ("store_cache_bytes = 0", "store_cache_bytes"),
        ("partition = 'aws:evil'", "partition"),
    ] {
        std::fs::write(place.path("config.toml"), text).unwrap();
        let said = place.refused(place.command().args(["--config", "config.toml"]));
        assert!(said.contains(named) || text.starts_with("listen"), "{text}: {said}");
    }
    place.refused(place.command().args(["--config", "absent.toml"]));
    place.refused(place.command().env("REEVE_LIMITS_STREAMS_MAX", "many"));
    place.refused(place.command().args(["--tls-certificate", "a.pem"]));
    place.refused(place.command().args(["--tls-certificate", "absent.pem", "--tls-key", "absent.pem"]));
    place.refused(place.command().arg("--no-such-flag"));
    assert!(!place.credentials_file().exists() && !place.root_key_file().exists() && !place.data().exists());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new();
    let said = place.refused(&mut place.command_at(&address));
    assert!(said.contains(&address), "{said}");
    assert!(!place.credentials_file().exists(), "a server that cannot serve starts no store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_was_cut_off_is_gone_on_with() {
    // Before the store knew the credentials: they are nobody's.
    let place = Place::new();
    let pending = place.path("reeve-credentials.pending");
    std::fs::write(&pending, "[root]\naws_access_key_id = AKIASTALE\n").unwrap();
    let server = place.start();
    assert!(!pending.exists());
    assert_eq!(root_account(&place, &server).await.len(), 12);
    assert_eq!(mode(&place.credentials_file()), 0o600);
    server.stop();

    // After it: they are root's, and only lack their name.
    let kept = std::fs::read(place.credentials_file()).unwrap();
    std::fs::rename(place.credentials_file(), &pending).unwrap();
    let server = place.start();
    assert!(!pending.exists());
    assert_eq!(std::fs::read(place.credentials_file()).unwrap(), kept);
    assert_eq!(root_account(&place, &server).await.len(), 12);
    server.stop();

    // Good credentials do not give way to what somebody left under that name.
    std::fs::write(&pending, "junk").unwrap();
    place.start().stop();
    assert_eq!(std::fs::read(place.credentials_file()).unwrap(), kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_is_killed_at_any_moment_is_gone_on_with() {
    for milliseconds in [1, 5, 10, 20, 40, 60, 90, 130, 180] {
        let place = Place::new();
        let mut child = place.spawn(&mut place.command());
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let server = place.start();
        assert_eq!(root_account(&place, &server).await.len(), 12, "killed after {milliseconds} ms");
        assert_eq!(mode(&place.credentials_file()), 0o600);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_ever_written_in_clear() {
    let place = Place::new();
    let server = place.run(place.command().args(["--account", ACCOUNT]).env("REEVE_LOG", "debug,h2=info"));
    let root = place.root(&server).await;
    let user = CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() };
    root.call(&user).await.unwrap();
    let key = CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
    let key = root.call(&key).await.unwrap().access_key.unwrap();
    let alice = Credentials {
        access_key_id: key.access_key_id,
        secret_access_key: Zeroizing::new(key.secret_access_key.clone()),
        session_token: None,
    };
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/alice"}}}}}}"#
    );
    let role = CreateRoleRequest {
        role_name: "r".to_owned(),
        assume_role_policy_document: trust,
        ..Default::default()
    };
    let role = root.call(&role).await.unwrap().role.unwrap();
    let assume = AssumeRoleRequest {
        role_arn: role.arn,
        role_session_name: "session".to_owned(),
        ..Default::default()
    };
    let session = root.signed(alice).call(&assume).await.unwrap().credentials.unwrap();
    let temporary = Credentials {
        access_key_id: session.access_key_id,
        secret_access_key: Zeroizing::new(session.secret_access_key.clone()),
        session_token: Some(session.session_token.clone()),
    };
    let temporary = root.signed(temporary);
    temporary.call(&GetCallerIdentityRequest {}).await.unwrap();
    let refused = temporary.call(&GetUserRequest { user_name: Some("alice".to_owned()) }).await.unwrap_err();
    let root_secret = place.root_credentials().secret_access_key;
    let secrets =
        [root_secret.as_str(), &key.secret_access_key, &session.secret_access_key, &session.session_token];
    let mut server = server;
    server.terminate();
    let (_, rest) = server.wait();
    for secret in secrets {
        for text in [&rest, &server.told, &place.stderr(), &refused.message] {
            assert!(!text.contains(secret));
        }
        for (path, content) in files(&place.data()) {
            let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
        }
    }
    assert!(place.stderr().len() > 100, "the log was on, and said something");
}

async fn root_account(place: &Place, server: &Server) -> String {
    let root = place.root(server).await;
    root.call(&GetCallerIdentityRequest {}).await.unwrap().account
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn modified(path: &Path) -> std::time::SystemTime {
    std::fs::metadata(path).unwrap().modified().unwrap()
}
