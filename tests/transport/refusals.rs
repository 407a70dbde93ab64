//! Requests that do not become calls: each is told why in AWS's words, has an id, and has its event in the audit log, as
//! every call has.

use std::collections::BTreeSet;

use bytes::Bytes;
use reeve_proto::iam::v1::CreateUserRequest;

use super::wire::{Answer, Body, Outgoing, Wire, bytes, frame, unending};
use crate::world::World;

/// What was answered, once it is known to be named, and audited under its name.
async fn told(world: &World, answer: &Answer) -> (String, i32, String) {
    assert_eq!(answer.http.as_u16(), 200, "{answer:?}");
    assert!(answer.body.is_empty(), "{answer:?}");
    let id = answer.headers["x-amzn-requestid"].to_str().unwrap().to_owned();
    let info = answer.details().into_iter().find(|any| any.type_url.ends_with("RequestInfo")).unwrap();
    assert!(info.value.windows(id.len()).any(|window| window == id.as_bytes()), "the same id in both places");
    let event = world.audited(|event| event["request_id"] == *id).await;
    assert_eq!(event["error"], answer.code(), "{event}");
    assert_eq!(event["source_ip"], "127.0.0.1");
    (answer.code(), answer.grpc(), event["action"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_not_one_message_is_refused_named_and_audited() {
    let world = World::configured(|config| config.limits.message_bytes_max = 2000).await;
    let wire = Wire::connect(&world.endpoint()).await;
    let create = CreateUserRequest { user_name: "twice".to_owned(), ..Default::default() };
    let create = wire.outgoing(&create).signed(&world.root_credentials(), "iam");
    let one = frame(&create.message);
    let two = Bytes::from([&one[..], &one[..]].concat());
    let more = Bytes::from([&one[..], &[0]].concat());
    let before = world.commits();
    for (body, code, grpc) in [
        (Bytes::new(), "MalformedInput", 3),
        (Bytes::from_static(&[0]), "MalformedInput", 3),
        (Bytes::from_static(&[0, 0, 0, 0]), "MalformedInput", 3),
        (one.slice(..one.len() - 1), "MalformedInput", 3),
        (Bytes::from_static(&[7, 0, 0, 0, 0]), "MalformedInput", 3),
        (two, "MalformedInput", 3),
        (more, "MalformedInput", 3),
        (Bytes::from_static(&[1, 0, 0, 0, 0]), "UnsupportedMediaType", 12),
        (frame(&[b'n'; 2001]), "RequestEntityTooLarge", 8),
        (Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff]), "RequestEntityTooLarge", 8),
    ] {
        let answer = wire.send_body(&create, bytes(body.clone())).await;
        assert_eq!(
            told(&world, &answer).await,
            (code.to_owned(), grpc, "iam:CreateUser".to_owned()),
            "{body:.20?}"
        );
    }
    let late = create.clone().with("grpc-timeout", "50m");
    let answer = wire.send_body(&late, unending(one.slice(..7))).await;
    assert_eq!(told(&world, &answer).await, ("RequestTimeout".to_owned(), 4, "iam:CreateUser".to_owned()));
    assert_eq!(world.commits(), before, "nothing was written");
    assert_eq!(wire.send(&create).await.grpc(), 0, "the connection goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_message_is_refused_with_what_would_be_taken() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let create = CreateUserRequest { user_name: "gzip".to_owned(), ..Default::default() };
    for encoding in ["gzip", "deflate", "zstd", "nonsense"] {
        let create = wire.outgoing(&create).with("grpc-encoding", encoding);
        let answer = wire.send(&create.signed(&world.root_credentials(), "iam")).await;
        assert_eq!(answer.headers["grpc-accept-encoding"], "identity");
        let (code, grpc, _) = told(&world, &answer).await;
        assert_eq!((code.as_str(), grpc), ("UnsupportedMediaType", 12), "{encoding}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_no_operation_is_refused_named_and_audited_without_filling_the_log() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let plain = wire.outgoing(&CreateUserRequest::default());
    let mut ids = BTreeSet::new();
    for path in ["/reeve.iam.v1.UserService/CreateUsers", "/x", "/reeve.iam.v1.UserService/CreateUser?x=1"] {
        let unknown = Outgoing { path: path.to_owned(), ..plain.clone() };
        let answer = wire.send(&unknown).await;
        assert_eq!(told(&world, &answer).await, ("InvalidAction".to_owned(), 12, path.to_owned()));
        assert!(ids.insert(answer.headers["x-amzn-requestid"].clone()));
    }
    let long = Outgoing { path: format!("/{}", "x".repeat(8000)), ..plain };
    let (_, _, action) = told(&world, &wire.send(&long).await).await;
    assert!(action.len() <= 128, "what is made up is cut short");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_before_the_body_comes_is_audited_with_the_key_that_was_shown() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let root = world.root_credentials();
    let forged = reeve_chassis::client::Credentials {
        secret_access_key: zeroize::Zeroizing::new("another".to_owned()),
        ..root.clone()
    };
    let create = wire.outgoing(&CreateUserRequest::default()).signed(&forged, "iam");
    let withheld: Body = unending(vec![0, 0]);
    let answer = wire.send_body(&create, withheld).await;
    assert_eq!(told(&world, &answer).await.0, "SignatureDoesNotMatch");
    let event = world.audited(|event| event["error"] == "SignatureDoesNotMatch").await;
    assert_eq!(event["access_key_id"], root.access_key_id);
}
