//! Who signed a call: from its headers to the caller, by an access key or by a session's token.

use reeve_directory::Error;
use reeve_proto::Spec;
use reeve_storage::Transaction;

use crate::environment::Environment;
use crate::identity::Identity;
use crate::pipeline::Incoming;
use crate::session;
use crate::signature::{Authorization, Rules, SignedRequest, SigningKey};

/// The header that carries a session's token.
pub const SECURITY_TOKEN: &str = "x-amz-security-token";

/// A call whose signature is to be checked.
pub(crate) struct Signed<'a> {
    pub(crate) authorization: &'a Authorization<'a>,
    pub(crate) incoming: &'a Incoming,
    pub(crate) spec: &'static Spec,
    /// Unix seconds.
    pub(crate) now: i64,
}

/// The caller.
///
/// # Errors
/// `MissingAuthenticationToken`, `IncompleteSignature`, `InvalidClientTokenId`, `SignatureDoesNotMatch`,
/// `RequestExpired` or `ExpiredToken`.
pub(crate) async fn authenticate(
    environment: &Environment,
    transaction: &mut Transaction,
    signed: &Signed<'_>,
) -> Result<Identity, Error> {
    let region = &environment.signatures.region;
    if region.as_ref().is_some_and(|only| *only != signed.authorization.region()) {
        return Err(Error::signature_does_not_match("Credential should be scoped to a valid region."));
    }
    match signed.incoming.headers.get(SECURITY_TOKEN) {
        Some(token) => by_session(environment, transaction, signed, token.as_bytes()).await,
        None => by_access_key(environment, transaction, signed).await,
    }
}

async fn by_access_key(
    environment: &Environment,
    transaction: &mut Transaction,
    signed: &Signed<'_>,
) -> Result<Identity, Error> {
    let authorization = signed.authorization;
    let id = authorization.access_key_id();
    let key = environment.keys.find(environment, transaction, id).await?.ok_or_else(session::invalid)?;
    let signing_key = key.signing_key(authorization.date(), authorization.region(), signed.spec.prefix);
    verify(environment, signed, &signing_key)?;
    let record = &key.record;
    if !record.active {
        return Err(session::invalid());
    }
    if record.principal_id == record.account_id {
        return Ok(Identity::root(&environment.settings, &record.account_id, id));
    }
    let user = environment.permissions.user(transaction, &record.account_id, &record.principal_id).await?;
    Ok(Identity::user(user.ok_or_else(session::invalid)?, id))
}

async fn by_session(
    environment: &Environment,
    transaction: &mut Transaction,
    signed: &Signed<'_>,
    token: &[u8],
) -> Result<Identity, Error> {
    let authorization = signed.authorization;
    let record = session::open(environment, token)?;
    if record.access_key_id != authorization.access_key_id() {
        return Err(session::invalid());
    }
    let signing_key = SigningKey::derive(
        &record.secret_access_key,
        authorization.date(),
        authorization.region(),
        signed.spec.prefix,
    );
    verify(environment, signed, &signing_key)?;
    session::identify(environment, transaction, record, signed.now).await
}

fn verify(environment: &Environment, signed: &Signed<'_>, signing_key: &SigningKey) -> Result<(), Error> {
    let request = SignedRequest {
        method: signed.incoming.method.as_str(),
        path: signed.incoming.target.path(),
        query: signed.incoming.target.query().unwrap_or_default(),
        authority: signed.incoming.authority.as_ref().map_or("", |authority| authority.as_str()),
        headers: &signed.incoming.headers,
        payload: &signed.incoming.payload,
    };
    let rules = Rules {
        service: signed.spec.prefix,
        skew_seconds_max: environment.signatures.skew_seconds_max,
        unsigned_payload_allowed: environment.signatures.unsigned_payload
            && signed.spec.is_read_only()
            && signed.spec.prefix != "sts",
    };
    Ok(signed.authorization.verify(signing_key, &request, signed.now, &rules)?)
}
