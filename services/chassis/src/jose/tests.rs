//! Signatures by Project Wycheproof's vectors, and by keys of our own.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::*;

const VECTORS: &str = include_str!("../../tests/fixtures/jose/wycheproof.json");
const RSA_KEY: &[u8] = include_bytes!("../../tests/fixtures/jose/rsa-2048.pem");

/// What a token says, once it is known that the key signed it.
fn payload(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Vec<u8>> {
    let token = Token::parse(token)?;
    if token.header.alg != algorithm {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    token.verify(key)?;
    Ok(token.payload)
}

/// The key of one of Wycheproof's groups, if it is of a kind that is verified by here.
fn decoding_key(key: &Value) -> Option<DecodingKey> {
    let jwk: jwk::Jwk = serde_json::from_value(key.clone()).ok()?;
    DecodingKey::from_jwk(&jwk).ok()
}

fn algorithm(key: &Value) -> Option<Algorithm> {
    key["alg"].as_str()?.parse().ok()
}

#[test]
fn wycheproof_s_signatures_are_judged_as_it_judges_them() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut judged = (0, 0);
    for group in vectors["groups"].as_array().unwrap() {
        let [key] = group["keys"].as_array().unwrap().as_slice() else { continue };
        let (Some(decoding), Some(algorithm)) = (decoding_key(key), algorithm(key)) else { continue };
        // What a key is for is asked where keys are read from a provider.
        if key["use"].as_str() == Some("enc") || key["kty"].as_str() == Some("RSA") && key["crv"].is_string()
        {
            continue;
        }
        let curve = key["crv"].as_str().unwrap_or_default();
        if !curve.is_empty() && !matches!((curve, algorithm), ("P-256", Algorithm::ES256)) {
            continue;
        }
        for test in group["tests"].as_array().unwrap() {
            let verified = payload(test["jws"].as_str().unwrap(), &decoding, algorithm);
            let expected = test["result"] == "valid" && VERIFIED.contains(&algorithm);
            assert_eq!(verified.is_ok(), expected, "{} {}: {verified:?}", group["comment"], test["comment"]);
            if expected { judged.0 += 1 } else { judged.1 += 1 }
        }
    }
    assert!(judged.0 >= 16 && judged.1 >= 90, "{judged:?}");
}

#[test]
fn what_is_signed_here_verifies_by_its_public_half_and_no_other_way() {
    let random = SystemRandom::new();
    let curve = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).unwrap();
    let rsa = PrivateKeyDer::from_pem_slice(RSA_KEY).unwrap();
    let claims = json!({ "sub": "somebody" });
    for (key, algorithm, other) in [
        (EncodingKey::from_ec_der(curve.as_ref()), Algorithm::ES384, Algorithm::ES256),
        (EncodingKey::from_rsa_der(rsa.secret_der()), Algorithm::RS256, Algorithm::RS512),
    ] {
        let token = encode(&Header::new(algorithm), &claims, &key).unwrap();
        let public = DecodingKey::from_jwk(&public_key(&key, algorithm).unwrap()).unwrap();
        let said: Value = serde_json::from_slice(&payload(&token, &public, algorithm).unwrap()).unwrap();
        assert_eq!(said, claims);
        assert!(payload(&token, &public, other).is_err(), "{algorithm:?} as {other:?}");
        for at in [token.find('.').unwrap() + 1, token.len() - 3] {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert!(payload(&String::from_utf8(altered).unwrap(), &public, algorithm).is_err(), "byte {at}");
        }
        assert!(encode(&Header::new(other), &claims, &key).is_err(), "{other:?}");
    }
}

#[test]
fn neither_hmac_nor_what_is_critical_has_anything_to_verify_it() {
    let secret = DecodingKey::from_secret(b"0123456789abcdef0123456789abcdef").unwrap();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for name in ["HS256", "HS384", "HS512", "PS256"] {
        let token = format!("{}.{}.AAAA", part(json!({ "alg": name })), part(json!({})));
        let verified = payload(&token, &secret, name.parse().unwrap());
        assert_eq!(verified.unwrap_err().into_kind(), ErrorKind::UnsupportedAlgorithm, "{name}");
    }
    for refused in [
        json!({ "alg": "none" }),
        json!({ "alg": "RS256", "crit": ["exp"] }),
        json!({ "alg": "RS256", "crit": [] }),
        json!({ "alg": "RS256", "b64": true, "crit": ["b64"] }),
        json!({ "alg": "RS256", "b64": false }),
        json!({}),
        json!("RS256"),
    ] {
        assert!(Token::parse(&format!("{}.e30.AAAA", part(refused.clone()))).is_err(), "{refused}");
    }
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","alg":"RS256"}"#);
    assert!(Token::parse(&format!("{twice}.e30.AAAA")).is_err());
    for token in ["", ".", "..", "a.b", "a.b.c.d", "....", "{}"] {
        assert!(Token::parse(token).is_err(), "{token}");
    }
    let header = part(json!({ "alg": "RS256" }));
    assert!(Token::parse(&format!("{header}.e30.AAAA")).is_ok());
    for rest in ["", "e30", "e30.b.c", "=.b", "AAA=.b", "A.b", "A A.b"] {
        assert!(Token::parse(&format!("{header}.{rest}")).is_err(), "{rest}");
    }
}
