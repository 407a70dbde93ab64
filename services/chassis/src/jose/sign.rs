//! Signing, by the two algorithms that tokens of Reeve's own are signed by: RS256 and ES384.

use jsonwebtoken::crypto::JwtSigner;
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Signer};
use jsonwebtoken::{Algorithm, EncodingKey};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};

struct Signing {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Curve(Box<EcdsaKeyPair>),
}

/// What signs by `algorithm`, if the key is of its kind.
pub(super) fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    let key = match algorithm {
        Algorithm::RS256 => Key::Rsa(Box::new(rsa_key(key.as_bytes())?)),
        Algorithm::ES384 => Key::Curve(Box::new(p384_key(key.as_bytes())?)),
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    };
    Ok(Box::new(Signing { algorithm: *algorithm, key }))
}

/// An RSA key of 2048 bits or more, in PKCS#8 or in the form of RFC 8017.
pub(super) fn rsa_key(der: &[u8]) -> Result<RsaKeyPair> {
    let read = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
    read.map_err(|rejected| ErrorKind::InvalidRsaKey(rejected.to_string()).into())
}

/// A key on the curve P-384, in PKCS#8.
pub(super) fn p384_key(pkcs8: &[u8]) -> Result<EcdsaKeyPair> {
    let read = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8, &SystemRandom::new());
    read.map_err(|_| ErrorKind::InvalidEcdsaKey.into())
}

impl Signer<Vec<u8>> for Signing {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(key) => {
                let mut signed = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signed).map_err(|_| Error::new())?;
                Ok(signed)
            }
            Key::Curve(key) => {
                let signed = key.sign(&random, message).map_err(|_| Error::new())?;
                Ok(signed.as_ref().to_vec())
            }
        }
    }
}

impl JwtSigner for Signing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
