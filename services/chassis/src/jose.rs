//! JSON Web Signatures: what the `jsonwebtoken` crate knows of their form, over the cryptography that everything here is
//! built on, which is ring's. There are asymmetric algorithms and no others: a token signed by `none` or by HMAC finds
//! nothing that could verify it, whatever its key.

mod components;
mod sign;
mod verify;

use std::sync::Once;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{self, CryptoProvider};
use serde::Serialize;

pub use jsonwebtoken::errors::{Error, ErrorKind, Result};
pub use jsonwebtoken::jwk;
pub use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};

/// The algorithms that tokens are verified by.
pub const VERIFIED: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static RING: CryptoProvider = CryptoProvider {
    signer_factory: sign::signer,
    verifier_factory: verify::verifier,
    key_utils: components::KEY_UTILS,
};

/// A token in its three parts. Until its signature is verified, whatever it says may be anybody's word.
#[derive(Debug)]
pub struct Token<'t> {
    /// How it is signed, and by which key.
    pub header: Header,
    /// What it says.
    pub payload: Vec<u8>,
    /// What is signed: header and payload as they were sent.
    message: &'t str,
    signature: &'t str,
}

impl<'t> Token<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// It is none, names an algorithm that nobody knows, or asks for what is not understood here.
    pub fn parse(text: &'t str) -> Result<Self> {
        let header = jsonwebtoken::decode_header(text)?;
        // A JWT's payload is always encoded, and there is nothing else that a token may call critical. (Source: RFC 7797, 7,
        // and RFC 7515, 4.1.11.)
        if header.crit.is_some() || header.extras.inner().contains_key("b64") {
            return Err(ErrorKind::InvalidToken.into());
        }
        let (message, signature) = text.rsplit_once('.').ok_or(ErrorKind::InvalidToken)?;
        let (_, payload) = message.split_once('.').ok_or(ErrorKind::InvalidToken)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| ErrorKind::InvalidToken)?;
        Ok(Self { header, payload, message, signature })
    }

    /// Whether `key` signed it, by the algorithm that its header names. Of what it says nothing is judged: when a claim holds is
    /// asked of the call's moment, and not of the machine's clock.
    ///
    /// # Errors
    /// `InvalidSignature`; `UnsupportedAlgorithm` when nothing is verified by that algorithm; `InvalidKeyFormat` when the key is
    /// of another kind.
    pub fn verify(&self, key: &DecodingKey) -> Result<()> {
        install();
        if crypto::verify(self.signature, self.message.as_bytes(), key, self.header.alg)? {
            Ok(())
        } else {
            Err(ErrorKind::InvalidSignature.into())
        }
    }
}

/// A part of a token: base64 as tokens have it.
#[must_use]
pub fn encoded(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// A token that says `claims`, signed by `key`: a PKCS#8 document of a P-384 key, or an RSA key in either DER form.
///
/// # Errors
/// The key is not of the algorithm that the header names, or that is none that is signed by here.
pub fn encode<T: Serialize>(header: &Header, claims: &T, key: &EncodingKey) -> Result<String> {
    install();
    jsonwebtoken::encode(header, claims, key)
}

/// The public half of a signing key, to be published.
///
/// # Errors
/// The key is not of the algorithm.
pub fn public_key(key: &EncodingKey, algorithm: Algorithm) -> Result<jwk::Jwk> {
    install();
    jwk::Jwk::from_encoding_key(key, algorithm)
}

/// The crate asks one provider for the whole process.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails only where somebody has put in a provider before, and nobody else does.
        let _ = RING.install_default();
    });
}

#[cfg(test)]
mod tests;
