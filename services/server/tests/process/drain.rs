//! SIGTERM: what is under way ends, nothing new begins, and the audit log is whole.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reeve_chassis::client::Client;
use reeve_directory::tables;
use reeve_proto::iam::v1::CreateUserRequest;
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use reeve_storage::{Engine, Sled, SledConfig, Transaction};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::place::{ACCOUNT, Place, Server};
use crate::wire::{Wire, message};

const IDENTITY: &str = "/reeve.sts.v1.CallerService/GetCallerIdentity";
const CALLERS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_under_way_is_answered_and_a_new_connection_is_refused() {
    let place = Place::new();
    let mut server = place.start();
    let wire = Wire::connect(&server.address).await;
    let mut call = wire.open(IDENTITY);
    // Whoever is answered on this connection knows that the call above has reached the server too.
    let mut other = wire.open(IDENTITY);
    other.send(b"").await;
    other.response().await;

    server.terminate();
    refuses_connections(&server).await;
    call.send(b"").await;
    let answer = call.response().await;
    assert_eq!(answer.headers()["grpc-status"], "16", "it was not signed, and was told so");
    let request_id = answer.headers()["x-amzn-requestid"].to_str().unwrap().to_owned();

    drop(wire);
    assert!(server.wait().0.success());
    assert!(log(&place).iter().any(|event| event["request_id"] == *request_id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_that_no_more_calls_are_wanted() {
    let place = Place::new();
    let mut server = place.run(place.command().env("REEVE_LIMITS_DRAIN_SECONDS_MAX", "10"));
    let wire = Wire::connect(&server.address).await;
    let mut watch = wire.open("/grpc.health.v1.Health/Watch");
    watch.send(b"").await;
    let mut watched = watch.response().await.into_body();
    assert_eq!(message(&mut watched).await.unwrap(), [0, 0, 0, 0, 2, 8, 1].as_slice(), "SERVING");

    let asked = Instant::now();
    server.terminate();
    assert_eq!(message(&mut watched).await.unwrap(), [0, 0, 0, 0, 2, 8, 2].as_slice(), "NOT_SERVING");
    // Whoever watches has learnt all there is: the server does not wait for it to go.
    assert!(server.wait().0.success());
    assert!(asked.elapsed() < Duration::from_secs(8), "a watcher held the drain up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_never_ends_does_not_hold_the_drain_up_for_ever() {
    let place = Place::new();
    let mut server = place.run(place.command().env("REEVE_LIMITS_DRAIN_SECONDS_MAX", "1"));
    let wire = Wire::connect(&server.address).await;
    let _never_sent = wire.open(IDENTITY);
    let mut other = wire.open(IDENTITY);
    other.send(b"").await;
    other.response().await;

    let asked = Instant::now();
    server.terminate();
    assert!(server.wait().0.success());
    assert!(asked.elapsed() < Duration::from_secs(6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_a_busy_server_is_answered_and_audited_once() {
    let place = Place::new();
    let mut server = place.run(place.command().args(["--account", ACCOUNT]));
    let root = place.root(&server).await;
    let reads = Arc::new(AtomicUsize::new(0));
    let writes = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            tokio::spawn(call_until_refused(caller, root.clone(), Arc::clone(&reads), Arc::clone(&writes)))
        })
        .collect();
    while writes.load(Ordering::Relaxed) < 2 * CALLERS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.terminate();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(server.wait().0.success());

    let log = log(&place);
    let ids: BTreeSet<&str> = log.iter().map(|event| event["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), log.len(), "a request id stands twice");
    let audited = log.iter().filter(|event| event["action"] == "sts:GetCallerIdentity").count();
    assert_eq!(audited, reads.load(Ordering::Relaxed));
    let writes = writes.load(Ordering::Relaxed);
    assert_eq!(stored(&place).await, (writes, writes), "users, and events of their creation");
}

/// Reads and writes in turn until the server lets nobody in any more.
async fn call_until_refused(
    caller: usize,
    client: Client,
    reads: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
) {
    for count in 0.. {
        let user = CreateUserRequest { user_name: format!("u{caller}-{count}"), ..Default::default() };
        for (done, error) in [
            (&writes, client.call(&user).await.err()),
            (&reads, client.call(&GetCallerIdentityRequest {}).await.err()),
        ] {
            match error {
                None => done.fetch_add(1, Ordering::Relaxed),
                Some(error) => {
                    assert_eq!(error.code, "", "an answer, and not the one: {error}");
                    return;
                }
            };
        }
    }
}

async fn refuses_connections(server: &Server) {
    let asked = Instant::now();
    while TcpStream::connect(&server.address).await.is_ok() {
        assert!(asked.elapsed() < Duration::from_secs(10), "connections are still taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The audit log, whose every line must be an event.
fn log(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.data().join("audit.log")).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many users are stored, and how many events of their creation.
async fn stored(place: &Place) -> (usize, usize) {
    let engine: Arc<dyn Engine> = Arc::new(Sled::open(&SledConfig::new(place.data())).unwrap());
    let mut transaction = Transaction::begin(engine);
    let users = tables::USERS.scan(&mut transaction, &(ACCOUNT.to_owned(),), None, 4096).await.unwrap();
    let events = tables::AUDIT.scan(&mut transaction, &(), None, 4096).await.unwrap();
    let created = events.iter().filter(|(_, record)| record.event.contains("\"iam:CreateUser\""));
    (users.len(), created.count())
}
