//! A server of one's own for every test, on a port of its own, with nothing but its root in it, and the few words that
//! tests say to it: start, make a user, allow it something, call, be refused.

mod authenticator;
mod document;
mod issuer;
mod refusal;
mod user;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reeve_chassis::Environment;
use reeve_chassis::client::{Client, Credentials};
use reeve_proto::iam::v1::{
    CreateGroupRequest, CreatePolicyRequest, CreateRoleRequest, Group, Policy, PutRolePolicyRequest,
    PutUserPolicyRequest, Role,
};
use reeve_proto::sts::v1::AssumeRoleRequest;
use reeve_server::config::{Config, EngineName};
use reeve_server::serve::{self, Running};
use reeve_storage::Engine;
use serde_json::Value;
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(crate) use authenticator::Authenticator;
pub(crate) use document::{allow, deny, document, trust};
pub(crate) use issuer::{Issuer, Manner, SigningKey, encoded};
pub(crate) use refusal::{code, refused};
pub(crate) use user::{User, credentials};

/// The account of every world.
pub(crate) const ACCOUNT: &str = "123456789012";
/// An account that no world has.
pub(crate) const OTHER_ACCOUNT: &str = "999988887777";

/// The audit log is written in batches; no event takes longer, unless it never comes.
const AUDITED_MAX: Duration = Duration::from_secs(20);

/// A running server and the way to its root.
pub(crate) struct World {
    running: Running,
    root: Client,
    config: Config,
    /// How many policies [`World::allow`] has given; each has a name of its own.
    allowed: AtomicUsize,
    /// Holds credentials, root key and data; goes with the world.
    _folder: TempDir,
}

impl World {
    /// A server that keeps everything in memory.
    pub(crate) async fn start() -> Self {
        Self::configured(|_| {}).await
    }

    /// The same with other settings: quotas, limits, signatures.
    pub(crate) async fn configured(configure: impl FnOnce(&mut Config)) -> Self {
        Self::made(configure, async |_| {}).await
    }

    /// The same where `change` changes what the server is made of before it serves: its clock, its accounts.
    pub(crate) async fn made(
        configure: impl FnOnce(&mut Config),
        change: impl AsyncFnOnce(&mut Environment),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            data_dir: folder.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            engine: EngineName::Memory,
            account: ACCOUNT.to_owned(),
            credentials_file: folder.path().join("credentials"),
            root_key_file: folder.path().join("root-key"),
            audit_log: folder.path().join("audit.log"),
            ..Config::default()
        };
        configure(&mut config);
        let (running, root) = open(&config, change).await;
        Self { running, root, config, allowed: AtomicUsize::new(0), _folder: folder }
    }

    /// A server on the embedded engine, in a directory of its own.
    pub(crate) async fn on_disk() -> Self {
        Self::configured(|config| config.engine = EngineName::Sled).await
    }

    /// The same world after its server was stopped in order and started again. Only what is on disk outlives it.
    pub(crate) async fn restarted(self) -> Self {
        self.running.stop().await;
        let (running, root) = open(&self.config, async |_| {}).await;
        Self { running, root, ..self }
    }

    /// Stops the server in order: what it had left to write is written.
    pub(crate) async fn stopped(self) {
        self.running.stop().await;
    }

    /// The same with other settings from then on.
    pub(crate) async fn restarted_with(mut self, configure: impl FnOnce(&mut Config)) -> Self {
        configure(&mut self.config);
        self.restarted().await
    }

    /// The account's root.
    pub(crate) fn root(&self) -> &Client {
        &self.root
    }

    /// Somebody who signs with `credentials`, on the root's connection.
    pub(crate) fn client(&self, credentials: Credentials) -> Client {
        self.root.signed(credentials)
    }

    /// Somebody who does not sign, on a connection of their own.
    pub(crate) async fn unsigned(&self) -> Client {
        Client::connect(&self.endpoint()).await.unwrap()
    }

    /// Where the first start wrote the root's credentials.
    pub(crate) fn credentials_file(&self) -> &Path {
        &self.config.credentials_file
    }

    /// `http://127.0.0.1:...`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.running.address())
    }

    /// How many commits have changed the store since the server was started: equal before and after means that nothing
    /// was written, not even an audit event.
    pub(crate) fn commits(&self) -> u64 {
        self.running.engine().commits()
    }

    /// How much password hashing the server has done, in KiB filled.
    pub(crate) fn hashed(&self) -> u64 {
        self.running.environment().passwords.work().kibibytes()
    }

    /// Where the server stores.
    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        self.running.engine()
    }

    /// What the server is made of.
    pub(crate) fn environment(&self) -> &Environment {
        self.running.environment()
    }

    /// The ARN in IAM of `user/alice` and the like.
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:iam::{ACCOUNT}:{resource}")
    }

    /// What the root signs with.
    pub(crate) fn root_credentials(&self) -> Credentials {
        root_credentials(&self.config.credentials_file)
    }

    /// The events that lie in the audit log by now.
    pub(crate) fn audit_events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.config.audit_log).unwrap();
        // The last line may be half written yet.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for the first event of the audit log that `wanted` is true of.
    pub(crate) async fn audited(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                if let Some(event) = self.audit_events().into_iter().find(|event| wanted(event)) {
                    return event;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(AUDITED_MAX, found).await.expect("there is no such event")
    }

    /// A new user with an access key and no permission.
    pub(crate) async fn user(&self, name: &str) -> User {
        User::create(self, name).await
    }

    /// A new group.
    pub(crate) async fn group(&self, name: &str) -> Group {
        let request = CreateGroupRequest { group_name: name.to_owned(), ..Default::default() };
        self.root.call(&request).await.unwrap().group.unwrap()
    }

    /// A new role that `trust` says who may assume; see [`trust`].
    pub(crate) async fn role(&self, name: &str, trust: &Value) -> Role {
        let request = CreateRoleRequest {
            role_name: name.to_owned(),
            assume_role_policy_document: trust.to_string(),
            ..Default::default()
        };
        self.root.call(&request).await.unwrap().role.unwrap()
    }

    /// A new managed policy; its ARN.
    pub(crate) async fn policy(&self, name: &str, statements: &Value) -> String {
        let request = CreatePolicyRequest {
            policy_name: name.to_owned(),
            policy_document: document(statements),
            ..Default::default()
        };
        let policy: Policy = self.root.call(&request).await.unwrap().policy.unwrap();
        policy.arn.unwrap()
    }

    /// Embeds a policy of `statements` (one, or an array; see [`allow`] and [`deny`]) in a user, besides those it has.
    pub(crate) async fn allow(&self, user: &User, statements: &Value) {
        let request = PutUserPolicyRequest {
            user_name: user.record.user_name.clone(),
            policy_name: self.policy_name(),
            policy_document: document(statements),
        };
        self.root.call(&request).await.unwrap();
    }

    /// Embeds a policy of `statements` in a role, besides those it has.
    pub(crate) async fn allow_role(&self, role: &Role, statements: &Value) {
        let request = PutRolePolicyRequest {
            role_name: role.role_name.clone(),
            policy_name: self.policy_name(),
            policy_document: document(statements),
        };
        self.root.call(&request).await.unwrap();
    }

    /// A session of `role`, whose trust policy lets `user` assume it.
    pub(crate) async fn assume(&self, user: &User, role: &Role) -> Client {
        let request = AssumeRoleRequest {
            role_arn: role.arn.clone(),
            role_session_name: "session".to_owned(),
            ..Default::default()
        };
        let session = user.call(&request).await.unwrap().credentials.unwrap();
        self.client(Credentials {
            access_key_id: session.access_key_id,
            secret_access_key: Zeroizing::new(session.secret_access_key),
            session_token: Some(session.session_token),
        })
    }

    fn policy_name(&self) -> String {
        format!("allowed-{}", self.allowed.fetch_add(1, Ordering::Relaxed))
    }
}

async fn open(config: &Config, change: impl AsyncFnOnce(&mut Environment)) -> (Running, Client) {
    let running = serve::start_with(config, change).await.unwrap();
    let anybody = Client::connect(&format!("http://{}", running.address())).await.unwrap();
    let root = anybody.signed(root_credentials(&config.credentials_file));
    (running, root)
}

/// The credentials that the first start wrote, read as any tool would read them.
pub(crate) fn root_credentials(path: &Path) -> Credentials {
    let text = std::fs::read_to_string(path).unwrap();
    let value = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        let found = pairs.find(|(key, _)| key.trim() == name);
        found.unwrap_or_else(|| panic!("{name} is not in the credentials file")).1.trim().to_owned()
    };
    Credentials {
        access_key_id: value("aws_access_key_id"),
        secret_access_key: Zeroizing::new(value("aws_secret_access_key")),
        session_token: None,
    }
}
