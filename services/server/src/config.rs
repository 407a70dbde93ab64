//! What the operator decides. Flags stand before `REEVE_` environment variables, those before the configuration file,
//! and that before the defaults; a key that does not exist is refused. `deploy/config.toml` shows every key.

mod audit;
mod bounds;
mod layers;
mod limits;
mod oidc;
mod passwords;
mod signatures;
mod signing_keys;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use reeve_chassis::audit::Retention;
use reeve_chassis::outbound::IssuerUrl;
use reeve_chassis::transport::Limits;
use reeve_chassis::{PasswordSettings, SignatureSettings};
use reeve_directory::{Quotas, Settings};
use serde::{Deserialize, Serialize};

pub use audit::AuditConfig;
pub use layers::ENVIRONMENT_PREFIX;
pub use limits::LimitsConfig;
pub use oidc::OidcConfig;
pub use passwords::PasswordConfig;
pub use signatures::SignatureConfig;
pub use signing_keys::SigningKeyConfig;

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the embedded store lies.
    pub data_dir: PathBuf,
    /// The address of the port that serves every protocol.
    pub listen: SocketAddr,
    /// What stores.
    pub engine: EngineName,
    /// The account that the first start creates: twelve digits; drawn when empty.
    pub account: String,
    /// Where the first start writes the root credentials.
    pub credentials_file: PathBuf,
    /// The file of the root key, which the first start creates. `REEVE_ROOT_KEY` holds the key itself instead.
    pub root_key_file: PathBuf,
    /// The partition of all ARNs.
    pub partition: String,
    /// The audit log; `audit.log` in the data directory when empty.
    pub audit_log: PathBuf,
    /// The chain of certificates to serve TLS with, PEM; plain text when empty.
    pub tls_certificate: PathBuf,
    /// The private key of the certificate, PEM.
    pub tls_key: PathBuf,
    /// The certificate authorities of clients, PEM: who shows no certificate of theirs is not let in. None are asked for when
    /// empty.
    pub tls_client_ca: PathBuf,
    /// Authorities, PEM, that may have signed the certificates of OpenID Connect providers, besides those that the machine
    /// trusts; none when empty.
    pub oidc_trust_anchors: PathBuf,
    /// Plain text may be served off the loopback, where whoever listens reads passwords, tokens and new secrets.
    pub plaintext_off_loopback: bool,
    /// The URL under which accounts issue tokens for others, as it is reached from outside; the address of the port when empty.
    pub issuer_url: String,
    /// gRPC reflection answers without credentials.
    pub reflection: bool,
    /// The page cache of the embedded store, in bytes.
    pub store_cache_bytes: u64,
    /// How signatures are judged.
    pub signatures: SignatureConfig,
    /// What hashing a password costs.
    pub passwords: PasswordConfig,
    /// How the keys that sign tokens for others follow one another.
    pub signing_keys: SigningKeyConfig,
    /// How the keys of OpenID Connect providers are fetched and kept.
    pub oidc: OidcConfig,
    /// How long audit events are kept.
    pub audit: AuditConfig,
    /// What one client can make the server hold or wait for.
    pub limits: LimitsConfig,
    /// What an account can hold.
    pub quotas: Quotas,
}

/// The engines there are.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineName {
    /// Embedded and durable: one process, one directory.
    Sled,
    /// Nothing outlives the process.
    Memory,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {error}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: Box<toml::de::Error>,
    },
    /// An environment variable is not what it should be.
    #[error("{variable}: {reason}")]
    Environment {
        /// The variable.
        variable: String,
        /// Why.
        reason: String,
    },
    /// A number outside what its key may be.
    #[error("{key} must be between {least} and {most}, not {value}")]
    OutOfBounds {
        /// The key, with the names of its tables.
        key: &'static str,
        /// The least it may be.
        least: i64,
        /// The most it may be.
        most: i64,
        /// What it is.
        value: i64,
    },
    /// Values that cannot be, or not together.
    #[error("{0}")]
    Refused(&'static str),
}

impl Config {
    /// The defaults, overridden by `file` if there is one, and then by `environment`.
    ///
    /// # Errors
    /// Something is malformed, unknown or refused.
    pub fn load(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let known = toml::Table::try_from(Self::default())
            .map_err(|_| ConfigError::Refused("the default configuration cannot be written"))?;
        layers::merged(file, &known, &environment)?.try_into().map_err(|error| ConfigError::Malformed {
            path: file.unwrap_or(Path::new("configuration")).to_owned(),
            error: Box::new(error),
        })
    }

    /// Refuses values that cannot be.
    ///
    /// # Errors
    /// Which.
    pub fn check(&self) -> Result<(), ConfigError> {
        bounds::check(self)?;
        if !is_partition(&self.partition) {
            return Err(ConfigError::Refused(
                "the partition is aws, or begins with aws-, as in the policies that name it",
            ));
        }
        if self.tls_certificate.as_os_str().is_empty() != self.tls_key.as_os_str().is_empty() {
            return Err(ConfigError::Refused("tls_certificate and tls_key go together"));
        }
        if !self.passwords().is_sound() {
            return Err(ConfigError::Refused(
                "passwords must cost what OWASP asks for at least, and be bounded",
            ));
        }
        let is_plain = self.tls_certificate.as_os_str().is_empty();
        if is_plain && !self.tls_client_ca.as_os_str().is_empty() {
            return Err(ConfigError::Refused("tls_client_ca needs tls_certificate and tls_key"));
        }
        if is_plain && !self.listen.ip().is_loopback() && !self.plaintext_off_loopback {
            return Err(ConfigError::Refused(
                "plain text is served on the loopback alone: give tls_certificate and tls_key, or set plaintext_off_loopback",
            ));
        }
        self.signing_keys.check()?;
        self.issuer_url()?;
        self.oidc.check()?;
        self.limits.check()
    }

    /// The URL under which accounts issue tokens, where the operator says it.
    ///
    /// # Errors
    /// It is none under which they could.
    pub fn issuer_url(&self) -> Result<Option<IssuerUrl>, ConfigError> {
        if self.issuer_url.is_empty() {
            return Ok(None);
        }
        IssuerUrl::parse(&self.issuer_url).map(Some).map_err(ConfigError::Refused)
    }

    /// Where the audit log lies; none for a server that stores nothing and was not told.
    pub fn audit_log(&self) -> Option<PathBuf> {
        match (self.audit_log.as_os_str().is_empty(), self.engine) {
            (false, _) => Some(self.audit_log.clone()),
            (true, EngineName::Sled) => Some(self.data_dir.join("audit.log")),
            (true, EngineName::Memory) => None,
        }
    }

    /// How long audit events are kept.
    pub fn retention(&self) -> Retention {
        self.audit.retention()
    }

    /// Partition and quotas.
    pub fn settings(&self) -> Settings {
        Settings { partition: self.partition.clone(), quotas: self.quotas.clone() }
    }

    /// The transport's limits.
    pub fn limits(&self) -> Limits {
        self.limits.limits()
    }

    /// What hashing a password costs.
    pub fn passwords(&self) -> PasswordSettings {
        self.passwords.settings()
    }

    /// How signatures are judged.
    pub fn signatures(&self) -> SignatureSettings {
        self.signatures.settings()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "./reeve-data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 7443)),
            engine: EngineName::Sled,
            account: String::new(),
            credentials_file: "./reeve-credentials".into(),
            root_key_file: "./reeve-root-key".into(),
            partition: Settings::default().partition,
            audit_log: PathBuf::new(),
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            tls_client_ca: PathBuf::new(),
            oidc_trust_anchors: PathBuf::new(),
            plaintext_off_loopback: false,
            issuer_url: String::new(),
            reflection: true,
            store_cache_bytes: reeve_storage::CACHE_BYTES_DEFAULT,
            signatures: SignatureConfig::default(),
            passwords: PasswordConfig::default(),
            signing_keys: SigningKeyConfig::default(),
            oidc: OidcConfig::default(),
            audit: AuditConfig::default(),
            limits: LimitsConfig::default(),
            quotas: Quotas::default(),
        }
    }
}

/// Whether policies can name resources of that partition.
fn is_partition(text: &str) -> bool {
    let word = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text == "aws" || text.strip_prefix("aws-").is_some_and(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        (directory, path)
    }

    #[test]
    fn nothing_said_gives_the_defaults() {
        let config = Config::load(None, nothing).unwrap();
        assert_eq!(config, Config::default());
        config.check().unwrap();
    }

    #[test]
    fn the_reference_file_shows_every_key_with_its_default() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.parse::<toml::Table>().unwrap(), toml::Table::try_from(Config::default()).unwrap());
        assert_eq!(Config::load(Some(&path), nothing).unwrap(), Config::default());
    }

    #[test]
    fn the_environment_stands_before_the_file() {
        let (_directory, path) = written("partition = 'a'\nreflection = false\n[limits]\nstreams_max = 7\n");
        let config = Config::load(Some(&path), |name| match name {
            "REEVE_PARTITION" => Some("b".to_owned()),
            "REEVE_LIMITS_DRAIN_SECONDS_MAX" => Some("3".to_owned()),
            _ => None,
        })
        .unwrap();
        assert_eq!(config.partition, "b");
        assert!(!config.reflection);
        assert_eq!((config.limits.streams_max, config.limits.drain_seconds_max), (7, 3));
    }

    #[test]
    fn what_is_unknown_or_malformed_is_refused() {
        for text in ["listne = 'x'", "[limits]\nstreams = 1", "listen = 'nowhere'", "engine = 'etcd'", "= 1"]
        {
            let (_directory, path) = written(text);
            assert!(Config::load(Some(&path), nothing).is_err(), "{text}");
        }
        let wrong = |name: &str| (name == "REEVE_REFLECTION").then(|| "perhaps".to_owned());
        assert!(Config::load(None, wrong).is_err());
        assert!(Config::load(Some(Path::new("/nonexistent/config.toml")), nothing).is_err());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut config = Config::default();
        config.signatures.skew_seconds_max = 901;
        assert!(config.check().is_err());
        let mut config = Config::default();
        config.passwords.iterations = 1;
        assert!(config.check().is_err());
        for partition in ["", "acme", "aws-", "aws-A", "aws_x", "awsx", "aws:x"] {
            let config = Config { partition: partition.to_owned(), ..Config::default() };
            assert!(config.check().is_err(), "{partition}");
        }
        for partition in ["aws", "aws-cn", "aws-acme-2"] {
            let config = Config { partition: partition.to_owned(), ..Config::default() };
            assert!(config.check().is_ok(), "{partition}");
        }
        let mut config = Config::default();
        config.signing_keys.age_seconds_max = config.signing_keys.overlap_seconds - 1;
        assert!(config.check().is_err());
        for (issuer_url, may) in [("https://id.example.com/reeve", true), ("http://id.example.com", false)] {
            let config = Config { issuer_url: issuer_url.to_owned(), ..Config::default() };
            assert_eq!(config.check().is_ok(), may, "{issuer_url}");
        }
        for config in [
            Config { tls_key: "key.pem".into(), ..Config::default() },
            Config { tls_client_ca: "ca.pem".into(), ..Config::default() },
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }

    #[test]
    fn plain_text_leaves_the_loopback_only_when_it_is_told_to() {
        for (listen, may) in [
            ("127.0.0.1:1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("10.0.0.1:1", false),
        ] {
            let plain = Config { listen: listen.parse().unwrap(), ..Config::default() };
            assert_eq!(plain.check().is_ok(), may, "{listen}");
            let (certificate, key) = ("certificate.pem".into(), "key.pem".into());
            Config { tls_certificate: certificate, tls_key: key, ..plain.clone() }.check().unwrap();
            Config { plaintext_off_loopback: true, ..plain }.check().unwrap();
        }
    }
}
