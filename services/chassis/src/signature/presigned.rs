//! A signature in the query of a request, which makes a URL that whoever holds it may use until it expires.

use std::borrow::Cow;

use super::authorization::{Authorization, incomplete};
use super::{ALGORITHM, SignatureError, uri};

/// The parameter that is no part of what it signs.
pub(super) const SIGNATURE: &str = "X-Amz-Signature";
const NAME_ALGORITHM: &str = "X-Amz-Algorithm";
const CREDENTIAL: &str = "X-Amz-Credential";
const DATE: &str = "X-Amz-Date";
const SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
const EXPIRES: &str = "X-Amz-Expires";
pub(super) const SECURITY_TOKEN: &str = "X-Amz-Security-Token";
/// The longest that a URL may hold: seven days.
const EXPIRES_SECONDS_MAX: u32 = 7 * 24 * 60 * 60;

/// What a query says beside the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Presigned<'a> {
    pub(super) stamp: Cow<'a, str>,
    /// Seconds from the date on; the skew that headers have, when it does not say.
    pub(super) expires: Option<u32>,
    pub(super) token: Option<Cow<'a, str>>,
}

/// Whether a query has a signature, or a part of one.
pub(super) fn is_in(query: &str) -> bool {
    !query.is_empty()
        && pairs(query)
            .any(|(name, _)| matches!(&*uri::decoded(name), NAME_ALGORITHM | SIGNATURE | CREDENTIAL))
}

/// Reads the signature in a query.
pub(super) fn parse(query: &str) -> Result<Authorization<'_>, SignatureError> {
    let mut places: [(&str, Option<Cow<'_, str>>); 7] =
        [NAME_ALGORITHM, CREDENTIAL, SIGNATURE, SIGNED_HEADERS, DATE, EXPIRES, SECURITY_TOKEN]
            .map(|name| (name, None));
    for (name, value) in pairs(query) {
        let name = uri::decoded(name);
        let Some((_, place)) = places.iter_mut().find(|(known, _)| *known == name) else { continue };
        if place.replace(uri::decoded(value)).is_some() {
            return Err(SignatureError::Incomplete(format!(
                "The query parameter '{name}' must stand only once."
            )));
        }
    }
    let lacking: Vec<String> = places
        .iter()
        .filter(|(name, value)| {
            value.is_none() && !matches!(*name, NAME_ALGORITHM | EXPIRES | SECURITY_TOKEN)
        })
        .map(|(name, _)| format!("AWS query-string parameters must include '{name}'."))
        .collect();
    let [
        (_, algorithm),
        (_, credential),
        (_, signature),
        (_, signed_headers),
        (_, stamp),
        (_, expires),
        (_, token),
    ] = places;
    if algorithm.as_deref() != Some(ALGORITHM) {
        // What another algorithm signed counts as not signed. (Source: what AWS was seen to answer.)
        return Err(SignatureError::Missing);
    }
    let (Some(credential), Some(signature), Some(signed_headers), Some(stamp)) =
        (credential, signature, signed_headers, stamp)
    else {
        let message = format!("{} Re-examine the query-string parameters.", lacking.join(" "));
        return Err(SignatureError::Incomplete(message));
    };
    let expires = expires.as_deref().map(seconds).transpose()?;
    let presigned = Box::new(Presigned { stamp, expires, token });
    Authorization::of(credential, signed_headers, &signature, Some(presigned))
}

fn seconds(text: &str) -> Result<u32, SignatureError> {
    let seconds: i64 = text.parse().map_err(|_| incomplete("X-Amz-Expires should be a number."))?;
    let seconds = u32::try_from(seconds);
    seconds.ok().filter(|seconds| *seconds <= EXPIRES_SECONDS_MAX).ok_or_else(|| {
        incomplete(
            "X-Amz-Expires must be non-negative and at most a week (in seconds); that is, at most 604800 seconds.",
        )
    })
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').map(|piece| piece.split_once('=').unwrap_or((piece, "")))
}
