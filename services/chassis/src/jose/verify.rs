//! Verifying: which of ring's algorithms a name means, and of which kind its key has to be.

use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

struct Verifying {
    algorithm: Algorithm,
    by: By,
    key: DecodingKey,
}

enum By {
    Rsa(&'static RsaParameters),
    Curve(&'static dyn VerificationAlgorithm),
}

/// What verifies by `algorithm`, if the key is of its kind.
pub(super) fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let by = match algorithm {
        Algorithm::RS256 => By::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => By::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => By::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::ES256 => By::Curve(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => By::Curve(&ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => By::Curve(&ED25519),
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    };
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(Verifying { algorithm: *algorithm, by, key: key.clone() }))
}

impl Verifier<Vec<u8>> for Verifying {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match (&self.by, self.key.kind()) {
            (By::Rsa(by), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(by, message, signature)
            }
            (By::Rsa(by), DecodingKeyKind::SecretOrDer(key)) => {
                UnparsedPublicKey::new(*by, key).verify(message, signature)
            }
            (By::Curve(by), DecodingKeyKind::SecretOrDer(key)) => {
                UnparsedPublicKey::new(*by, key).verify(message, signature)
            }
            (By::Curve(_), DecodingKeyKind::RsaModulusExponent { .. }) => Err(ring::error::Unspecified),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for Verifying {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
