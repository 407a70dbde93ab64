//! Two clusters, each the other's OpenID provider: a session of one proves itself to the other and works there, with no secret
//! of the one stored at the other. Everything between them goes over TLS: discovery, keys and calls.

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reeve_chassis::client::{Client, Credentials};
use reeve_proto::iam::v1::{
    CreateOpenIdConnectProviderRequest, CreateRoleRequest, CreateUserRequest,
    DisableOutboundWebIdentityFederationRequest, ListRolesRequest, ListUsersRequest, PutRolePolicyRequest,
    Role,
};
use reeve_proto::sts::v1::{
    AssumeRoleRequest, AssumeRoleWithWebIdentityRequest, Credentials as Given, GetWebIdentityTokenRequest,
};
use reeve_server::config::{Config, EngineName};
use reeve_server::serve::{self, Running};
use serde_json::{Value, json};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::sts::web_identity_tokens::enable;
use crate::sts::who;
use crate::world::{allow, code, credentials, document, root_credentials, trust};

/// A cluster of one server, which is called over TLS alone.
struct Cluster {
    running: Running,
    account: &'static str,
    root: Client,
    issuer: String,
    _folder: TempDir,
}

impl Cluster {
    /// A cluster that shows the certificate `own`, and believes an issuer that shows the one of `other`.
    async fn start(
        account: &'static str,
        own: &CertifiedKey<KeyPair>,
        other: &CertifiedKey<KeyPair>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            engine: EngineName::Memory,
            account: account.to_owned(),
            credentials_file: folder.path().join("credentials"),
            root_key_file: folder.path().join("root-key"),
            tls_certificate: file("certificate.pem", own.cert.pem()),
            tls_key: file("key.pem", own.signing_key.serialize_pem()),
            oidc_trust_anchors: file("anchors.pem", other.cert.pem()),
            ..Config::default()
        };
        let running = serve::start(&config).await.unwrap();
        let endpoint = format!("https://{}", running.address());
        let anybody = Client::connect_trusting(&endpoint, Some(own.cert.pem().into_bytes())).await.unwrap();
        let root = anybody.signed(root_credentials(&config.credentials_file));
        let issuer = enable(&root).await;
        assert!(issuer.starts_with(&format!("{endpoint}/")), "{issuer}");
        Self { running, account, root, issuer, _folder: folder }
    }

    async fn role(&self, name: &str, trust: &Value, statements: &Value) -> Role {
        let create = CreateRoleRequest {
            role_name: name.to_owned(),
            assume_role_policy_document: trust.to_string(),
            ..Default::default()
        };
        let put = PutRolePolicyRequest {
            role_name: name.to_owned(),
            policy_name: "own".to_owned(),
            policy_document: document(statements),
        };
        let role = self.root.call(&create).await.unwrap().role.unwrap();
        self.root.call(&put).await.unwrap();
        role
    }

    /// A session of a role that may prove itself, and the role.
    async fn worker(&self, name: &str) -> (Client, Role) {
        let create = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
        let user = self.root.call(&create).await.unwrap().user.unwrap();
        let key = reeve_proto::iam::v1::CreateAccessKeyRequest { user_name: Some(name.to_owned()) };
        let key = self.root.call(&key).await.unwrap().access_key.unwrap();
        let may = allow("sts:GetWebIdentityToken", "*");
        let role = self.role(&format!("{name}-worker"), &trust(user.arn), &may).await;
        let assume = AssumeRoleRequest {
            role_arn: role.arn.clone(),
            role_session_name: "work".to_owned(),
            ..Default::default()
        };
        let given = self.root.signed(credentials(&key)).call(&assume).await.unwrap().credentials.unwrap();
        (self.holder(given), role)
    }

    /// A role that the sessions of `theirs` may assume, who show a token of `other` that is for this cluster.
    async fn guest(&self, other: &Self, theirs: &Role) -> Role {
        let create = CreateOpenIdConnectProviderRequest {
            url: other.issuer.clone(),
            client_id_list: vec![self.audience()],
            ..Default::default()
        };
        let provider = self.root.call(&create).await.unwrap().open_id_connect_provider_arn;
        let name = other.issuer.strip_prefix("https://").unwrap();
        let trust = json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow",
            "Principal": { "Federated": provider },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                format!("{name}:sub"): theirs.arn, format!("{name}:aud"): self.audience(),
            } },
        } });
        self.role("guest", &trust, &allow("iam:ListUsers", "*")).await
    }

    fn audience(&self) -> String {
        format!("https://{}.example.com", self.account)
    }

    /// The session that somebody gets here for a token.
    async fn admit(&self, role: &Role, token: &str) -> Result<Client, String> {
        let request = AssumeRoleWithWebIdentityRequest {
            role_arn: role.arn.clone(),
            role_session_name: "visit".to_owned(),
            web_identity_token: token.to_owned(),
            ..Default::default()
        };
        let answer = self.root.unsigned().call(&request).await;
        answer.map(|answer| self.holder(answer.credentials.unwrap())).map_err(|error| error.code)
    }

    fn holder(&self, given: Given) -> Client {
        self.root.signed(Credentials {
            access_key_id: given.access_key_id,
            secret_access_key: Zeroizing::new(given.secret_access_key),
            session_token: Some(given.session_token),
        })
    }
}

/// A token of a worker's.
async fn token(worker: &Client, audience: &str, algorithm: &str) -> String {
    let request = GetWebIdentityTokenRequest {
        audience: vec![audience.to_owned()],
        signing_algorithm: algorithm.to_owned(),
        ..Default::default()
    };
    worker.call(&request).await.unwrap().web_identity_token
}

/// A worker of `home` goes to work at `there`, who trusts that one worker and nobody else.
async fn visit(home: &Cluster, there: &Cluster) {
    let ((worker, role), (stranger, _)) = (home.worker("ann").await, home.worker("ben").await);
    let guest = there.guest(home, &role).await;
    for algorithm in ["ES384", "RS256"] {
        let shown = token(&worker, &there.audience(), algorithm).await;
        let session = there.admit(&guest, &shown).await.unwrap();
        let expected = format!("arn:aws:sts::{}:assumed-role/guest/visit", there.account);
        assert_eq!(who(&session).await, Ok(expected));
        assert_eq!(code(session.call(&ListUsersRequest::default()).await), "");
        assert_eq!(code(session.call(&ListRolesRequest::default()).await), "AccessDenied");
    }
    let told = async |worker: &Client, audience: &str| {
        there.admit(&guest, &token(worker, audience, "ES384").await).await.err()
    };
    assert_eq!(
        told(&worker, &home.audience()).await.as_deref(),
        Some("InvalidIdentityToken"),
        "it is for others"
    );
    assert_eq!(told(&stranger, &there.audience()).await.as_deref(), Some("AccessDenied"), "it is of others");
}

#[tokio::test]
async fn two_clusters_let_each_other_s_sessions_in() {
    let certificate =
        || generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (one, other) = (certificate(), certificate());
    let one_cluster = Cluster::start("111111111111", &one, &other).await;
    let other_cluster = Cluster::start("222222222222", &other, &one).await;
    visit(&one_cluster, &other_cluster).await;
    visit(&other_cluster, &one_cluster).await;
    // Who is enabled no more proves nothing any more.
    one_cluster.root.call(&DisableOutboundWebIdentityFederationRequest {}).await.unwrap();
    let request = GetWebIdentityTokenRequest {
        audience: vec![other_cluster.audience()],
        signing_algorithm: "ES384".to_owned(),
        ..Default::default()
    };
    let told = code(one_cluster.root.call(&request).await);
    assert_eq!(told, "OutboundWebIdentityFederationDisabledException");
    one_cluster.running.stop().await;
    other_cluster.running.stop().await;
}
