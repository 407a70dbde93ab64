//! Asks issuers for their keys: discovery, and then what it points at, over HTTPS and nothing else. An issuer is somebody
//! else's machine: it has so much time and so many bytes, is not followed anywhere, and is believed only what it says of itself.
//! (Source: OpenID Connect Discovery 1.0.)

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::IssuerSettings;
use super::keys::Keys;
use crate::clock;

/// Where discovery lies, after the issuer's URL.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Longest address of an issuer's keys.
const ADDRESS_BYTES_MAX: usize = 2048;

type HttpsClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The issuer could not be asked, or did not answer in time and size.
    Unreachable,
    /// What it answered is not what an issuer does.
    Wrong,
}

/// What an issuer says of itself.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Asks issuers.
pub(super) struct Fetcher {
    trust_anchors: Vec<CertificateDer<'static>>,
    fetch_max: Duration,
    answer_bytes_max: usize,
    /// Made when it is first needed: reading the machine's authorities takes a while.
    client: OnceLock<HttpsClient>,
}

impl Fetcher {
    pub(super) fn new(settings: &IssuerSettings) -> Self {
        Self {
            trust_anchors: settings.trust_anchors.clone(),
            fetch_max: settings.fetch_max,
            answer_bytes_max: settings.answer_bytes_max,
            client: OnceLock::new(),
        }
    }

    /// The keys of the issuer of this URL. What is wrong is logged here, once for all calls that wait.
    pub(super) async fn keys(&self, url: &str) -> Result<Keys, Failure> {
        let asked = clock::by(Instant::now() + self.fetch_max, pin!(self.ask(url))).await;
        let (failure, detail) = match asked {
            Ok(Ok(keys)) => return Ok(keys),
            Ok(Err(wrong)) => wrong,
            Err(_) => (Failure::Unreachable, format!("no answer within {:?}", self.fetch_max)),
        };
        tracing::warn!(issuer = url, detail, "an issuer gave no keys");
        Err(failure)
    }

    async fn ask(&self, url: &str) -> Result<Keys, (Failure, String)> {
        let wrong = |detail: String| (Failure::Wrong, detail);
        let address = [url.strip_suffix('/').unwrap_or(url), DISCOVERY].concat();
        let answer = self.get(&address).await?;
        let discovery: Discovery = serde_json::from_slice(&answer)
            .map_err(|error| wrong(format!("its discovery is not one: {error}")))?;
        if discovery.issuer != url {
            // What it says instead is anybody's text.
            return Err(wrong("its discovery is another issuer's".to_owned()));
        }
        if discovery.jwks_uri.len() > ADDRESS_BYTES_MAX {
            return Err(wrong("the address of its keys is too long".to_owned()));
        }
        Keys::read(&self.get(&discovery.jwks_uri).await?).map_err(wrong)
    }

    async fn get(&self, address: &str) -> Result<Bytes, (Failure, String)> {
        let unreachable = |detail: String| (Failure::Unreachable, detail);
        let uri = Uri::try_from(address)
            .ok()
            .filter(|uri| uri.scheme_str() == Some("https"))
            .filter(|uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@')))
            .ok_or_else(|| (Failure::Wrong, "an address of its is no HTTPS URL".to_owned()))?;
        let request = Request::get(uri)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, "reeve")
            .body(Empty::new())
            .map_err(|error| unreachable(error.to_string()))?;
        let response =
            self.client().request(request).await.map_err(|error| unreachable(with_sources(&error)))?;
        if response.status() != StatusCode::OK {
            // A redirection is no answer: who follows it asks whom the issuer likes.
            let again =
                response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS;
            let failure = if again { Failure::Unreachable } else { Failure::Wrong };
            return Err((failure, format!("it answered {}", response.status())));
        }
        let body = Limited::new(response.into_body(), self.answer_bytes_max);
        match body.collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) => Err(unreachable(error.to_string())),
        }
    }

    fn client(&self) -> &HttpsClient {
        self.client.get_or_init(|| {
            let config = ClientConfig::builder().with_root_certificates(self.roots()).with_no_client_auth();
            let connector =
                HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
            // An issuer is asked twice in some minutes: no connection is worth keeping.
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
        })
    }

    /// The machine's authorities, and those that the operator adds.
    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in found.errors {
            tracing::warn!(%error, "authorities of the machine could not be read");
        }
        roots.add_parsable_certificates(found.certs);
        roots.add_parsable_certificates(self.trust_anchors.iter().cloned());
        if roots.is_empty() {
            tracing::warn!("there are no authorities: no issuer can be asked for its keys");
        }
        roots
    }
}

/// An error with those behind it, which say what it was.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
