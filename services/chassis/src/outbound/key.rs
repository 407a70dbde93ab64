//! A key that signs tokens: how it is made, sealed for the store, and opened again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_directory::record::SigningKeyRecord;
use reeve_directory::{Error, Random as _};
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use rsa::pkcs8::EncodePrivateKey as _;
use zeroize::Zeroizing;

use crate::call::sealing;
use crate::environment::Environment;
use crate::jose::{self, jwk};
use crate::random::SystemRandom;
use crate::seal::{Keyring, Purpose};

/// Bits of an RSA key's modulus.
const RSA_BITS: usize = 2_048;
/// Bytes that make a key's id unlike all others.
const KEY_ID_BYTES: usize = 16;

/// What tokens are signed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl SigningAlgorithm {
    /// All there are.
    pub(super) const ALL: [Self; 2] = [Self::Es384, Self::Rs256];

    /// The algorithm of a name, as a JWS header has it.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Its name, as a JWS header has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) fn of_jose(self) -> jose::Algorithm {
        match self {
            Self::Es384 => jose::Algorithm::ES384,
            Self::Rs256 => jose::Algorithm::RS256,
        }
    }

    /// Whether one of `keys` is its.
    pub(super) fn is_among(self, keys: &[SigningKeyRecord]) -> bool {
        keys.iter().any(|key| key.algorithm == self.name())
    }
}

/// A key, opened.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) signs_from: i64,
    pub(super) signs: jose::EncodingKey,
    /// Its public half, as it is published.
    pub(super) published: jwk::Jwk,
}

impl Key {
    /// Opens a stored key.
    pub(super) fn open(keyring: &Keyring, record: &SigningKeyRecord) -> Result<Self, Error> {
        let fault = |what: String| Error::internal_failure(format!("signing key {}: {what}", record.key_id));
        let algorithm = SigningAlgorithm::of(&record.algorithm)
            .ok_or_else(|| fault(format!("{} is no algorithm", record.algorithm)))?;
        let der = keyring
            .open(Purpose::SigningKey, &bound(algorithm, &record.key_id), &record.sealed_key)
            .map_err(|error| fault(error.to_string()))?;
        let signs = match algorithm {
            SigningAlgorithm::Es384 => jose::EncodingKey::from_ec_der(&der),
            SigningAlgorithm::Rs256 => jose::EncodingKey::from_rsa_der(&der),
        };
        let mut published =
            jose::public_key(&signs, algorithm.of_jose()).map_err(|error| fault(error.to_string()))?;
        published.common.key_id = Some(record.key_id.clone());
        published.common.public_key_use = Some(jwk::PublicKeyUse::Signature);
        Ok(Self { id: record.key_id.clone(), algorithm, signs_from: record.signs_from, signs, published })
    }
}

/// Makes a key, sealed, that is published and signs when whoever stores it says so. Making one takes long, of RSA above
/// all: no worker waits for it.
pub(super) async fn make(
    environment: &Environment,
    algorithm: SigningAlgorithm,
) -> Result<SigningKeyRecord, Error> {
    let der = tokio::task::spawn_blocking(move || generate(algorithm))
        .await
        .map_err(|error| Error::internal_failure(format!("making a signing key: {error}")))??;
    let mut random = SystemRandom::new();
    let mut id = [0; KEY_ID_BYTES];
    random.fill(&mut id);
    let key_id = URL_SAFE_NO_PAD.encode(id);
    let sealed_key = environment
        .keyring
        .seal(Purpose::SigningKey, &bound(algorithm, &key_id), &der, &mut random)
        .map_err(sealing)?;
    let algorithm = algorithm.name().to_owned();
    Ok(SigningKeyRecord { key_id, algorithm, sealed_key, ..SigningKeyRecord::default() })
}

/// A private key in PKCS#8. RSA keys are made by the `rsa` crate, because ring makes none; they are used by ring alone.
fn generate(algorithm: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |error: String| Error::internal_failure(format!("making a signing key: {error}"));
    match algorithm {
        SigningAlgorithm::Es384 => {
            let random = ring::rand::SystemRandom::new();
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random)
                .map_err(|error| failed(error.to_string()))?;
            Ok(Zeroizing::new(made.as_ref().to_vec()))
        }
        SigningAlgorithm::Rs256 => {
            let key = rsa::PrivateKey::new(&mut SystemRandom::new(), RSA_BITS)
                .map_err(|error| failed(error.to_string()))?;
            let made = key.to_pkcs8_der().map_err(|error| failed(error.to_string()))?;
            Ok(made.to_bytes())
        }
    }
}

/// What a sealed key is bound to: it opens as no other key, and for no other algorithm.
fn bound(algorithm: SigningAlgorithm, key_id: &str) -> Vec<u8> {
    format!("{} {key_id}", algorithm.name()).into_bytes()
}
