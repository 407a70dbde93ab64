//! Issuers that cannot be asked, or answer what issuers do not; how their keys are kept, and how seldom they are asked.

use std::time::Duration;

use futures::future::join_all;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::sts::v1::AssumeRoleWithWebIdentityRequest;
use reeve_server::config::{Config, EngineName};
use reeve_server::serve;
use serde_json::json;

use super::{FRESH, Federation, INTERVAL, LIFETIME};
use crate::world::{Issuer, Manner, SigningKey, World, code};

const NO_TOKEN: &str = "InvalidIdentityToken";
const UNREACHABLE: &str = "IDPCommunicationError";

#[tokio::test]
async fn an_issuer_that_does_not_answer_as_one_is_told_from_one_that_does_not_answer() {
    let federation = Federation::start().await;
    let elsewhere = Issuer::start().await;
    elsewhere.publish(&[&federation.key]);
    let there = |path: &str| format!("{}{path}", elsewhere.url);
    for (manner, expected) in [
        (Manner::Redirects(there("/.well-known/openid-configuration")), NO_TOKEN),
        (Manner::Redirects("https://169.254.169.254/latest/meta-data".to_owned()), NO_TOKEN),
        (Manner::SaysItIs(elsewhere.url.clone()), NO_TOKEN),
        (Manner::SaysItIs(format!("{}/", federation.issuer.url)), NO_TOKEN),
        (Manner::PointsTo(there("/keys").replace("https://", "http://")), NO_TOKEN),
        (Manner::PointsTo("file:///etc/passwd".to_owned()), NO_TOKEN),
        (Manner::PointsTo(format!("https://user@{}/keys", federation.issuer.name())), NO_TOKEN),
        (Manner::PointsTo(format!("https://a/{}", "x".repeat(4096))), NO_TOKEN),
        // Its certificate is of an authority that nobody trusts.
        (Manner::PointsTo(there("/keys")), UNREACHABLE),
        (Manner::Answers(404), NO_TOKEN),
        (Manner::Answers(500), UNREACHABLE),
        (Manner::Answers(429), UNREACHABLE),
        (Manner::Says("<html>".to_owned()), NO_TOKEN),
        (Manner::Says(String::new()), NO_TOKEN),
        (Manner::Says("[".repeat(10_000)), NO_TOKEN),
        (Manner::Floods, UNREACHABLE),
    ] {
        federation.issuer.behave(manner);
        federation.clock.advance(INTERVAL);
        federation.is_refused(federation.token(json!({})), expected, "").await;
    }
    assert_eq!(elsewhere.asked(), 0, "nobody is sent anywhere");
    federation.issuer.behave(Manner::Honest);
    federation.clock.advance(INTERVAL);
    assert_eq!(code(federation.session(json!({})).await), "");
}

#[tokio::test]
async fn authorities_come_from_a_file_of_the_operator_s() {
    let issuer = Issuer::start().await;
    let key = SigningKey::new("key-1", "ES384");
    issuer.publish(&[&key]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, &issuer.authority_pem).unwrap();
    let world = World::configured(|config| config.oidc_trust_anchors.clone_from(&file)).await;
    super::provide(&world, &issuer.url).await;
    let role = world.role("federated", &super::trusting(issuer.name(), json!({}))).await;
    let now = SystemClock.now().seconds();
    let claims = json!({ "iss": issuer.url, "sub": "user-1", "aud": super::CLIENT, "exp": now + 300 });
    let request = AssumeRoleWithWebIdentityRequest {
        role_arn: role.arn,
        role_session_name: "session".to_owned(),
        web_identity_token: key.sign(&claims),
        ..Default::default()
    };
    assert_eq!(code(world.unsigned().await.call(&request).await), "");
    for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, text).unwrap();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            engine: EngineName::Memory,
            credentials_file: folder.path().join("credentials"),
            root_key_file: folder.path().join("root-key"),
            oidc_trust_anchors: file.clone(),
            ..Config::default()
        };
        let error = serve::start(&config).await.err().expect("it starts without its authorities");
        assert!(error.to_string().contains("authorities.pem"), "{error}");
    }
}

#[tokio::test]
async fn an_issuer_that_takes_its_time_has_so_much() {
    let short = Duration::from_millis(200);
    let federation =
        Federation::within(short, Issuer::start().await, SigningKey::new("key-1", "ES256")).await;
    for manner in [Manner::Drips, Manner::Silent] {
        federation.issuer.behave(manner);
        federation.clock.advance(INTERVAL);
        federation.is_refused(federation.token(json!({})), UNREACHABLE, "could not be reached").await;
    }
}

#[tokio::test]
async fn keys_of_no_use_are_no_keys() {
    let federation = Federation::start().await;
    let good = federation.key.jwk();
    let with = |member: &str, value: serde_json::Value| {
        let mut key = good.clone();
        key[member] = value;
        vec![key]
    };
    for (keys, expected) in [
        (vec![], NO_TOKEN),
        (with("use", json!("enc")), NO_TOKEN),
        (with("alg", json!("ES384")), NO_TOKEN),
        (with("alg", json!("HS256")), NO_TOKEN),
        (with("kty", json!("RSA")), NO_TOKEN),
        (with("crv", json!("P-384")), NO_TOKEN),
        (with("key_ops", json!(["sign"])), NO_TOKEN),
        (with("kid", json!("key-2")), NO_TOKEN),
        (with("revoked", json!({ "revoked_at": 1 })), "IDPRejectedClaim"),
        (vec![good.clone(), good.clone()], NO_TOKEN),
        (vec![json!({}); 201], NO_TOKEN),
    ] {
        federation.issuer.publish_raw(keys);
        // The keys of before are not used any more.
        federation.clock.advance(LIFETIME);
        federation.is_refused(federation.token(json!({})), expected, "").await;
    }
}

#[tokio::test]
async fn keys_follow_one_another_without_anybody_waiting() {
    let mut federation = Federation::start().await;
    assert_eq!(code(federation.session(json!({})).await), "");
    assert_eq!(federation.issuer.asked_for_keys(), 1);
    for _ in 0..3 {
        assert_eq!(code(federation.session(json!({})).await), "");
    }
    assert_eq!(federation.issuer.asked_for_keys(), 1, "what is known is not asked for");
    // A new key is found as soon as a token names it.
    let old = std::mem::replace(&mut federation.key, SigningKey::new("key-2", "ES384"));
    federation.issuer.publish(&[&old, &federation.key]);
    federation.clock.advance(INTERVAL);
    assert_eq!(code(federation.session(json!({})).await), "");
    assert_eq!(federation.issuer.asked_for_keys(), 2);
    assert_eq!(code(federation.answer(old.sign(&federation.claims(json!({})))).await), "", "both are good");
    // The old one goes, and is not used once the keys were looked at again.
    federation.issuer.publish(&[&federation.key]);
    federation.clock.advance(FRESH);
    assert_eq!(code(federation.session(json!({})).await), "");
    let asked = async {
        while federation.issuer.asked_for_keys() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.expect("nobody looked");
    federation.clock.advance(INTERVAL);
    let token = old.sign(&federation.claims(json!({})));
    federation.is_refused(token, NO_TOKEN, "Couldn't retrieve verification key").await;
}

#[tokio::test]
async fn an_issuer_may_be_away_until_its_keys_end() {
    let federation = Federation::start().await;
    assert_eq!(code(federation.session(json!({})).await), "");
    federation.issuer.behave(Manner::Answers(503));
    federation.clock.advance(LIFETIME - 1);
    assert_eq!(code(federation.session(json!({})).await), "");
    federation.clock.advance(INTERVAL);
    federation.is_refused(federation.token(json!({})), UNREACHABLE, "could not be reached").await;
    federation.issuer.behave(Manner::Honest);
    federation.clock.advance(INTERVAL);
    assert_eq!(code(federation.session(json!({})).await), "");
}

#[tokio::test]
async fn whoever_asks_at_the_same_time_waits_for_one_answer() {
    let federation = Federation::start().await;
    let sessions = join_all((0..32).map(|_| federation.session(json!({})))).await;
    for session in sessions {
        assert_eq!(code(session), "");
    }
    assert_eq!(federation.issuer.asked_for_keys(), 1);
}

#[tokio::test]
async fn ten_thousand_unknown_keys_ask_the_issuer_once() {
    let federation = Federation::start().await;
    assert_eq!(code(federation.session(json!({})).await), "");
    federation.clock.advance(INTERVAL);
    let claims = federation.claims(json!({})).to_string();
    let mut header = federation.key.header();
    for hundred in 0..100 {
        let tokens = (0..100).map(|number| {
            header["kid"] = json!(format!("unknown-{hundred}-{number}"));
            format!(
                "{}.{}.AAAA",
                crate::world::encoded(header.to_string().as_bytes()),
                crate::world::encoded(claims.as_bytes())
            )
        });
        let tokens: Vec<String> = tokens.collect();
        for answer in join_all(tokens.into_iter().map(|token| federation.answer(token))).await {
            assert_eq!(code(answer), NO_TOKEN);
        }
    }
    assert_eq!(federation.issuer.asked_for_keys(), 2);
    federation.clock.advance(INTERVAL - 1);
    let other = SigningKey::new("key-3", "ES256");
    assert_eq!(code(federation.answer(other.sign(&federation.claims(json!({})))).await), NO_TOKEN);
    assert_eq!(federation.issuer.asked_for_keys(), 2, "the interval is not over");
    federation.clock.advance(1);
    assert_eq!(code(federation.answer(other.sign(&federation.claims(json!({})))).await), NO_TOKEN);
    assert_eq!(federation.issuer.asked_for_keys(), 3);
    assert_eq!(code(federation.session(json!({})).await), "", "and those who are known get in meanwhile");
}

#[tokio::test]
async fn a_token_without_a_key_id_means_the_only_key_there_is() {
    let mut federation = Federation::start().await;
    federation.key.kid = None;
    federation.issuer.publish(&[&federation.key]);
    assert_eq!(code(federation.session(json!({})).await), "");
    let other = SigningKey::new("key-2", "ES256");
    federation.issuer.publish(&[&federation.key, &other]);
    federation.clock.advance(LIFETIME);
    federation.is_refused(federation.token(json!({})), NO_TOKEN, "retrieve verification key").await;
}

#[tokio::test]
async fn a_key_that_takes_another_s_id_is_looked_for_as_a_new_one() {
    for id in [Some("key-1"), None] {
        let mut federation = Federation::start().await;
        federation.key.kid = id.map(str::to_owned);
        federation.issuer.publish(&[&federation.key]);
        assert_eq!(code(federation.session(json!({})).await), "");
        let mut next = SigningKey::new("key-1", "ES256");
        next.kid.clone_from(&federation.key.kid);
        let old = std::mem::replace(&mut federation.key, next);
        federation.issuer.publish(&[&federation.key]);
        federation.is_refused(federation.token(json!({})), NO_TOKEN, "signature invalid").await;
        assert_eq!(federation.issuer.asked_for_keys(), 1, "the interval is not over");
        federation.clock.advance(INTERVAL);
        assert_eq!(code(federation.session(json!({})).await), "");
        let token = old.sign(&federation.claims(json!({})));
        federation.is_refused(token, NO_TOKEN, "signature invalid").await;
        assert_eq!(federation.issuer.asked_for_keys(), 2, "and once an interval at most");
    }
}
