//! Tokens that do not get in: each is refused with AWS's code, leaves its event, and writes nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_proto::sts::v1::AssumeRoleWithWebIdentityRequest;
use ring::hmac;
use serde_json::json;

use super::{CLIENT, Federation, INTERVAL, provide};
use crate::door::http::Sent;
use crate::world::{Issuer, OTHER_ACCOUNT, SigningKey, code, encoded, refused};

const NO_TOKEN: &str = "InvalidIdentityToken";

#[tokio::test]
async fn a_token_holds_from_its_beginning_to_its_end() {
    let federation = Federation::start().await;
    let now = federation.now();
    federation
        .is_refused(federation.token(json!({ "exp": now - 1 })), "ExpiredTokenException", "Token expired")
        .await;
    federation
        .is_refused(federation.token(json!({ "exp": now })), "ExpiredTokenException", "Token expired")
        .await;
    assert_eq!(code(federation.session(json!({ "exp": now + 1 })).await), "");
    for claim in ["nbf", "iat"] {
        assert_eq!(code(federation.session(json!({ claim: now + 60 })).await), "", "{claim} within the skew");
        let token = federation.token(json!({ claim: now + 61 }));
        federation.is_refused(token, NO_TOKEN, "lies in the future").await;
    }
    let token = federation.token(json!({}));
    federation.clock.advance(300);
    federation.is_refused(token, "ExpiredTokenException", "Token expired").await;
}

#[tokio::test]
async fn a_token_is_for_an_audience_of_the_provider_s() {
    let federation = Federation::start().await;
    for more in [json!({ "aud": ["client-2"] }), json!({ "aud": ["x", "y"], "azp": CLIENT })] {
        assert_eq!(code(federation.session(more.clone()).await), "", "{more}");
    }
    for more in [
        json!({ "aud": "x" }),
        json!({ "aud": "CLIENT-1" }),
        json!({ "aud": [CLIENT, "client-2"] }),
        json!({ "aud": [CLIENT, "client-2"], "azp": "x" }),
        json!({ "aud": "x", "azp": CLIENT }),
    ] {
        federation.is_refused(federation.token(more), NO_TOKEN, "Incorrect token audience").await;
    }
}

#[tokio::test]
async fn an_issuer_that_is_no_provider_of_the_account_s_is_not_even_asked() {
    let federation = Federation::start().await;
    let other = Issuer::start().await;
    other.publish(&[&federation.key]);
    for issuer in
        [other.url.as_str(), "https://oidc.example.com", "http://127.0.0.1", "nonsense", "https://*"]
    {
        let token = federation.token(json!({ "iss": issuer }));
        federation.is_refused(token, NO_TOKEN, "No OpenIDConnect provider found in your account for ").await;
    }
    assert_eq!(other.asked(), 0);
    // Nor is a provider of one account another's.
    let request = AssumeRoleWithWebIdentityRequest {
        role_arn: format!("arn:aws:iam::{OTHER_ACCOUNT}:role/federated"),
        ..federation.request(federation.token(json!({})))
    };
    let error = refused(federation.nobody.call(&request).await);
    assert_eq!(error.code, NO_TOKEN);
    assert_eq!(federation.issuer.asked(), 0);
}

#[tokio::test]
async fn a_key_of_another_issuer_s_with_the_same_id_signs_nothing_here() {
    let federation = Federation::start().await;
    let other = Issuer::start().await;
    let theirs = SigningKey::new("key-1", "ES256");
    other.publish(&[&theirs]);
    provide(&federation.world, &other.url).await;
    federation
        .is_refused(theirs.sign(&federation.claims(json!({}))), NO_TOKEN, "Token signature invalid")
        .await;
    assert_eq!(code(federation.session(json!({})).await), "");
}

#[tokio::test]
async fn what_is_altered_unsigned_or_signed_by_a_secret_is_refused() {
    let federation = Federation::start().await;
    let good = federation.token(json!({}));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let other = encoded(federation.claims(json!({ "sub": "root" })).to_string().as_bytes());
    let hidden = |algorithm: &str| {
        encoded(json!({ "alg": algorithm, "kid": "key-1", "typ": "JWT" }).to_string().as_bytes())
    };
    // The public key as a secret, in each of the forms that a verifier might take it in.
    let jwk = federation.key.jwk();
    let point = [
        URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap(),
        URL_SAFE_NO_PAD.decode(jwk["y"].as_str().unwrap()).unwrap(),
    ]
    .concat();
    let by_secret = |secret: &[u8]| {
        let message = format!("{}.{payload}", hidden("HS256"));
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", encoded(signed.as_ref()))
    };
    for (token, words) in [
        (format!("{header}.{other}.{signature}"), "Token signature invalid"),
        (format!("{header}.{payload}.{}", encoded(&[0; 64])), "Token signature invalid"),
        (format!("{header}.{payload}."), "Token signature invalid"),
        (format!("{}.{payload}.", hidden("none")), "not a valid JWT"),
        (format!("{}.{payload}.{signature}", hidden("none")), "not a valid JWT"),
        (format!("{}.{payload}.{signature}", hidden("nOnE")), "not a valid JWT"),
        (format!("{}.{payload}.{signature}", hidden("ES384")), "retrieve verification key"),
        (format!("{}.{payload}.{signature}", hidden("PS256")), "retrieve verification key"),
        (by_secret(&point), "retrieve verification key"),
        (by_secret(&[&[4], point.as_slice()].concat()), "retrieve verification key"),
        (by_secret(jwk.to_string().as_bytes()), "retrieve verification key"),
        (message.to_owned(), "not a valid JWT"),
        (format!("{good}.{signature}"), "not a valid JWT"),
        (format!("{good}="), "not a valid JWT"),
        ("aaaa.bbbb.cccc".to_owned(), "not a valid JWT"),
        ("covered".to_owned(), "not a valid JWT"),
        ("....".to_owned(), "not a valid JWT"),
    ] {
        // Each asks for a key that is perhaps new, and may ask the issuer.
        federation.clock.advance(INTERVAL);
        federation.is_refused(token, NO_TOKEN, words).await;
    }
    assert_eq!(code(federation.answer(good).await), "");
}

#[tokio::test]
async fn a_key_that_the_token_brings_itself_is_not_looked_at() {
    let federation = Federation::start().await;
    let own = SigningKey::new("key-1", "ES256");
    let mut header = own.header();
    header["jwk"] = own.jwk();
    header["jku"] = json!("https://127.0.0.1/keys");
    let token = own.sign_text(&header, &federation.claims(json!({})).to_string());
    federation.is_refused(token, NO_TOKEN, "Token signature invalid").await;
    let mut header = federation.key.header();
    header["crit"] = json!(["exp"]);
    let token = federation.key.sign_text(&header, &federation.claims(json!({})).to_string());
    federation.is_refused(token, NO_TOKEN, "not a valid JWT").await;
    let mut header = federation.key.header();
    header["typ"] = json!("logout+jwt");
    let token = federation.key.sign_text(&header, &federation.claims(json!({})).to_string());
    federation.is_refused(token, NO_TOKEN, "another kind").await;
}

#[tokio::test]
async fn claims_that_are_ambiguous_missing_or_endless_are_none() {
    let federation = Federation::start().await;
    let (key, good) = (&federation.key, federation.claims(json!({})).to_string());
    let inner = good.trim_start_matches('{');
    let nested = |depth: usize| format!(r#"{{"x":{}{},{inner}"#, "[".repeat(depth), "]".repeat(depth));
    for text in [
        format!(r#"{{"sub":"root",{inner}"#),
        format!(r#"{{"\u0073ub":"root",{inner}"#),
        format!(r#"{{"x":{{"a":1,"a":2}},{inner}"#),
        nested(16),
        nested(3000),
        format!("[{good}]"),
        format!("{good}{good}"),
        "{}".to_owned(),
        String::new(),
        "null".to_owned(),
    ] {
        federation.is_refused(key.sign_text(&key.header(), &text), NO_TOKEN, "").await;
    }
    for claim in ["iss", "sub", "aud", "exp"] {
        let mut without = federation.claims(json!({}));
        without.as_object_mut().unwrap().remove(claim);
        federation.is_refused(key.sign(&without), NO_TOKEN, "Missing a required claim").await;
    }
    for odd in [
        json!({ "sub": ["user-1"] }),
        json!({ "exp": "soon" }),
        json!({ "sub": "x".repeat(256) }),
        json!({ "aud": 1 }),
    ] {
        federation.is_refused(federation.token(odd), NO_TOKEN, "is not what it should be").await;
    }
    assert_eq!(code(federation.answer(key.sign_text(&key.header(), &nested(15))).await), "");
    assert_eq!(federation.issuer.asked_for_keys(), 1, "most are refused before anybody is asked");
}

#[tokio::test]
async fn a_token_has_aws_s_length_at_most() {
    let federation = Federation::start().await;
    let before = federation.world.commits();
    let padded = |length: usize| federation.token(json!({ "padding": "x".repeat(length) }));
    let fits = padded(14_500);
    assert!(fits.len() > 19_000 && fits.len() <= 20_000, "{}", fits.len());
    assert_eq!(code(federation.answer(fits).await), "");
    let error = refused(federation.answer(padded(15_000)).await);
    assert_eq!(error.code, "ValidationError", "{}", error.message);
    assert!(error.message.contains("webIdentityToken"), "{}", error.message);
    assert!(error.message.len() < 1000, "it does not quote it whole");
    assert_eq!(code(federation.answer(padded(1024 * 1024)).await), "RequestEntityTooLarge");
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("WebIdentityToken", &padded(1024 * 1024)),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let reply = Sent::form(&federation.world.endpoint(), &form).send().await;
    assert!(reply.status == 403 || reply.status == 413, "{}", reply.status);
    assert_eq!(federation.world.commits(), before);
}

#[tokio::test]
async fn kubernetes_and_spiffe_tokens_are_tokens_like_any_other() {
    let federation = Federation::start().await;
    let subject = "system:serviceaccount:shop:web";
    let bound = json!({ "sub": subject, "aud": [CLIENT], "nbf": federation.now(),
        "kubernetes.io": { "namespace": "shop", "serviceaccount": { "name": "web", "uid": "1" } } });
    federation
        .trust_when(json!({ "StringEquals": { format!("{}:sub", federation.issuer.name()): subject } }))
        .await;
    assert_eq!(code(federation.session(bound).await), "");
    let workload = "spiffe://example.org/ns/shop/sa/web";
    federation.trust_when(json!({ "StringLike": { format!("{}:sub", federation.issuer.name()): "spiffe://example.org/ns/shop/*" } })).await;
    // A JWT-SVID need not say when it was issued.
    let mut claims = federation.claims(json!({ "sub": workload, "aud": [CLIENT] }));
    claims.as_object_mut().unwrap().remove("iat");
    let mut header = federation.key.header();
    header["typ"] = json!("JOSE");
    let answer = federation.answer(federation.key.sign_text(&header, &claims.to_string())).await.unwrap();
    assert_eq!(answer.subject_from_web_identity_token, workload);
}
