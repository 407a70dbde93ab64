//! The keys of issuers whose tokens are verified. They are fetched when a token asks for them and kept for all accounts
//! together: looked at again after some minutes beside the calls that use them, and good until their lifetime ends, however
//! long the issuer cannot be reached meanwhile. A key that is not known, or did not sign what names it, is looked for at most
//! once an interval and issuer, however many tokens ask, and those that ask at the same time wait for one answer.

mod fetch;
mod keys;

use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use quick_cache::sync::Cache;
use reeve_directory::Error;
use reeve_proto::error::v1::ErrorReason;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::jose::{self, ErrorKind, Token};
use crate::web_identity::{malformed, refused};
use fetch::{Failure, Fetcher};
use keys::{Found, Keys};

/// Issuers whose keys are kept.
const ISSUERS_MAX: usize = 4096;
/// AWS's words when a token's key cannot be had.
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements";
/// AWS's words when the issuer cannot be reached.
const UNREACHABLE: &str = "The request could not be fulfilled because the identity provider (IDP) that was asked to verify the incoming identity token could not be reached.";
/// AWS's words when the issuer does not stand by a token.
const REVOKED: &str = "The identity provider (IdP) reported that authentication failed. This might be because the claim is invalid or has been explicitly revoked.";

/// How the keys of issuers are fetched and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSettings {
    /// Authorities, besides those of the machine, that may have signed an issuer's certificate.
    pub trust_anchors: Vec<CertificateDer<'static>>,
    /// How long an issuer has for its answers, all of them together.
    pub fetch_max: Duration,
    /// Largest answer of an issuer's.
    pub answer_bytes_max: usize,
    /// How old keys are before they are looked at again, in seconds.
    pub fresh_seconds_max: i64,
    /// How old keys are that are not used any more, in seconds.
    pub lifetime_seconds_max: i64,
    /// How long nothing is asked of an issuer after it was asked, in seconds.
    pub interval_seconds_min: i64,
    /// How far a token's beginning may lie in the future, in seconds.
    pub skew_seconds_max: i64,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            trust_anchors: Vec::new(),
            fetch_max: Duration::from_secs(5),
            answer_bytes_max: 256 * 1024,
            fresh_seconds_max: 300,
            lifetime_seconds_max: 6 * 3600,
            interval_seconds_min: 10,
            skew_seconds_max: 60,
        }
    }
}

/// The authorities that a PEM file holds.
///
/// # Errors
/// It cannot be read, or holds none, or one that is none.
pub fn trust_anchors(
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, Box<dyn std::error::Error + Send + Sync>> {
    let found = CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?;
    let mut roots = RootCertStore::empty();
    for authority in &found {
        roots.add(authority.clone())?;
    }
    if found.is_empty() { Err("it holds no certificate".into()) } else { Ok(found) }
}

/// The keys of issuers.
pub struct Issuers {
    settings: IssuerSettings,
    fetcher: Arc<Fetcher>,
    known: Cache<String, Arc<Issuer>>,
}

/// What is known of one issuer.
#[derive(Default)]
struct Issuer(Mutex<State>);

#[derive(Default)]
struct State {
    keys: Option<Arc<Keys>>,
    /// When the keys were fetched, in Unix seconds.
    fetched_at: i64,
    /// When the issuer was asked last, in Unix seconds.
    asked_at: Option<i64>,
    /// What came of it, where it gave no keys.
    failure: Option<Failure>,
    /// The question that is on its way.
    asking: Option<Shared<BoxFuture<'static, ()>>>,
}

/// Why a token is not its issuer's word.
enum Unverified {
    NoKey,
    Revoked,
    By(jose::Error),
}

impl Unverified {
    /// Whether it may be otherwise once the issuer was asked: a key that is not known may be new, and so may one that goes by
    /// the id of another, or by none.
    fn may_change(&self) -> bool {
        match self {
            Self::NoKey => true,
            Self::Revoked => false,
            Self::By(error) => *error.kind() == ErrorKind::InvalidSignature,
        }
    }
}

impl Issuers {
    /// Nothing is known, and nothing asked.
    #[must_use]
    pub fn new(settings: IssuerSettings) -> Self {
        let fetcher = Arc::new(Fetcher::new(&settings));
        Self { settings, fetcher, known: Cache::new(ISSUERS_MAX) }
    }

    /// How far a token's beginning may lie in the future, in seconds.
    pub(crate) fn skew_seconds_max(&self) -> i64 {
        self.settings.skew_seconds_max
    }

    /// Verifies a token by the keys that its issuer, named by its URL, has at `now`, in Unix seconds.
    ///
    /// # Errors
    /// `InvalidIdentityToken` when none of them signed it; `IDPCommunicationError` when the issuer could not be asked for the one
    /// that it names; `IDPRejectedClaim` when the issuer has revoked that one.
    pub(crate) async fn verify(&self, url: &str, token: &Token<'_>, now: i64) -> Result<(), Error> {
        let issuer = self.issuer(url);
        let keys = self.keys(&issuer, url, now);
        let mut verified = verify_by(keys.as_deref(), token);
        if verified.as_ref().is_err_and(Unverified::may_change) {
            if let Some(answer) = self.question(&issuer, url, now) {
                answer.await;
            }
            let newer = self.keys(&issuer, url, now);
            if newer.as_ref().map(Arc::as_ptr) != keys.as_ref().map(Arc::as_ptr) {
                verified = verify_by(newer.as_deref(), token);
            }
        }
        verified.map_err(|why| match (why, &issuer.lock().failure) {
            (Unverified::Revoked, _) => Error::idp_rejected_claim(REVOKED),
            (Unverified::By(error), _) => malformed(error.kind()),
            (Unverified::NoKey, Some(Failure::Unreachable)) => unreachable_issuer(),
            (Unverified::NoKey, _) => refused(NO_KEY),
        })
    }

    fn issuer(&self, url: &str) -> Arc<Issuer> {
        match self.known.get_or_insert_with(url, || Ok::<_, Infallible>(Arc::default())) {
            Ok(issuer) => issuer,
            Err(never) => match never {},
        }
    }

    /// The keys that are known. Where they are not fresh any more the issuer is asked, and nobody waits for it: they are good
    /// for a while.
    fn keys(&self, issuer: &Arc<Issuer>, url: &str, now: i64) -> Option<Arc<Keys>> {
        let mut state = issuer.lock();
        let age = now.saturating_sub(state.fetched_at);
        let keys = state.keys.clone().filter(|_| age < self.settings.lifetime_seconds_max);
        if keys.is_some() && age >= self.settings.fresh_seconds_max && self.may_ask(&state, now) {
            drop(self.ask(&mut state, issuer, url, now));
        }
        keys
    }

    /// The question that is on its way, or a new one if the issuer may be asked.
    fn question(&self, issuer: &Arc<Issuer>, url: &str, now: i64) -> Option<Shared<BoxFuture<'static, ()>>> {
        let mut state = issuer.lock();
        if let Some(asking) = &state.asking {
            return Some(asking.clone());
        }
        self.may_ask(&state, now).then(|| self.ask(&mut state, issuer, url, now))
    }

    fn may_ask(&self, state: &State, now: i64) -> bool {
        // A clock that was set back must not close an issuer.
        let is_over =
            |asked: i64| now < asked || now >= asked.saturating_add(self.settings.interval_seconds_min);
        state.asking.is_none() && state.asked_at.is_none_or(is_over)
    }

    /// Asks the issuer, in a task of its own: whoever began it may go away, and others wait for it.
    fn ask(
        &self,
        state: &mut State,
        issuer: &Arc<Issuer>,
        url: &str,
        now: i64,
    ) -> Shared<BoxFuture<'static, ()>> {
        state.asked_at = Some(now);
        let (fetcher, url) = (Arc::clone(&self.fetcher), url.to_owned());
        let asking = Asking(Arc::clone(issuer));
        let task = tokio::spawn(async move {
            let fetched = fetcher.keys(&url).await;
            let mut state = asking.0.lock();
            match fetched {
                Ok(keys) => {
                    (state.keys, state.fetched_at, state.failure) = (Some(Arc::new(keys)), now, None);
                }
                Err(failure) => state.failure = Some(failure),
            }
        });
        let answer = async move {
            if let Err(error) = task.await {
                tracing::error!(%error, "the keys of an issuer were not fetched to the end");
            }
        };
        let answer = answer.boxed().shared();
        state.asking = Some(answer.clone());
        answer
    }
}

/// A question on its way: it ends, however it ends.
struct Asking(Arc<Issuer>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.lock().asking = None;
    }
}

impl Issuer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

fn verify_by(keys: Option<&Keys>, token: &Token<'_>) -> Result<(), Unverified> {
    match keys.map_or(Found::None, |keys| keys.find(&token.header)) {
        Found::Key(key) => token.verify(key).map_err(Unverified::By),
        Found::Revoked => Err(Unverified::Revoked),
        Found::None => Err(Unverified::NoKey),
    }
}

/// Not logged for each call: what was wrong is logged once, where it was found.
fn unreachable_issuer() -> Error {
    let mut error = Error::new(ErrorReason::IdpCommunicationError, UNREACHABLE);
    error.retry_after = Some(Duration::from_secs(1));
    error
}
