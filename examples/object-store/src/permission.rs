//! May whoever signed this request do what it asks for? Reeve says; nothing here looks at a signature or a policy.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::http::request::Parts;
use reeve_chassis::client::Client;
use reeve_proto::authorization::v1::{
    AuthorizeSignedRequestRequest, ContextEntry, HttpHeader, Question, SignedRequest,
};
use sha2::{Digest as _, Sha256};

use crate::objects::Wanted;

/// Stands for the hash of a payload that is not signed.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The way to Reeve.
pub(crate) struct Permission {
    /// Signs as the store itself, which needs `reeve:AuthorizeSignedRequest` on its bucket and objects.
    pub(crate) reeve: Client,
    /// The store's registration.
    pub(crate) service: String,
    /// S3's ARNs do not name it.
    pub(crate) account: String,
}

/// Why a request is not carried out.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Permission {
    /// Asks Reeve. Without its answer nothing is allowed.
    pub(crate) async fn check(&self, parts: &Parts, body: &Bytes, wanted: &Wanted) -> Result<(), Refusal> {
        let request = AuthorizeSignedRequestRequest {
            signed_request: Some(forwarded(parts, body)),
            question: Some(self.question(wanted)),
            with_signing_key: None,
        };
        let answer = self.reeve.call(&request).await.map_err(|error| Refusal {
            status: 503,
            code: "ServiceUnavailable".to_owned(),
            message: format!("Reeve was asked and did not answer: {error}"),
        })?;
        let decision = answer.decision.unwrap_or_default();
        if decision.allowed {
            return Ok(());
        }
        let code =
            if decision.error_code.is_empty() { "AccessDenied".to_owned() } else { decision.error_code };
        Err(Refusal { status: 403, code, message: decision.message })
    }

    fn question(&self, wanted: &Wanted) -> Question {
        let prefix = wanted.prefix().map(|prefix| ContextEntry {
            context_key_name: "s3:prefix".to_owned(),
            context_key_values: vec![prefix.to_owned()],
            multivalued: false,
        });
        Question {
            action: wanted.action().to_owned(),
            resource: wanted.arn(),
            resource_account: Some(self.account.clone()),
            context: prefix.into_iter().collect(),
            relying_service: Some(self.service.clone()),
            ..Question::default()
        }
    }
}

/// The request as it was received: neither decoded nor tidied up, because that is what was signed.
fn forwarded(parts: &Parts, body: &Bytes) -> SignedRequest {
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| HttpHeader {
        name: name.as_str().to_owned(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    SignedRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers.iter().map(header).collect(),
        payload_hash: payload_hash(parts, body),
    }
}

/// The hash of what was received, whatever the client says that it is; or that it was not signed, if the client says so.
fn payload_hash(parts: &Parts, body: &Bytes) -> String {
    let stated = parts.headers.get("x-amz-content-sha256").map(|value| value.as_bytes());
    let is_presigned = parts.uri.query().is_some_and(|query| query.contains("X-Amz-Signature="));
    if stated == Some(UNSIGNED_PAYLOAD.as_bytes()) || (stated.is_none() && is_presigned) {
        return UNSIGNED_PAYLOAD.to_owned();
    }
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(body) {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
