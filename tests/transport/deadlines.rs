//! How long a call may take: as long as its caller says, and never longer than the operator says.

use std::time::{Duration, Instant};

use reeve_proto::iam::v1::CreateUserRequest;
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::wire::{Wire, unending};
use crate::world::World;

#[tokio::test]
async fn a_body_that_never_comes_ends_with_the_caller_s_deadline() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let signed = wire.outgoing(&GetCallerIdentityRequest {}).signed(&world.root_credentials(), "sts");
    for (timeout, body) in [("200m", vec![]), ("200000u", vec![0, 0]), ("1n", vec![0, 0, 0, 0, 9, 1])] {
        let begun = Instant::now();
        let answer = wire.send_body(&signed.clone().with("grpc-timeout", timeout), unending(body)).await;
        assert_eq!((answer.code().as_str(), answer.grpc()), ("RequestTimeout", 4), "{timeout}: {answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{timeout}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn no_caller_can_make_the_server_wait_longer_than_the_operator_says() {
    let world = World::configured(|config| config.limits.deadline_seconds_max = 1).await;
    let wire = Wire::connect(&world.endpoint()).await;
    let signed = wire.outgoing(&GetCallerIdentityRequest {}).signed(&world.root_credentials(), "sts");
    for timeout in [None, Some("99999999H"), Some("nonsense"), Some("123456789S"), Some("-1S")] {
        let begun = Instant::now();
        let outgoing = match timeout {
            Some(timeout) => signed.clone().with("grpc-timeout", timeout),
            None => signed.clone(),
        };
        let answer = wire.send_body(&outgoing, unending(vec![0])).await;
        assert_eq!((answer.code().as_str(), answer.grpc()), ("RequestTimeout", 4), "{timeout:?}: {answer:?}");
        let took = begun.elapsed();
        assert!(
            (Duration::from_millis(900)..Duration::from_secs(6)).contains(&took),
            "{timeout:?}: {took:?}"
        );
    }
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_is_told_so_and_writes_nothing() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let root = world.root_credentials();
    let create = CreateUserRequest { user_name: "late".to_owned(), ..Default::default() };
    let before = world.commits();
    for timeout in ["0n", "1n", "0H"] {
        let late = wire.outgoing(&create).with("grpc-timeout", timeout).signed(&root, "iam");
        let answer = wire.send(&late).await;
        assert_eq!((answer.code().as_str(), answer.grpc()), ("RequestTimeout", 4), "{timeout}: {answer:?}");
    }
    assert_eq!(world.commits(), before);
    let in_time = wire.outgoing(&create).with("grpc-timeout", "20S").signed(&root, "iam");
    assert_eq!(wire.send(&in_time).await.grpc(), 0);
}

#[tokio::test]
async fn an_idle_connection_holds_nothing_up() {
    let world = World::start().await;
    let _silent =
        tokio::net::TcpStream::connect(world.endpoint().trim_start_matches("http://")).await.unwrap();
    let wire = Wire::connect(&world.endpoint()).await;
    let plain = wire.outgoing(&GetCallerIdentityRequest {});
    assert_eq!(wire.send(&plain).await.code(), "MissingAuthenticationToken");
}
