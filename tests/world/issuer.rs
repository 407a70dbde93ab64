//! An issuer of tokens of one's own: a real HTTPS server with a certificate of an authority of its own, which answers as
//! issuers do, or as they should not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer as Authority, KeyPair as CertificateKey};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKey;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const RSA_KEY: &[u8] = include_bytes!("../../services/chassis/tests/fixtures/jose/rsa-2048.pem");

/// How an issuer answers.
#[derive(Clone, Debug, Default)]
pub(crate) enum Manner {
    /// As issuers do.
    #[default]
    Honest,
    /// With a redirection to there, whatever is asked.
    Redirects(String),
    /// That it is another.
    SaysItIs(String),
    /// That its keys lie there.
    PointsTo(String),
    /// With this status.
    Answers(u16),
    /// With this, whatever is asked.
    Says(String),
    /// With 100 MB.
    Floods,
    /// With a byte now and then.
    Drips,
    /// Not at all.
    Silent,
}

/// An issuer.
pub(crate) struct Issuer {
    /// What its tokens say of who issued them.
    pub(crate) url: String,
    /// Who signed its certificate.
    pub(crate) authority: CertificateDer<'static>,
    /// The same, as operators keep it.
    pub(crate) authority_pem: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    manner: Manner,
    keys: Vec<Value>,
    asked: Vec<String>,
}

impl Issuer {
    /// One on a port of its own.
    pub(crate) async fn start() -> Self {
        Self::at("").await
    }

    /// The same, whose URL has a path.
    pub(crate) async fn at(path: &str) -> Self {
        let key = CertificateKey::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = authority.self_signed(&key).unwrap();
        let authority = Authority::new(authority, key);
        let key = CertificateKey::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let own = own.signed_by(&key, &authority).unwrap();
        let private = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}{path}", listener.local_addr().unwrap());
        let issuer = Self {
            url,
            authority: certificate.der().clone(),
            authority_pem: certificate.pem(),
            state: Arc::default(),
        };
        let (acceptor, state) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&issuer.state));
        tokio::spawn(serve(listener, acceptor, issuer.url.clone(), state));
        issuer
    }

    /// Its URL without `https://`.
    pub(crate) fn name(&self) -> &str {
        self.url.strip_prefix("https://").unwrap()
    }

    /// Answers so from now on.
    pub(crate) fn behave(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    /// Publishes the keys from now on, and no others.
    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        self.publish_raw(keys.iter().map(|key| key.jwk()).collect());
    }

    /// The same of whatever is no key.
    pub(crate) fn publish_raw(&self, keys: Vec<Value>) {
        self.state.lock().unwrap().keys = keys;
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked_for_keys(&self) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|path| path.ends_with("/keys")).count()
    }

    /// How often it was asked for anything.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, url: String, state: Arc<Mutex<State>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, url, state) = (acceptor.clone(), url.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(socket).await {
                // Whoever asked may have gone away.
                let _ = answer(stream, &url, &state).await;
            }
        });
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    url: &str,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let (manner, keys) = {
        let mut state = state.lock().unwrap();
        state.asked.push(path.clone());
        (state.manner.clone(), state.keys.clone())
    };
    let keys_lie = format!("{}/keys", url.trim_end_matches('/'));
    let honest = if path.ends_with("/.well-known/openid-configuration") {
        let issuer = if let Manner::SaysItIs(other) = &manner { other } else { url };
        let keys = if let Manner::PointsTo(there) = &manner { there } else { &keys_lie };
        json!({ "issuer": issuer, "jwks_uri": keys, "response_types_supported": ["id_token"] })
    } else {
        json!({ "keys": keys })
    };
    let reply = |status: &str, more: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n{body}"
        )
    };
    match manner {
        Manner::Honest | Manner::SaysItIs(_) | Manner::PointsTo(_) => {
            stream.write_all(reply("200 OK", "", &honest.to_string()).as_bytes()).await?;
        }
        Manner::Redirects(there) => {
            stream.write_all(reply("302 Found", &format!("location: {there}\r\n"), "").as_bytes()).await?;
        }
        Manner::Answers(status) => {
            stream.write_all(reply(&format!("{status} X"), "", "{}").as_bytes()).await?;
        }
        Manner::Says(text) => stream.write_all(reply("200 OK", "", &text).as_bytes()).await?,
        Manner::Floods => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"issuer\":\"").await?;
            for _ in 0..100 {
                stream.write_all(&[b'x'; 1024 * 1024]).await?;
            }
        }
        Manner::Drips => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Manner::Silent => std::future::pending().await,
    }
    stream.shutdown().await
}

/// A key that tokens are signed with.
pub(crate) struct SigningKey {
    pub(crate) kid: Option<String>,
    pub(crate) algorithm: &'static str,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKey>),
    Curve(&'static str, Box<EcdsaKeyPair>),
    Edwards(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key for an algorithm; those of RSA are all the same.
    pub(crate) fn new(kid: &str, algorithm: &'static str) -> Self {
        let random = SystemRandom::new();
        let curve = |name, by: &'static signature::EcdsaSigningAlgorithm| {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(by, &random).unwrap();
            Key::Curve(name, Box::new(EcdsaKeyPair::from_pkcs8(by, pkcs8.as_ref(), &random).unwrap()))
        };
        let key = match algorithm {
            "ES256" => curve("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => curve("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
            "EdDSA" => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Key::Edwards(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
            }
            _ => {
                let der = PrivateKeyDer::from_pem_slice(RSA_KEY).unwrap();
                Key::Rsa(Box::new(RsaKey::from_der(der.secret_der()).unwrap()))
            }
        };
        Self { kid: Some(kid.to_owned()), algorithm, key }
    }

    /// As issuers publish it.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Rsa(key) => {
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({ "kty": "RSA", "n": encoded(&public.n), "e": encoded(&public.e) })
            }
            Key::Curve(name, key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(if *name == "P-256" { 32 } else { 48 });
                json!({ "kty": "EC", "crv": name, "x": encoded(x), "y": encoded(y) })
            }
            Key::Edwards(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key().as_ref()) })
            }
        };
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm);
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    /// A token that says `claims`.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_text(&self.header(), &claims.to_string())
    }

    /// The header of its tokens.
    pub(crate) fn header(&self) -> Value {
        let mut header = json!({ "typ": "JWT", "alg": self.algorithm });
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    /// A token whose payload is `text`.
    pub(crate) fn sign_text(&self, header: &Value, text: &str) -> String {
        let message = format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(text.as_bytes()));
        let random = SystemRandom::new();
        let signed = match &self.key {
            Key::Rsa(key) => {
                let padding: &'static dyn signature::RsaEncoding = match self.algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signed = vec![0; key.public().modulus_len()];
                key.sign(padding, &random, message.as_bytes(), &mut signed).unwrap();
                signed
            }
            Key::Curve(_, key) => key.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Key::Edwards(key) => key.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", encoded(&signed))
    }
}

/// Base64 as tokens have it.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
