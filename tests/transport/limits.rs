//! What one client can make the server hold: messages, headers, streams, connections.

use std::time::Duration;

use reeve_proto::authorization::v1::{BatchAuthorizeRequest, Question};
use reeve_proto::iam::v1::CreateUserRequest;
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::wire::{Outgoing, PATIENCE, Wire, bytes, unending};
use crate::world::{ACCOUNT, World, allow};

#[tokio::test]
async fn a_message_above_the_limit_is_refused_and_one_below_is_read() {
    let world = World::configured(|config| config.limits.message_bytes_max = 10_000).await;
    let admin = world.user("admin").await;
    world.allow(&admin, &allow("*", "*")).await;
    let wire = Wire::connect(&world.endpoint()).await;
    let sized = |length: usize| {
        let create = CreateUserRequest { user_name: "n".repeat(length), ..Default::default() };
        wire.outgoing(&create).signed(&admin.credentials(), "iam")
    };
    let below = wire.send(&sized(9_000)).await;
    assert_eq!((below.code().as_str(), below.grpc()), ("ValidationError", 3), "{below:?}");
    for length in [10_001, 100_000, 5_000_000] {
        let over = sized(length);
        let Ok(answer) = wire.try_send(&over, bytes(super::wire::frame(&over.message))).await else {
            continue;
        };
        assert!(answer.grpc() == 8, "{length}: {answer:?}");
    }
    // The length alone is enough: what it announces is never waited for.
    let announced = unending(vec![0, 0x7f, 0xff, 0xff, 0xff]);
    let answer = wire.send_body(&sized(1), announced).await;
    assert!(answer.grpc() == 8, "{answer:?}");
    assert_eq!(wire.send(&sized(3)).await.grpc(), 0, "the connection goes on");
}

#[tokio::test]
async fn a_full_batch_fits_into_a_message() {
    let world = World::start().await;
    let question = Question {
        action: "s3:GetObject".to_owned(),
        resource: "arn:aws:s3:::b/x".to_owned(),
        resource_account: Some(ACCOUNT.to_owned()),
        session_token: Some("A".repeat(4096)),
        resource_policy: Some(crate::world::document(&serde_json::json!({
            "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": format!("arn:aws:s3:::{}", "b".repeat(15_000)),
        }))),
        ..Default::default()
    };
    let batch = BatchAuthorizeRequest { questions: vec![question; 100] };
    assert_eq!(world.root().call(&batch).await.unwrap().decisions.len(), 100);
}

#[tokio::test]
async fn huge_headers_are_refused_and_the_connection_goes_on_or_ends() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let plain = wire.outgoing(&GetCallerIdentityRequest {});
    let small = plain.clone().with("x-noise", &"n".repeat(4_000));
    assert_eq!(wire.send(&small).await.code(), "MissingAuthenticationToken");
    for length in [17_000, 60_000, 300_000] {
        let huge = plain.clone().with("x-noise", &"n".repeat(length));
        let own = Wire::connect(&world.endpoint()).await;
        if let Ok(answer) = own.try_send(&huge, bytes(super::wire::frame(b""))).await {
            assert!(answer.http.as_u16() == 431 || answer.grpc() > 0, "{length}: {answer:?}");
            assert_ne!(answer.code(), "MissingAuthenticationToken", "{length} bytes of headers were taken");
        }
    }
    let many = (0..2_000)
        .fold(plain.clone(), |outgoing, number| outgoing.with(&format!("x-{number}"), "some value"));
    let own = Wire::connect(&world.endpoint()).await;
    if let Ok(answer) = own.try_send(&many, bytes(super::wire::frame(b""))).await {
        assert_ne!(answer.code(), "MissingAuthenticationToken", "2000 headers were taken");
    }
    assert_eq!(wire.send(&plain).await.code(), "MissingAuthenticationToken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_above_the_limit_wait_and_the_rest_is_answered() {
    let world = World::configured(|config| config.limits.streams_max = 8).await;
    let wire = Wire::connect(&world.endpoint()).await;
    let plain = wire.outgoing(&GetCallerIdentityRequest {});
    // By the first answer the client knows the limit; streams above it that were opened before are turned away.
    assert_eq!(wire.send(&plain).await.code(), "MissingAuthenticationToken");
    let calls = (0..500).map(|_| wire.send(&plain));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer.code(), "MissingAuthenticationToken");
    }
    // With every stream held open by a body that never ends, another connection does not notice.
    let held: Vec<_> = (0..8)
        .map(|_| {
            let (wire, slow) = (wire.clone(), plain.clone().signed(&world.root_credentials(), "sts"));
            tokio::spawn(async move { wire.try_send(&slow, unending(vec![0, 0])).await.is_ok() })
        })
        .collect();
    let other = Wire::connect(&world.endpoint()).await;
    assert_eq!(other.send(&plain).await.code(), "MissingAuthenticationToken");
    held.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_are_served_and_those_above_the_limit_wait_for_a_place() {
    let world = World::configured(|config| config.limits.connections_max = 20).await;
    // The world itself holds one.
    let mut held = Vec::new();
    for _ in 0..19 {
        let wire = Wire::connect(&world.endpoint()).await;
        let plain = wire.outgoing(&GetCallerIdentityRequest {});
        assert_eq!(wire.send(&plain).await.code(), "MissingAuthenticationToken");
        held.push(wire);
    }
    let late = Wire::connect(&world.endpoint()).await;
    let plain: Outgoing = late.outgoing(&GetCallerIdentityRequest {});
    let mut waiting = Box::pin(late.send(&plain));
    assert!(
        tokio::time::timeout(Duration::from_millis(200), &mut waiting).await.is_err(),
        "it has no place yet"
    );
    held.truncate(10);
    let answer = tokio::time::timeout(PATIENCE, waiting).await.expect("a place was free");
    assert_eq!(answer.code(), "MissingAuthenticationToken");
}
