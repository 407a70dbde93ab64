//! A crash of the machine may keep any part of what was written since the last sync, in any order. The log is
//! put back, sector by sector, to what it was before the last commit: that commit is there whole or not at all,
//! and all before it are untouched.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::super::SEGMENT_BYTES;
use super::SledStore;
use crate::suite::Store as _;
use crate::{Engine, Revision, Sled, SledConfig, Transaction};

const SECTOR_BYTES: usize = 512;

/// How much one commit writes, how many come before the last, and in how many ways it is torn.
struct Shape {
    keys: usize,
    value_bytes: usize,
    commits_before: u8,
    tears: usize,
}

#[tokio::test]
async fn a_torn_commit_is_absent_and_all_before_it_whole() {
    let sectors = Shape { keys: 12, value_bytes: 700, commits_before: 30, tears: 60 }.survives().await;
    assert!(sectors.len() >= 12 * 700 / SECTOR_BYTES);
}

/// The end of one segment may be lost and the beginning of the next kept.
#[tokio::test]
async fn a_commit_torn_across_segments_is_absent_too() {
    let mut crossings = 0;
    for commits_before in 1..5 {
        let sectors = Shape { keys: 110, value_bytes: 8000, commits_before, tears: 12 }.survives().await;
        let segments: BTreeSet<_> =
            sectors.iter().map(|sector| sector * SECTOR_BYTES / SEGMENT_BYTES).collect();
        crossings += usize::from(segments.len() > 1);
    }
    assert!(crossings > 0);
}

impl Shape {
    /// Tears the last commit in many ways and returns the sectors that it had changed.
    async fn survives(&self) -> Vec<usize> {
        let store = SledStore::new();
        let engine = store.open().unwrap();
        for fill in 1..=self.commits_before {
            self.commit(&engine, fill).await;
        }
        let mut before = read_log(store.path());
        self.commit(&engine, u8::MAX).await;
        let after = read_log(store.path());
        let last = engine.revision();
        drop(engine);
        before.resize(after.len(), 0);
        let sector = |at: usize| at * SECTOR_BYTES..((at + 1) * SECTOR_BYTES).min(after.len());
        let sectors = 0..after.len().div_ceil(SECTOR_BYTES);
        let changed: Vec<usize> = sectors.filter(|at| before[sector(*at)] != after[sector(*at)]).collect();

        for tear in 0..=self.tears {
            let mut log = after.clone();
            let lost = lost(&changed, tear, self.tears);
            lost.iter().for_each(|at| log[sector(*at)].copy_from_slice(&before[sector(*at)]));
            self.verify(store.path(), log, last, lost.is_empty()).await;
        }
        changed
    }

    async fn commit(&self, engine: &Arc<dyn Engine>, fill: u8) {
        let mut transaction = Transaction::begin(Arc::clone(engine));
        for key in 0..self.keys {
            transaction.put(format!("k{key}"), vec![fill; self.value_bytes]);
        }
        transaction.finish().await.unwrap();
    }

    async fn verify(&self, original: &Path, log: Vec<u8>, last: Revision, is_whole: bool) {
        let torn = tempfile::tempdir().unwrap();
        std::fs::create_dir(torn.path().join("blobs")).unwrap();
        std::fs::copy(original.join("conf"), torn.path().join("conf")).unwrap();
        std::fs::write(torn.path().join("db"), log).unwrap();
        let engine: Arc<dyn Engine> = Arc::new(Sled::open(&SledConfig::new(torn.path())).unwrap());
        assert_eq!(engine.revision() == last, is_whole);
        assert!(u64::from(engine.revision()) + 1 >= u64::from(last), "more than the last commit is lost");
        self.verify_fill(&engine, if is_whole { u8::MAX } else { self.commits_before }).await;
        self.commit(&engine, 99).await;
        self.verify_fill(&engine, 99).await;
    }

    async fn verify_fill(&self, engine: &Arc<dyn Engine>, fill: u8) {
        for key in 0..self.keys {
            let entry = engine.get(format!("k{key}").as_bytes()).await.unwrap().unwrap();
            assert_eq!((entry.value[0], entry.value.len()), (fill, self.value_bytes), "key {key}");
        }
    }
}

/// The sectors that one tear loses: a tail of any length, or any subset.
fn lost(changed: &[usize], tear: usize, tears: usize) -> Vec<usize> {
    if tear.is_multiple_of(2) {
        return changed[changed.len() * tear / tears..].to_vec();
    }
    let mut random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::try_from(tear).unwrap());
    let mut is_lost = |_: &usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // From one in two sectors down to few.
        (random >> 40).is_multiple_of(u64::try_from(1 + tear).unwrap())
    };
    changed.iter().copied().filter(|at| is_lost(at)).collect()
}

fn read_log(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join("db")).unwrap()
}
