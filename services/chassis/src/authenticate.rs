//! Who calls: from the headers of a call to its caller, by the signature of an access key or of a session, or by a bearer
//! token.

use reeve_directory::Error;
use reeve_proto::{Gate, Spec};
use reeve_storage::Transaction;

use crate::bearer;
use crate::environment::Environment;
use crate::identity::Identity;
use crate::pipeline::Incoming;
use crate::session;
use crate::signature::{Authorization, Checked, PathForm, Payload, Rules, SignedRequest, SigningKey};

/// What a call presents to prove who makes it. Nothing of it is proved yet.
pub(crate) enum Proof<'a> {
    /// A signature.
    Signature(Authorization<'a>),
    /// A bearer token.
    Bearer(&'a [u8]),
    /// Nothing that anybody looks at: the operation is open to anybody.
    Nothing,
}

impl<'a> Proof<'a> {
    /// What a call of the operation presents.
    ///
    /// # Errors
    /// `MissingAuthenticationToken`, `IncompleteSignature`.
    pub(crate) fn presented(spec: &Spec, incoming: &'a Incoming) -> Result<Self, Error> {
        if spec.gate == Gate::Open {
            return Ok(Self::Nothing);
        }
        let query = incoming.target.query().unwrap_or_default();
        match bearer::presented(&incoming.headers)? {
            // Whoever presents two things presents none: the signature's reader says so.
            Some(token) if !query.contains("X-Amz-Algorithm") => Ok(Self::Bearer(token)),
            _ => Ok(Self::Signature(Authorization::find(&incoming.headers, query)?)),
        }
    }

    /// The access key that the signature names; empty when there is none.
    pub(crate) fn access_key_id(&self) -> &str {
        match self {
            Self::Signature(authorization) => authorization.access_key_id(),
            Self::Bearer(_) | Self::Nothing => "",
        }
    }

    /// The region that the signature names; empty when there is none.
    pub(crate) fn region(&self) -> &str {
        match self {
            Self::Signature(authorization) => authorization.region(),
            Self::Bearer(_) | Self::Nothing => "",
        }
    }
}

/// A call whose caller is to be found.
pub(crate) struct Presented<'a> {
    pub(crate) proof: &'a Proof<'a>,
    pub(crate) incoming: &'a Incoming,
    pub(crate) spec: &'static Spec,
    /// Unix seconds.
    pub(crate) now: i64,
}

/// A call whose signature is to be checked.
struct Signed<'a> {
    authorization: &'a Authorization<'a>,
    incoming: &'a Incoming,
    spec: &'static Spec,
    now: i64,
}

/// The caller.
///
/// # Errors
/// `InvalidClientTokenId`, `SignatureDoesNotMatch`, `RequestExpired` or `ExpiredToken`; `AccessDenied` for a bearer token
/// that others could read.
pub(crate) async fn authenticate(
    environment: &Environment,
    transaction: &mut Transaction,
    presented: &Presented<'_>,
) -> Result<Identity, Error> {
    let Presented { incoming, spec, now, .. } = *presented;
    match presented.proof {
        Proof::Nothing => Ok(Identity::nobody()),
        Proof::Bearer(token) => bearer::authenticate(environment, transaction, (incoming, token), now).await,
        Proof::Signature(authorization) => {
            by_signature(environment, transaction, &Signed { authorization, incoming, spec, now }).await
        }
    }
}

async fn by_signature(
    environment: &Environment,
    transaction: &mut Transaction,
    signed: &Signed<'_>,
) -> Result<Identity, Error> {
    let checked = check(environment, signed)?;
    let token = signed.authorization.security_token(&signed.incoming.headers);
    identify(environment, transaction, &checked, token, signed.now).await
}

/// Whose secret made a signature, by the access key or the session that it names.
pub(crate) async fn identify(
    environment: &Environment,
    transaction: &mut Transaction,
    checked: &Checked<'_>,
    token: Option<&[u8]>,
    now: i64,
) -> Result<Identity, Error> {
    match token {
        Some(token) => by_session(environment, transaction, checked, token, now).await,
        None => by_access_key(environment, transaction, checked).await,
    }
}

async fn by_access_key(
    environment: &Environment,
    transaction: &mut Transaction,
    checked: &Checked<'_>,
) -> Result<Identity, Error> {
    let scope = checked.scope();
    let id = scope.access_key_id;
    let key = environment.keys.find(environment, transaction, id).await?.ok_or_else(session::invalid)?;
    key.prove(scope.date, scope.region, scope.service, |signing_key| checked.verify(signing_key))?;
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
    checked: &Checked<'_>,
    token: &[u8],
    now: i64,
) -> Result<Identity, Error> {
    let scope = checked.scope();
    let record = session::open(environment, token)?;
    if record.access_key_id != scope.access_key_id {
        return Err(session::invalid());
    }
    checked.verify(&SigningKey::derive(
        &record.secret_access_key,
        scope.date,
        scope.region,
        scope.service,
    ))?;
    session::identify(environment, transaction, record, now).await
}

/// Everything about a signature but whether its secret made it: what is wrong with it is told before its key is looked up.
fn check<'a>(environment: &Environment, signed: &Signed<'a>) -> Result<Checked<'a>, Error> {
    let incoming = signed.incoming;
    let request = SignedRequest {
        method: incoming.method.as_str(),
        path: incoming.target.path(),
        query: incoming.target.query().unwrap_or_default(),
        authority: incoming.authority.as_ref().map_or("", |authority| authority.as_str()),
        headers: &incoming.headers,
        payload: if incoming.awaited { Payload::Awaited } else { Payload::Received(&incoming.payload) },
    };
    let rules = Rules {
        skew_seconds_max: environment.signatures.skew_seconds_max,
        service: signed.spec.prefix,
        region: environment.signatures.region.as_deref(),
        path_form: PathForm::Normalized,
        stated_hash_required: incoming.encoding.is_framed(),
        unsigned_token_allowed: false,
        unsigned_payload_allowed: environment.signatures.unsigned_payload
            && signed.spec.is_read_only()
            && signed.spec.prefix != "sts",
    };
    Ok(signed.authorization.check(&request, signed.now, &rules)?)
}
