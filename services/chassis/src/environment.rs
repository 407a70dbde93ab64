//! What a server is made of, as every call sees it.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use reeve_directory::permissions_cache::ENTRIES_MAX_DEFAULT as PERMISSIONS_ENTRIES_MAX;
use reeve_directory::record::ClusterRecord;
use reeve_directory::{Error, PermissionsCache, Settings};
use reeve_evaluator::{Kind, Policy, PolicySet};
use reeve_storage::{Engine, Revision};

use crate::audit::AuditLog;
use crate::clock::Clock;
use crate::guessing::Guesses;
use crate::issuer::{IssuerSettings, Issuers};
use crate::key_cache::KeyCache;
use crate::outbound::OutboundIssuers;
use crate::password::{PasswordPool, PasswordSettings};
use crate::password_uses::PasswordUses;
use crate::revision_token;
use crate::seal::Keyring;
use crate::session::SessionCache;

/// How signatures are judged.
#[derive(Clone, Debug)]
pub struct SignatureSettings {
    /// How far a signature's date may be from the server's clock, in seconds.
    pub skew_seconds_max: u32,
    /// The only region that is accepted; any when none is configured.
    pub region: Option<String>,
    /// Whether reads may be signed without their payload. Never writes, and never STS.
    pub unsigned_payload: bool,
}

impl Default for SignatureSettings {
    fn default() -> Self {
        Self { skew_seconds_max: 15 * 60, region: None, unsigned_payload: false }
    }
}

/// What a server is made of.
pub struct Environment {
    /// Where everything is stored.
    pub engine: Arc<dyn Engine>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// What seals secrets and tokens.
    pub keyring: Keyring,
    /// Partition and quotas.
    pub settings: Settings,
    /// How signatures are judged.
    pub signatures: SignatureSettings,
    /// Passwords and bearer tokens are taken in plain text from other machines: the operator says that nobody reads along.
    pub plaintext_off_loopback: bool,
    /// Which cluster this is, in which incarnation.
    pub cluster: ClusterRecord,
    /// Where the events go that no commit carries.
    pub audit: AuditLog,
    /// What hashes passwords.
    pub passwords: PasswordPool,
    /// When passwords were last used.
    pub password_uses: Arc<PasswordUses>,
    /// Wrong guesses at passwords and codes.
    pub guesses: Guesses,
    /// What issues tokens for others.
    pub outbound: OutboundIssuers,
    /// The keys of those whose tokens are verified.
    pub issuers: Issuers,
    /// Compiled policies of principals.
    pub permissions: PermissionsCache,
    /// The resource policy that every resource has for questions from the management account.
    pub(crate) asking: PolicySet,
    /// The resource policy that an account has for its users while its password policy lets them change their own.
    pub(crate) changing: PolicySet,
    pub(crate) keys: KeyCache,
    pub(crate) sessions: SessionCache,
    pub(crate) waiters: AtomicUsize,
    /// Calls that met many conflicts take it, one after the other.
    pub(crate) contended: tokio::sync::Mutex<()>,
    newest_token: Mutex<Option<(Revision, HeaderValue)>>,
}

impl Environment {
    /// An environment whose caches are empty.
    ///
    /// # Errors
    /// The cluster's record does not name a management account.
    pub fn new(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        keyring: Keyring,
        cluster: ClusterRecord,
        settings: Settings,
    ) -> Result<Self, Error> {
        let asking = asking(&cluster)?;
        let permissions =
            PermissionsCache::new(Arc::clone(&engine), &settings.partition, PERMISSIONS_ENTRIES_MAX);
        Ok(Self {
            asking,
            changing: changing()?,
            engine,
            clock,
            keyring,
            settings,
            signatures: SignatureSettings::default(),
            plaintext_off_loopback: false,
            cluster,
            audit: AuditLog::none(),
            passwords: PasswordPool::new(PasswordSettings::default()),
            password_uses: Arc::default(),
            guesses: Guesses::default(),
            outbound: OutboundIssuers::default(),
            issuers: Issuers::new(IssuerSettings::default()),
            permissions,
            keys: KeyCache::default(),
            sessions: SessionCache::default(),
            waiters: AtomicUsize::new(0),
            contended: tokio::sync::Mutex::new(()),
            newest_token: Mutex::new(None),
        })
    }

    /// A revision as clients see it: opaque, authenticated, and of this incarnation. The newest is kept, because until
    /// the next write every answer carries the same.
    pub(crate) fn revision_token(&self, revision: Revision) -> Option<HeaderValue> {
        let mut newest = self.newest_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, token)) = newest.as_ref()
            && *of == revision
        {
            return Some(token.clone());
        }
        let token = revision_token::encode(&self.keyring, self.cluster.incarnation, revision.into()).ok()?;
        let token = HeaderValue::try_from(token).ok()?;
        *newest = Some((revision, token.clone()));
        Some(token)
    }
}

fn asking(cluster: &ClusterRecord) -> Result<PolicySet, Error> {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":["reeve:Authorize","reeve:AuthorizePrincipal","reeve:BatchAuthorize"],"Resource":"*"}}}}"#,
        cluster.management_account_id,
    );
    let policy = Policy::compile(&document, Kind::Resource)
        .map_err(|error| Error::internal_failure(format!("the cluster's management account: {error}")))?;
    Ok(PolicySet::new([policy.named("management account")]))
}

/// It is asked about the operations that the password policy grants, and those act on the caller, or on the policy itself.
fn changing() -> Result<PolicySet, Error> {
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}}"#;
    let policy = Policy::compile(document, Kind::Resource)
        .map_err(|error| Error::internal_failure(format!("the password policy's grant: {error}")))?;
    Ok(PolicySet::new([policy.named("account password policy")]))
}

/// A trust that leaves it to the policies of `account`, as naming an account does.
pub(crate) fn trusting(account: &str) -> Result<PolicySet, Error> {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"sts:*"}}}}"#,
    );
    let policy = Policy::compile(&document, Kind::Trust)
        .map_err(|error| Error::internal_failure(format!("the trust in an account: {error}")))?;
    Ok(PolicySet::new([policy.named("caller's own")]))
}
