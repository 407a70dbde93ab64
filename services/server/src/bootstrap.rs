//! Opening the store, and on an empty one the first start: the cluster, its data key, the first account and its root
//! credentials, which are written once, to a file of the operator's, and nowhere else.

mod operator;

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reeve_chassis::audit::AuditLog;
use reeve_chassis::clock::{Clock, SystemClock};
use reeve_chassis::issuer::{self, IssuerSettings, Issuers};
use reeve_chassis::seal::{DataKey, Keyring, Purpose, RootKey};
use reeve_chassis::{Environment, PasswordPool, SystemRandom, secret_access_key};
use reeve_directory::Owner;
use reeve_directory::access_key::NewAccessKey;
use reeve_directory::record::ClusterRecord;
use reeve_directory::{Directory, Random as _, id};
use reeve_storage::{Engine, Memory, Sled, SledConfig, Transaction};
use zeroize::Zeroizing;

use crate::config::{Config, EngineName};

pub use operator::{mark_restored, replace_root_credentials, replace_signing_keys};

/// The environment variable that holds the root key itself.
pub const ROOT_KEY_VARIABLE: &str = "REEVE_ROOT_KEY";
/// The profile of the root credentials in their file.
pub const ROOT_PROFILE: &str = "root";
/// The end of the credentials file's name until the store has what it says.
const PENDING_SUFFIX: &str = ".pending";
/// The beginning of a credentials file that may be replaced: what it opens ended with its server.
const EPHEMERAL_MARK: &str = "# Of a server that stores nothing; its next start replaces this file.\n";

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened, or fails.
    #[error(transparent)]
    Storage(#[from] reeve_storage::Error),
    /// What is stored does not fit.
    #[error("{error}{}", error.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Directory {
        /// What.
        #[from]
        error: reeve_directory::Error,
    },
    /// A file or a port is not to be had.
    #[error("{what}: {error}")]
    Io {
        /// Which.
        what: String,
        /// Why.
        error: std::io::Error,
    },
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// Anything else, in words.
    #[error("{0}")]
    Refused(String),
}

/// Opens the store, and starts it if it is empty.
///
/// # Errors
/// The store, the root key or the credentials file is not as it should be.
pub async fn open(config: &Config) -> Result<Environment, StartError> {
    let issuers = issuer_settings(config)?;
    let engine = open_engine(config).await?;
    let cluster = cluster_record(&engine).await?;
    let root_key = root_key(config, cluster.is_none())?;
    let cluster = match cluster {
        Some(cluster) => {
            name_credentials_file(config)?;
            cluster
        }
        None => first_start(config, &engine, &root_key).await?,
    };
    if !config.account.is_empty() && config.account != cluster.management_account_id {
        let message = format!("the store belongs to account {}", cluster.management_account_id);
        return Err(StartError::Refused(message));
    }
    if config.partition != cluster.partition {
        return Err(StartError::Refused(format!("the store belongs to partition {}", cluster.partition)));
    }
    let keyring = keyring(&engine, &root_key, &cluster).await?;
    let mut environment =
        Environment::new(engine, Arc::new(SystemClock), keyring, cluster, config.settings())?;
    environment.signatures = config.signatures();
    environment.passwords = PasswordPool::new(config.passwords());
    environment.issuers = Issuers::new(issuers);
    environment.plaintext_off_loopback = config.plaintext_off_loopback;
    if let Some(path) = config.audit_log() {
        environment.audit =
            AuditLog::open(&path, &config.retention()).map_err(|error| io(path.display(), error))?;
    }
    Ok(environment)
}

/// How the keys of OpenID Connect providers are fetched, with the authorities that the operator adds.
fn issuer_settings(config: &Config) -> Result<IssuerSettings, StartError> {
    let mut settings = config.oidc.settings();
    let path = &config.oidc_trust_anchors;
    if !path.as_os_str().is_empty() {
        settings.trust_anchors = issuer::trust_anchors(path)
            .map_err(|error| StartError::Refused(format!("{}: {error}", path.display())))?;
    }
    Ok(settings)
}

async fn open_engine(config: &Config) -> Result<Arc<dyn Engine>, StartError> {
    if config.engine == EngineName::Memory {
        return Ok(Arc::new(Memory::new()));
    }
    let mut sled = SledConfig::new(&config.data_dir);
    sled.cache_bytes = config.store_cache_bytes;
    let opened = tokio::task::spawn_blocking(move || Sled::open(&sled)).await;
    let opened = opened.map_err(|error| StartError::Refused(format!("opening the store: {error}")))?;
    Ok(Arc::new(opened?))
}

async fn cluster_record(engine: &Arc<dyn Engine>) -> Result<Option<ClusterRecord>, StartError> {
    let mut transaction = Transaction::begin(Arc::clone(engine));
    Ok(reeve_directory::tables::CLUSTER.get(&mut transaction, &()).await?)
}

async fn keyring(
    engine: &Arc<dyn Engine>,
    root_key: &RootKey,
    cluster: &ClusterRecord,
) -> Result<Keyring, StartError> {
    let mut transaction = Transaction::begin(Arc::clone(engine));
    let stored = reeve_directory::tables::DATA_KEYS
        .scan(&mut transaction, &(), None, reeve_directory::data_key::DATA_KEYS_MAX)
        .await?;
    let mut keys = Vec::with_capacity(stored.len());
    for (number, record) in stored {
        let key = DataKey::unwrap(root_key, &cluster.cluster_id, number, &record.wrapped).map_err(|_| {
            StartError::Refused("the root key is not the one this store was made with".to_owned())
        })?;
        keys.push((number, key));
    }
    let newest = keys.iter().map(|(number, _)| *number).max().unwrap_or_default();
    Keyring::new(&cluster.cluster_id, newest, keys)
        .map_err(|error| StartError::Refused(format!("the store's data keys: {error}")))
}

/// The root key: from the environment, or from its file, which the first start creates.
fn root_key(config: &Config, first: bool) -> Result<RootKey, StartError> {
    let malformed =
        |from: String| StartError::Refused(format!("{from}: a root key is the base64 of 32 bytes"));
    if let Ok(text) = std::env::var(ROOT_KEY_VARIABLE) {
        let text = Zeroizing::new(text);
        return RootKey::from_base64(text.trim()).map_err(|_| malformed(ROOT_KEY_VARIABLE.to_owned()));
    }
    let path = &config.root_key_file;
    outside_data_directory(config, path, "the root key")?;
    let mut text = Zeroizing::new(String::new());
    match File::open(path) {
        Ok(mut file) => {
            file.read_to_string(&mut text).map_err(|error| io(path.display(), error))?;
            RootKey::from_base64(text.trim()).map_err(|_| malformed(path.display().to_string()))
        }
        Err(error) if first && error.kind() == std::io::ErrorKind::NotFound => {
            let key = RootKey::generate(&mut SystemRandom::new());
            // Under its name it is whole, wherever this is cut off.
            let pending = pending(path);
            remove_pending(&pending)?;
            let text = Zeroizing::new(format!("{}\n", key.to_base64().as_str()));
            write_secret(&pending, text.as_bytes())?;
            std::fs::rename(&pending, path).map_err(|error| io(path.display(), error))?;
            Ok(key)
        }
        Err(error) => Err(io(format!("the root key {}", path.display()), error)),
    }
}

/// Makes an empty store into a cluster of one account. The credentials reach their file before the store knows them and
/// get their name after, so that whenever this is cut off, the next start can go on.
async fn first_start(
    config: &Config,
    engine: &Arc<dyn Engine>,
    root_key: &RootKey,
) -> Result<ClusterRecord, StartError> {
    outside_data_directory(config, &config.credentials_file, "the root credentials")?;
    if !is_replaceable(config) {
        is_free(&config.credentials_file)?;
    }
    let mut random = SystemRandom::new();
    let mut cluster_id = vec![0; 16];
    random.fill(&mut cluster_id);
    let account = if config.account.is_empty() { drawn_account(&mut random) } else { config.account.clone() };
    let cluster = ClusterRecord {
        cluster_id,
        incarnation: 1,
        management_account_id: account.clone(),
        partition: config.partition.clone(),
    };
    let data_key = DataKey::generate(&mut random);
    let wrapped = data_key.wrap(root_key, &cluster.cluster_id, 1, &mut random).map_err(sealing)?;
    let keyring = Keyring::new(&cluster.cluster_id, 1, vec![(1, data_key)]).map_err(sealing)?;
    let root = draw_root_key(config, &keyring, &account, &mut random)?;
    let mut transaction = Transaction::begin(Arc::clone(engine));
    let settings = config.settings();
    let mut directory = Directory {
        transaction: &mut transaction,
        account: &account,
        settings: &settings,
        now: SystemClock.now().seconds(),
        random: &mut random,
    };
    directory.cluster().put(&cluster).await?;
    directory.data_keys().create(1, wrapped).await?;
    directory.accounts().create(&account).await?;
    directory.access_keys().create(Owner::Root, root).await?;
    transaction.finish().await?;
    name_credentials_file(config)?;
    tracing::info!(account, file = %config.credentials_file.display(), "wrote the root credentials of a new store");
    Ok(cluster)
}

/// Draws an access key of root's, and writes it to the file that gets its name once the store knows the key.
fn draw_root_key(
    config: &Config,
    keyring: &Keyring,
    account: &str,
    random: &mut SystemRandom,
) -> Result<NewAccessKey, StartError> {
    let access_key_id = id::access_key(account, random);
    let secret = secret_access_key(random);
    let sealed_secret = keyring
        .seal(Purpose::AccessKeySecret, access_key_id.as_bytes(), secret.as_bytes(), random)
        .map_err(sealing)?;
    let pending = pending(&config.credentials_file);
    let mark = if config.engine == EngineName::Memory { EPHEMERAL_MARK } else { "" };
    let profile = format!(
        "{mark}[{ROOT_PROFILE}]\naws_access_key_id = {access_key_id}\naws_secret_access_key = {}\n",
        secret.as_str()
    );
    remove_pending(&pending)?;
    write_secret(&pending, Zeroizing::new(profile.into_bytes()).as_slice())?;
    Ok(NewAccessKey { access_key_id, sealed_secret })
}

fn sealing(error: reeve_chassis::seal::SealError) -> StartError {
    StartError::Refused(format!("sealing: {error}"))
}

/// Whether the credentials file is one that a server left which stored nothing, and this is another such server.
fn is_replaceable(config: &Config) -> bool {
    config.engine == EngineName::Memory
        && std::fs::read(&config.credentials_file)
            .is_ok_and(|text| text.starts_with(EPHEMERAL_MARK.as_bytes()))
}

/// Removes what a first start left that was cut off before the store knew it.
fn remove_pending(pending: &Path) -> Result<(), StartError> {
    match std::fs::remove_file(pending) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(pending.display(), error)),
        _ => Ok(()),
    }
}

/// Root credentials never take the place of a file that is there.
fn is_free(path: &Path) -> Result<(), StartError> {
    if !path.exists() {
        return Ok(());
    }
    Err(StartError::Refused(format!(
        "{} exists already, and new root credentials are to be written there: move it away, or name another file",
        path.display()
    )))
}

/// Gives the credentials file its name, if that has not happened. What has the name already is not a start's that was
/// cut off, and stays.
fn name_credentials_file(config: &Config) -> Result<(), StartError> {
    let pending = pending(&config.credentials_file);
    if !pending.exists() || config.credentials_file.exists() && !is_replaceable(config) {
        return Ok(());
    }
    std::fs::rename(&pending, &config.credentials_file)
        .map_err(|error| io(config.credentials_file.display(), error))
}

fn pending(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PENDING_SUFFIX);
    name.into()
}

fn drawn_account(random: &mut SystemRandom) -> String {
    let mut drawn = [0; 8];
    random.fill(&mut drawn);
    // Twelve digits that do not begin with zero, so that no spreadsheet makes eleven of them.
    format!("{}", 100_000_000_000 + u64::from_le_bytes(drawn) % 900_000_000_000)
}

/// A backup of the data directory must not carry what opens it.
fn outside_data_directory(config: &Config, path: &Path, what: &str) -> Result<(), StartError> {
    if config.engine == EngineName::Memory {
        return Ok(());
    }
    let whole = |path: &Path| std::path::absolute(path).map_err(|error| io(path.display(), error));
    let data = whole(&config.data_dir)?;
    let data = data.canonicalize().unwrap_or(data);
    let file = whole(path)?;
    let folder = file.parent().unwrap_or(&file);
    if folder.canonicalize().unwrap_or(folder.to_owned()).starts_with(&data) {
        let message = format!("{what} may not lie inside the data directory: {}", path.display());
        return Err(StartError::Refused(message));
    }
    Ok(())
}

fn write_secret(path: &Path, content: &[u8]) -> Result<(), StartError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| io(path.display(), error))?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|error| io(path.display(), error))
}

fn io(what: impl std::fmt::Display, error: std::io::Error) -> StartError {
    StartError::Io { what: what.to_string(), error }
}
