//! The keys that an issuer publishes: which of them sign tokens, and by which algorithm. What is of another use, of another
//! kind than its algorithm, or not understood, is as if it were not there. (Source: RFC 7517 and RFC 7518.)

use serde::Deserialize;
use serde_json::Value;

use crate::jose::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use crate::jose::{Algorithm, DecodingKey, Header, VERIFIED};

/// Most keys of an issuer's, of whatever kind. (Source: AWS's limits of 100 RSA and 100 EC keys.)
const KEYS_MAX: usize = 200;

/// The keys of one issuer.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    /// `kid`.
    id: Option<String>,
    /// `alg`: the only algorithm that it is for, where it says so.
    algorithm: Option<Algorithm>,
    kind: Kind,
    /// The issuer does not stand by it any more.
    is_revoked: bool,
    key: DecodingKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// The key for a token.
#[derive(Debug)]
pub(super) enum Found<'k> {
    Key(&'k DecodingKey),
    Revoked,
    /// There is none, or more than one that it could be.
    None,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl Keys {
    /// Those of a JWK set.
    ///
    /// # Errors
    /// It is none, or has too many; why, for the log.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let published: Published =
            serde_json::from_slice(json).map_err(|error| format!("its keys are no JWK set: {error}"))?;
        if published.keys.len() > KEYS_MAX {
            return Err(format!("it has {} keys; at most {KEYS_MAX} are read", published.keys.len()));
        }
        Ok(Self(published.keys.into_iter().filter_map(Key::read).collect()))
    }

    /// The key for a token of this header.
    pub(super) fn find(&self, header: &Header) -> Found<'_> {
        let Some(kind) = Kind::of(header.alg) else { return Found::None };
        let mut fitting = self.0.iter().filter(|key| {
            key.kind == kind
                && key.algorithm.is_none_or(|algorithm| algorithm == header.alg)
                && (header.kid.is_none() || key.id == header.kid)
        });
        match (fitting.next(), fitting.next()) {
            (Some(key), None) if key.is_revoked => Found::Revoked,
            (Some(key), None) => Found::Key(&key.key),
            // Which of several is meant nobody says: an attacker would choose.
            _ => Found::None,
        }
    }
}

impl Key {
    fn read(published: Value) -> Option<Self> {
        // (Source: OpenID Federation 1.0, "Federation Historical Keys".)
        let is_revoked = published.get("revoked").is_some_and(|revoked| !revoked.is_null());
        let jwk: Jwk = serde_json::from_value(published).ok()?;
        let common = &jwk.common;
        let is_for_signing =
            common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
                && common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        if !is_for_signing {
            return None;
        }
        let algorithm = match common.key_algorithm {
            Some(named) => Some(Algorithm::try_from(named).ok().filter(|named| VERIFIED.contains(named))?),
            None => None,
        };
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Kind::Rsa,
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Kind::P256,
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => Kind::P384,
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Kind::Ed25519,
            _ => return None,
        };
        if algorithm.is_some_and(|algorithm| Kind::of(algorithm) != Some(kind)) {
            return None;
        }
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { id: jwk.common.key_id, algorithm, kind, is_revoked, key })
    }
}

impl Kind {
    /// The kind of the keys of an algorithm; none for those that nothing is verified by.
    fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 => Some(Self::Rsa),
            Algorithm::ES256 => Some(Self::P256),
            Algorithm::ES384 => Some(Self::P384),
            Algorithm::EdDSA => Some(Self::Ed25519),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::Token;

    const VECTORS: &str = include_str!("../../tests/fixtures/jose/wycheproof.json");

    #[test]
    fn wycheproof_s_key_sets_verify_what_they_should_and_nothing_else() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let mut judged = (0, 0);
        for group in vectors["groups"].as_array().unwrap() {
            let published = json!({ "keys": group["keys"] }).to_string();
            let keys = Keys::read(published.as_bytes()).unwrap();
            for test in group["tests"].as_array().unwrap() {
                let jws = test["jws"].as_str().unwrap();
                let token = Token::parse(jws);
                let algorithm = token.as_ref().map(|token| token.header.alg).ok();
                let is_taken = token.is_ok_and(|token| match keys.find(&token.header) {
                    Found::Key(key) => token.verify(key).is_ok(),
                    Found::Revoked | Found::None => false,
                });
                let is_ours = algorithm.is_some_and(|algorithm| VERIFIED.contains(&algorithm));
                let expected = test["result"] == "valid" && is_ours;
                assert_eq!(is_taken, expected, "{} {}", group["comment"], test["comment"]);
                if expected { judged.0 += 1 } else { judged.1 += 1 }
            }
        }
        assert!(judged.0 >= 17 && judged.1 >= 110, "{judged:?}");
    }

    fn keys(published: Value) -> Keys {
        Keys::read(json!({ "keys": published }).to_string().as_bytes()).unwrap()
    }

    fn header(kid: Option<&str>, algorithm: Algorithm) -> Header {
        Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) }
    }

    fn ed(kid: Option<&str>, more: Value) -> Value {
        let mut key =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let members = key.as_object_mut().unwrap();
        members.extend(kid.map(|kid| ("kid".to_owned(), json!(kid))));
        members.extend(more.as_object().unwrap().clone());
        key
    }

    #[test]
    fn a_key_is_found_by_its_id_and_is_one() {
        let two = keys(json!([ed(Some("a"), json!({})), ed(Some("b"), json!({}))]));
        assert!(matches!(two.find(&header(Some("a"), Algorithm::EdDSA)), Found::Key(_)));
        assert!(matches!(two.find(&header(Some("c"), Algorithm::EdDSA)), Found::None));
        assert!(matches!(two.find(&header(None, Algorithm::EdDSA)), Found::None), "which of the two?");
        let one = keys(json!([ed(None, json!({}))]));
        assert!(matches!(one.find(&header(None, Algorithm::EdDSA)), Found::Key(_)));
        assert!(matches!(one.find(&header(Some("a"), Algorithm::EdDSA)), Found::None));
        assert!(matches!(one.find(&header(None, Algorithm::ES256)), Found::None));
        assert!(matches!(one.find(&header(None, Algorithm::HS256)), Found::None));
        let twice = keys(json!([ed(Some("a"), json!({})), ed(Some("a"), json!({}))]));
        assert!(matches!(twice.find(&header(Some("a"), Algorithm::EdDSA)), Found::None));
    }

    #[test]
    fn what_is_revoked_is_told_from_what_is_not_there() {
        let revoked = keys(json!([ed(Some("a"), json!({ "revoked": { "revoked_at": 1 } }))]));
        assert!(matches!(revoked.find(&header(Some("a"), Algorithm::EdDSA)), Found::Revoked));
    }

    #[test]
    fn what_is_not_for_verifying_is_not_there() {
        for more in [
            json!({ "use": "enc" }),
            json!({ "use": "tls" }),
            json!({ "key_ops": ["sign"] }),
            json!({ "alg": "ES256" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "none" }),
            json!({ "kty": "oct", "k": "AAAA" }),
            json!({ "crv": "X25519" }),
            json!({ "x": "!" }),
            json!({ "x": 1 }),
        ] {
            let set = keys(json!([ed(Some("a"), more.clone())]));
            assert!(matches!(set.find(&header(Some("a"), Algorithm::EdDSA)), Found::None), "{more}");
        }
        let set = keys(json!([
            null,
            1,
            "x",
            {},
            ed(Some("a"), json!({ "use": "sig", "alg": "EdDSA", "key_ops": ["verify"] }))
        ]));
        assert!(matches!(set.find(&header(Some("a"), Algorithm::EdDSA)), Found::Key(_)));
    }

    #[test]
    fn what_is_no_set_of_keys_or_too_large_a_one_is_refused() {
        for text in ["", "{}", "[]", r#"{"keys":1}"#, r#"{"keys":{}}"#, "<html>"] {
            assert!(Keys::read(text.as_bytes()).is_err(), "{text}");
        }
        let many = vec![json!({}); KEYS_MAX + 1];
        assert!(Keys::read(json!({ "keys": many }).to_string().as_bytes()).is_err());
    }
}
