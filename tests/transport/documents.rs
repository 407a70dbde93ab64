//! What issuers of tokens publish, over plain HTTP: to everybody, over either version, to be kept for a while.

use http::{HeaderMap, Method};
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use serde_json::{Value, json};

use super::wire::{Outgoing, Wire};
use crate::sts::verifier::fetch;
use crate::sts::web_identity_tokens::enable;
use crate::world::World;

const CONFIGURATION: &str = "/.well-known/openid-configuration";
const KEY_SET: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn the_documents_say_what_verifies_tokens() {
    let world = World::start().await;
    let issuer = enable(world.root()).await;
    let reply = fetch("GET", &format!("{issuer}{CONFIGURATION}")).await;
    let configuration: Value = serde_json::from_str(&reply.body).unwrap();
    let expected = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{KEY_SET}"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES384", "RS256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "jti", "https://sts.amazonaws.com/"],
    });
    assert_eq!(configuration, expected);
    let reply = fetch("GET", &format!("{issuer}{KEY_SET}")).await;
    let keys: Value = serde_json::from_str(&reply.body).unwrap();
    let mut members: Vec<Vec<&str>> = Vec::new();
    for key in keys["keys"].as_array().unwrap() {
        let mut names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        members.push(names);
    }
    // Public halves, and nothing else.
    assert_eq!(
        members,
        [&["alg", "crv", "kid", "kty", "use", "x", "y"][..], &["alg", "e", "kid", "kty", "n", "use"]]
    );
}

#[tokio::test]
async fn they_may_be_kept_and_their_heads_asked_for() {
    let world = World::start().await;
    let issuer = enable(world.root()).await;
    let before = world.commits();
    let wire = Wire::connect(&world.endpoint()).await;
    for document in [CONFIGURATION, KEY_SET] {
        let url = format!("{issuer}{document}");
        let got = fetch("GET", &url).await;
        let head = fetch("HEAD", &url).await;
        assert_eq!((got.status, head.status, head.body.as_str()), (200, 200, ""));
        assert_eq!(head.headers["content-length"], got.body.len().to_string().as_str());
        for headers in [&got.headers, &head.headers] {
            assert_eq!(headers["content-type"], "application/json");
            assert_eq!(headers["cache-control"], "public, max-age=3600");
        }
        for (method, body) in [(Method::GET, got.body.as_str()), (Method::HEAD, "")] {
            let path = url.strip_prefix(&world.endpoint()).unwrap().to_owned();
            let outgoing = wire.outgoing(&GetCallerIdentityRequest {});
            let outgoing = Outgoing { path, headers: HeaderMap::new(), ..outgoing };
            let answer = wire.send_by(&method, &outgoing).await;
            assert_eq!(answer.http, 200);
            assert_eq!(answer.body, body.as_bytes(), "{method} over HTTP/2");
            assert_eq!(answer.headers["content-length"], got.body.len().to_string().as_str());
            assert_eq!(answer.headers["cache-control"], "public, max-age=3600");
        }
    }
    assert_eq!(world.commits(), before, "reading wrote");
}

#[tokio::test]
async fn there_is_nothing_else_below_an_issuer() {
    let world = World::start().await;
    let issuer = enable(world.root()).await;
    let endpoint = world.endpoint();
    let nobody = "0".repeat(32);
    for url in [
        format!("{endpoint}{CONFIGURATION}"),
        format!("{endpoint}{KEY_SET}"),
        format!("{endpoint}/{nobody}{CONFIGURATION}"),
        format!("{endpoint}/{nobody}{KEY_SET}"),
        format!("{issuer}/.well-known/"),
        format!("{issuer}/.well-known/openid-configuration/"),
        format!("{issuer}//.well-known/openid-configuration"),
        format!("{issuer}/x{CONFIGURATION}"),
        format!("{issuer}/.well-known/other"),
        format!("{}{CONFIGURATION}", issuer.to_uppercase().replace("HTTP", "http")),
        issuer.clone(),
        format!("{endpoint}/.well-known/{}", "a".repeat(4_000)),
    ] {
        let reply = fetch("GET", &url).await;
        assert_eq!((reply.status, reply.body.as_str()), (404, ""), "{url}");
        assert!(!reply.headers.contains_key("cache-control"), "what may be there tomorrow is not kept away");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let reply = fetch(method, &format!("{issuer}{KEY_SET}")).await;
        assert_eq!((reply.status, reply.headers["allow"].to_str().unwrap()), (405, "GET, HEAD"), "{method}");
    }
    let with_query = fetch("GET", &format!("{issuer}{KEY_SET}?x=1")).await;
    assert_eq!(with_query.status, 200, "a query changes nothing");
}

#[tokio::test]
async fn where_there_is_no_room_for_strangers_they_are_told_to_come_again() {
    let world = World::configured(|config| {
        config.limits.message_bytes_max = 1_024;
        // Of this, what is open to everybody is not enough for a single request.
        config.limits.incoming_bytes_max = 64 * 1_024;
    })
    .await;
    let issuer = enable(world.root()).await;
    let reply = fetch("GET", &format!("{issuer}{KEY_SET}")).await;
    assert_eq!(
        (reply.status, reply.headers["x-amzn-errortype"].to_str().unwrap()),
        (503, "ServiceUnavailable")
    );
    let request_id = reply.headers["x-amzn-requestid"].to_str().unwrap();
    let event = world.audited(|event| event["request_id"] == request_id).await;
    assert_eq!(event["error"], "ServiceUnavailable");
}
