//! TLS: a call over it, what is agreed in the handshake, and who is refused.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedKey, IsCa, Issuer, KeyPair, generate_simple_self_signed,
};
use reeve_chassis::client::Client;
use reeve_proto::iam::v1::{GetUserRequest, PutUserPolicyRequest};
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use reeve_server::config::{Config, EngineName};
use reeve_server::serve::{self, Running};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::wire::PATIENCE;
use crate::door::http::Sent;
use crate::world::{ACCOUNT, root_credentials};

/// A server that is called over TLS alone.
pub(crate) struct Secure {
    running: Running,
    pem: Vec<u8>,
    der: CertificateDer<'static>,
    config: Config,
    _folder: TempDir,
}

/// A server with a certificate of its own.
pub(crate) async fn start() -> Secure {
    configured(|_, _| {}).await
}

/// The same with other settings, given the folder that everything lies in.
async fn configured(configure: impl FnOnce(&mut Config, &Path)) -> Secure {
    let folder = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let mut config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        engine: EngineName::Memory,
        account: ACCOUNT.to_owned(),
        credentials_file: folder.path().join("credentials"),
        root_key_file: folder.path().join("root-key"),
        tls_certificate: certificate,
        tls_key: key,
        ..Config::default()
    };
    configure(&mut config, folder.path());
    let running = serve::start(&config).await.unwrap();
    Secure { running, pem: cert.pem().into_bytes(), der: cert.der().clone(), config, _folder: folder }
}

impl Secure {
    fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.running.address().port())
    }

    /// The account's root.
    pub(crate) async fn root(&self) -> Client {
        let client = Client::connect_trusting(&self.endpoint(), Some(self.pem.clone())).await.unwrap();
        client.signed(root_credentials(&self.config.credentials_file))
    }

    /// A handshake that offers `protocols`: what was agreed, and the stream.
    async fn handshake(
        &self,
        protocols: &[&str],
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let mut config = ClientConfig::builder().with_root_certificates(self.roots()).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self.connect(config).await
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        roots
    }

    async fn connect(
        &self,
        config: ClientConfig,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let socket = TcpStream::connect(self.running.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, socket).await
    }

    /// Writes another certificate and its key into the files that are served, and trusts it from now on.
    fn renew(&mut self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&self.config.tls_key, signing_key.serialize_pem()).unwrap();
        std::fs::write(&self.config.tls_certificate, cert.pem()).unwrap();
        self.der = cert.der().clone();
    }

    /// Handshakes until the certificate that is trusted is served.
    async fn until_served(&self) {
        let served = async {
            while self.handshake(&["h2"]).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, served).await.expect("the renewed certificate is not served");
    }
}

#[tokio::test]
async fn a_signed_call_goes_through_tls() {
    let secure = start().await;
    let root = secure.root().await;
    assert_eq!(root.call(&GetCallerIdentityRequest {}).await.unwrap().account, ACCOUNT);

    // And its conditions know that it did.
    let create =
        reeve_proto::iam::v1::CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() };
    root.call(&create).await.unwrap();
    let key = reeve_proto::iam::v1::CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
    let key = root.call(&key).await.unwrap().access_key.unwrap();
    let secure_only = json!({
        "Effect": "Allow", "Action": "iam:GetUser", "Resource": "*",
        "Condition": { "Bool": { "aws:SecureTransport": "true" } },
    });
    let put = PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "secure".to_owned(),
        policy_document: crate::world::document(&secure_only),
    };
    root.call(&put).await.unwrap();
    let alice = root.signed(crate::world::credentials(&key));
    alice.call(&GetUserRequest::default()).await.unwrap();
}

#[tokio::test]
async fn http_2_is_agreed_on_and_http_1_understood() {
    let secure = start().await;
    for (offered, agreed) in [
        (&["h2"][..], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = secure.handshake(offered).await.unwrap();
        let got =
            stream.get_ref().1.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned());
        assert_eq!(got.as_deref(), agreed, "{offered:?}");
    }
    assert!(secure.handshake(&["spdy/1"]).await.is_err(), "nothing in common");
    let mut stream = secure.handshake(&["http/1.1"]).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut heard = [0; 9];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"HTTP/1.1 ");
}

#[tokio::test]
async fn the_query_door_is_served_over_it() {
    let secure = start().await;
    let root = root_credentials(&secure.config.credentials_file);
    let pairs = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]
        .map(|(a, b)| (a.to_owned(), b.to_owned()));
    for protocols in [&["http/1.1"][..], &[]] {
        let host = format!("https://localhost:{}", secure.running.address().port());
        let mut sent = Sent::form(&host, &pairs);
        sent.host = host.trim_start_matches("https://").to_owned();
        let sent = sent.signed(&root, "sts");
        let reply = sent.send_over(secure.handshake(protocols).await.unwrap()).await;
        assert_eq!((reply.status, reply.element("Account")), (200, ACCOUNT), "{reply:?}");
    }
}

#[tokio::test]
async fn nobody_is_served_without_it_and_no_stranger_is_trusted() {
    let secure = start().await;
    let plain = format!("http://{}", secure.running.address());
    if let Ok(client) = Client::connect(&plain).await {
        let error = client.call(&GetCallerIdentityRequest {}).await.unwrap_err();
        assert_eq!(error.code, "", "it must not be understood: {error}");
    }
    let stranger = generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem().into_bytes();
    assert!(Client::connect_trusting(&secure.endpoint(), Some(stranger)).await.is_err());
    // A handshake that is no handshake harms nobody else.
    let mut socket = TcpStream::connect(secure.running.address()).await.unwrap();
    socket.write_all(&[0x16, 3, 1, 0xff, 0xff, 1, 2, 3]).await.unwrap();
    assert!(secure.handshake(&["h2"]).await.is_ok());
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let mut secure = start().await;
    let mut standing = secure.handshake(&["http/1.1"]).await.unwrap();
    secure.renew();
    secure.until_served().await;
    // What is no certificate changes nothing, and is no reason to look no more.
    std::fs::write(&secure.config.tls_certificate, "no certificate").unwrap();
    assert!(secure.handshake(&["h2"]).await.is_ok());
    secure.renew();
    secure.until_served().await;
    standing.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut heard = [0; 9];
    tokio::time::timeout(PATIENCE, standing.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"HTTP/1.1 ", "a connection that stood goes on");
}

/// An authority, and a certificate of its for a client.
fn client_certificate() -> (String, CertificateDer<'static>, PrivateKeyDer<'static>) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let client = CertificateParams::new(vec!["client".to_owned()]).unwrap();
    let certificate = client.signed_by(&key, &issuer).unwrap();
    (pem, certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

#[tokio::test]
async fn where_clients_show_certificates_nobody_else_is_let_in() {
    let (authority, certificate, key) = client_certificate();
    let (_, strange, strange_key) = client_certificate();
    let secure = configured(|config, folder| {
        config.tls_client_ca = folder.join("clients.pem");
        std::fs::write(&config.tls_client_ca, authority).unwrap();
    })
    .await;
    for (shown, is_let_in) in
        [(None, false), (Some((strange, strange_key)), false), (Some((certificate, key)), true)]
    {
        let builder = ClientConfig::builder().with_root_certificates(secure.roots());
        let config = match shown {
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        let spoken = async {
            let mut stream = secure.connect(config).await?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
            let mut heard = [0; 9];
            stream.read_exact(&mut heard).await
        };
        let heard = tokio::time::timeout(PATIENCE, spoken).await.unwrap();
        assert_eq!(heard.is_ok(), is_let_in, "{heard:?}");
    }
}
