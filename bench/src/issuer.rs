//! An OpenID Connect provider for the bench: an HTTPS server in its own process, which says who it is and what its one key is,
//! and tells how often it was asked.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer as Authority, KeyPair};
use reeve_chassis::jose::{self, Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::Outcome;
use crate::process::TRUST_ANCHORS;

/// A key for tests, 2048 bits of RSA: what most issuers sign with.
const KEY: &[u8] = include_bytes!("../../services/chassis/tests/fixtures/jose/rsa-2048.pem");
const KEY_ID: &str = "key-1";

/// The provider.
pub(crate) struct Issuer {
    pub(crate) url: String,
    key: EncodingKey,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    /// Starts it, and leaves its authority in the folder of a server that is to trust it.
    pub(crate) async fn start(home: &Path) -> Outcome<Self> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        std::fs::create_dir_all(home)?;
        std::fs::write(home.join(TRUST_ANCHORS), authority.self_signed(&authority_key)?.pem())?;
        let authority = Authority::new(authority, authority_key);
        let own_key = KeyPair::generate()?;
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&own_key, &authority)?;
        let private = PrivateKeyDer::from_pem_slice(own_key.serialize_pem().as_bytes())?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], private)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}", listener.local_addr()?);
        let key = EncodingKey::from_rsa_der(PrivateKeyDer::from_pem_slice(KEY)?.secret_der());
        let issuer = Self { url, key, asked: Arc::default() };
        let answers = Arc::new(issuer.answers()?);
        let (acceptor, asked) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&issuer.asked));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, answers, asked) = (acceptor.clone(), Arc::clone(&answers), Arc::clone(&asked));
                // Whoever asks may go away.
                tokio::spawn(async move { drop(answer(&acceptor, socket, &answers, &asked).await) });
            }
        });
        Ok(issuer)
    }

    /// Its URL without `https://`.
    pub(crate) fn name(&self) -> &str {
        self.url.trim_start_matches("https://")
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked_for_keys(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// A token that says `claims`.
    pub(crate) fn token(&self, claims: &Value) -> Outcome<String> {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        Ok(jose::encode(&header, claims, &self.key)?)
    }

    /// What verifies its tokens.
    pub(crate) fn verifying_key(&self) -> Outcome<jose::DecodingKey> {
        Ok(jose::DecodingKey::from_jwk(&jose::public_key(&self.key, Algorithm::RS256)?)?)
    }

    /// What it answers for discovery, and for its keys.
    fn answers(&self) -> Outcome<[String; 2]> {
        let mut key = serde_json::to_value(jose::public_key(&self.key, Algorithm::RS256)?)?;
        let members = key.as_object_mut().ok_or("a key that is no object")?;
        members.extend([("kid".to_owned(), json!(KEY_ID)), ("use".to_owned(), json!("sig"))]);
        let discovery = json!({ "issuer": self.url, "jwks_uri": format!("{}/keys", self.url) });
        Ok([discovery.to_string(), json!({ "keys": [key] }).to_string()])
    }
}

async fn answer(
    acceptor: &TlsAcceptor,
    socket: TcpStream,
    [discovery, keys]: &[String; 2],
    asked: &AtomicUsize,
) -> std::io::Result<()> {
    let mut stream = acceptor.accept(socket).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let body = if head.starts_with(b"GET /keys ") {
        asked.fetch_add(1, Ordering::Relaxed);
        keys
    } else {
        discovery
    };
    let length = body.len();
    stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes()).await?;
    stream.shutdown().await
}
