//! Session tokens: everything about a session, sealed into what its holder presents, so that it is opened without a
//! store read and issued without a write. What a session rests on (its role, its managed session policies, and every
//! ancestor up to the long-term key) is read live, and its end is the session's end.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use prost::Message as _;
use quick_cache::sync::Cache;
use reeve_directory::record::{Ancestor, FederatedIdentity, SessionRecord};
use reeve_directory::resource::{Kind as ResourceKind, Resource};
use reeve_directory::{Error, Random, account, ended_session, id, login_profile, oidc_provider};
use reeve_evaluator::{Kind, Policy, PolicySet};
use reeve_storage::{ReadSet, Transaction};

use crate::call::sealing;
use crate::environment::Environment;
use crate::identity::Identity;
use crate::seal::Purpose;

/// Longest session token. (Source: PRODUCT decision on temporary credentials; AWS reserves the right to any size.)
pub const SESSION_TOKEN_BYTES_MAX: usize = 4096;
/// Sessions whose session policies are kept compiled.
const SESSIONS_MAX: usize = 16_384;

/// Opened tokens that are kept: with what they hold, a few kilobytes each.
const TOKENS_MAX: usize = 4096;

/// What is kept of sessions between calls.
pub(crate) struct SessionCache {
    /// What tokens hold. A token is its own proof, so only the very same bytes find it; whether the session still lives is
    /// asked each time.
    opened: Cache<Vec<u8>, Arc<SessionRecord>>,
    /// What bearer tokens hold, apart: neither kind is ever taken for the other.
    bearers: Cache<Vec<u8>, Arc<SessionRecord>>,
    /// Compiled session policies, by the session's access key id.
    compiled: Cache<String, Arc<Compiled>>,
}

struct Compiled {
    policies: PolicySet,
    reads: ReadSet,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            opened: Cache::new(TOKENS_MAX),
            bearers: Cache::new(TOKENS_MAX),
            compiled: Cache::new(SESSIONS_MAX),
        }
    }
}

impl SessionCache {
    /// What a bearer token holds that was opened before.
    pub(crate) fn bearer(&self, token: &[u8]) -> Option<Arc<SessionRecord>> {
        self.bearers.get(token)
    }

    /// Keeps what a bearer token holds.
    pub(crate) fn keep_bearer(&self, token: &[u8], record: &Arc<SessionRecord>) {
        self.bearers.insert(token.to_owned(), Arc::clone(record));
    }
}

/// Seals a session into its token.
///
/// # Errors
/// `PackedPolicyTooLarge` when it does not fit.
pub fn seal(
    environment: &Environment,
    session: &SessionRecord,
    random: &mut dyn Random,
) -> Result<String, Error> {
    let sealed = environment.keyring.seal(Purpose::SessionToken, &[], &session.encode_to_vec(), random);
    let sealed = sealed.map_err(sealing)?;
    let token = BASE64.encode(sealed);
    if token.len() > SESSION_TOKEN_BYTES_MAX {
        let percentage = token.len().saturating_mul(100).div_ceil(SESSION_TOKEN_BYTES_MAX);
        return Err(Error::packed_policy_too_large(format!(
            "Packed policy consumes {percentage}% of allotted space, please use smaller policy."
        )));
    }
    Ok(token)
}

/// Opens a token, whatever has become of the session since.
///
/// # Errors
/// `InvalidClientTokenId` when it is none of ours, or was altered.
pub(crate) fn open(environment: &Environment, token: &[u8]) -> Result<Arc<SessionRecord>, Error> {
    if token.len() > SESSION_TOKEN_BYTES_MAX {
        return Err(invalid());
    }
    if let Some(record) = environment.sessions.opened.get(token) {
        return Ok(record);
    }
    let sealed = BASE64.decode(token).map_err(|_| invalid())?;
    let plain = environment.keyring.open(Purpose::SessionToken, &[], &sealed).map_err(|_| invalid())?;
    let record = Arc::new(SessionRecord::decode(plain.as_slice()).map_err(|_| invalid())?);
    environment.sessions.opened.insert(token.to_owned(), Arc::clone(&record));
    Ok(record)
}

/// Whose session a token is, as it is now, for somebody else than its holder.
///
/// # Errors
/// `ExpiredToken` or `InvalidClientTokenId`, as its holder would be told.
pub async fn of_token(
    environment: &Environment,
    transaction: &mut Transaction,
    token: &str,
    access_key_id: Option<&str>,
    now: i64,
) -> Result<Identity, Error> {
    let record = open(environment, token.as_bytes())?;
    if access_key_id.is_some_and(|id| id != record.access_key_id) {
        return Err(invalid());
    }
    identify(environment, transaction, record, now).await
}

/// The root, user or role of an ARN, of which no session is known.
///
/// # Errors
/// `NoSuchEntity` when there is none; `InvalidParameterValue` when the ARN names no principal of that kind.
pub async fn of_arn(
    environment: &Environment,
    transaction: &mut Transaction,
    arn: &str,
) -> Result<Identity, Error> {
    let missing = || Error::no_such_entity(format!("The principal {arn} cannot be found."));
    match Resource::parse(&environment.settings.partition, arn) {
        Some(Resource::Root { account }) => {
            account::find(transaction, account).await?.ok_or_else(missing)?;
            Ok(Identity::root(&environment.settings, account, ""))
        }
        Some(Resource::Named { kind: ResourceKind::User | ResourceKind::Role, .. }) => {
            let found = environment.permissions.by_arn(transaction, arn).await?.ok_or_else(missing)?;
            Ok(if found.role.is_some() { Identity::role(found) } else { Identity::user(found, "") })
        }
        _ => {
            let message = format!("{arn} is not the ARN of a user, a role or a root.");
            Err(Error::invalid_parameter_value(&message).with_violation("principal_arn", message))
        }
    }
}

/// The session as it is now: not expired, and everything it rests on still there.
///
/// # Errors
/// `ExpiredToken`, or `InvalidClientTokenId` when something it rests on is gone.
pub(crate) async fn identify(
    environment: &Environment,
    transaction: &mut Transaction,
    record: Arc<SessionRecord>,
    now: i64,
) -> Result<Identity, Error> {
    if now >= record.expires_at {
        return Err(Error::expired_token("The security token included in the request is expired"));
    }
    // A revision above ours is of a write that this node has not seen yet, or of a life that a restore cut off.
    if record.incarnation == environment.cluster.incarnation
        && environment.engine.revision() < record.revision.into()
    {
        return Err(Error::service_unavailable(
            "the session rests on a revision that this node has not seen",
        ));
    }
    if record.signed_in_until != 0 && is_signed_out(transaction, &itself(&record)).await? {
        return Err(invalid());
    }
    if let Some(FederatedIdentity { issuer, provider_id, .. }) = &record.federated
        && !oidc_provider::is_there(transaction, &record.account_id, issuer, *provider_id).await?
    {
        return Err(invalid());
    }
    for ancestor in &record.lineage {
        if !is_alive(environment, transaction, ancestor).await? {
            return Err(invalid());
        }
    }
    let (account, id) = (&record.account_id, &record.principal_id);
    if is_role(id) {
        let role = environment.permissions.role(transaction, account, id).await?.ok_or_else(invalid)?;
        let policies = session_policies(environment, transaction, &record).await?;
        return Ok(Identity::role_session(&environment.settings, role, record, policies));
    }
    let principal = if id == account {
        Identity::root(&environment.settings, account, "")
    } else {
        Identity::user(environment.permissions.user(transaction, account, id).await?.ok_or_else(invalid)?, "")
    };
    Ok(principal.in_session(record))
}

async fn is_alive(
    environment: &Environment,
    transaction: &mut Transaction,
    ancestor: &Ancestor,
) -> Result<bool, Error> {
    if ancestor.signed_in_until != 0 && is_signed_out(transaction, ancestor).await? {
        return Ok(false);
    }
    let (account, id) = (&ancestor.account_id, &ancestor.principal_id);
    let (issuer, provider_id) = (&ancestor.oidc_issuer, ancestor.oidc_provider_id);
    if !issuer.is_empty() && !oidc_provider::is_there(transaction, account, issuer, provider_id).await? {
        return Ok(false);
    }
    // A session lives as long as its principal: its own key was never stored, and what it came from is an ancestor too.
    if is_role(id) {
        return Ok(environment.permissions.role(transaction, account, id).await?.is_some());
    }
    if !id::is_temporary(&ancestor.access_key_id) {
        let key = environment.keys.find(environment, transaction, &ancestor.access_key_id).await?;
        if key.is_none_or(|key| !key.record.active || key.record.principal_id != *id) {
            return Ok(false);
        }
    }
    Ok(id == account || environment.permissions.user(transaction, account, id).await?.is_some())
}

/// A session as its descendants see it.
fn itself(record: &SessionRecord) -> Ancestor {
    Ancestor {
        principal_id: record.principal_id.clone(),
        account_id: record.account_id.clone(),
        access_key_id: record.access_key_id.clone(),
        signed_in_until: record.signed_in_until,
        login_profile_id: record.login_profile_id,
        ..Ancestor::default()
    }
}

/// Whether a session that began with a sign-in has been signed out, or its password been taken away. No other session can
/// be, and none pays for the question.
async fn is_signed_out(transaction: &mut Transaction, session: &Ancestor) -> Result<bool, Error> {
    let Ancestor { principal_id, account_id, access_key_id, signed_in_until, login_profile_id, .. } = session;
    let profile = login_profile::find(transaction, account_id, principal_id).await?;
    Ok(profile.is_none_or(|profile| profile.profile_id != *login_profile_id)
        || ended_session::is_ended(transaction, *signed_in_until, access_key_id).await?)
}

fn is_role(principal_id: &str) -> bool {
    principal_id.starts_with("AROA")
}

/// The union of the session's own policy and its managed ones; a managed one that is gone allows nothing.
async fn session_policies(
    environment: &Environment,
    transaction: &mut Transaction,
    record: &SessionRecord,
) -> Result<Option<PolicySet>, Error> {
    if !record.session_policies_given {
        return Ok(None);
    }
    if let Some(compiled) = environment.sessions.compiled.get(&record.access_key_id) {
        if transaction.adopt(&compiled.reads).await? {
            return Ok(Some(compiled.policies.clone()));
        }
        environment.sessions.compiled.remove(&record.access_key_id);
    }
    let mut apart = Transaction::begin(Arc::clone(&environment.engine));
    let mut policies = Vec::with_capacity(record.session_policy_arns.len() + 1);
    if !record.session_policy.is_empty() {
        let policy = Policy::compile(&record.session_policy, Kind::Session)
            .map_err(|error| Error::internal_failure(format!("a sealed session policy: {error}")))?;
        policies.push(policy.named("session policy"));
    }
    for arn in &record.session_policy_arns {
        policies.extend(environment.permissions.managed(&mut apart, arn).await?);
    }
    let compiled = Compiled { policies: PolicySet::new(policies), reads: apart.reads() };
    if !transaction.adopt(&compiled.reads).await? {
        return Err(Error::conflict());
    }
    let policies = compiled.policies.clone();
    environment.sessions.compiled.insert(record.access_key_id.clone(), Arc::new(compiled));
    Ok(Some(policies))
}

pub(crate) fn invalid() -> Error {
    Error::invalid_client_token_id("The security token included in the request is invalid.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reeve_directory::Settings;
    use reeve_directory::record::{ClusterRecord, StoredTag};
    use reeve_proto::error::v1::ErrorReason;
    use reeve_storage::Memory;

    use super::*;
    use crate::SystemRandom;
    use crate::clock::ManualClock;
    use crate::seal::Keyring;

    fn environment() -> Environment {
        let keyring = Keyring::generate(b"a cluster", &mut SystemRandom::new()).unwrap();
        let cluster =
            ClusterRecord { management_account_id: "111122223333".to_owned(), ..Default::default() };
        let engine = Arc::new(Memory::new());
        Environment::new(engine, Arc::new(ManualClock::at(0)), keyring, cluster, Settings::default()).unwrap()
    }

    fn record() -> SessionRecord {
        SessionRecord {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            tags: vec![StoredTag { key: "team".to_owned(), value: "blue".to_owned() }],
            expires_at: 3600,
            ..SessionRecord::default()
        }
    }

    #[test]
    fn a_token_gives_back_what_was_sealed() {
        let environment = environment();
        let token = seal(&environment, &record(), &mut SystemRandom::new()).unwrap();
        for _ in 0..2 {
            assert_eq!(*open(&environment, token.as_bytes()).unwrap(), record());
        }
    }

    #[test]
    fn a_token_with_any_bit_altered_is_none() {
        let environment = environment();
        let token = seal(&environment, &record(), &mut SystemRandom::new()).unwrap();
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut altered = token.clone().into_bytes();
                altered[at] ^= 1 << bit;
                let error = open(&environment, &altered).unwrap_err();
                assert_eq!(error.reason, ErrorReason::InvalidClientTokenId, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn another_cluster_s_token_is_none() {
        let token = seal(&environment(), &record(), &mut SystemRandom::new()).unwrap();
        assert!(open(&environment(), token.as_bytes()).is_err());
    }

    #[test]
    fn what_does_not_fit_is_told_how_much_it_is() {
        let record = SessionRecord { session_policy: "x".repeat(4096), ..record() };
        let error = seal(&environment(), &record, &mut SystemRandom::new()).unwrap_err();
        assert_eq!(error.reason, ErrorReason::PackedPolicyTooLarge);
        assert!(error.message.starts_with("Packed policy consumes 13"), "{}", error.message);
    }

    proptest! {
        #[test]
        fn opening_is_total(token in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[A-Za-z0-9+/]{0,200}={0,2}".prop_map(String::into_bytes),
        ]) {
            let environment = environment();
            prop_assert!(open(&environment, &token).is_err());
        }
    }
}
