//! The client's half: the headers that make a call a signed one. The server's tests sign with it, and so does the client
//! in Rust.

use std::fmt;

use http::header::{AUTHORIZATION, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::digest;

use super::{
    ALGORITHM, PathForm, SECURITY_TOKEN, Scope, SigningKey, canonical, header, key, must_be_signed, names,
    uri,
};

/// What a client signs with.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    /// For example `AKIA...`.
    pub(crate) access_key_id: &'a str,
    /// Its secret.
    pub(crate) secret_access_key: &'a str,
    /// The token of temporary credentials.
    pub(crate) session_token: Option<&'a str>,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// A call about to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The region of the scope; Reeve accepts any unless it is configured not to.
    pub(crate) region: &'a str,
    /// The service of the scope: the prefix of the operation's action.
    pub(crate) service: &'a str,
    /// The HTTP method; gRPC's is `POST`.
    pub(crate) method: &'a str,
    /// The path as it will be sent.
    pub(crate) path: &'a str,
    /// The query as it will be sent, without its question mark.
    pub(crate) query: &'a str,
    /// What will be sent as `:authority`.
    pub(crate) authority: &'a str,
    /// The body, exactly as it will be sent; of a gRPC call the serialized message, without its length prefix.
    pub(crate) payload: &'a [u8],
    /// Seconds since 1970.
    pub(crate) now_unix: i64,
}

/// Adds the headers of a signature to `headers`, which hold whatever else the call carries: its `x-amz-*` and `reeve-*`
/// headers are signed. Fails on credentials that cannot stand in a header.
pub(crate) fn sign(
    credentials: &Credentials<'_>,
    call: &Call<'_>,
    headers: &mut HeaderMap,
) -> Result<(), InvalidHeaderValue> {
    let stamp = header::stamp_of(call.now_unix);
    let payload_hash = key::Hex::of(digest::digest(&digest::SHA256, call.payload).as_ref());
    let payload_hash = payload_hash.as_str();
    headers.insert(names::DATE, HeaderValue::from_str(&stamp)?);
    headers.insert(names::CONTENT_HASH, HeaderValue::from_str(payload_hash)?);
    match credentials.session_token {
        Some(token) => {
            let mut token = HeaderValue::from_str(token)?;
            token.set_sensitive(true);
            headers.insert(SECURITY_TOKEN.clone(), token);
        }
        None => {
            headers.remove(&SECURITY_TOKEN);
        }
    }
    let mut names: Vec<&str> =
        headers.keys().map(HeaderName::as_str).filter(|name| must_be_signed(name)).collect();
    names.push("host");
    names.sort_unstable();
    let signed_headers = names.join(";");
    let date = stamp.get(..8).unwrap_or_default();
    let scope =
        Scope { access_key_id: credentials.access_key_id, date, region: call.region, service: call.service };
    let key = SigningKey::derive(credentials.secret_access_key, date, call.region, call.service);
    // Every name was just taken from the headers, so none is absent.
    let text = canonical::Request {
        method: call.method,
        path: &uri::path(call.path, PathForm::Normalized),
        query: &uri::query(call.query, false),
        host: call.authority,
        headers,
        signed_headers: &signed_headers,
        payload_hash,
    }
    .text()
    .unwrap_or_default();
    let signature = key.sign(canonical::string_to_sign(&stamp, &scope, &text).as_bytes());
    let value = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={}",
        credentials.access_key_id,
        signature.as_str()
    );
    let mut value = HeaderValue::from_str(&value)?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}
