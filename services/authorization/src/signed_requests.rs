//! Requests that relying services received and forward: who signed them, and whether they may.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use reeve_chassis::forwarded::Forwarded;
use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_proto::authorization::v1::{
    AuthorizeSignedRequestRequest, AuthorizeSignedRequestResponse, HttpHeader, Question, SignedRequest,
    Signer, SigningKey,
};
use reeve_proto::error::v1::ErrorReason;

use crate::Authorization;
use crate::authorize::nobody;
use crate::question::Asked;

/// Where a request holds its question.
const QUESTION: &str = "question";

impl Handle<AuthorizeSignedRequestRequest> for Authorization {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &AuthorizeSignedRequestRequest,
    ) -> Result<AuthorizeSignedRequestResponse, Error> {
        let (question, signed) = parts(op)?;
        let with_signing_key = op.with_signing_key.unwrap_or_default();
        if with_signing_key && !call.surroundings.secure {
            return Err(Error::access_denied("A signing key is given over TLS alone."));
        }
        let asked = Asked::of_signer(question).map_err(|fault| fault.at(QUESTION))?;
        let name = question.relying_service.as_deref().ok_or_else(|| missing("question.relying_service"))?;
        let service = self.relying_service(call, name, question, QUESTION).await?;
        let headers = header_map(&signed.headers)?;
        let forwarded = Forwarded {
            method: &signed.method,
            path: &signed.path,
            query: signed.query.as_deref().unwrap_or_default(),
            headers: &headers,
            payload_hash: &signed.payload_hash,
        };
        let identity = match forwarded.signer(call, &service).await {
            Ok(identity) => identity,
            Err(error) if is_about_the_signature(&error) => {
                let decision = nobody(error.reason.answer().code, error.message, String::new(), true);
                return Ok(AuthorizeSignedRequestResponse { decision: Some(decision), ..Default::default() });
            }
            Err(error) => return Err(error),
        };
        let decision = self.decide_about(call, &identity, &asked, QUESTION)?;
        let signing_key = match with_signing_key && decision.allowed {
            true => Some(forwarded.signing_key(call).await?),
            false => None,
        };
        Ok(AuthorizeSignedRequestResponse {
            decision: Some(decision),
            signer: Some(Signer {
                arn: identity.arn().to_owned(),
                user_id: identity.user_id().to_owned(),
                account: identity.account().to_owned(),
                access_key_id: identity.access_key_id().to_owned(),
            }),
            signing_key: signing_key.map(|scoped| SigningKey {
                key: scoped.key.to_vec(),
                date: scoped.date,
                region: scoped.region,
                service: scoped.service,
            }),
        })
    }
}

/// The question and the request that it is about; that both are there was checked before.
fn parts(op: &AuthorizeSignedRequestRequest) -> Result<(&Question, &SignedRequest), Error> {
    let question = op.question.as_ref().ok_or_else(|| missing(QUESTION))?;
    let signed = op.signed_request.as_ref().ok_or_else(|| missing("signed_request"))?;
    Ok((question, signed))
}

fn missing(member: &str) -> Error {
    Error::validation_error("Member must not be null").with_violation(member, "Member must not be null")
}

/// The headers under their names, in the order in which they came.
fn header_map(headers: &[HttpHeader]) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (index, header) in headers.iter().enumerate() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(header.value.as_bytes())) else {
            let message = "is no header of HTTP";
            return Err(Error::invalid_parameter_value(message)
                .with_violation(format!("signed_request.headers[{index}]"), message));
        };
        map.append(name, value);
    }
    Ok(map)
}

/// Whether nobody signed, or nobody whose signature is good: an answer to the service, and not an error about its own.
fn is_about_the_signature(error: &Error) -> bool {
    matches!(
        error.reason,
        ErrorReason::MissingAuthenticationToken
            | ErrorReason::IncompleteSignature
            | ErrorReason::SignatureDoesNotMatch
            | ErrorReason::InvalidClientTokenId
            | ErrorReason::ExpiredToken
    )
}
