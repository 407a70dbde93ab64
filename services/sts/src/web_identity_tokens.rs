//! Tokens by which callers prove to others who they are: signed, for an audience, and with what AWS's say of their principal.
//! (Source: "Understanding token claims" of the IAM User Guide.)

use std::collections::BTreeMap;

use prost_types::Timestamp;
use reeve_chassis::outbound::{self, SigningAlgorithm};
use reeve_chassis::{Call, Handle, jwt_id};
use reeve_directory::Error;
use reeve_proto::sts::v1::{GetWebIdentityTokenRequest, GetWebIdentityTokenResponse};
use serde::Serialize;

use crate::{Sts, tags};

/// How long a token lasts when the caller does not say, in seconds.
const DURATION_DEFAULT_SECONDS: i32 = 300;
/// Longest token. AWS tells no number: this is what its `AssumeRoleWithWebIdentity` takes at most.
const TOKEN_BYTES_MAX: usize = 20_000;

impl Handle<GetWebIdentityTokenRequest> for Sts {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetWebIdentityTokenRequest,
    ) -> Result<GetWebIdentityTokenResponse, Error> {
        let federation = call.directory().outbound_federations().enabled().await?;
        let federation = federation.ok_or_else(|| {
            Error::outbound_web_identity_federation_disabled(
                "Outbound web identity federation is not enabled for this account. To use this feature, enable it with \
                 EnableOutboundWebIdentityFederation.",
            )
        })?;
        let duration = op.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS);
        let expires_at = call.now + i64::from(duration);
        if call.caller.session_record().is_some_and(|session| expires_at > session.expires_at) {
            let message =
                "The requested token duration would extend the session beyond its original expiration time.";
            return Err(
                Error::session_duration_escalation(message).with_violation("duration_seconds", message)
            );
        }
        tags::check(op.tags.iter().map(|tag| tag.key.as_str()))?;
        let algorithm = SigningAlgorithm::of(&op.signing_algorithm)
            .ok_or_else(|| Error::internal_failure("an algorithm that is none of the shape's"))?;
        let issuer = outbound::issuer(call, &federation)?;
        let signer = outbound::signer(call, algorithm).await?;
        let id = jwt_id(&mut call.random);
        let web_identity_token = signer.sign(&Claims {
            iss: &issuer,
            sub: call.caller.principal_arn(),
            aud: match op.audience.as_slice() {
                [one] => Audience::One(one),
                several => Audience::Several(several),
            },
            iat: call.now,
            exp: expires_at,
            jti: &id,
            principal: Principal::of(call, op),
        })?;
        if web_identity_token.len() > TOKEN_BYTES_MAX {
            let message = "The requested token payload size exceeds the maximum allowed size. Reduce the number of request tags.";
            return Err(Error::jwt_payload_size_exceeded(message).with_violation("tags", message));
        }
        let expiration = Some(Timestamp { seconds: expires_at, nanos: 0 });
        Ok(GetWebIdentityTokenResponse { web_identity_token, expiration })
    }
}

/// What a token says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    iat: i64,
    exp: i64,
    jti: &'a str,
    #[serde(rename = "https://sts.amazonaws.com/")]
    principal: Principal<'a>,
}

/// One audience stands alone, as in most tokens; several are a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

/// What is said of the principal, and of the session that asked. What does not apply is left out.
#[derive(Serialize)]
struct Principal<'a> {
    aws_account: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    source_region: &'a str,
    principal_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    principal_tags: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_session_exp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    federated_provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_tags: BTreeMap<&'a str, &'a str>,
}

impl<'a> Principal<'a> {
    fn of(call: &'a Call<'_>, op: &'a GetWebIdentityTokenRequest) -> Self {
        let caller = &call.caller;
        let session = caller.session_record();
        let principal_tags = caller.principal_tags().iter();
        Self {
            aws_account: caller.account(),
            source_region: call.surroundings.region,
            principal_id: caller.principal_arn(),
            principal_tags: principal_tags.map(|tag| (tag.key.as_str(), tag.value.as_str())).collect(),
            original_session_exp: session
                .map(|session| Timestamp { seconds: session.expires_at, nanos: 0 }.to_string()),
            federated_provider: caller.federated_provider(),
            source_identity: session
                .map(|session| session.source_identity.as_str())
                .filter(|identity| !identity.is_empty()),
            request_tags: op.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect(),
        }
    }
}
