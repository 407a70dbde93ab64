//! Somebody who trusts an issuer and knows nothing of it but its URL: finds its keys by discovery, and verifies tokens with
//! them. Verified is by ring, from the keys' published numbers, and by nothing of the server's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

use crate::door::http::{Reply, Sent};

/// The answer to a request for what lies at a URL.
pub(crate) async fn fetch(method: &'static str, url: &str) -> Reply {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut sent = Sent::get(&format!("http://{host}"), &[]);
    (sent.method, sent.path) = (method, format!("/{path}"));
    sent.send().await
}

/// The document at a URL.
pub(crate) async fn document(url: &str) -> Value {
    let reply = fetch("GET", url).await;
    assert_eq!(reply.status, 200, "{url}: {reply:?}");
    serde_json::from_str(&reply.body).unwrap()
}

/// The keys that an issuer publishes, found by discovery.
pub(crate) async fn keys(issuer: &str) -> Vec<Value> {
    let configuration = document(&format!("{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(configuration["issuer"], issuer);
    document(configuration["jwks_uri"].as_str().unwrap()).await["keys"].as_array().unwrap().clone()
}

/// The header and the claims of a token, if one of the issuer's keys signed it.
pub(crate) async fn verified(issuer: &str, token: &str) -> Option<(Value, Value)> {
    verified_by(&keys(issuer).await, token)
}

/// The same with keys that were fetched before.
pub(crate) fn verified_by(keys: &[Value], token: &str) -> Option<(Value, Value)> {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&bytes(header)).unwrap();
    let claims: Value = serde_json::from_slice(&bytes(claims)).unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"])?;
    assert_eq!((&key["alg"], key["use"].as_str()), (&header["alg"], Some("sig")));
    let number = |name: &str| bytes(key[name].as_str().unwrap());
    let (message, signature) = (signed.as_bytes(), bytes(signature));
    let is_signed = match key["kty"].as_str().unwrap() {
        "EC" => {
            assert_eq!(key["crv"], "P-384");
            let point = [vec![4], number("x"), number("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, &signature).is_ok()
        }
        "RSA" => {
            let key = RsaPublicKeyComponents { n: number("n"), e: number("e") };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature).is_ok()
        }
        other => panic!("{other} is no kind of key that an issuer has"),
    };
    is_signed.then_some((header, claims))
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
