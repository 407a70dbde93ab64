//! Signature Version 4 over gRPC metadata: who signed a call, and whether every byte of it that matters is what was signed.
//!
//! The canonical request is `POST`, the method's path, an empty query, the signed headers and the hash of the one
//! uncompressed message. The host is always signed under the name `host`, with `:authority` as its value; every
//! `x-amz-*` and `reeve-*` header that is present is signed, so nothing that Reeve acts on can be added on the way.
//! (Source: "AWS Signature Version 4 for API requests" of the IAM User Guide; the words of the refusals are AWS's.)

mod canonical;
mod header;
mod key;
mod sign;

use http::HeaderMap;
use reeve_directory::Error;
use ring::digest;

pub(crate) use header::Authorization;
pub(crate) use key::SigningKey;
pub(crate) use sign::{Call, Credentials, sign};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const DATE: &str = "x-amz-date";
const CONTENT_HASH: &str = "x-amz-content-sha256";
const SECURITY_TOKEN: &str = "x-amz-security-token";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// A call as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedRequest<'a> {
    /// The HTTP method; gRPC's is `POST`.
    pub(crate) method: &'a str,
    /// The path as it was sent: of a gRPC call `/reeve.iam.v1.UserService/CreateUser`.
    pub(crate) path: &'a str,
    /// The query as it was sent, without its question mark; empty when there is none.
    pub(crate) query: &'a str,
    /// The value of `:authority`, or of `host` where the protocol has no other.
    pub(crate) authority: &'a str,
    /// Every header of the call, pseudo-headers apart.
    pub(crate) headers: &'a HeaderMap,
    /// The body; of a gRPC call the one message, uncompressed and without its length prefix.
    pub(crate) payload: &'a [u8],
}

/// What a door accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// Seconds that the signature's date may lie before or after the server's.
    pub(crate) skew_seconds_max: u32,
    /// The service that the scope must name, for example `iam`.
    pub(crate) service: &'a str,
    /// `UNSIGNED-PAYLOAD` is accepted. Never for writes or STS: a captured header would authorize any body.
    pub(crate) unsigned_payload_allowed: bool,
}

/// Why a signature is refused, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    /// There is no `authorization`.
    #[error("Request is missing Authentication Token")]
    Missing,
    /// The metadata is not of the form that Signature Version 4 has.
    #[error("{0}")]
    Incomplete(String),
    /// Well-formed, but not for this door or not for now.
    #[error("{0}")]
    Refused(String),
    /// Not the signature that the secret gives.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl From<SignatureError> for Error {
    /// AWS answers a date outside the skew with `SignatureDoesNotMatch` too.
    fn from(error: SignatureError) -> Self {
        let message = error.to_string();
        match error {
            SignatureError::Missing => Error::missing_authentication_token(message),
            SignatureError::Incomplete(_) => Error::incomplete_signature(message),
            SignatureError::Refused(_) | SignatureError::Mismatch => Error::signature_does_not_match(message),
        }
    }
}

impl Authorization<'_> {
    /// Whether `request` is what the holder of `key`'s secret signed, for here and now. Signatures compare in constant time.
    pub(crate) fn verify(
        &self,
        key: &SigningKey,
        request: &SignedRequest<'_>,
        now_unix: i64,
        rules: &Rules<'_>,
    ) -> Result<(), SignatureError> {
        self.check_scope(rules)?;
        let stamp = self.check_date(request.headers, now_unix, rules.skew_seconds_max)?;
        self.check_coverage(request)?;
        let payload_hash = check_payload(request, rules.unsigned_payload_allowed)?;
        let canonical = canonical::Request {
            method: request.method,
            path: request.path,
            query: request.query,
            host: request.authority,
            headers: request.headers,
            signed_headers: self.signed_headers(),
            payload_hash,
        };
        // A header that was signed and is not here was taken away: what was signed is not what came.
        let text = canonical.text().ok_or(SignatureError::Mismatch)?;
        let to_sign = canonical::string_to_sign(stamp, &self.scope(), &text);
        if key.is_signature(to_sign.as_bytes(), self.signature()) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    fn check_scope(&self, rules: &Rules<'_>) -> Result<(), SignatureError> {
        if self.service() != rules.service {
            return Err(SignatureError::Refused(format!(
                "Credential should be scoped to correct service: '{}'.",
                rules.service
            )));
        }
        Ok(())
    }

    /// The text of `x-amz-date`, which must be of the scope's day and of now.
    fn check_date<'h>(
        &self,
        headers: &'h HeaderMap,
        now_unix: i64,
        skew_seconds_max: u32,
    ) -> Result<&'h str, SignatureError> {
        let stamp = header::single(headers, DATE)?.ok_or_else(|| {
            SignatureError::Incomplete(
                "Authorization header requires existence of a 'X-Amz-Date' header.".to_owned(),
            )
        })?;
        let signed_at = header::unix_of(stamp).ok_or_else(|| {
            SignatureError::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'.",
                header::quoted(stamp)
            ))
        })?;
        if !stamp.starts_with(self.date()) {
            return Err(SignatureError::Refused(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{stamp}'.",
                self.date(),
                stamp.get(..8).unwrap_or_default(),
            )));
        }
        let skew = i64::from(skew_seconds_max);
        if signed_at < now_unix.saturating_sub(skew) {
            return Err(SignatureError::Refused(format!(
                "Signature expired: {stamp} is now earlier than {} ({} - {})",
                header::stamp_of(now_unix.saturating_sub(skew)),
                header::stamp_of(now_unix),
                header::span(skew_seconds_max),
            )));
        }
        if signed_at > now_unix.saturating_add(skew) {
            return Err(SignatureError::Refused(format!(
                "Signature not yet current: {stamp} is still later than {} ({} + {})",
                header::stamp_of(now_unix.saturating_add(skew)),
                header::stamp_of(now_unix),
                header::span(skew_seconds_max),
            )));
        }
        Ok(stamp)
    }

    /// The host and every header that Reeve acts on are among the signed ones.
    fn check_coverage(&self, request: &SignedRequest<'_>) -> Result<(), SignatureError> {
        if !self.signs("host") {
            return Err(SignatureError::Incomplete(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
            ));
        }
        if header::single(request.headers, "host")?.is_some_and(|host| host != request.authority) {
            return Err(SignatureError::Refused("'Host' differs from ':authority'.".to_owned()));
        }
        // A second value would leave it open which of the two is acted on.
        header::at_most_one(request.headers, SECURITY_TOKEN)?;
        for name in request.headers.keys().map(http::HeaderName::as_str) {
            if must_be_signed(name) && !self.signs(name) {
                return Err(SignatureError::Refused(format!(
                    "There were headers present in the request which were not signed: {}",
                    header::quoted(name)
                )));
            }
        }
        Ok(())
    }
}

/// The payload hash as it stands in the canonical request, once it is known to be the payload's.
fn check_payload<'a>(
    request: &SignedRequest<'a>,
    unsigned_payload_allowed: bool,
) -> Result<&'a str, SignatureError> {
    let stated = header::single(request.headers, CONTENT_HASH)?.ok_or_else(|| {
        SignatureError::Incomplete(
            "Authorization header requires existence of a 'X-Amz-Content-SHA256' header.".to_owned(),
        )
    })?;
    if stated == UNSIGNED_PAYLOAD {
        return if unsigned_payload_allowed {
            Ok(stated)
        } else {
            Err(SignatureError::Refused("UNSIGNED-PAYLOAD is not accepted here.".to_owned()))
        };
    }
    let hash = digest::digest(&digest::SHA256, request.payload);
    let stated_hash = key::bytes_of_hex(stated).ok_or_else(|| {
        SignatureError::Incomplete(
            "X-Amz-Content-SHA256 must be the lower-case hexadecimal SHA-256 of the message.".to_owned(),
        )
    })?;
    if hash.as_ref() == stated_hash {
        Ok(stated)
    } else {
        Err(SignatureError::Refused(
            "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned(),
        ))
    }
}

/// Headers that Reeve acts on. Names in a `HeaderMap` are lower-case.
fn must_be_signed(name: &str) -> bool {
    name.starts_with("x-amz-") || name.starts_with("reeve-")
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
