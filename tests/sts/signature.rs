//! Attacks on a signature over the wire: whatever is taken from, added to or moved with a signed call, it is refused.

use reeve_chassis::client::Credentials;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::iam::v1::{CreateUserRequest, GetUserRequest, ListUsersRequest};
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use zeroize::Zeroizing;

use super::{assume, request};
use crate::transport::wire::{Answer, Outgoing, Wire, stamp};
use crate::world::{World, allow, trust};

const MISMATCH: &str = "SignatureDoesNotMatch";
const INCOMPLETE: &str = "IncompleteSignature";
const INVALID: &str = "InvalidClientTokenId";

/// A world, a user that may ask about users, and a connection.
async fn attacked() -> (World, Credentials, Wire) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("iam:*", "*")).await;
    let wire = Wire::connect(&world.endpoint()).await;
    (world, alice.credentials(), wire)
}

fn now() -> i64 {
    SystemClock.now().seconds()
}

#[track_caller]
fn refused(answer: &Answer, code: &str, what: &str) {
    assert_eq!(answer.code(), code, "{what}: {answer:?}");
    assert_eq!((answer.http.as_u16(), answer.body.len()), (200, 0), "{what}");
    assert!(answer.headers.contains_key("x-amzn-requestid"), "{what}");
    assert!([7, 16].contains(&answer.grpc()), "{what}: {}", answer.grpc());
}

#[tokio::test]
async fn what_is_signed_by_the_description_is_accepted() {
    let (world, alice, wire) = attacked().await;
    for outgoing in [
        wire.outgoing(&GetCallerIdentityRequest {}).signed(&alice, "sts"),
        wire.outgoing(&GetUserRequest { user_name: Some("alice".to_owned()) }).signed(&alice, "iam"),
        wire.outgoing(&ListUsersRequest::default()).with("x-amz-whatever", "a  b").signed(&alice, "iam"),
        wire.outgoing(&GetCallerIdentityRequest {}).with("x-other", "unsigned").signed(&alice, "sts"),
    ] {
        let answer = wire.send(&outgoing).await;
        assert!([0, 16].contains(&answer.grpc()));
        if !outgoing.headers.contains_key("x-amz-whatever") {
            assert_eq!(answer.grpc(), 0, "{}: {answer:?}", outgoing.path);
        }
    }
    let again = world.user("bob").await;
    let role = world.role("r", &trust(world.arn("user/bob"))).await;
    let session = assume(&again, &request(&role)).await.unwrap();
    let outgoing = wire.outgoing(&GetCallerIdentityRequest {}).signed(&session.credentials, "sts");
    assert_eq!(wire.send(&outgoing).await.grpc(), 0);
}

#[tokio::test]
async fn a_date_that_is_not_now_is_refused() {
    let (_world, alice, wire) = attacked().await;
    for (off, expected) in [
        (0, ""),
        (-880, ""),
        (880, ""),
        (-920, MISMATCH),
        (920, MISMATCH),
        (-86_400, MISMATCH),
        (86_400 * 365, MISMATCH),
    ] {
        let outgoing = wire.outgoing(&GetCallerIdentityRequest {}).signed_at(&alice, "sts", now() + off);
        assert_eq!(wire.send(&outgoing).await.code(), expected, "{off} s");
    }
    let good = wire.outgoing(&GetCallerIdentityRequest {}).signed(&alice, "sts");
    let today = stamp(now());
    let day = today.split_at(8).0;
    for date in ["", "now", "20150830", "2015-08-30T12:36:00Z", "99999999T999999Z", &format!("{day}T240000Z")]
    {
        let answer = wire.send(&good.clone().with("x-amz-date", date)).await;
        refused(&answer, INCOMPLETE, date);
    }
    let moved = good.with("x-amz-date", &stamp(now() - 60));
    refused(&wire.send(&moved).await, MISMATCH, "a date that was not signed");
}

#[tokio::test]
async fn nothing_that_is_acted_on_can_be_added_on_the_way() {
    let (_world, alice, wire) = attacked().await;
    let good = wire.outgoing(&GetCallerIdentityRequest {}).signed(&alice, "sts");
    for (header, value, expected) in [
        ("x-amz-anything", "1", MISMATCH),
        ("x-amz-security-token", "FwoG", MISMATCH),
        ("reeve-anything", "1", MISMATCH),
        ("host", "elsewhere:7443", MISMATCH),
        ("authorization", "Bearer abc", INCOMPLETE),
        ("x-amz-date", "20150830T123600Z", INCOMPLETE),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD", INCOMPLETE),
    ] {
        let answer = wire.send(&good.clone().and(header, value.as_bytes())).await;
        refused(&answer, expected, header);
    }
    // Even twice the same: which of them is meant must not be a question.
    let authorization = good.headers["authorization"].as_bytes().to_vec();
    refused(&wire.send(&good.clone().and("authorization", &authorization)).await, INCOMPLETE, "twice");
    let min = wire.send(&good.clone().and("reeve-min-revision", b"garbage")).await;
    assert!([MISMATCH, "InvalidParameterValue"].contains(&min.code().as_str()), "{min:?}");
    // A host header that says what `:authority` says is nothing new.
    assert_eq!(wire.send(&good.clone().and("host", good.authority.as_bytes())).await.grpc(), 0);
}

#[tokio::test]
async fn nothing_that_was_signed_can_be_changed_or_taken_away() {
    let (world, alice, wire) = attacked().await;
    let get = |name: &str| GetUserRequest { user_name: Some(name.to_owned()) };
    let good = wire.outgoing(&get("alice")).with("x-amz-extra", "1").signed(&alice, "iam");
    assert_eq!(wire.send(&good).await.grpc(), 0);
    for (changed, expected, what) in [
        (
            Outgoing { message: wire.outgoing(&get("bobby")).message, ..good.clone() },
            MISMATCH,
            "another message",
        ),
        (Outgoing { message: Vec::new(), ..good.clone() }, MISMATCH, "no message"),
        (good.clone().with("x-amz-extra", "2"), MISMATCH, "another value"),
        (good.clone().without("x-amz-extra"), MISMATCH, "a signed header less"),
        (good.clone().without("x-amz-date"), INCOMPLETE, "no date"),
        (good.clone().without("x-amz-content-sha256"), INCOMPLETE, "no hash"),
        (good.clone().without("authorization"), "MissingAuthenticationToken", "no signature"),
        (
            Outgoing { authority: good.authority.replace("127.0.0.1", "localhost"), ..good.clone() },
            MISMATCH,
            "another host",
        ),
        (
            Outgoing { path: "/reeve.iam.v1.UserService/DeleteUser".to_owned(), ..good.clone() },
            MISMATCH,
            "another method",
        ),
        (
            Outgoing { path: "/reeve.sts.v1.CallerService/GetCallerIdentity".to_owned(), ..good.clone() },
            MISMATCH,
            "another service's method",
        ),
    ] {
        refused(&wire.send(&changed).await, expected, what);
    }
    let unchanged = get("alice");
    assert!(world.root().call(&unchanged).await.is_ok(), "and the user is still there");
}

#[tokio::test]
async fn a_door_accepts_its_own_scope_alone() {
    let (_world, alice, wire) = attacked().await;
    for service in ["iam", "reeve", "s3", "STS", "sts2"] {
        let outgoing = wire.outgoing(&GetCallerIdentityRequest {}).signed(&alice, service);
        refused(&wire.send(&outgoing).await, MISMATCH, service);
    }
    let outgoing = wire.outgoing(&ListUsersRequest::default()).signed(&alice, "sts");
    refused(&wire.send(&outgoing).await, MISMATCH, "sts at the door of iam");
}

#[tokio::test]
async fn an_unsigned_payload_is_off_and_never_for_writes_or_sts() {
    let unsigned = "UNSIGNED-PAYLOAD";
    for allowed in [false, true] {
        let world = World::configured(|config| config.signatures.unsigned_payload = allowed).await;
        let root = world.user("admin").await;
        world.allow(&root, &allow("*", "*")).await;
        let wire = Wire::connect(&world.endpoint()).await;
        let credentials = root.credentials();
        let sign =
            |outgoing: Outgoing, service| outgoing.sign_stating(&credentials, service, now(), unsigned);
        let read = sign(wire.outgoing(&ListUsersRequest::default()), "iam");
        let write = sign(
            wire.outgoing(&CreateUserRequest { user_name: "x".to_owned(), ..Default::default() }),
            "iam",
        );
        let sts = sign(wire.outgoing(&GetCallerIdentityRequest {}), "sts");
        assert_eq!(wire.send(&read).await.code(), if allowed { "" } else { MISMATCH });
        refused(&wire.send(&write).await, MISMATCH, "a write");
        refused(&wire.send(&sts).await, MISMATCH, "sts");
    }
}

#[tokio::test]
async fn only_the_configured_region_is_accepted() {
    let world = World::configured(|config| config.signatures.region = "us-east-1".to_owned()).await;
    let identity = GetCallerIdentityRequest {};
    assert!(world.root().call(&identity).await.is_ok());
    for region in ["eu-west-1", "us-east-11", "US-EAST-1"] {
        let error = world.root().in_region(region).call(&identity).await.unwrap_err();
        assert_eq!(error.code, MISMATCH, "{region}");
    }
}

#[tokio::test]
async fn an_unknown_key_and_a_wrong_secret_are_told_apart_as_aws_does() {
    let (_world, alice, wire) = attacked().await;
    let identity = wire.outgoing(&GetCallerIdentityRequest {});
    let unknown = Credentials { access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..alice.clone() };
    refused(&wire.send(&identity.clone().signed(&unknown, "sts")).await, INVALID, "unknown key");
    let wrong = Credentials { secret_access_key: Zeroizing::new("wrong".to_owned()), ..alice.clone() };
    refused(&wire.send(&identity.clone().signed(&wrong, "sts")).await, MISMATCH, "wrong secret");
    // Neither says more than its name.
    for credentials in [unknown, wrong] {
        let answer = wire.send(&identity.clone().signed(&credentials, "sts")).await;
        let said = answer.headers["grpc-message"].to_str().unwrap();
        assert!(!said.contains(alice.secret_access_key.as_str()) && !said.contains("alice"), "{said}");
    }
}

#[tokio::test]
async fn malformed_authorization_is_refused_by_name() {
    let (_world, alice, wire) = attacked().await;
    let good = wire.outgoing(&GetCallerIdentityRequest {}).signed(&alice, "sts");
    let text = good.headers["authorization"].to_str().unwrap().to_owned();
    let (id, today) = (alice.access_key_id.as_str(), stamp(now()));
    let day = today.split_at(8).0;
    let unsigned = text.split_at(text.len() - 64).0;
    let long = format!("{text}, {}", "x".repeat(8000));
    let many = text.replace("SignedHeaders=host", &format!("SignedHeaders={}host", "a;".repeat(200)));
    for malformed in [
        "",
        " ",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "Basic YWJj",
        "AWS AKIA:sig",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
        "AWS4-HMAC-SHA256 ,,,",
        "AWS4-HMAC-SHA256 =,=,=",
        &text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
        &text.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        &text.replace("Signature=", "Signature=0"),
        &text.replace("Signature=", "signature="),
        &text.replace("Credential=", "Credential=/"),
        &text.replace(id, ""),
        &text.replace(id, "AKIA$%"),
        &text.replace(id, &"A".repeat(200)),
        &text.replace(day, "20261340"),
        &text.replace(day, ""),
        &text.replace("aws4_request", "aws5_request"),
        &text.replace("us-east-1", "us east"),
        &text.replace("SignedHeaders=host", "SignedHeaders="),
        &text.replace("SignedHeaders=host", "SignedHeaders=HOST"),
        &text.replace("SignedHeaders=host", "SignedHeaders=host;host"),
        &format!("{text}, Signature={}", "0".repeat(64)),
        &format!("{text}, Extra=1"),
        text.split_at(text.len() - 1).0,
        unsigned,
        &long,
        &many,
    ] {
        let answer = wire.send(&good.clone().with("authorization", malformed)).await;
        assert!(
            [INCOMPLETE, "MissingAuthenticationToken"].contains(&answer.code().as_str()),
            "{malformed:.120}: {answer:?}"
        );
    }
    let hostless = text.replace("SignedHeaders=host;", "SignedHeaders=");
    refused(
        &wire.send(&good.clone().with("authorization", &hostless)).await,
        MISMATCH,
        "the host not signed",
    );
    // Well-formed, and not the signature.
    let zeros = format!("{unsigned}{}", "0".repeat(64));
    refused(&wire.send(&good.with("authorization", &zeros)).await, MISMATCH, "zeros");
}

#[tokio::test]
async fn binary_garbage_in_headers_is_an_error_and_no_more() {
    let (_world, alice, wire) = attacked().await;
    let good = wire.outgoing(&GetCallerIdentityRequest {}).signed(&alice, "sts");
    let garbage: Vec<u8> = (0..2000_u32).map(|n| 128 + u8::try_from(n * 37 % 128).unwrap()).collect();
    for header in
        ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-noise", "host"]
    {
        let mut spoilt = good.clone();
        spoilt.headers.remove(header);
        let answer = wire.send(&spoilt.and(header, &garbage)).await;
        assert!([INCOMPLETE, MISMATCH, INVALID].contains(&answer.code().as_str()), "{header}: {answer:?}");
    }
    assert_eq!(wire.send(&good).await.grpc(), 0, "the connection goes on");
}
