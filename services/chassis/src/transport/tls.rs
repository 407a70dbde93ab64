//! TLS by rustls: certificate, key and the authority of clients come from files, and are read again when a file changes, so
//! that certificates are renewed without a restart. What cannot be read leaves what is served as it is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

type TlsError = Box<dyn std::error::Error + Send + Sync>;

/// The files that TLS is served from, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain of certificates.
    pub certificates: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The authorities whose certificates clients must show; clients show none where there is no file.
    pub client_authorities: Option<PathBuf>,
}

/// TLS as it is served at the moment.
#[derive(Clone)]
pub struct Tls {
    files: Arc<TlsFiles>,
    served: Arc<RwLock<Served>>,
}

struct Served {
    config: Arc<ServerConfig>,
    /// What the files were when it was read.
    stamps: Vec<Option<Stamp>>,
}

/// What tells that a file is another: a renewed one has another time, and a swapped link another length or time.
type Stamp = (SystemTime, u64);

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One cannot be read, or does not hold what it should.
    pub fn read(files: TlsFiles) -> Result<Self, TlsError> {
        // Before reading: what is written meanwhile is then seen as a change.
        let stamps = stamps(&files);
        let config = Arc::new(config(&files)?);
        Ok(Self { files: Arc::new(files), served: Arc::new(RwLock::new(Served { config, stamps })) })
    }

    /// What takes the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&served.config))
    }

    /// Serves what the files hold, whenever they change. Connections that stand go on as they are.
    pub(super) async fn follow(self) {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let this = self.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || this.look()).await {
                tracing::error!(%error, "the files of TLS could not be looked at");
            }
        }
    }

    fn look(&self) {
        let stamps = stamps(&self.files);
        if self.served.read().unwrap_or_else(PoisonError::into_inner).stamps == stamps {
            return;
        }
        let config = config(&self.files);
        let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
        match config {
            Ok(config) => {
                *served = Served { config: Arc::new(config), stamps };
                tracing::info!(certificate = %self.files.certificates.display(), "TLS is served from files that have changed");
            }
            Err(error) => {
                // Certificate and key are written one after the other: the next change is waited for.
                served.stamps = stamps;
                tracing::error!(%error, "the files of TLS have changed and cannot be served; what was, still is");
            }
        }
    }
}

fn config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificates)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)?;
    let builder = ServerConfig::builder();
    let builder = match &files.client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(path)? {
                roots.add(authority)?;
            }
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build()?)
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() { Err(format!("{} holds no certificate", path.display()).into()) } else { Ok(chain) }
}

fn stamps(files: &TlsFiles) -> Vec<Option<Stamp>> {
    let paths = [Some(&files.certificates), Some(&files.key), files.client_authorities.as_ref()];
    paths
        .into_iter()
        .flatten()
        .map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
        .collect()
}
