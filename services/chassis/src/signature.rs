//! Signature Version 4: who signed a call, and whether every byte of it that matters is what was signed. One verifier for
//! every protocol.
//!
//! Over gRPC the canonical request is `POST`, the method's path, an empty query, the signed headers and the hash of the one
//! uncompressed message; over HTTP it is the request's own method, path, query and body. The host is always signed under
//! the name `host`, with `:authority` as its value where the protocol has that; every `x-amz-*` and `reeve-*` header that
//! is present is signed, so nothing that Reeve acts on can be added on the way. What is wrong is told in the order in
//! which AWS tells it.
//! (Source: "AWS Signature Version 4 for API requests" of the IAM User Guide, and for the order "AWS Auth Error Ordering"
//! of scratchstack-aws-signature; the words of the refusals are AWS's.)

mod authorization;
mod canonical;
mod header;
mod key;
mod presigned;
mod sign;
mod uri;

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use reeve_directory::Error;
use ring::digest;

pub use authorization::{Authorization, Scope};
use header::Stated;
pub use key::SigningKey;
pub(crate) use key::{SigningSecret, signing_secret};
pub(crate) use sign::{Call, Credentials, sign};
pub use uri::PathForm;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
/// The headers of a signature's own.
mod names {
    pub(super) const DATE: &str = "x-amz-date";
    pub(super) const CONTENT_HASH: &str = "x-amz-content-sha256";
    pub(super) const SECURITY_TOKEN: &str = "x-amz-security-token";
}
// Ready for look-ups: a text is checked and folded at each of them.
static SECURITY_TOKEN: HeaderName = HeaderName::from_static(names::SECURITY_TOKEN);
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// A call as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// The HTTP method; gRPC's is `POST`.
    pub method: &'a str,
    /// The path as it was sent: of a gRPC call `/reeve.iam.v1.UserService/CreateUser`.
    pub path: &'a str,
    /// The query as it was sent, without its question mark; empty when there is none.
    pub query: &'a str,
    /// The value of `:authority`, or of `host` where the protocol has no other.
    pub authority: &'a str,
    /// Every header of the call, pseudo-headers apart.
    pub headers: &'a HeaderMap,
    /// What was sent.
    pub payload: Payload<'a>,
}

/// The body of a call.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The body; of a gRPC call the one message, uncompressed and without its length prefix.
    Received(&'a [u8]),
    /// It is on its way: what the request states of it must be there, and counts until it is here.
    Awaited,
    /// What stands for it in the canonical request, told by the service that received it: its hash in hexadecimal, or the
    /// word that says that it is not signed, or signed in pieces.
    Told(&'a str),
}

/// What a door accepts.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Seconds that the signature's date may lie before or after the server's.
    pub skew_seconds_max: u32,
    /// The service that the scope must name, for example `iam`.
    pub service: &'a str,
    /// The only region that the scope may name; any when there is none.
    pub region: Option<&'a str>,
    /// How the path is made canonical.
    pub path_form: PathForm,
    /// The payload's hash must be stated in a header; otherwise it may be.
    pub stated_hash_required: bool,
    /// The token of temporary credentials may have been added after signing: it is sealed, and names the key that signed.
    pub unsigned_token_allowed: bool,
    /// `UNSIGNED-PAYLOAD` is accepted. Never for writes or STS: a captured header would authorize any body.
    pub unsigned_payload_allowed: bool,
}

/// A signature of which nothing is left to be proved but that its secret made it.
#[derive(Debug)]
pub struct Checked<'a> {
    authorization: &'a Authorization<'a>,
    request: SignedRequest<'a>,
    /// In their canonical form.
    path: Cow<'a, str>,
    query: Cow<'a, str>,
    scope: Scope<'a>,
    stamp: &'a str,
    payload_hash: Cow<'a, str>,
}

/// Why a signature is refused, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
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

impl<'a> Authorization<'a> {
    /// Whether what the signature says of itself is for here and now, and covers all of `request` that Reeve acts on.
    pub fn check<'r>(
        &'r self,
        request: &SignedRequest<'r>,
        now_unix: i64,
        rules: &Rules<'_>,
    ) -> Result<Checked<'r>, SignatureError>
    where
        'a: 'r,
    {
        if !self.signs("host") {
            return Err(SignatureError::Refused(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
            ));
        }
        let stated = Stated::of(request.headers);
        let stamp = self.stamp(&stated)?;
        self.check_date(stamp, now_unix, rules.skew_seconds_max)?;
        let scope = self.scope()?;
        check_scope(&scope, stamp, rules)?;
        self.check_coverage(request, &stated, rules)?;
        let payload_hash = check_payload(request, &stated, rules)?;
        let path = uri::path(request.path, rules.path_form);
        let query = uri::query(request.query, rules.unsigned_token_allowed);
        Ok(Checked { authorization: self, request: *request, path, query, scope, stamp, payload_hash })
    }

    /// The date of the signature is one, and of now: within the skew, or before a presigned URL expires.
    fn check_date(&self, stamp: &str, now_unix: i64, skew_seconds_max: u32) -> Result<(), SignatureError> {
        let signed_at = header::unix_of(stamp).ok_or_else(|| {
            SignatureError::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'.",
                header::quoted(stamp)
            ))
        })?;
        let expires =
            self.presigned.as_ref().and_then(|presigned| presigned.expires).unwrap_or(skew_seconds_max);
        let oldest = now_unix.saturating_sub(expires.into());
        if signed_at < oldest {
            return Err(SignatureError::Refused(format!(
                "Signature expired: {stamp} is now earlier than {} ({} - {})",
                header::stamp_of(oldest),
                header::stamp_of(now_unix),
                header::span(expires),
            )));
        }
        let newest = now_unix.saturating_add(skew_seconds_max.into());
        if signed_at > newest {
            return Err(SignatureError::Refused(format!(
                "Signature not yet current: {stamp} is still later than {} ({} + {})",
                header::stamp_of(newest),
                header::stamp_of(now_unix),
                header::span(skew_seconds_max),
            )));
        }
        Ok(())
    }

    /// The host and every header that Reeve acts on are among the signed ones.
    fn check_coverage(
        &self,
        request: &SignedRequest<'_>,
        stated: &Stated<'_>,
        rules: &Rules<'_>,
    ) -> Result<(), SignatureError> {
        if stated.host.text()?.is_some_and(|host| host != request.authority) {
            return Err(SignatureError::Refused("'Host' differs from ':authority'.".to_owned()));
        }
        self.check_one_token(stated)?;
        for name in request.headers.keys().map(http::HeaderName::as_str) {
            let may_be_unsigned = rules.unsigned_token_allowed && name == names::SECURITY_TOKEN;
            if must_be_signed(name) && !may_be_unsigned && !self.signs(name) {
                return Err(SignatureError::Refused(format!(
                    "There were headers present in the request which were not signed: {}",
                    header::quoted(name)
                )));
            }
        }
        Ok(())
    }
}

impl Checked<'_> {
    /// What the signing key is derived for.
    pub fn scope(&self) -> &Scope<'_> {
        &self.scope
    }

    /// Whether the request is what the holder of `key`'s secret signed. Signatures compare in constant time.
    pub fn verify(&self, key: &SigningKey) -> Result<(), SignatureError> {
        // A header that was signed and is not here was taken away: what was signed is not what came.
        let text = self.canonical().ok_or(SignatureError::Mismatch)?;
        let to_sign = canonical::string_to_sign(self.stamp, &self.scope, &text);
        if key.is_signature(to_sign.as_bytes(), &self.authorization.signature) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    /// The canonical request; nothing when a signed header is absent.
    fn canonical(&self) -> Option<Vec<u8>> {
        let request = canonical::Request {
            method: self.request.method,
            path: &self.path,
            query: &self.query,
            host: self.request.authority,
            headers: self.request.headers,
            signed_headers: &self.authorization.signed_headers,
            payload_hash: &self.payload_hash,
        };
        request.text()
    }
}

/// The scope is of this door and of the signature's day. AWS tells of everything that is wrong with it.
fn check_scope(scope: &Scope<'_>, stamp: &str, rules: &Rules<'_>) -> Result<(), SignatureError> {
    let mut wrong = Vec::new();
    if rules.region.is_some_and(|only| only != scope.region) {
        wrong.push(format!("Credential should be scoped to a valid region, not '{}'.", scope.region));
    }
    if scope.service != rules.service {
        wrong.push(format!("Credential should be scoped to correct service: '{}'.", rules.service));
    }
    if !stamp.starts_with(scope.date) {
        wrong.push(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{stamp}'.",
            scope.date,
            stamp.get(..8).unwrap_or_default(),
        ));
    }
    if wrong.is_empty() { Ok(()) } else { Err(SignatureError::Refused(wrong.join(" "))) }
}

/// The payload hash as it stands in the canonical request, once it is known to be the payload's.
fn check_payload<'r>(
    request: &SignedRequest<'r>,
    stated: &Stated<'r>,
    rules: &Rules<'_>,
) -> Result<Cow<'r, str>, SignatureError> {
    let stated = stated.content_hash.text()?;
    let payload = match request.payload {
        Payload::Received(payload) => Some(payload),
        Payload::Awaited => None,
        Payload::Told(hash) => return check_told(hash, stated, rules).map(Cow::Borrowed),
    };
    let hash = |payload: &[u8]| digest::digest(&digest::SHA256, payload);
    let Some(stated) = stated else {
        let (Some(payload), false) = (payload, rules.stated_hash_required) else {
            return Err(SignatureError::Incomplete(
                "Authorization header requires existence of a 'X-Amz-Content-SHA256' header.".to_owned(),
            ));
        };
        return Ok(Cow::Owned(key::Hex::of(hash(payload).as_ref()).as_str().to_owned()));
    };
    if stated == UNSIGNED_PAYLOAD {
        return if rules.unsigned_payload_allowed {
            Ok(Cow::Borrowed(stated))
        } else {
            Err(SignatureError::Refused("UNSIGNED-PAYLOAD is not accepted here.".to_owned()))
        };
    }
    let stated_hash = key::bytes_of_hex(stated).ok_or_else(|| {
        SignatureError::Incomplete(
            "X-Amz-Content-SHA256 must be the lower-case hexadecimal SHA-256 of the message.".to_owned(),
        )
    })?;
    let is_stated = payload.is_none_or(|payload| hash(payload).as_ref() == stated_hash);
    if is_stated { Ok(Cow::Borrowed(stated)) } else { Err(other_payload()) }
}

/// The payload hash that a service tells: that which the request states, if it states one.
fn check_told<'r>(hash: &'r str, stated: Option<&str>, rules: &Rules<'_>) -> Result<&'r str, SignatureError> {
    if stated.is_some_and(|stated| stated != hash) {
        return Err(other_payload());
    }
    if !rules.unsigned_payload_allowed && key::bytes_of_hex(hash).is_none() {
        return Err(SignatureError::Refused(format!("{} is not accepted here.", header::quoted(hash))));
    }
    Ok(hash)
}

fn other_payload() -> SignatureError {
    SignatureError::Refused(
        "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned(),
    )
}

/// Headers that Reeve acts on. Names in a `HeaderMap` are lower-case.
fn must_be_signed(name: &str) -> bool {
    name.starts_with("x-amz-") || name.starts_with("reeve-")
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
