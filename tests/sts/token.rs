//! A session token altered, borrowed or made up is nobody's: one clear error, and never a panic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reeve_chassis::client::Credentials;
use reeve_proto::authorization::v1::{AuthorizeRequest, Question};
use zeroize::Zeroizing;

use super::{Session, assume, request, who};
use crate::world::{ACCOUNT, World, trust};

async fn session() -> (World, Session) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    assert!(who(&session).await.is_ok());
    (world, session)
}

/// What the holder of the session's key and secret is told with `token`.
async fn with_token(session: &Session, token: String) -> Result<String, String> {
    who(&session.signed(Credentials { session_token: Some(token), ..session.credentials.clone() })).await
}

fn invalid() -> Result<String, String> {
    Err("InvalidClientTokenId".to_owned())
}

#[tokio::test]
async fn a_token_altered_by_one_bit_is_refused() {
    let (world, session) = session().await;
    let sealed = BASE64.decode(session.token()).unwrap();
    // Every byte of the head and the tail, and a sample of what lies between, each at another bit.
    let places = (0..sealed.len()).filter(|at| *at < 48 || at + 24 > sealed.len() || at % 7 == 0);
    for at in places {
        let mut altered = sealed.clone();
        altered[at] ^= 1 << (at % 8);
        assert_eq!(with_token(&session, BASE64.encode(&altered)).await, invalid(), "byte {at}");
        let question = Question {
            action: "s3:GetObject".to_owned(),
            resource: super::BUCKET.to_owned(),
            resource_account: Some(ACCOUNT.to_owned()),
            session_token: Some(BASE64.encode(&altered)),
            ..Default::default()
        };
        let answer = world.root().call(&AuthorizeRequest { question: Some(question) }).await.unwrap();
        let decision = answer.decision.unwrap();
        assert_eq!((decision.allowed, decision.error_code.as_str()), (false, "InvalidClientTokenId"));
    }
    assert!(who(&session).await.is_ok());
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused() {
    let (_world, session) = session().await;
    let token = session.token();
    let longer = BASE64.encode([BASE64.decode(token).unwrap(), vec![0]].concat());
    let shorter = BASE64.encode(&BASE64.decode(token).unwrap()[1..]);
    for altered in [
        String::new(),
        "A".to_owned(),
        "====".to_owned(),
        "FwoGZXIvYXdzEXAMPLE".to_owned(),
        token.split_at(token.len() - 4).0.to_owned(),
        token.split_at(4).1.to_owned(),
        format!("{token}AAAA"),
        format!("{token}="),
        format!("{token}{token}"),
        token.to_lowercase(),
        token.replace('A', "B"),
        longer,
        shorter,
        "A".repeat(4096),
        "A".repeat(4100),
        "A".repeat(12_000),
    ] {
        let told = with_token(&session, altered.clone()).await;
        assert_eq!(told, invalid(), "{} characters: {altered:.40}", altered.len());
    }
}

#[tokio::test]
async fn a_token_goes_with_its_own_key_and_secret() {
    let (world, session) = session().await;
    let bob = world.user("bob").await;
    let role = world.role("bob", &trust(world.arn("user/bob"))).await;
    let other = assume(&bob, &request(&role)).await.unwrap();
    // Bob's key id, or his session's, with this session's token.
    for id in [&other.credentials.access_key_id, &bob.key.access_key_id] {
        let mixed = Credentials { access_key_id: id.clone(), ..session.credentials.clone() };
        assert_eq!(who(&session.signed(mixed)).await, invalid());
    }
    // Bob's token with this session's key.
    assert_eq!(with_token(&session, other.token().to_owned()).await, invalid());
    // A long-term key with a session's token, and a session's key without its token.
    let long = Credentials { session_token: session.credentials.session_token.clone(), ..bob.credentials() };
    assert_eq!(who(&session.signed(long)).await, invalid());
    let bare = Credentials { session_token: None, ..session.credentials.clone() };
    assert_eq!(who(&session.signed(bare)).await, invalid());
    // The right key and token without the secret.
    let guessed = Credentials {
        secret_access_key: Zeroizing::new(other.credentials.secret_access_key.to_string()),
        ..session.credentials.clone()
    };
    assert_eq!(who(&session.signed(guessed)).await, Err("SignatureDoesNotMatch".to_owned()));
}

#[tokio::test]
async fn a_token_of_another_cluster_is_refused() {
    let (_here, session) = session().await;
    let (there, _) = self::session().await;
    assert_eq!(who(&there.client(session.credentials.clone())).await, invalid());
}
