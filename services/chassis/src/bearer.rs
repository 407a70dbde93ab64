//! Bearer tokens, for callers that cannot sign: a session sealed for one audience, without the secret that would let its
//! holder sign. It inherits everything from the credentials it came from, their end included.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use prost::Message as _;
use reeve_directory::Error;
use reeve_directory::record::SessionRecord;
use reeve_storage::Transaction;

use crate::call::{Call, sealing};
use crate::environment::Environment;
use crate::identity::Identity;
use crate::issue::lineage;
use crate::pipeline::Incoming;
use crate::seal::Purpose;
use crate::session;

/// The audience of tokens that are for Reeve itself; a relying service's is its ARN.
pub const AUDIENCE_REEVE: &str = "reeve";
/// Longest bearer token: the longest session token, with its audience.
pub const BEARER_TOKEN_BYTES_MAX: usize = session::SESSION_TOKEN_BYTES_MAX + 512;

const SCHEME: &str = "bearer";

/// The bearer token that a call presents; none when it presents something else, or nothing.
///
/// # Errors
/// `IncompleteSignature` when it presents more than that.
pub(crate) fn presented(headers: &HeaderMap) -> Result<Option<&[u8]>, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let token = values.next().and_then(|value| {
        let (scheme, rest) = value.as_bytes().split_at_checked(SCHEME.len())?;
        let is_bearer =
            scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) && !matches!(rest, [first, ..] if *first != b' ');
        is_bearer.then_some(rest.trim_ascii())
    });
    if token.is_some() && values.next().is_some() {
        return Err(Error::incomplete_signature("There is more than one Authorization header."));
    }
    Ok(token)
}

/// Whose the token is that a call presents.
///
/// # Errors
/// `InvalidClientTokenId` or `ExpiredToken`; `AccessDenied` where anybody on the way could read it.
pub(crate) async fn authenticate(
    environment: &Environment,
    transaction: &mut Transaction,
    (incoming, token): (&Incoming, &[u8]),
    now: i64,
) -> Result<Identity, Error> {
    if !incoming.may_hold_secrets(environment) {
        return Err(Error::access_denied("A bearer token is accepted over TLS, or from this very machine."));
    }
    identify(environment, transaction, token, AUDIENCE_REEVE, now).await
}

/// Whose a token is, as it is now, for `audience`.
///
/// # Errors
/// `InvalidClientTokenId`, also when it is for somebody else; `ExpiredToken`.
pub async fn identify(
    environment: &Environment,
    transaction: &mut Transaction,
    token: &[u8],
    audience: &str,
    now: i64,
) -> Result<Identity, Error> {
    let record = open(environment, token)?;
    if record.audience != audience {
        return Err(session::invalid());
    }
    session::identify(environment, transaction, record, now).await
}

fn open(environment: &Environment, token: &[u8]) -> Result<Arc<SessionRecord>, Error> {
    if token.len() > BEARER_TOKEN_BYTES_MAX {
        return Err(session::invalid());
    }
    if let Some(record) = environment.sessions.bearer(token) {
        return Ok(record);
    }
    let sealed = BASE64.decode(token).map_err(|_| session::invalid())?;
    let plain =
        environment.keyring.open(Purpose::BearerToken, &[], &sealed).map_err(|_| session::invalid())?;
    let record = Arc::new(SessionRecord::decode(plain.as_slice()).map_err(|_| session::invalid())?);
    environment.sessions.keep_bearer(token, &record);
    Ok(record)
}

/// A bearer token of the caller's for `audience`, and when it ends: at `expires_at`, or with the caller's credentials.
///
/// # Errors
/// `PackedPolicyTooLarge` when the caller's session does not fit into a token.
pub fn issue_bearer(call: &mut Call<'_>, audience: &str, expires_at: i64) -> Result<(String, i64), Error> {
    let record = match call.caller.session_record() {
        Some(session) => SessionRecord {
            expires_at: expires_at.min(session.expires_at),
            revision: call.transaction.reads().newest().into(),
            incarnation: call.environment.cluster.incarnation,
            ..session.clone()
        },
        None => SessionRecord {
            access_key_id: call.caller.access_key_id().to_owned(),
            account_id: call.caller.account().to_owned(),
            principal_id: call.caller.principal_id().to_owned(),
            issued_at: call.now,
            expires_at,
            lineage: lineage(&call.caller),
            revision: call.transaction.reads().newest().into(),
            incarnation: call.environment.cluster.incarnation,
            ..SessionRecord::default()
        },
    };
    seal(call, record, audience)
}

/// The bearer token of a session that was just issued, for Reeve itself.
///
/// # Errors
/// As [`issue_bearer`].
pub fn of_session(call: &mut Call<'_>, session: SessionRecord) -> Result<(String, i64), Error> {
    seal(call, session, AUDIENCE_REEVE)
}

fn seal(call: &mut Call<'_>, session: SessionRecord, audience: &str) -> Result<(String, i64), Error> {
    let record = SessionRecord { secret_access_key: String::new(), audience: audience.to_owned(), ..session };
    let keyring = &call.environment.keyring;
    let sealed = keyring.seal(Purpose::BearerToken, &[], &record.encode_to_vec(), &mut call.random);
    let token = BASE64.encode(sealed.map_err(sealing)?);
    if token.len() > BEARER_TOKEN_BYTES_MAX {
        return Err(Error::packed_policy_too_large("The session does not fit into a bearer token."));
    }
    Ok((token, record.expires_at))
}
