//! JSON by Connect's unary protocol: its headers, its refusals, and what JSON may look like.

use super::http::{Reply, Sent};
use crate::world::{User, World, allow};

const GET_USER: &str = "/reeve.iam.v1.UserService/GetUser";
const CREATE_USER: &str = "/reeve.iam.v1.UserService/CreateUser";

async fn world() -> (World, User) {
    let world = World::start().await;
    let admin = world.user("admin").await;
    world.allow(&admin, &allow("*", "*")).await;
    (world, admin)
}

fn told(reply: &Reply) -> serde_json::Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
}

#[tokio::test]
async fn json_is_protobufs_own() {
    let (world, admin) = world().await;
    let send = async |path: &str, body: &str| {
        Sent::json(&world.endpoint(), path, body).signed(&admin.credentials(), "iam").send().await
    };
    let reply =
        send(CREATE_USER, r#"{"userName": "bob", "tags": [{"key": "a", "value": "b"}], "unknown": [1, {}]}"#)
            .await;
    let user = &told(&reply)["user"];
    assert_eq!((reply.status, &user["arn"]), (200, &world.arn("user/bob").into()), "{reply:?}");
    assert!(user["createDate"].as_str().unwrap().ends_with('Z'));
    // The names of the proto are understood too, and null is nothing.
    let reply = send(GET_USER, r#"{"user_name": "bob"}"#).await;
    assert_eq!(told(&reply)["user"]["tags"][0]["key"], "a");
    let reply = send(GET_USER, r#"{"userName": null}"#).await;
    assert_eq!(told(&reply)["user"]["userName"], "admin", "the caller is meant");
    for body in [
        "",
        "{",
        "[]",
        "1",
        "{}{}",
        r#"{"userName": 5}"#,
        r#"{"userName": ["a"]}"#,
        &"[".repeat(5000),
        "\u{1}",
    ] {
        let reply = send(GET_USER, body).await;
        assert_eq!(
            (reply.status, told(&reply)["code"].as_str()),
            (400, Some("invalid_argument")),
            "{body}: {reply:?}"
        );
        assert_eq!(reply.headers["x-amzn-errortype"], "ValidationError", "{body}");
    }
}

#[tokio::test]
async fn more_values_than_a_request_may_hold_are_not_read() {
    let (world, admin) = world().await;
    let crowded = format!(r#"{{"userName": "bob", "tags": [{}{{}}]}}"#, "{},".repeat(100_000));
    let sent = Sent::json(&world.endpoint(), CREATE_USER, &crowded).signed(&admin.credentials(), "iam");
    let reply = sent.send().await;
    assert_eq!(reply.headers["x-amzn-errortype"], "RequestEntityTooLarge", "{reply:?}");
}

#[tokio::test]
async fn errors_are_connects_with_awss_inside() {
    let (world, admin) = world().await;
    let sent = Sent::json(&world.endpoint(), GET_USER, r#"{"userName": "nobody"}"#);
    let reply = sent.clone().signed(&admin.credentials(), "iam").send().await;
    assert_eq!((reply.status, reply.headers["x-amzn-errortype"].to_str().unwrap()), (404, "NoSuchEntity"));
    assert!(reply.headers.contains_key("reeve-revision"), "a refusal rests on a revision too");
    let refusal = told(&reply);
    assert_eq!(refusal["code"], "not_found");
    assert_eq!(refusal["message"], "The user with name nobody cannot be found.");
    assert_eq!(refusal["details"][0]["type"], "google.rpc.ErrorInfo");
    let unsigned = sent.send().await;
    assert_eq!((unsigned.status, told(&unsigned)["code"].as_str()), (401, Some("unauthenticated")));
    let nobody = world.user("nobody").await;
    let denied = sent.signed(&nobody.credentials(), "iam").send().await;
    assert_eq!((denied.status, told(&denied)["code"].as_str()), (403, Some("permission_denied")));
}

#[tokio::test]
async fn connects_headers_are_heeded() {
    let (world, admin) = world().await;
    let good = Sent::json(&world.endpoint(), GET_USER, "{}");
    for (header, value, status) in [
        ("connect-protocol-version", "1", 200),
        ("connect-protocol-version", "2", 400),
        ("connect-timeout-ms", "5000", 200),
        ("connect-timeout-ms", "99999999999", 400),
        ("connect-timeout-ms", "-1", 400),
        ("connect-timeout-ms", "", 400),
        ("connect-timeout-ms", "0", 504),
        ("content-encoding", "gzip", 501),
        ("content-encoding", "identity", 200),
        ("content-type", "application/json; charset=utf-8", 200),
        ("content-type", "application/xml", 415),
        ("content-type", "", 415),
    ] {
        let reply = good.clone().with(header, value).signed(&admin.credentials(), "iam").send().await;
        assert_eq!(reply.status, status, "{header}: {value}: {reply:?}");
    }
    for (method, path, status) in [
        ("GET", GET_USER, 405),
        ("PUT", GET_USER, 405),
        ("POST", "/reeve.iam.v1.UserService/Nothing", 404),
        ("POST", "/reeve.iam.v1.UserService", 404),
        ("POST", "/health", 404),
    ] {
        let mut other = good.clone();
        other.method = method;
        path.clone_into(&mut other.path);
        assert_eq!(other.signed(&admin.credentials(), "iam").send().await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn a_signature_covers_path_and_body() {
    let (world, admin) = world().await;
    let good = Sent::json(&world.endpoint(), GET_USER, r#"{"userName": "admin"}"#)
        .signed(&admin.credentials(), "iam");
    assert_eq!(good.send().await.status, 200);
    let mut other_body = good.clone();
    other_body.body = br#"{"userName": "nobody"}"#.to_vec();
    let mut other_path = good.clone();
    other_path.path = "/reeve.iam.v1.UserService/DeleteUser".to_owned();
    let mut other_query = good;
    other_query.query = vec![("a".to_owned(), String::new())];
    for changed in [other_body, other_path, other_query] {
        let reply = changed.send().await;
        assert_eq!(
            (reply.status, reply.headers["x-amzn-errortype"].to_str().unwrap()),
            (401, "SignatureDoesNotMatch")
        );
    }
}

#[tokio::test]
async fn grpc_web_is_grpc_in_another_wrapping() {
    let (world, admin) = world().await;
    let wire = crate::transport::wire::Wire::connect(&world.endpoint()).await;
    let request = reeve_proto::iam::v1::GetUserRequest { user_name: Some("admin".to_owned()) };
    let signed = wire.outgoing(&request).signed(&admin.credentials(), "iam");
    let mut sent =
        Sent::json(&world.endpoint(), GET_USER, "").with("content-type", "application/grpc-web+proto");
    sent.headers.extend(
        signed
            .headers
            .iter()
            .filter(|(name, _)| *name != "content-type")
            .map(|(n, v)| (n.clone(), v.clone())),
    );
    sent.body = crate::transport::wire::frame(&signed.message).to_vec();
    let reply = sent.send_for_bytes().await;
    assert_eq!((reply.0, reply.1["content-type"].to_str().unwrap()), (200, "application/grpc-web+proto"));
    // The message's frame, and then the trailers', whose first bit is set.
    let trailers = reply.2.windows(14).any(|window| window == b"grpc-status:0\r");
    assert!(reply.2.first() == Some(&0) && trailers, "{:?}", String::from_utf8_lossy(&reply.2));
    sent.body[7] ^= 1;
    let refused = sent.send_for_bytes().await;
    assert_eq!((refused.0, refused.1["grpc-status"].to_str().unwrap()), (200, "16"), "{refused:?}");
}
