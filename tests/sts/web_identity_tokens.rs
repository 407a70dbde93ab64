//! Tokens by which callers prove to others who they are: what they say, who is given them, and that they verify from
//! discovery alone, also while the keys that sign them follow one another.

use std::sync::Arc;

use reeve_chassis::client::{Client, Credentials};
use reeve_chassis::clock::{Clock as _, ManualClock, SystemClock};
use reeve_chassis::outbound;
use reeve_proto::iam::v1::{
    DisableOutboundWebIdentityFederationRequest, EnableOutboundWebIdentityFederationRequest, TagRoleRequest,
    TagUserRequest,
};
use reeve_proto::sts::v1::{
    AssumeRoleRequest, GetServiceBearerTokenRequest, GetSessionTokenRequest, GetWebIdentityTokenRequest,
};
use reeve_server::config::EngineName;
use serde_json::{Value, json};

use super::verifier::{keys, verified, verified_by};
use super::{assume, request, tag, tagged};
use crate::world::{ACCOUNT, World, allow, code, deny, refused, trust};

const NAMESPACE: &str = "https://sts.amazonaws.com/";
const DAY_SECONDS: i64 = 24 * 3_600;

/// Enables the account of `root`; its issuer.
pub(crate) async fn enable(root: &Client) -> String {
    root.call(&EnableOutboundWebIdentityFederationRequest {}).await.unwrap().issuer_identifier
}

/// A request for a token by an algorithm.
pub(crate) fn by(algorithm: &str) -> GetWebIdentityTokenRequest {
    GetWebIdentityTokenRequest {
        audience: vec!["https://api.example.com".to_owned()],
        signing_algorithm: algorithm.to_owned(),
        ..Default::default()
    }
}

async fn token(client: &Client, request: &GetWebIdentityTokenRequest) -> String {
    client.call(request).await.unwrap().web_identity_token
}

/// What a token of `client`'s says, once it is verified.
async fn claims(issuer: &str, client: &Client, request: &GetWebIdentityTokenRequest) -> Value {
    verified(issuer, &token(client, request).await).await.unwrap().1
}

#[tokio::test]
async fn a_user_s_token_verifies_from_discovery_alone() {
    let world = World::start().await;
    let issuer = enable(world.root()).await;
    let alice = world.user("alice").await;
    let tags = TagUserRequest { user_name: "alice".to_owned(), tags: vec![tag("team", "blue")] };
    world.root().call(&tags).await.unwrap();
    world.allow(&alice, &allow(["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"], "*")).await;
    let before = world.commits();
    for algorithm in ["ES384", "RS256"] {
        let request =
            GetWebIdentityTokenRequest { tags: vec![tag("job", "7"), tag("Ünï", "")], ..by(algorithm) };
        let begun = SystemClock.now().seconds();
        let answer = alice.call(&request).await.unwrap();
        let (header, claims) = verified(&issuer, &answer.web_identity_token).await.unwrap();
        assert_eq!((&header["alg"], &header["typ"]), (&json!(algorithm), &json!("JWT")));
        let issued = claims["iat"].as_i64().unwrap();
        assert!((begun..begun + 10).contains(&issued));
        assert_eq!(claims["exp"], issued + 300);
        assert_eq!(answer.expiration.unwrap().seconds, issued + 300);
        let id = claims["jti"].as_str().unwrap().to_owned();
        assert_eq!(id.len(), 36);
        let expected = json!({
            "iss": issuer, "sub": world.arn("user/alice"), "aud": "https://api.example.com",
            "iat": issued, "exp": issued + 300, "jti": id,
            NAMESPACE: {
                "aws_account": ACCOUNT, "source_region": "us-east-1", "principal_id": world.arn("user/alice"),
                "principal_tags": { "team": "blue" }, "request_tags": { "job": "7", "Ünï": "" },
            },
        });
        assert_eq!(claims, expected);
        let again = self::claims(&issuer, &alice, &request).await;
        assert_ne!(again["jti"], claims["jti"]);
        // What is altered is not what was signed.
        let (head, rest) = answer.web_identity_token.split_once('.').unwrap();
        let (_, signature) = rest.rsplit_once('.').unwrap();
        let other = token(&alice, &by(algorithm)).await;
        let forged = format!("{head}.{}.{signature}", other.split('.').nth(1).unwrap());
        assert!(verified(&issuer, &forged).await.is_none());
    }
    assert_eq!(world.commits(), before, "issuing writes nothing");
}

#[tokio::test]
async fn a_session_s_token_says_what_the_session_is() {
    let world = World::start().await;
    let issuer = enable(world.root()).await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let tags = TagRoleRequest { role_name: "r".to_owned(), tags: vec![tag("team", "blue"), tag("own", "1")] };
    world.root().call(&tags).await.unwrap();
    world.allow_role(&role, &allow("sts:GetWebIdentityToken", "*")).await;
    let wanted = AssumeRoleRequest {
        source_identity: Some("dana".to_owned()),
        ..tagged(&role, &[("Team", "red")], &[])
    };
    let session = assume(&alice, &wanted).await.unwrap();
    let claims = claims(&issuer, &session, &by("ES384")).await;
    assert_eq!(claims["sub"], role.arn.as_str());
    let until = prost_types::Timestamp { seconds: session.expiration, nanos: 0 }.to_string();
    let expected = json!({
        "aws_account": ACCOUNT, "source_region": "us-east-1", "principal_id": role.arn,
        "principal_tags": { "Team": "red", "own": "1" }, "source_identity": "dana",
        "original_session_exp": until,
    });
    assert_eq!(claims[NAMESPACE], expected);
}

#[tokio::test]
async fn a_root_s_token_and_one_for_several_audiences() {
    let world = World::start().await;
    let issuer = enable(world.root()).await;
    let audience: Vec<String> = (0..10).map(|number| format!("audience {number}")).collect();
    let several = GetWebIdentityTokenRequest {
        audience: audience.clone(),
        duration_seconds: Some(3_600),
        ..by("RS256")
    };
    let claims = claims(&issuer, world.root(), &several).await;
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(audience), &json!(world.arn("root"))));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_600);
}

#[tokio::test]
async fn nobody_is_given_one_where_the_account_is_not_enabled() {
    let world = World::start().await;
    let before = world.commits();
    let error = refused(world.root().call(&by("ES384")).await);
    assert_eq!(error.code, "OutboundWebIdentityFederationDisabledException");
    assert_eq!(world.commits(), before);
    enable(world.root()).await;
    assert_eq!(code(world.root().call(&by("ES384")).await), "");
    world.root().call(&DisableOutboundWebIdentityFederationRequest {}).await.unwrap();
    let told = code(world.root().call(&by("ES384")).await);
    assert_eq!(told, "OutboundWebIdentityFederationDisabledException");
}

#[tokio::test]
async fn what_policies_say_of_tokens() {
    let world = World::start().await;
    enable(world.root()).await;
    let alice = world.user("alice").await;
    let plain = by("ES384");
    let error = refused(alice.call(&plain).await);
    assert!(error.message.contains("sts:GetWebIdentityToken"), "{}", error.message);
    let mut statement = allow("sts:GetWebIdentityToken", "*");
    statement["Condition"] = json!({
        "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": plain.audience },
        "NumericLessThanEquals": { "sts:DurationSeconds": "300" },
        "StringEquals": { "sts:SigningAlgorithm": "ES384" },
    });
    let mut tags = allow("sts:TagGetWebIdentityToken", "*");
    tags["Condition"] = json!({ "StringEquals": { "aws:RequestTag/job": "7" } });
    world.allow(&alice, &json!([statement, tags])).await;
    let elsewhere = vec![plain.audience[0].clone(), "https://other.example.com".to_owned()];
    for (request, is_allowed) in [
        // Whoever does not say how long gets five minutes, and that is what is compared.
        (plain.clone(), true),
        (GetWebIdentityTokenRequest { duration_seconds: Some(300), ..plain.clone() }, true),
        (GetWebIdentityTokenRequest { duration_seconds: Some(301), ..plain.clone() }, false),
        (GetWebIdentityTokenRequest { audience: elsewhere, ..plain.clone() }, false),
        (by("RS256"), false),
        (GetWebIdentityTokenRequest { tags: vec![tag("job", "7")], ..plain.clone() }, true),
        (GetWebIdentityTokenRequest { tags: vec![tag("job", "8")], ..plain.clone() }, false),
    ] {
        let told = code(alice.call(&request).await);
        assert_eq!(told, if is_allowed { "" } else { "AccessDenied" }, "{request:?}");
    }
    let mut statement = deny("sts:GetWebIdentityToken", "*");
    statement["Condition"] = json!({ "NumericGreaterThan": { "sts:DurationSeconds": "299" } });
    world.allow(&alice, &statement).await;
    assert_eq!(code(alice.call(&plain).await), "AccessDenied", "the default is no way round a denial");
}

#[tokio::test]
async fn a_token_does_not_outlive_its_session() {
    let world = World::start().await;
    let issuer = enable(world.root()).await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    world.allow_role(&role, &allow("sts:GetWebIdentityToken", "*")).await;
    let short = AssumeRoleRequest { duration_seconds: Some(900), ..request(&role) };
    let session = assume(&alice, &short).await.unwrap();
    let lasting = |seconds| GetWebIdentityTokenRequest { duration_seconds: Some(seconds), ..by("ES384") };
    let error = refused(session.call(&lasting(901)).await);
    assert_eq!(error.code, "SessionDurationEscalationException");
    assert_eq!(error.violations[0].0, "duration_seconds");
    let claims = claims(&issuer, &session, &lasting(600)).await;
    assert!(claims["exp"].as_i64().unwrap() <= session.expiration);
}

#[tokio::test]
async fn neither_bearer_tokens_nor_sessions_of_users_beget_one() {
    let world = World::start().await;
    enable(world.root()).await;
    let bearer = world.root().call(&GetServiceBearerTokenRequest::default()).await.unwrap().bearer_token;
    assert_eq!(code(world.root().bearing(&bearer).call(&by("ES384")).await), "AccessDenied");
    let given = world.root().call(&GetSessionTokenRequest::default()).await.unwrap().credentials.unwrap();
    let session = world.client(Credentials {
        access_key_id: given.access_key_id,
        secret_access_key: given.secret_access_key.into(),
        session_token: Some(given.session_token),
    });
    let error = refused(session.call(&by("ES384")).await);
    assert_eq!(error.message, "Cannot call GetWebIdentityToken with session credentials");
}

#[tokio::test]
async fn tags_that_cannot_stand_and_tokens_that_are_too_large_are_refused() {
    let world = World::start().await;
    enable(world.root()).await;
    let with = |tags: Vec<(&str, &str)>| GetWebIdentityTokenRequest {
        tags: tags.into_iter().map(|(key, value)| tag(key, value)).collect(),
        ..by("ES384")
    };
    for tags in [vec![("a", "1"), ("A", "2")], vec![("aws:a", "1")]] {
        let error = refused(world.root().call(&with(tags.clone())).await);
        assert_eq!((error.code.as_str(), error.violations[0].0.as_str()), ("InvalidParameterValue", "tags"));
    }
    let keys: Vec<String> = (0..50).map(|number| format!("{number:02}{}", "ä".repeat(126))).collect();
    let value = "ö".repeat(256);
    let error =
        refused(world.root().call(&with(keys.iter().map(|key| (key.as_str(), &*value)).collect())).await);
    assert_eq!(error.code, "JWTPayloadSizeExceededException");
    let few = with(keys.iter().take(10).map(|key| (key.as_str(), &*value)).collect());
    assert!(token(world.root(), &few).await.len() > 10_000);
}

/// A world whose time is the test's, and its clock.
async fn through_months() -> (World, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now().seconds()));
    let own = Arc::clone(&clock);
    let change = async move |environment: &mut reeve_chassis::Environment| {
        environment.clock = own;
        // Clients sign by the machine's clock, and these tests go through months.
        environment.signatures.skew_seconds_max = u32::MAX;
    };
    (World::made(|_| {}, change).await, clock)
}

fn ids(keys: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn keys_follow_one_another_and_no_token_is_left_behind() {
    let (world, clock) = through_months().await;
    let issuer = enable(world.root()).await;
    let environment = world.environment();
    let lasting = GetWebIdentityTokenRequest { duration_seconds: Some(3_600), ..by("RS256") };
    let signer = |token: &str, keys: &[Value]| verified_by(keys, token).unwrap().0["kid"].clone();
    let first = keys(&issuer).await;
    assert_eq!(first.len(), 2);

    // Nothing happens before its time, however often it is looked.
    clock.advance(89 * DAY_SECONDS - 1);
    outbound::rotate(environment).await.unwrap();
    assert_eq!(ids(&keys(&issuer).await), ids(&first));

    // A day before it signs, the next key is there for everybody.
    clock.advance(1);
    let before = world.commits();
    outbound::rotate(environment).await.unwrap();
    outbound::rotate(environment).await.unwrap();
    assert_eq!(world.commits(), before + 1, "one rotation is one write");
    let both = keys(&issuer).await;
    assert_eq!(both.len(), 4);
    clock.advance(DAY_SECONDS - 1);
    let last_of_first = token(world.root(), &lasting).await;
    let old = signer(&last_of_first, &both);
    assert!(ids(&first).contains(&old.as_str().unwrap().to_owned()));

    // Then it signs, with nothing written, and whoever fetched the keys in the last day knows it.
    clock.advance(1);
    let before = world.commits();
    let first_of_second = token(world.root(), &lasting).await;
    assert_ne!(signer(&first_of_second, &both), old);
    assert_eq!(world.commits(), before);

    // The old one is published until every token of it has expired, and not for ever.
    clock.advance(DAY_SECONDS - 1);
    outbound::rotate(environment).await.unwrap();
    assert!(verified(&issuer, &last_of_first).await.is_some(), "it has expired, and still verifies");
    clock.advance(1);
    outbound::rotate(environment).await.unwrap();
    let second = keys(&issuer).await;
    assert_eq!(second.len(), 2);
    assert!(verified_by(&second, &last_of_first).is_none());
    assert!(verified_by(&second, &first_of_second).is_some());
}

#[tokio::test]
async fn keys_that_nobody_has_used_are_followed_by_others_too() {
    let (world, clock) = through_months().await;
    let issuer = enable(world.root()).await;
    for _ in 0..3 {
        clock.advance(90 * DAY_SECONDS);
        outbound::rotate(world.environment()).await.unwrap();
    }
    let published = ids(&keys(&issuer).await);
    let different: std::collections::BTreeSet<_> = published.iter().collect();
    assert_eq!((published.len(), different.len()), (4, 4), "{published:?}");
    assert!(verified(&issuer, &token(world.root(), &by("ES384")).await).await.is_some());
}

#[tokio::test]
async fn keys_that_somebody_has_are_replaced_at_once() {
    let world = World::start().await;
    assert_eq!(outbound::replace(world.environment()).await.unwrap(), 0, "there are none to replace");
    let issuer = enable(world.root()).await;
    let stolen = keys(&issuer).await;
    let given = token(world.root(), &by("ES384")).await;
    let before = world.commits();
    assert_eq!(outbound::replace(world.environment()).await.unwrap(), 2);
    assert_eq!(world.commits(), before + 1);
    let published = ids(&keys(&issuer).await);
    assert!(published.len() == 2 && ids(&stolen).iter().all(|id| !published.contains(id)), "{published:?}");
    assert!(verified(&issuer, &given).await.is_none());
    for algorithm in ["ES384", "RS256"] {
        assert!(verified(&issuer, &token(world.root(), &by(algorithm)).await).await.is_some(), "{algorithm}");
    }
}

#[tokio::test]
async fn what_was_given_verifies_after_the_account_was_disabled_until_it_expires() {
    let (world, clock) = through_months().await;
    let issuer = enable(world.root()).await;
    let given =
        token(world.root(), &GetWebIdentityTokenRequest { duration_seconds: Some(3_600), ..by("ES384") })
            .await;
    world.root().call(&DisableOutboundWebIdentityFederationRequest {}).await.unwrap();
    clock.advance(3_600);
    assert!(verified(&issuer, &given).await.is_some());
    clock.advance(300);
    for document in ["openid-configuration", "jwks.json"] {
        let reply = super::verifier::fetch("GET", &format!("{issuer}/.well-known/{document}")).await;
        assert_eq!((reply.status, reply.body.as_str()), (404, ""), "{document}");
    }
    assert_eq!(enable(world.root()).await, issuer);
    assert!(verified(&issuer, &given).await.is_some(), "the keys are the server's, and stayed");
}

#[tokio::test]
async fn keys_outlive_the_server() {
    let world = World::configured(|config| {
        config.engine = EngineName::Sled;
        config.issuer_url = "https://id.example.com/reeve".to_owned();
    })
    .await;
    let issuer = enable(world.root()).await;
    let path = issuer.strip_prefix("https://id.example.com").unwrap().to_owned();
    let here = |world: &World| format!("{}{path}/.well-known/jwks.json", world.endpoint());
    let given = token(world.root(), &by("ES384")).await;
    let before = super::verifier::document(&here(&world)).await;
    let world = world.restarted().await;
    let after = super::verifier::document(&here(&world)).await;
    assert_eq!(before, after);
    let keys = after["keys"].as_array().unwrap().clone();
    assert_eq!(verified_by(&keys, &given).unwrap().1["iss"], issuer);
    assert!(verified_by(&keys, &token(world.root(), &by("RS256")).await).is_some());
}
