//! What an operator does to a store while no server has it open: say that it was put back from a backup, and make new
//! root credentials and signing keys where the old ones are lost to others. Whoever can read the store and the root key may do
//! all of it.

use std::sync::Arc;

use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_chassis::{Environment, SystemRandom, outbound};
use reeve_directory::record::ClusterRecord;
use reeve_directory::{Directory, Owner, Random as _};
use reeve_storage::{Engine, Transaction};

use super::{
    StartError, cluster_record, draw_root_key, is_free, keyring, name_credentials_file, open_engine,
    outside_data_directory, root_key,
};
use crate::config::{Config, EngineName};

/// Begins a new incarnation of the store, which waits for no revision of the life that the backup cut off. It is drawn,
/// not counted: two restores of one backup are two lives.
///
/// # Errors
/// There is no store, a server has it open, or it fails.
pub async fn mark_restored(config: &Config) -> Result<(), StartError> {
    let (engine, mut cluster) = open_existing(config).await?;
    let mut drawn = [0; 8];
    let mut random = SystemRandom::new();
    random.fill(&mut drawn);
    cluster.incarnation = u64::from_le_bytes(drawn);
    let (mut transaction, settings) = (Transaction::begin(engine), config.settings());
    let account = cluster.management_account_id.clone();
    let mut directory = Directory {
        transaction: &mut transaction,
        account: &account,
        settings: &settings,
        now: SystemClock.now().seconds(),
        random: &mut random,
    };
    directory.cluster().put(&cluster).await?;
    transaction.finish().await?;
    tracing::info!(incarnation = cluster.incarnation, "the store begins a new incarnation");
    Ok(())
}

/// Ends every access key of the management account's root, and writes a new one to the credentials file. Lost
/// credentials may be in somebody's hands: they and their sessions end with this.
///
/// # Errors
/// There is no store, a server has it open, the root key does not fit, or the credentials file exists.
pub async fn replace_root_credentials(config: &Config) -> Result<(), StartError> {
    outside_data_directory(config, &config.credentials_file, "the root credentials")?;
    is_free(&config.credentials_file)?;
    let (engine, cluster) = open_existing(config).await?;
    let keyring = keyring(&engine, &root_key(config, false)?, &cluster).await?;
    let (mut random, settings) = (SystemRandom::new(), config.settings());
    let account = cluster.management_account_id;
    let root = draw_root_key(config, &keyring, &account, &mut random)?;
    let access_key_id = root.access_key_id.clone();
    let mut transaction = Transaction::begin(engine);
    let mut directory = Directory {
        transaction: &mut transaction,
        account: &account,
        settings: &settings,
        now: SystemClock.now().seconds(),
        random: &mut random,
    };
    let old = directory.access_keys().list(Owner::Root, None, usize::MAX).await?;
    for key in old.items {
        directory.access_keys().delete(Owner::Root, &key.access_key_id).await?;
    }
    directory.access_keys().create(Owner::Root, root).await?;
    transaction.finish().await?;
    name_credentials_file(config)?;
    tracing::warn!(account, access_key_id, "root has a new access key, and no other");
    Ok(())
}

/// Makes new keys that sign tokens for others, in place of all that there are: who has one of those is anybody to everybody
/// who trusts an account here.
///
/// # Errors
/// There is no store, or no signing key, a server has it open, or the root key does not fit.
pub async fn replace_signing_keys(config: &Config) -> Result<(), StartError> {
    let (engine, cluster) = open_existing(config).await?;
    let keyring = keyring(&engine, &root_key(config, false)?, &cluster).await?;
    let environment = Environment::new(engine, Arc::new(SystemClock), keyring, cluster, config.settings())?;
    let keys = outbound::replace(&environment).await?;
    if keys == 0 {
        return Err(StartError::Refused("there are no signing keys in the store".to_owned()));
    }
    tracing::warn!(keys, "tokens for others are signed by new keys, and the old ones are published no more");
    Ok(())
}

/// The store that is there, and whose it is.
async fn open_existing(config: &Config) -> Result<(Arc<dyn Engine>, ClusterRecord), StartError> {
    config.check()?;
    let missing = || StartError::Refused(format!("there is no store in {}", config.data_dir.display()));
    if config.engine != EngineName::Sled || !config.data_dir.is_dir() {
        return Err(missing());
    }
    let engine = open_engine(config).await?;
    let cluster = cluster_record(&engine).await?.ok_or_else(missing)?;
    Ok((engine, cluster))
}
