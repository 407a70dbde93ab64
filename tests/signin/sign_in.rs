//! Who gets in, and that nobody who does not learns why.

use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::iam::v1::{
    CreateAccountAliasRequest, CreateLoginProfileRequest, CreateUserRequest, GetUserRequest,
};
use reeve_proto::signin::v1::SignInRequest;
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use reeve_server::config::EngineName;

use super::{PASSWORD, People, alice, code, person, with};
use crate::world::{ACCOUNT, Authenticator, OTHER_ACCOUNT, refused};

#[tokio::test]
async fn the_password_gives_a_session_of_the_user_and_a_bearer_token() {
    let people = People::start().await;
    let session = people.sign_in(&alice()).await.unwrap();
    assert_eq!(session.arn, people.world.arn("user/alice"));
    assert_eq!(session.expiration, people.now() + 43_200);
    for client in [&*session, &session.bearer] {
        let who = client.call(&GetCallerIdentityRequest {}).await.unwrap();
        assert_eq!((who.account.as_str(), who.arn), (ACCOUNT, people.world.arn("user/alice")));
        assert!(who.user_id.starts_with("AIDA"));
    }
    // Names have no case, as everywhere.
    assert!(people.can(&person("ALICE")).await);
}

#[tokio::test]
async fn the_account_is_known_by_its_alias_too() {
    let people = People::start().await;
    let aliased = SignInRequest { account: "example-org".to_owned(), ..alice() };
    people.refused(&aliased).await;
    let request = CreateAccountAliasRequest { account_alias: "example-org".to_owned() };
    people.world.root().call(&request).await.unwrap();
    assert!(people.can(&aliased).await && people.can(&alice()).await);
}

#[tokio::test]
async fn root_signs_in_without_a_user_name_once_it_has_a_password() {
    let people = People::start().await;
    let root = SignInRequest { user_name: None, ..alice() };
    people.refused(&root).await;
    let profile = CreateLoginProfileRequest { password: PASSWORD.to_owned(), ..Default::default() };
    people.world.root().call(&profile).await.unwrap();
    let session = people.sign_in(&root).await.unwrap();
    assert_eq!(session.arn, people.world.arn("root"));
    assert_eq!(session.expiration, people.now() + 3600, "an hour, as every session of a root's");
    people.refused(&with(&root, "Wrong-horse-7")).await;
    people.refused(&person("root")).await;
}

#[tokio::test]
async fn every_refusal_is_the_same() {
    let people = People::start().await;
    let nobody = CreateUserRequest { user_name: "keys-only".to_owned(), ..Default::default() };
    people.world.root().call(&nobody).await.unwrap();
    let before = people.world.commits();
    let elsewhere = |account: &str| SignInRequest { account: account.to_owned(), ..alice() };
    for wrong in [
        with(&alice(), "Correct-horse-8"),
        with(&alice(), "correct-horse-7"),
        with(&alice(), &format!("{PASSWORD} ")),
        with(&alice(), &"x".repeat(128)),
        with(&alice(), "\u{e4}\u{ff} \t"),
        person("nobody"),
        person("keys-only"),
        elsewhere(OTHER_ACCOUNT),
        elsewhere("no-such-alias"),
        SignInRequest { user_name: None, ..alice() },
        code(&alice(), "123456"),
        SignInRequest { new_password: Some("Another-horse-7".to_owned()), ..with(&alice(), "Wrong-horse-7") },
    ] {
        people.refused(&wrong).await;
        // The wrong guesses of these tests come from one place.
        people.clock.advance(3600);
    }
    assert_eq!(people.world.commits(), before, "a refusal wrote");
    assert!(people.can(&alice()).await);
    assert_eq!(people.world.commits(), before, "a sign-in without a code wrote");
}

#[tokio::test]
async fn every_refusal_costs_the_same() {
    // Alice's password was hashed when hashes cost less.
    let people = People::configured(|config| config.engine = EngineName::Sled).await;
    let people = people.restarted_with(|config| config.passwords.memory_kibibytes = 8_192).await;
    for name in ["bob", "carol"] {
        people.hire(name, false).await;
    }
    let keys_only = CreateUserRequest { user_name: "keys-only".to_owned(), ..Default::default() };
    people.world.root().call(&keys_only).await.unwrap();
    Authenticator::enabled(&people.world, "carol", "phone", SystemClock.now().seconds()).await;
    let wrong = |name: &str| with(&person(name), "Wrong-horse-7");
    let elsewhere = |account: &str| SignInRequest { account: account.to_owned(), ..alice() };
    let refusals = [
        ("an older hash", wrong("alice")),
        ("today's hash", wrong("bob")),
        ("no such user", person("nobody")),
        ("no password", person("keys-only")),
        ("no such account", elsewhere(OTHER_ACCOUNT)),
        ("no such alias", elsewhere("no-such-alias")),
        ("no root's password", SignInRequest { user_name: None, ..alice() }),
        ("a code that nobody asked for", code(&alice(), "000000")),
        ("no code", person("carol")),
        ("a wrong code", code(&person("carol"), "000000")),
        ("a wrong password with a code", code(&wrong("carol"), "000000")),
    ];
    for (why, request) in &refusals {
        let before = people.world.hashed();
        people.refused(request).await;
        assert_eq!(people.world.hashed() - before, 8_192 * 5, "{why}");
    }
}

#[tokio::test]
async fn whoever_has_to_wait_costs_the_same() {
    let people = People::start().await;
    let wrong = with(&alice(), "Wrong-horse-7");
    for _ in 0..5 {
        people.refused(&wrong).await;
    }
    for request in [alice(), wrong, code(&alice(), "000000")] {
        let before = people.world.hashed();
        people.refused(&request).await;
        assert_eq!(people.world.hashed() - before, 7_168 * 5);
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_anything_is_compared() {
    let people = People::start().await;
    let before = people.world.commits();
    for wrong in [
        with(&alice(), ""),
        with(&alice(), &"x".repeat(129)),
        with(&alice(), &"x".repeat(8_000)),
        with(&alice(), "hunt\u{0}er2"),
        with(&alice(), "hunt\u{100}er2"),
        with(&alice(), "hunt\u{e000}er2"),
        SignInRequest { account: String::new(), ..alice() },
        SignInRequest { account: "ex".to_owned(), ..alice() },
        SignInRequest { account: "a*".repeat(6), ..alice() },
        SignInRequest { duration_seconds: Some(899), ..alice() },
        SignInRequest { duration_seconds: Some(43_201), ..alice() },
        code(&alice(), "12345"),
        code(&alice(), "1234567"),
        code(&alice(), "12345a"),
        code(&alice(), "\u{0661}\u{0662}\u{0663}\u{0664}\u{0665}\u{0666}"),
        person("alice*"),
        person(&"a".repeat(129)),
    ] {
        let error = refused(people.sign_in(&wrong).await);
        assert_eq!(error.code, "ValidationError", "{}", error.message);
        assert!(!error.message.contains("hunt") && !error.message.contains("xxx"), "{}", error.message);
    }
    for plane in 0..=16 {
        // AWS takes the first 256 characters and no others.
        let outside = char::from_u32(plane * 0x1_0000 + 0xfffd).unwrap();
        let error = refused(people.sign_in(&with(&alice(), &format!("hunter2{outside}"))).await);
        assert_eq!(error.code, "ValidationError", "{}", error.message);
        assert!(!error.message.contains("hunt"), "{}", error.message);
    }
    // Of whom nobody knows who they are, no more is read.
    let error = refused(people.sign_in(&with(&alice(), &"x".repeat(9_000))).await);
    assert_eq!(error.code, "RequestEntityTooLarge");
    // Ten million bytes are more than any message may have.
    let error = refused(people.sign_in(&with(&alice(), &"x".repeat(10_000_000))).await);
    assert!(["RequestEntityTooLarge", ""].contains(&&*error.code) && error.grpc != 0, "{}", error.message);
    assert!(error.message.len() < 400, "{}", error.message);
    assert_eq!(people.world.commits(), before);
    assert!(people.can(&alice()).await, "none of these was a guess");
}

#[tokio::test]
async fn the_last_use_of_a_password_is_told() {
    let people = People::start().await;
    let last_used = async || {
        let request = GetUserRequest { user_name: Some("alice".to_owned()) };
        let user = people.world.root().call(&request).await.unwrap().user.unwrap();
        user.password_last_used.map(|time| time.seconds)
    };
    assert_eq!(last_used().await, None);
    people.refused(&with(&alice(), "Wrong-horse-7")).await;
    assert_eq!(last_used().await, None);
    people.sign_in(&alice()).await.unwrap();
    assert_eq!(last_used().await, Some(people.now()));
}

#[tokio::test]
async fn every_attempt_is_audited_and_no_password_is() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let path = log.clone();
    let people = People::configured(|config| config.audit_log = path).await;
    people.refused(&with(&alice(), "Wrong-horse-7")).await;
    people.refused(&person("Secret-horse-7")).await;
    people.sign_in(&alice()).await.unwrap();
    people.world.stopped().await;
    let text = std::fs::read_to_string(&log).unwrap();
    let events: Vec<&str> = text.lines().filter(|line| line.contains("reeve:SignIn\"")).collect();
    assert_eq!(events.len(), 3, "{text}");
    let principal = |name: &str| format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    assert!(events[0].contains(&principal("alice")) && events[0].contains("AccessDenied"));
    assert!(events[1].contains(&principal("HIDDEN_DUE_TO_SECURITY_REASONS")), "{}", events[1]);
    assert!(events[2].contains(&principal("alice")) && !events[2].contains("error"));
    for secret in ["Wrong-horse-7", "Secret-horse-7", PASSWORD] {
        assert!(!text.contains(secret), "{secret} is in the audit log");
    }
}
