//! Any row of commits, gets and scans, compared step by step with a map that is too simple to be wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Store;
use crate::{Add, Commit, Engine, Error, KeyRange, Read, Result, Revision, Write};

const CASES: u32 = 48;
const KEYS: u8 = 6;

/// One thing done to an engine. Keys are small numbers, so that steps meet often.
#[derive(Debug, Clone)]
enum Step {
    Commit { reads: Vec<(u8, bool)>, writes: Vec<(u8, Option<u8>)>, adds: Vec<(u8, i8)> },
    Get(u8),
    Scan { after: Option<u8>, limit: usize },
}

#[derive(Debug, Default)]
struct Model {
    prefix: Vec<u8>,
    entries: BTreeMap<Bytes, (Bytes, Revision)>,
}

/// Runs random steps on the engine and on the model: they always answer alike.
pub async fn behaves_like_the_model(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let runtime = tokio::runtime::Handle::current();
    let cases = AtomicU32::new(0);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec(step(), 1..40);
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&steps, |steps| {
            let prefix = cases.fetch_add(1, Ordering::Relaxed).to_be_bytes().to_vec();
            let mut model = Model { prefix, ..Model::default() };
            for step in &steps {
                let compared = runtime.block_on(model.compare(&engine, step));
                compared.map_err(|error| TestCaseError::fail(error.to_string()))??;
            }
            Ok(())
        })
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    Ok(())
}

fn step() -> impl Strategy<Value = Step> {
    let reads = prop::collection::vec((0..KEYS, prop::bool::weighted(0.9)), 0..3);
    let writes = prop::collection::vec((0..KEYS, any::<Option<u8>>()), 0..3);
    let adds = prop::collection::vec((KEYS..KEYS + 2, -3i8..5), 0..3);
    prop_oneof![
        4 => (reads, writes, adds).prop_map(|(reads, writes, adds)| Step::Commit { reads, writes, adds }),
        1 => (0..KEYS).prop_map(Step::Get),
        1 => (any::<Option<u8>>(), 0usize..8)
            .prop_map(|(after, limit)| Step::Scan { after: after.map(|key| key % KEYS), limit }),
    ]
}

const COUNTER_MAX: i64 = 6;

impl Model {
    async fn compare(
        &mut self,
        engine: &Arc<dyn Engine>,
        step: &Step,
    ) -> Result<std::result::Result<(), TestCaseError>> {
        match step {
            Step::Commit { reads, writes, adds } => {
                let commit = self.commit(reads, writes, adds);
                let before = engine.revision();
                let expected = self.apply(&commit, before.next());
                let found = engine.commit(commit.clone()).await;
                Ok(agree(&expected, &found, before, commit.is_read_only()))
            }
            Step::Get(key) => {
                let key = self.key(*key);
                let found = engine.get(&key).await?.map(|entry| (entry.value, entry.revision));
                Ok(same(&self.entries.get(&key).cloned(), &found))
            }
            Step::Scan { after, limit } => {
                let mut range = KeyRange::prefix(self.prefix.clone());
                range.after = after.map(|key| self.key(key));
                let found = engine.scan(range.clone(), *limit).await?;
                let found: Vec<_> =
                    found.into_iter().map(|(key, entry)| (key, (entry.value, entry.revision))).collect();
                let expected = self.entries.iter().filter(|(key, _)| Some(*key) > range.after.as_ref());
                let expected: Vec<_> =
                    expected.take(*limit).map(|(key, entry)| (key.clone(), entry.clone())).collect();
                Ok(same(&expected, &found))
            }
        }
    }

    fn key(&self, key: u8) -> Bytes {
        [&*self.prefix, &[key]].concat().into()
    }

    fn commit(&self, reads: &[(u8, bool)], writes: &[(u8, Option<u8>)], adds: &[(u8, i8)]) -> Commit {
        let reads = reads.iter().map(|(key, current)| {
            let key = self.key(*key);
            let revision = self.entries.get(&key).map_or(Revision::ZERO, |(_, revision)| *revision);
            Read { key, revision: if *current { revision } else { revision.next() } }
        });
        let writes = writes.iter().map(|(key, value)| {
            let value = value.map(|value| Bytes::from(vec![value; usize::from(value)]));
            Write { key: self.key(*key), value }
        });
        let adds = adds.iter().map(|(key, delta)| Add {
            key: self.key(*key),
            delta: (*delta).into(),
            max: COUNTER_MAX,
        });
        Commit { reads: reads.collect(), writes: writes.collect(), adds: adds.collect() }
    }

    /// Whether the commit is applied; if not, whether for a conflict.
    fn apply(&mut self, commit: &Commit, revision: Revision) -> std::result::Result<(), bool> {
        let revision_of = |key: &Bytes| self.entries.get(key).map_or(Revision::ZERO, |entry| entry.1);
        if commit.reads.iter().any(|read| revision_of(&read.key) != read.revision) {
            return Err(true);
        }
        let mut after = self.entries.clone();
        for write in &commit.writes {
            match &write.value {
                Some(value) => after.insert(write.key.clone(), (value.clone(), revision)),
                None => after.remove(&write.key),
            };
        }
        for add in &commit.adds {
            let bytes = after.get(&add.key).and_then(|(value, _)| value.first_chunk().copied());
            let sum = bytes.map_or(0, i64::from_be_bytes) + add.delta;
            if sum < 0 || (sum > COUNTER_MAX && add.delta > 0) {
                return Err(false);
            }
            after.insert(add.key.clone(), (Bytes::from(sum.to_be_bytes().to_vec()), revision));
        }
        self.entries = after;
        Ok(())
    }
}

fn agree(
    expected: &std::result::Result<(), bool>,
    found: &Result<Revision>,
    before: Revision,
    is_read_only: bool,
) -> std::result::Result<(), TestCaseError> {
    match (expected, found) {
        (Ok(()), Ok(revision)) => same(&if is_read_only { before } else { before.next() }, revision),
        (Err(true), Err(Error::Conflict)) | (Err(false), Err(Error::LimitReached { .. })) => Ok(()),
        _ => Err(TestCaseError::fail(format!("{expected:?} was expected, {found:?} found"))),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(expected: &T, found: &T) -> std::result::Result<(), TestCaseError> {
    prop_assert_eq!(expected, found);
    Ok(())
}
