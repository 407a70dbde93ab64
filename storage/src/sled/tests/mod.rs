//! What is sled's own: one process, no files besides the log, torn tails.

mod kill;
mod torn;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::directory::Directory;
use super::{Sled, SledConfig, open_tree};
use crate::engine::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::suite::{Store, put};
use crate::{Engine, Error, Result, Transaction};

/// A directory that goes when the test ends.
struct SledStore(TempDir);

impl SledStore {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Store for SledStore {
    fn open(&self) -> Result<Arc<dyn Engine>> {
        Ok(Arc::new(Sled::open(&SledConfig::new(self.path()))?))
    }

    fn is_durable(&self) -> bool {
        true
    }
}

crate::engine_suite!(contract, SledStore::new());

#[tokio::test]
async fn a_second_opener_is_refused() {
    let store = SledStore::new();
    let engine = store.open().unwrap();
    let refused = store.open().map(drop).unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }));
    assert!(refused.to_string().ends_with("is in use by another process"), "{refused}");
    drop(engine);
    store.open().unwrap();
}

/// A file of its own would have to be synced apart; the fullest pages there can be make none.
#[tokio::test]
async fn the_largest_values_never_leave_the_log() {
    let store = SledStore::new();
    let engine = store.open().unwrap();
    for round in 0..4u32 {
        for batch in 0..20u32 {
            let mut transaction = Transaction::begin(Arc::clone(&engine));
            for item in 0..40u32 {
                // The odd ones out differ only at their very end, where no prefix is saved.
                let number = (batch * 40 + item).wrapping_mul(0x9E37_79B1);
                let mut key = vec![b'k'; KEY_BYTES_MAX - 8];
                let at = if item % 2 == 0 { 0 } else { key.len() };
                key.splice(at..at, [number.to_be_bytes(), round.to_be_bytes()].concat());
                transaction.put(key, vec![7; VALUE_BYTES_MAX]);
            }
            transaction.finish().await.unwrap();
        }
    }
    assert_eq!(std::fs::read_dir(store.path().join("blobs")).unwrap().count(), 0);
}

/// Dying while the page table is written must not make the store unreadable.
#[tokio::test]
async fn an_unfinished_snapshot_is_swept_away() {
    let store = SledStore::new();
    let engine = store.open().unwrap();
    put(&engine, "k", "v").await.unwrap();
    drop(engine);
    std::fs::write(store.path().join("snap.FFFFFFFFFFFFFFFF.generating"), "torn").unwrap();
    let engine = store.open().unwrap();
    assert!(engine.get(b"k").await.unwrap().is_some());
}

/// Only its owner can look into the store.
#[cfg(unix)]
#[test]
fn the_directory_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("a/b");
    drop(Sled::open(&SledConfig::new(&directory)).unwrap());
    assert_eq!(std::fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
}

/// After a sync that failed nobody knows what is on the medium: nothing is acknowledged any more.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_failed_sync_is_the_end() {
    let store = SledStore::new();
    let config = SledConfig::new(store.path());
    let directory = Directory::lock(store.path()).unwrap();
    // What is no file cannot be synced.
    let log = std::fs::File::open("/dev/null").unwrap();
    let engine: Arc<dyn Engine> = Arc::new(Sled::start(directory, open_tree(&config).unwrap(), log).unwrap());
    for _ in 0..2 {
        assert!(matches!(put(&engine, "k", "v").await, Err(Error::Unavailable { .. })));
    }
    let mut reader = Transaction::begin(Arc::clone(&engine));
    assert!(reader.get(b"k").await.unwrap().is_some());
    assert!(matches!(reader.finish().await, Err(Error::Unavailable { .. })), "told of what may be lost");
    assert_eq!((u64::from(engine.durable()), engine.commits()), (0, 0));
}
