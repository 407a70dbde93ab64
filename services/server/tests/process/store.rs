//! What an operator does to a store that no server has open: root credentials and signing keys that were lost are replaced, and
//! a store that was put back from a backup is told so.

use std::path::Path;
use std::process::Command;

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::iam::v1::{
    CreateAccessKeyRequest, CreateRoleRequest, CreateUserRequest, EnableOutboundWebIdentityFederationRequest,
    PutUserPolicyRequest,
};
use reeve_proto::sts::v1::{AssumeRoleRequest, GetCallerIdentityRequest, GetWebIdentityTokenRequest};
use zeroize::Zeroizing;

use crate::place::{ACCOUNT, Place};

fn store(place: &Place, change: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reeve"));
    command.args(["store", change]).current_dir(place.path("")).env_clear();
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_root_credentials_are_replaced_and_the_lost_ones_end() {
    let place = Place::new();
    let said = place.refused(&mut store(&place, "replace-root-credentials"));
    assert!(said.contains("no store"), "{said}");
    assert!(!place.data().exists(), "asking makes no store");

    let server = place.start();
    let said = place.refused(store(&place, "replace-root-credentials").args(["--credentials-file", "other"]));
    assert!(said.contains("reeve-data"), "a server has it open: {said}");
    server.stop();
    let lost = place.root_credentials();
    let said = place.refused(&mut store(&place, "replace-root-credentials"));
    assert!(said.contains("exists already"), "{said}");
    std::fs::remove_file(place.credentials_file()).unwrap();
    let output = store(&place, "replace-root-credentials").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = place.root_credentials();
    assert_ne!(made.access_key_id, lost.access_key_id);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains(made.secret_access_key.as_str()), "the secret is in its file alone");

    let server = place.start();
    place.root(&server).await.call(&GetCallerIdentityRequest {}).await.unwrap();
    let error = server.anybody().await.signed(lost).call(&GetCallerIdentityRequest {}).await.unwrap_err();
    assert_eq!(error.code, "InvalidClientTokenId");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_keys_are_replaced_by_others() {
    let place = Place::new();
    place.start().stop();
    let said = place.refused(&mut store(&place, "replace-signing-keys"));
    assert!(said.contains("no signing keys"), "{said}");

    let issuing = || place.run(place.command().env("REEVE_ISSUER_URL", "https://id.example.com"));
    let server = issuing();
    place.root(&server).await.call(&EnableOutboundWebIdentityFederationRequest {}).await.unwrap();
    let before = signing_key(&place.root(&server).await).await;
    server.stop();
    let output = store(&place, "replace-signing-keys").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let server = issuing();
    assert_ne!(signing_key(&place.root(&server).await).await, before);
}

/// The header of a token, which names the key that signed it.
async fn signing_key(root: &Client) -> String {
    let request = GetWebIdentityTokenRequest {
        audience: vec!["https://api.example.com".to_owned()],
        signing_algorithm: "ES384".to_owned(),
        ..Default::default()
    };
    let token = root.call(&request).await.unwrap().web_identity_token;
    token.split('.').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_outlive_a_restore_that_is_told_of() {
    let place = Place::new();
    let server = place.run(place.command().args(["--account", ACCOUNT]));
    let root = place.root(&server).await;
    root.call(&CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() }).await.unwrap();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"{ACCOUNT}"}}}}}}"#
    );
    let role = CreateRoleRequest {
        role_name: "r".to_owned(),
        assume_role_policy_document: trust,
        ..Default::default()
    };
    let role = root.call(&role).await.unwrap().role.unwrap();
    allow_assuming(&root, "alice").await;
    let alice = key_of(&root, "alice").await;
    server.stop();
    let backup = place.path("backup");
    copy(&place.data(), &backup);

    // The life that the restore cuts off gets further than the backup, and the session rests on what it wrote.
    let server = place.start();
    let root = place.root(&server).await;
    for _ in 0..64 {
        allow_assuming(&root, "alice").await;
    }
    let assume = AssumeRoleRequest {
        role_arn: role.arn,
        role_session_name: "session".to_owned(),
        ..Default::default()
    };
    let session = server.anybody().await.signed(alice).call(&assume).await.unwrap().credentials.unwrap();
    let session = Credentials {
        access_key_id: session.access_key_id,
        secret_access_key: Zeroizing::new(session.secret_access_key),
        session_token: Some(session.session_token),
    };
    server.stop();
    std::fs::remove_dir_all(place.data()).unwrap();
    copy(&backup, &place.data());

    let server = place.start();
    let caller = server.anybody().await.signed(session.clone());
    let error = caller.call(&GetCallerIdentityRequest {}).await.unwrap_err();
    assert_eq!(error.code, "ServiceUnavailable", "nobody has said that there was a restore");
    server.stop();
    assert!(store(&place, "mark-restored").status().unwrap().success());
    let server = place.start();
    let caller = server.anybody().await.signed(session);
    caller.call(&GetCallerIdentityRequest {}).await.unwrap();
}

async fn allow_assuming(root: &Client, user: &str) {
    let policy = PutUserPolicyRequest {
        user_name: user.to_owned(),
        policy_name: "p".to_owned(),
        policy_document:
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}"#
                .to_owned(),
    };
    root.call(&policy).await.unwrap();
}

async fn key_of(root: &Client, user: &str) -> Credentials {
    let key = CreateAccessKeyRequest { user_name: Some(user.to_owned()) };
    let key = root.call(&key).await.unwrap().access_key.unwrap();
    Credentials {
        access_key_id: key.access_key_id,
        secret_access_key: Zeroizing::new(key.secret_access_key),
        session_token: None,
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
