//! Tokens by which principals prove to others who they are, and what makes them good there: issuers, one an account, and the
//! keys of the server that sign for all of them. Whoever checks a token finds its issuer's key set over plain HTTP, so what
//! an issuer publishes is kept for as long as somebody may rely on it.

mod document;
mod issuer;
mod key;
mod keys;
mod rotation;

use std::sync::Arc;

use reeve_directory::record::OutboundFederationRecord;
use reeve_directory::{Error, signing_key};
use serde::Serialize;

pub use issuer::{IssuerUrl, OutboundIssuers, SigningKeySettings};
pub use key::SigningAlgorithm;
pub use rotation::{OVERLAP_SECONDS_MIN, keep_rotating, replace, rotate};

pub(crate) use document::find as find_document;

use crate::call::Call;
use crate::jose;

/// How long a key set may be kept by whoever fetched it, in seconds.
pub const KEY_SET_SECONDS_MAX: i64 = 3_600;
/// How long a token lasts at most, in seconds. (Source: GetWebIdentityToken in the STS API reference.)
pub const TOKEN_SECONDS_MAX: i64 = 3_600;
/// How far the clocks of those who check tokens may be behind, in seconds: what has expired here has expired there by then.
pub const CLOCK_SECONDS_MAX: i64 = 300;

/// The issuer URL of an account.
///
/// # Errors
/// `InvalidInput` where nobody has said at which URL the server is found.
pub fn issuer(call: &Call<'_>, federation: &OutboundFederationRecord) -> Result<String, Error> {
    call.environment.outbound.url(&federation.issuer_id)
}

/// Sees to it that there are keys to sign with: the first account that is enabled has them made.
///
/// # Errors
/// The store fails, or no key can be made.
pub async fn provide_keys(call: &mut Call<'_>) -> Result<(), Error> {
    let mut record = signing_key::get(call.transaction).await?;
    let missing = SigningAlgorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_among(&record.keys));
    let missing: Vec<_> = missing.map(|algorithm| (algorithm, call.now)).collect();
    if !missing.is_empty() {
        let new = keys::drawn(call.environment, &record.keys, &missing, call.now).await?;
        record.keys.extend(new);
        signing_key::put(call.transaction, &record).await?;
    }
    Ok(())
}

/// What signs tokens at the moment of a call.
pub struct Signer {
    keys: Arc<keys::Keys>,
    algorithm: SigningAlgorithm,
    now: i64,
}

/// What signs by `algorithm` at the moment of the call.
///
/// # Errors
/// The store fails, or a key does not open.
pub async fn signer(call: &mut Call<'_>, algorithm: SigningAlgorithm) -> Result<Signer, Error> {
    let keys = keys::current(call.environment, call.transaction).await?;
    Ok(Signer { keys, algorithm, now: call.now })
}

impl Signer {
    /// A token that says `claims`.
    ///
    /// # Errors
    /// There is no key, which is a fault of ours.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        let name = self.algorithm.name();
        let fault = |what: String| Error::internal_failure(format!("signing a token by {name}: {what}"));
        let key = self.keys.signing(self.algorithm, self.now).ok_or_else(|| fault("no key".to_owned()))?;
        let header =
            jose::Header { kid: Some(key.id.clone()), ..jose::Header::new(self.algorithm.of_jose()) };
        jose::encode(&header, claims, &key.signs).map_err(|error| fault(error.to_string()))
    }
}
