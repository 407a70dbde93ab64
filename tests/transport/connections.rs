//! How long a connection keeps its place, and how many of them one address has.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use reeve_proto::iam::v1::{CreateUserRequest, GetUserRequest};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::wire::{Outgoing, PATIENCE, Wire, bytes, frame, unending};
use crate::world::World;

async fn served(wire: &Wire) -> bool {
    let get = wire.outgoing(&GetUserRequest::default());
    wire.send(&get).await.code() == "MissingAuthenticationToken"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_without_calls_make_place_for_others() {
    let world = World::configured(|config| {
        config.limits.idle_seconds_max = 1;
        // The world itself holds one.
        config.limits.connections_max = 4;
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..3 {
        let wire = Wire::connect(&world.endpoint()).await;
        assert!(served(&wire).await);
        idle.push(wire);
    }
    let late = Wire::connect(&world.endpoint()).await;
    assert!(tokio::time::timeout(PATIENCE, served(&late)).await.expect("nobody made place"));
    for wire in &idle {
        let gone = tokio::time::timeout(PATIENCE, wire.closed()).await;
        assert!(gone.is_ok(), "it was told to go, and went");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_watches_the_health_keeps_no_place() {
    let world = World::configured(|config| config.limits.idle_seconds_max = 1).await;
    let wire = Wire::connect(&world.endpoint()).await;
    let watch = wire.outgoing(&GetUserRequest::default());
    let watch = Outgoing { path: "/grpc.health.v1.Health/Watch".to_owned(), message: Vec::new(), ..watch };
    let watching = wire.clone();
    let watched = tokio::spawn(async move { watching.try_send(&watch, unending(frame(b""))).await.is_ok() });
    tokio::time::timeout(PATIENCE, wire.closed()).await.expect("the connection is closed");
    watched.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_under_way_is_answered_however_long_its_connection_was_idle() {
    let world = World::configured(|config| config.limits.idle_seconds_max = 1).await;
    let wire = Wire::connect(&world.endpoint()).await;
    let create = CreateUserRequest { user_name: "slow".to_owned(), ..Default::default() };
    let create = wire.outgoing(&create).signed(&world.root_credentials(), "iam");
    let whole = frame(&create.message);
    let halves = stream::unfold(vec![whole.slice(3..), whole.slice(..3)], async |mut left| {
        if left.len() == 1 {
            // Several times what a connection may be idle.
            tokio::time::sleep(Duration::from_millis(3500)).await;
        }
        left.pop().map(|bytes: Bytes| (Ok::<_, std::io::Error>(Frame::data(bytes)), left))
    });
    let answer = wire.send_body(&create, StreamBody::new(halves).boxed()).await;
    assert_eq!(answer.grpc(), 0, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_connections_and_no_more() {
    // The world itself holds one.
    let world = World::configured(|config| config.limits.connections_per_address_max = 3).await;
    let held = [Wire::connect(&world.endpoint()).await, Wire::connect(&world.endpoint()).await];
    for wire in &held {
        assert!(served(wire).await);
    }
    let address = world.endpoint().trim_start_matches("http://").to_owned();
    let mut refused = TcpStream::connect(&address).await.unwrap();
    let mut heard = [0; 16];
    let read = tokio::time::timeout(PATIENCE, refused.read(&mut heard)).await.expect("closed at once");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert!(served(&held[0]).await, "who is there already does not notice");
    drop(held);
    let again = async {
        loop {
            if let Ok(wire) = Wire::try_connect(&world.endpoint()).await {
                let get = wire.outgoing(&GetUserRequest::default());
                if wire.try_send(&get, bytes(frame(b""))).await.is_ok() {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("a place was given back");
}
