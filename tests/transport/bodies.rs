//! What is held of a request whose body does not come: nothing before it is known who makes it, and in all no more than the
//! operator says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use reeve_chassis::client::Credentials;
use reeve_proto::iam::v1::{CreateUserRequest, GetUserRequest};
use reeve_proto::signin::v1::SignInRequest;
use reeve_server::config::LimitsConfig;
use zeroize::Zeroizing;

use super::wire::{Body, Outgoing, PATIENCE, Wire, frame, unending};
use crate::world::World;

/// The beginning of a message of 4 MiB of which no more comes.
const ANNOUNCED: &[u8] = &[0, 0, 0x3f, 0xff, 0xff, 1, 2, 3];

async fn world(configure: impl FnOnce(&mut LimitsConfig)) -> (World, Wire, Credentials) {
    let world = World::configured(|config| configure(&mut config.limits)).await;
    let wire = Wire::connect(&world.endpoint()).await;
    let root = world.root_credentials();
    (world, wire, root)
}

fn get(wire: &Wire) -> Outgoing {
    wire.outgoing(&GetUserRequest::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_shows_no_good_credentials_is_refused_before_the_body_is_waited_for() {
    let (_world, wire, root) = world(|_| {}).await;
    let forged = Credentials { secret_access_key: Zeroizing::new("another".to_owned()), ..root.clone() };
    let unknown = Credentials { access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..root.clone() };
    let token = Credentials { session_token: Some("AAAA".to_owned()), ..root.clone() };
    let signed = get(&wire).signed(&root, "iam");
    for (outgoing, code) in [
        (get(&wire), "MissingAuthenticationToken"),
        (get(&wire).with("authorization", "AWS4-HMAC-SHA256 nonsense"), "IncompleteSignature"),
        (get(&wire).signed(&unknown, "iam"), "InvalidClientTokenId"),
        (get(&wire).signed(&token, "iam"), "InvalidClientTokenId"),
        (get(&wire).signed(&forged, "iam"), "SignatureDoesNotMatch"),
        (get(&wire).signed(&root, "sts"), "SignatureDoesNotMatch"),
        (signed.with("x-amz-content-sha256", &"0".repeat(64)), "SignatureDoesNotMatch"),
    ] {
        for begun in [ANNOUNCED, &[0], &[]] {
            let begin = Instant::now();
            let answer = wire.send_body(&outgoing, unending(begun)).await;
            assert_eq!(answer.code(), code, "{begun:?}: {answer:?}");
            // The deadline is half a minute away.
            assert!(begin.elapsed() < Duration::from_secs(10));
        }
    }
    // Many at once, as in an attack, are no different.
    let plain = get(&wire);
    let attack = (0..200).map(|_| wire.send_body(&plain, unending(ANNOUNCED)));
    for answer in join_all(attack).await {
        assert_eq!(answer.code(), "MissingAuthenticationToken");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_waited_for_never_exceeds_what_the_operator_says() {
    // Room for one message of 60,000 bytes, and not for two.
    let room =
        |limits: &mut LimitsConfig| (limits.message_bytes_max, limits.incoming_bytes_max) = (60_000, 120_000);
    let (_world, wire, root) = world(room).await;
    let announced = [&[0][..], &60_000_u32.to_be_bytes(), &[0]].concat();
    let slow = get(&wire).signed(&root, "iam");
    let (first, held) = (wire.clone(), slow.clone());
    let begun = announced.clone();
    // Where the other came first, it is refused, and tries again until the room is its own.
    let held =
        tokio::spawn(async move { while first.try_send(&held, unending(begun.clone())).await.is_ok() {} });
    let spent = async {
        loop {
            let soon = slow.clone().with("grpc-timeout", "1S");
            let answer = wire.send_body(&soon, unending(announced.clone())).await;
            if answer.code() == "ServiceUnavailable" {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, spent).await.expect("the second finds no room");
    assert_eq!(answer.grpc(), 14);
    assert!(answer.details().iter().any(|any| any.type_url.ends_with("RetryInfo")), "{answer:?}");
    // What need not be waited for goes on, and so does what is waited for when there is room again.
    assert_eq!(wire.send(&slow).await.grpc(), 0);
    held.abort();
    let create = wire.outgoing(&CreateUserRequest { user_name: "a".repeat(50_000), ..Default::default() });
    let create = create.signed(&root, "iam");
    let freed = async {
        while wire.send_body(&create, in_halves(&create.message)).await.code() == "ServiceUnavailable" {}
    };
    tokio::time::timeout(PATIENCE, freed).await.expect("room was given back");
}

#[tokio::test]
async fn a_message_that_comes_slowly_is_read_like_any_other() {
    let (_world, wire, root) = world(|_| {}).await;
    for name in ["a", "b"] {
        let create = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
        let create = wire.outgoing(&create).signed(&root, "iam");
        let answer = wire.send_body(&create, in_halves(&create.message)).await;
        assert_eq!(answer.grpc(), 0, "{answer:?}");
    }
}

/// A body whose second half comes when the first was looked at.
fn in_halves(message: &[u8]) -> Body {
    let whole = frame(message);
    let (first, second) = (whole.slice(..whole.len() / 2), whole.slice(whole.len() / 2..));
    let stream = futures::stream::unfold(vec![second, first], async |mut left| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        left.pop().map(|bytes| (Ok::<_, std::io::Error>(Frame::data(bytes)), left))
    });
    StreamBody::new(stream).boxed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_signs_in_is_read_little_of_and_takes_no_room_from_those_who_are_known() {
    // Room for two of whom nobody knows who they are, and for more than two of the others.
    let room = |limits: &mut LimitsConfig| {
        (limits.message_bytes_max, limits.incoming_bytes_max) = (60_000, 8 * 2 * 20_000);
    };
    let (_world, wire, root) = world(room).await;
    let sign_in = |password: &str| SignInRequest { password: password.to_owned(), ..Default::default() };
    let long = wire.outgoing(&sign_in(&"x".repeat(8 * 1024)));
    assert_eq!(wire.send(&long).await.code(), "RequestEntityTooLarge");
    let slow = wire.outgoing(&sign_in("x")).with("grpc-timeout", "2S");
    let attack = join_all((0..50).map(|_| wire.send_body(&slow, unending(frame(b"x").slice(..5)))));
    let create = CreateUserRequest { user_name: "a".to_owned(), ..Default::default() };
    let create = wire.outgoing(&create).signed(&root, "iam");
    let known = wire.send_body(&create, in_halves(&create.message));
    let (attack, known) = futures::future::join(attack, known).await;
    assert_eq!(known.grpc(), 0, "{known:?}");
    let codes: BTreeSet<String> = attack.iter().map(super::wire::Answer::code).collect();
    assert_eq!(
        codes.iter().map(String::as_str).collect::<Vec<_>>(),
        ["RequestTimeout", "ServiceUnavailable"],
        "some were waited for, and for the others there was no room"
    );
}
