//! What is no call at all: unknown methods, malformed messages, frames cut short, other protocols.

use reeve_proto::iam::v1::{CreateUserRequest, ListUsersRequest};
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{Outgoing, PATIENCE, Wire};
use crate::world::{User, World, allow, code, document};

/// A world with somebody who may do everything, and a connection.
async fn world() -> (World, User, Wire) {
    let world = World::start().await;
    let admin = world.user("admin").await;
    world.allow(&admin, &allow("*", "*")).await;
    let wire = Wire::connect(&world.endpoint()).await;
    (world, admin, wire)
}

/// Whether the server still answers, on the same connection and on a new one.
async fn answers(world: &World, wire: &Wire, admin: &User) -> bool {
    let good = wire.outgoing(&GetCallerIdentityRequest {}).signed(&admin.credentials(), "sts");
    wire.send(&good).await.grpc() == 0 && Wire::connect(&world.endpoint()).await.send(&good).await.grpc() == 0
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let (world, admin, wire) = world().await;
    let good = wire.outgoing(&GetCallerIdentityRequest {});
    for path in [
        "/",
        "/reeve.iam.v1.UserService",
        "/reeve.iam.v1.UserService/",
        "/reeve.iam.v1.UserService/CreateUsers",
        "/reeve.iam.v1.UserService/createuser",
        "/reeve.iam.v1.UserService/CreateUser/",
        "/reeve.iam.v1.UserService/CreateUser?x=1/..",
        "//reeve.iam.v1.UserService/CreateUser",
        "/reeve.iam.v2.UserService/CreateUser",
        "/grpc.health.v1.Health/Nothing",
    ] {
        let outgoing = Outgoing { path: path.to_owned(), ..good.clone() }.signed(&admin.credentials(), "iam");
        let answer = wire.send(&outgoing).await;
        assert_eq!(answer.grpc(), 12, "{path}: {answer:?}");
    }
    assert!(answers(&world, &wire, &admin).await);
}

#[tokio::test]
async fn a_malformed_message_is_a_validation_error() {
    let (world, admin, wire) = world().await;
    let create = wire.outgoing(&CreateUserRequest { user_name: "x".to_owned(), ..Default::default() });
    let nested = (0..500).fold(vec![0x22, 0], |inner, _| {
        let mut outer = vec![0x22];
        prost::encoding::encode_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        outer
    });
    for message in [
        b"\xff".to_vec(),
        b"\x0a\xff\xff\xff\xff\x0f".to_vec(),
        b"\x0a\x05ab".to_vec(),
        b"\x0a\x02\xff\xfe".to_vec(),
        b"\x08\x01".to_vec(),
        b"\x0b\x0b\x0b".to_vec(),
        nested,
        (0..4096_u32).map(|n| u8::try_from(n * 131 % 251).unwrap()).collect(),
    ] {
        let outgoing =
            Outgoing { message: message.clone(), ..create.clone() }.signed(&admin.credentials(), "iam");
        let answer = wire.send(&outgoing).await;
        assert_eq!(
            (answer.code().as_str(), answer.grpc()),
            ("ValidationError", 3),
            "{message:.20?}: {answer:?}"
        );
        // Who is not known learns nothing of what was wrong.
        let unsigned = Outgoing { message, ..create.clone() };
        assert_eq!(wire.send(&unsigned).await.code(), "MissingAuthenticationToken");
    }
    assert!(answers(&world, &wire, &admin).await);
    assert_eq!(code(world.root().call(&ListUsersRequest::default()).await), "");
}

/// Writes `sent`, and reads what comes until the server closes or says nothing for a while.
async fn speak(world: &World, sent: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(world.endpoint().trim_start_matches("http://")).await.unwrap();
    socket.write_all(sent).await.unwrap();
    let mut heard = vec![0; 64 * 1024];
    let mut length = 0;
    loop {
        let read =
            tokio::time::timeout(std::time::Duration::from_millis(400), socket.read(&mut heard[length..]))
                .await;
        match read {
            Ok(Ok(count)) if count > 0 => length += count,
            _ => break,
        }
    }
    heard.truncate(length);
    heard
}

#[tokio::test]
async fn http_1_is_answered_and_not_left_hanging() {
    let (world, admin, wire) = world().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST /reeve.sts.v1.CallerService/GetCallerIdentity HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nAction=GetCallerIdentity",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let heard = String::from_utf8_lossy(&speak(&world, request.as_bytes()).await).into_owned();
        assert!(heard.starts_with("HTTP/1.1 "), "{request:?}: {heard:?}");
        assert!(!heard.contains("123456789012"), "nothing is told to who has not signed");
    }
    assert!(answers(&world, &wire, &admin).await);
}

#[tokio::test]
async fn what_is_no_http_ends_the_connection() {
    let (world, admin, wire) = world().await;
    let random: Vec<u8> = (0..3000_u32).map(|n| u8::try_from(n * 7919 % 256).unwrap()).collect();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for sent in [
        random.clone(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        [&preface[..], &random].concat(),
        [&preface[..], &[0xff; 64]].concat(),
        // HEADERS on stream 0, and a DATA frame of a stream that nobody opened.
        [&preface[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0], &[0, 0, 1, 1, 4, 0, 0, 0, 0, 0x82]].concat(),
        [&preface[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0], &[0, 0, 1, 0, 0, 0, 0, 0, 9, 0]].concat(),
    ] {
        tokio::time::timeout(PATIENCE, speak(&world, &sent)).await.expect("it hangs");
    }
    assert!(answers(&world, &wire, &admin).await);
}

#[tokio::test]
async fn a_deeply_nested_or_huge_document_is_refused_in_no_time() {
    let (world, admin, _wire) = world().await;
    let put = |document: String| reeve_proto::iam::v1::PutUserPolicyRequest {
        user_name: "admin".to_owned(),
        policy_name: "p".to_owned(),
        policy_document: document,
    };
    let begun = std::time::Instant::now();
    let stars = "*".repeat(100_000);
    let question_marks = format!("{}x", "*?".repeat(50_000));
    for document in [
        "[".repeat(100_000),
        "[".repeat(2_000),
        format!("{}{}", "{\"a\":".repeat(20_000), "}".repeat(20_000)),
        format!("{{\"Version\":\"2012-10-17\",\"Statement\":{}{}}}", "[".repeat(900), "]".repeat(900)),
        "x".repeat(131_072),
        "x".repeat(131_073),
        document(&allow(stars, "*")),
        document(&allow("s3:*", question_marks)),
    ] {
        let told = code(admin.call(&put(document.clone())).await);
        let refusals = ["MalformedPolicyDocument", "LimitExceeded", "ValidationError"];
        assert!(refusals.contains(&told.as_str()), "{document:.40}: {told}");
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    let listed =
        reeve_proto::iam::v1::ListUserPoliciesRequest { user_name: "admin".to_owned(), ..Default::default() };
    assert_eq!(world.root().call(&listed).await.unwrap().policy_names, ["allowed-0"], "nothing was written");
}
