//! Issuing temporary credentials, written once for every operation that does: nothing is stored, everything about the
//! session goes into its token.

use prost_types::Timestamp;
use reeve_directory::record::{Ancestor, SessionRecord};
use reeve_directory::{Error, id};
use reeve_proto::sts::v1::Credentials;

use crate::call::Call;
use crate::identity::Identity;
use crate::random::secret_access_key;
use crate::session;

/// What was issued.
pub struct Issued {
    /// As it is handed out.
    pub credentials: Credentials,
    /// As it is sealed into the token.
    pub session: SessionRecord,
}

/// The credentials of `session`, which says whose they are, what they carry and when they expire; key, secret and what
/// the call knows are added here.
///
/// # Errors
/// `PackedPolicyTooLarge` when the session does not fit into a token.
pub fn issue(call: &mut Call<'_>, session: SessionRecord) -> Result<Issued, Error> {
    let secret = secret_access_key(&mut call.random);
    let record = SessionRecord {
        access_key_id: id::temporary_access_key(&session.account_id, &mut call.random),
        secret_access_key: secret.as_str().to_owned(),
        issued_at: call.now,
        revision: call.transaction.reads().newest().into(),
        incarnation: call.environment.cluster.incarnation,
        ..session
    };
    let session_token = session::seal(call.environment, &record, &mut call.random)?;
    let credentials = Credentials {
        access_key_id: record.access_key_id.clone(),
        secret_access_key: record.secret_access_key.clone(),
        session_token,
        expiration: Some(Timestamp { seconds: record.expires_at, nanos: 0 }),
    };
    Ok(Issued { credentials, session: record })
}

/// What the caller's next session rests on, from the long-term credentials on: the end of any of it ends the session.
pub fn lineage(caller: &Identity) -> Vec<Ancestor> {
    let passed_on = caller.session_record().map_or(&[][..], |session| &session.lineage);
    let federated = caller.session_record().and_then(|session| session.federated.as_ref());
    let caller = Ancestor {
        principal_id: caller.principal_id().to_owned(),
        account_id: caller.account().to_owned(),
        access_key_id: caller.access_key_id().to_owned(),
        signed_in_until: caller.session_record().map_or(0, |session| session.signed_in_until),
        login_profile_id: caller.session_record().map_or(0, |session| session.login_profile_id),
        oidc_issuer: federated.map(|federated| federated.issuer.clone()).unwrap_or_default(),
        oidc_provider_id: federated.map_or(0, |federated| federated.provider_id),
    };
    passed_on.iter().cloned().chain([caller]).collect()
}
