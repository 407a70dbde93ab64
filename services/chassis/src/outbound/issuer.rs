//! Where issuers lie: under one URL, at which the server is found from outside.

use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use http::uri::Scheme;
use reeve_directory::Error;
use reeve_directory::record::SigningKeyRecord;

use super::keys::Keys;

/// Longest URL under which issuers lie: with an issuer's id it is no longer than an OpenID provider's may be.
const URL_BYTES_MAX: usize = 200;
/// Characters of an issuer's id.
pub(super) const ISSUER_ID_CHARS: usize = 32;

/// How the keys that sign tokens follow one another.
#[derive(Clone, Debug)]
pub struct SigningKeySettings {
    /// How long a key signs, in seconds.
    pub key_age_seconds_max: i64,
    /// How long a key is published before it signs, and how long after it has ceased to, in seconds.
    pub key_overlap_seconds: i64,
}

impl Default for SigningKeySettings {
    fn default() -> Self {
        Self { key_age_seconds_max: 90 * 24 * 3_600, key_overlap_seconds: 24 * 3_600 }
    }
}

/// The URL under which the issuers of all accounts lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerUrl {
    /// Without a slash at its end.
    url: String,
    /// Where its path begins.
    path_at: usize,
}

impl IssuerUrl {
    /// Reads a URL: of https, or of http on the very machine, without query, fragment, user or a slash at its end.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let refused = "issuer_url is an https URL of at most 200 bytes, without query, fragment, user or a slash at its end; \
                       http is for the loopback alone";
        let uri: Uri = url.parse().map_err(|_| refused)?;
        let authority = uri.authority().ok_or(refused)?;
        let host = uri.host().unwrap_or_default();
        let is_here = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let is_safe = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => is_here,
            _ => false,
        };
        let is_plain = url.len() <= URL_BYTES_MAX
            && !url.ends_with('/')
            && !url.contains(['?', '#', '%'])
            && !url.contains("/.well-known")
            && !authority.as_str().contains('@');
        if !is_safe || !is_plain {
            return Err(refused);
        }
        let path_at = url.len() - uri.path().trim_end_matches('/').len();
        Ok(Self { url: url.to_owned(), path_at })
    }

    /// The issuer of an id.
    pub(super) fn of(&self, issuer_id: &str) -> String {
        format!("{}/{issuer_id}", self.url)
    }

    /// The id of the issuer, and what is asked of it, where a path leads to one.
    pub(super) fn asked<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        let below = path.strip_prefix(self.url.get(self.path_at..)?)?.strip_prefix('/')?;
        let (issuer_id, rest) = below.split_at_checked(ISSUER_ID_CHARS)?;
        let is_id = issuer_id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        is_id.then_some((issuer_id, rest))
    }
}

/// The issuers of a server, and the keys that sign for them.
#[derive(Default)]
pub struct OutboundIssuers {
    /// None where the server is not told at which URL it is found.
    url: Option<IssuerUrl>,
    pub(super) settings: SigningKeySettings,
    /// The keys as they were last read.
    pub(super) read: Mutex<Option<Arc<Keys>>>,
    /// Keys that were made and are not stored yet: a call that is run again makes no others.
    pub(super) made: tokio::sync::Mutex<Vec<SigningKeyRecord>>,
}

impl OutboundIssuers {
    /// OutboundIssuers under `url`.
    #[must_use]
    pub fn new(url: Option<IssuerUrl>, settings: SigningKeySettings) -> Self {
        Self { url, settings, ..Self::default() }
    }

    /// The URL of an issuer.
    ///
    /// # Errors
    /// `InvalidInput` where nobody has said at which URL the server is found.
    pub(super) fn url(&self, issuer_id: &str) -> Result<String, Error> {
        match &self.url {
            Some(url) => Ok(url.of(issuer_id)),
            None => Err(Error::invalid_input(
                "The server has no URL under which others could verify tokens: its operator has to set issuer_url.",
            )),
        }
    }

    /// The id of the issuer, and what is asked of it, where a path leads to one.
    pub(super) fn asked<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        self.url.as_ref()?.asked(path)
    }

    /// The keys as they were last read.
    pub(super) fn last_read(&self) -> Option<Arc<Keys>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep(&self, keys: &Arc<Keys>) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(keys));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_lie_under_https_or_on_the_loopback() {
        for url in [
            "https://id.example.com",
            "https://id.example.com:8443/reeve",
            "http://127.0.0.1:7443",
            "http://localhost",
            "http://[::1]:7443/a/b",
        ] {
            let parsed = IssuerUrl::parse(url).unwrap();
            let id = "0123456789abcdef0123456789abcdef";
            let issuer = parsed.of(id);
            assert_eq!(issuer, format!("{url}/{id}"));
            let path = issuer.parse::<Uri>().unwrap().path().to_owned() + "/.well-known/jwks.json";
            assert_eq!(parsed.asked(&path), Some((id, "/.well-known/jwks.json")), "{url}");
        }
        for url in [
            "",
            "id.example.com",
            "/reeve",
            "http://id.example.com",
            "http://10.0.0.1",
            "ftp://id.example.com",
            "https://id.example.com/",
            "https://id.example.com/a/",
            "https://id.example.com?a",
            "https://id.example.com/#a",
            "https://id.example.com/%61",
            "https://me@id.example.com",
            "https://id.example.com/.well-known/a",
            "https://",
            &format!("https://id.example.com/{}", "a".repeat(200)),
        ] {
            assert!(IssuerUrl::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_path_that_leads_to_no_issuer_asks_nothing() {
        let url = IssuerUrl::parse("https://id.example.com/reeve").unwrap();
        for path in [
            "",
            "/",
            "/reeve",
            "/reeve/",
            "/reeve/0123456789abcdef0123456789abcde",
            "/reeve/0123456789ABCDEF0123456789ABCDEF/x",
            "/other/0123456789abcdef0123456789abcdef/x",
            "/0123456789abcdef0123456789abcdef/x",
            "/reevé/0123456789abcdef0123456789abcdef/x",
            "/reeve/ééééééééééééééééééééééééééééééééé",
        ] {
            assert_eq!(url.asked(path), None, "{path}");
        }
    }
}
