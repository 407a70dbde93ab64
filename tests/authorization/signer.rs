//! A client of an object store that signs its requests, in a header or in the URL, by AWS's description and with nothing of
//! Reeve's: what it signs is then altered.

use reeve_chassis::client::Credentials;
use reeve_proto::authorization::v1::{HttpHeader, SignedRequest};
use ring::{digest, hmac};

use crate::transport::wire::{hex, stamp};

/// The host that is called.
pub(crate) const HOST: &str = "store.example.com:9000";
const REGION: &str = "eu-west-1";
/// The SHA-256 of nothing.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What is to be signed, and how.
#[derive(Clone)]
pub(crate) struct Plan<'a> {
    pub(crate) method: &'a str,
    /// As it is sent; the canonical one is given, because to make it is what is tested.
    pub(crate) path: &'a str,
    pub(crate) canonical_path: &'a str,
    /// Sent, and canonical already.
    pub(crate) query: &'a str,
    pub(crate) host: &'a str,
    pub(crate) service: &'a str,
    pub(crate) payload_hash: &'a str,
    /// Further headers, in order, to be signed.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) signs_host: bool,
    pub(crate) now: i64,
}

impl<'a> Plan<'a> {
    /// A `GET` of the object, as of now.
    pub(crate) fn get(path: &'a str, now: i64) -> Self {
        Self {
            method: "GET",
            path,
            canonical_path: path,
            query: "",
            host: HOST,
            service: "s3",
            payload_hash: EMPTY,
            headers: &[],
            signs_host: true,
            now,
        }
    }

    /// Signed in the `authorization` header.
    pub(crate) fn signed(&self, credentials: &Credentials) -> SignedRequest {
        let when = stamp(self.now);
        let mut headers: Vec<(String, String)> = vec![
            ("host".to_owned(), self.host.to_owned()),
            ("x-amz-content-sha256".to_owned(), self.payload_hash.to_owned()),
            ("x-amz-date".to_owned(), when.clone()),
        ];
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if let Some(token) = &credentials.session_token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        headers.sort();
        let signed: Vec<&(String, String)> =
            headers.iter().filter(|(name, _)| self.signs_host || name != "host").collect();
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let signature = self.signature(credentials, &when, self.query, &signed, &names);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            credentials.access_key_id,
            self.scope(&when)
        );
        headers.push(("authorization".to_owned(), authorization));
        self.forwarded(self.query.to_owned(), headers)
    }

    /// Signed in the query, good for `expires` seconds.
    pub(crate) fn presigned(&self, credentials: &Credentials, expires: u32) -> SignedRequest {
        let when = stamp(self.now);
        let credential = format!("{}/{}", credentials.access_key_id, self.scope(&when)).replace('/', "%2F");
        let mut pairs = vec![
            "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
            format!("X-Amz-Credential={credential}"),
            format!("X-Amz-Date={when}"),
            format!("X-Amz-Expires={expires}"),
            "X-Amz-SignedHeaders=host".to_owned(),
        ];
        if let Some(token) = &credentials.session_token {
            let token = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            pairs.push(format!("X-Amz-Security-Token={token}"));
        }
        pairs.sort();
        let query = pairs.join("&");
        let host = ("host".to_owned(), self.host.to_owned());
        let signature = self.signature(credentials, &when, &query, &[&host], "host");
        self.forwarded(format!("{query}&X-Amz-Signature={signature}"), vec![host])
    }

    fn scope(&self, when: &str) -> String {
        format!("{}/{REGION}/{}/aws4_request", when.split_at(8).0, self.service)
    }

    fn signature(
        &self,
        credentials: &Credentials,
        when: &str,
        query: &str,
        signed: &[&(String, String)],
        names: &str,
    ) -> String {
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!(
            "{}\n{}\n{query}\n{lines}\n{names}\n{}",
            self.method, self.canonical_path, self.payload_hash
        );
        let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{when}\n{}\n{hash}", self.scope(when));
        let mut key = format!("AWS4{}", credentials.secret_access_key.as_str()).into_bytes();
        for part in [when.split_at(8).0, REGION, self.service, "aws4_request", &to_sign] {
            key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
        }
        hex(&key)
    }

    fn forwarded(&self, query: String, headers: Vec<(String, String)>) -> SignedRequest {
        SignedRequest {
            method: self.method.to_owned(),
            path: self.path.to_owned(),
            query: Some(query).filter(|query| !query.is_empty()),
            headers: headers.into_iter().map(|(name, value)| HttpHeader { name, value }).collect(),
            payload_hash: self.payload_hash.to_owned(),
        }
    }
}
