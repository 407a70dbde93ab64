//! The unit of work above an engine: remembers what was read, buffers what is to be written, and at the end
//! proves the one and applies the other. A rerun after a conflict begins a new transaction.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::{SCAN_ITEMS_MAX, counter_value};
use crate::{Add, Commit, Engine, Entry, Error, KeyRange, Read, ReadSet, Result, Revision, Write};

/// An optimistic transaction: serializable in what it got, adopted and wrote. See the crate documentation for
/// what scans and counters do not prove.
pub struct Transaction {
    engine: Arc<dyn Engine>,
    began: Revision,
    reads: HashMap<Bytes, Option<Entry>>,
    adopted: Vec<ReadSet>,
    /// The newest commit seen through any read, recorded or not.
    seen: Revision,
    /// Whether the answer may depend on a key not being there.
    absences: bool,
    writes: BTreeMap<Bytes, Option<Bytes>>,
    adds: Vec<Add>,
}

impl Transaction {
    /// Begins a transaction; nothing is read yet.
    #[must_use]
    pub fn begin(engine: Arc<dyn Engine>) -> Self {
        Self {
            began: engine.revision(),
            engine,
            reads: HashMap::new(),
            adopted: Vec::new(),
            seen: Revision::ZERO,
            absences: false,
            writes: BTreeMap::new(),
            adds: Vec::new(),
        }
    }

    /// The value of a key, own writes included. What was found, absence included, must still be so at the end.
    pub async fn get(&mut self, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(self.read(key).await?.map(|(value, _)| value))
    }

    /// As [`Transaction::get`], without having to hold at the end: for what no decision rests on.
    pub async fn peek(&mut self, key: &[u8]) -> Result<Option<Bytes>> {
        if let Some(own) = self.writes.get(key) {
            return Ok(own.clone());
        }
        let found = self.engine.get(key).await?;
        self.note(found.as_ref());
        Ok(found.map(|entry| entry.value))
    }

    /// At most `limit` items of a range in ascending order, own writes merged in; fewer only at the end of the
    /// range. Nothing is recorded: a scan proves neither its items nor that there are no others. What a write
    /// or a decision rests on is a key that was got, such as an epoch that every change of the range bumps.
    pub async fn scan(&mut self, range: KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>> {
        let mut items = Vec::new();
        let mut rest = range.clone();
        while items.len() < limit {
            let asked = limit.min(SCAN_ITEMS_MAX);
            let found = self.engine.scan(rest.clone(), asked).await?;
            self.absences = true;
            let last = if found.len() < asked { None } else { found.last().map(|(key, _)| key.clone()) };
            items.extend(self.merge_own(&rest, last.as_ref(), found));
            match last {
                Some(last) => rest = range.clone().after(last),
                None => break,
            }
        }
        items.truncate(limit);
        Ok(items)
    }

    /// The number in a counter, own adds included. It is not recorded: what bounds a counter is
    /// [`Transaction::add`].
    pub async fn counter(&mut self, key: &[u8]) -> Result<i64> {
        let stored = self.peek(key).await?.map_or(Ok(0), |value| counter_value(&value))?;
        let own = self.adds.iter().filter(|add| add.key == key).map(|add| add.delta);
        Ok(own.fold(stored, i64::saturating_add))
    }

    /// Buffers a write.
    pub fn put(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.writes.insert(key.into(), Some(value.into()));
    }

    /// Buffers a deletion; deleting an absent key is no error.
    pub fn delete(&mut self, key: impl Into<Bytes>) {
        self.writes.insert(key.into(), None);
    }

    /// Buffers a bounded change of a counter, see [`Add`].
    pub fn add(&mut self, key: impl Into<Bytes>, delta: i64, max: i64) {
        self.adds.push(Add { key: key.into(), delta, max });
    }

    /// Rests this transaction on a value that was built earlier from `reads`. False when they are no longer
    /// current: the value must be built again, and the transaction goes on as if it had not been asked.
    pub async fn adopt(&mut self, reads: &ReadSet) -> Result<bool> {
        if reads.since() != self.engine.horizon() {
            match self.engine.validate(std::slice::from_ref(reads)).await {
                Ok(at) if self.reads.is_empty() && self.adopted.is_empty() => self.began = at,
                Ok(_) => {}
                Err(Error::Conflict) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.seen = self.seen.max(reads.newest());
        self.absences |= reads.has_absences();
        self.adopted.push(reads.clone());
        Ok(true)
    }

    /// What has been read and adopted so far, to be kept beside a value built from it.
    #[must_use]
    pub fn reads(&self) -> ReadSet {
        let since = self.adopted.iter().map(ReadSet::since).fold(self.began, Revision::min);
        ReadSet::new(self.all_reads(), since)
    }

    /// Whether nothing has been buffered.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.writes.is_empty() && self.adds.is_empty()
    }

    /// Commits, or proves the reads where there is nothing to commit, and returns the revision that the answer
    /// may carry. When it resolves, everything read or written is durable. On [`Error::Conflict`] nothing was
    /// written and whatever was concluded from the reads must be forgotten.
    pub async fn finish(self) -> Result<Revision> {
        if self.is_read_only() {
            return self.finish_without_writes().await;
        }
        let writes = self.writes.iter().map(|(key, value)| Write { key: key.clone(), value: value.clone() });
        let commit = Commit { reads: self.all_reads(), writes: writes.collect(), adds: self.adds.clone() };
        self.engine.commit(commit).await
    }

    /// As [`Transaction::finish`] with all writes dropped: for a refusal, which tells of what was read too.
    pub async fn finish_without_writes(self) -> Result<Revision> {
        let current_at = self.prove().await?;
        let deleted = if self.absences { self.engine.newest_delete() } else { Revision::ZERO };
        let told = self.seen.max(deleted);
        if self.engine.durable() < told {
            self.engine.wait_durable(told).await?;
        }
        Ok(current_at.min(self.engine.durable()).max(self.seen))
    }

    /// A revision at which all reads were current at once.
    async fn prove(&self) -> Result<Revision> {
        let horizon = self.engine.horizon();
        let own_quiet = self.reads.is_empty() || self.began == horizon;
        if own_quiet && self.adopted.iter().all(|set| set.since() == horizon) {
            return Ok(horizon);
        }
        let mut sets = self.adopted.clone();
        if !self.reads.is_empty() {
            sets.push(ReadSet::new(self.own_reads().collect(), self.began));
        }
        self.engine.validate(&sets).await
    }

    /// The value and the revision of a key; a value of this transaction has no revision yet.
    pub(crate) async fn read(&mut self, key: &[u8]) -> Result<Option<(Bytes, Option<Revision>)>> {
        if let Some(own) = self.writes.get(key) {
            return Ok(own.clone().map(|value| (value, None)));
        }
        if self.adds.iter().any(|add| add.key == key) {
            return Err(Error::Invalid("a counter that was added to is read by `counter`"));
        }
        let found = match self.reads.get(key) {
            Some(found) => found.clone(),
            None => {
                let found = self.engine.get(key).await?;
                self.note(found.as_ref());
                self.reads.insert(Bytes::copy_from_slice(key), found.clone());
                found
            }
        };
        Ok(found.map(|entry| (entry.value, Some(entry.revision))))
    }

    /// Whether a key that was read has not moved since, for telling a race from corruption.
    pub(crate) async fn is_unmoved(&self, key: &[u8], revision: Option<Revision>) -> Result<bool> {
        let found = self.engine.get(key).await?;
        Ok(found.map(|entry| entry.revision) == revision)
    }

    fn note(&mut self, found: Option<&Entry>) {
        match found {
            Some(entry) => self.seen = self.seen.max(entry.revision),
            None => self.absences = true,
        }
    }

    /// Lays this transaction's writes over items found, up to `last` where the range goes on after it.
    fn merge_own(
        &mut self,
        range: &KeyRange,
        last: Option<&Bytes>,
        found: Vec<(Bytes, Entry)>,
    ) -> BTreeMap<Bytes, Bytes> {
        self.seen = found.iter().map(|(_, entry)| entry.revision).fold(self.seen, Revision::max);
        let mut items: BTreeMap<Bytes, Bytes> =
            found.into_iter().map(|(key, entry)| (key, entry.value)).collect();
        let own = self.writes.range((Bound::Included(range.prefix.clone()), Bound::Unbounded));
        let own = own.take_while(|(key, _)| key.starts_with(&range.prefix));
        for (key, value) in own.filter(|(key, _)| range.contains(key) && last.is_none_or(|last| *key <= last))
        {
            match value {
                Some(value) => items.insert(key.clone(), value.clone()),
                None => items.remove(key),
            };
        }
        items
    }

    fn own_reads(&self) -> impl Iterator<Item = Read> {
        self.reads.iter().map(|(key, found)| Read {
            key: key.clone(),
            revision: found.as_ref().map_or(Revision::ZERO, |entry| entry.revision),
        })
    }

    fn all_reads(&self) -> Vec<Read> {
        self.own_reads().chain(self.adopted.iter().flat_map(ReadSet::iter).cloned()).collect()
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets: only their number is shown.
        f.debug_struct("Transaction")
            .field("began", &self.began)
            .field("reads", &self.reads.len())
            .field("writes", &self.writes.len())
            .field("adds", &self.adds.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;
    use crate::Memory;

    fn unsynced() -> (Arc<Memory>, Arc<dyn Engine>) {
        let memory = Arc::new(Memory::unsynced());
        (Arc::clone(&memory), memory)
    }

    fn is_waiting<T>(future: &mut BoxFuture<'_, T>) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        matches!(future.poll_unpin(&mut context), Poll::Pending)
    }

    fn writing(engine: &Arc<dyn Engine>, key: &'static str, value: Option<&'static str>) -> Transaction {
        let mut transaction = Transaction::begin(Arc::clone(engine));
        match value {
            Some(value) => transaction.put(key, value),
            None => transaction.delete(key),
        }
        transaction
    }

    /// An answer that tells of a commit waits until no crash can remove it.
    #[tokio::test]
    async fn nobody_is_told_of_what_is_not_durable() {
        let (memory, engine) = unsynced();
        let mut write = writing(&engine, "k", Some("1")).finish().boxed();
        assert!(is_waiting(&mut write), "acknowledged before it was durable");
        let mut readers: Vec<BoxFuture<'_, Result<Revision>>> = Vec::new();
        for reading in ["get", "peek", "scan"] {
            let mut reader = Transaction::begin(Arc::clone(&engine));
            match reading {
                "get" => drop(reader.get(b"k").await.unwrap()),
                "peek" => drop(reader.peek(b"k").await.unwrap()),
                _ => drop(reader.scan(KeyRange::default(), 9).await.unwrap()),
            }
            readers.push(reader.finish().boxed());
        }
        assert!(readers.iter_mut().all(is_waiting));
        let mut unrelated = Transaction::begin(Arc::clone(&engine));
        unrelated.get(b"other").await.unwrap();
        assert_eq!(unrelated.finish().await.unwrap(), Revision::ZERO, "a revision above the durable one");

        memory.sync();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), Revision::from(1));
        }
        assert_eq!(write.await.unwrap(), Revision::from(1));
    }

    /// Absence carries no revision: it waits for whatever has been deleted.
    #[tokio::test]
    async fn nobody_is_told_of_an_absence_that_is_not_durable() {
        let (memory, engine) = unsynced();
        let mut write = writing(&engine, "k", Some("1")).finish().boxed();
        assert!(is_waiting(&mut write));
        memory.sync();
        let mut delete = writing(&engine, "k", None).finish().boxed();
        assert!(is_waiting(&mut delete));
        let mut reader = Transaction::begin(Arc::clone(&engine));
        assert_eq!(reader.get(b"k").await.unwrap(), None);
        let reads = reader.reads();
        let mut adopter = Transaction::begin(Arc::clone(&engine));
        assert!(adopter.adopt(&reads).await.unwrap());
        let mut answers = [reader.finish_without_writes().boxed(), adopter.finish().boxed()];
        assert!(answers.iter_mut().all(is_waiting));
        memory.sync();
        for answer in answers {
            assert_eq!(answer.await.unwrap(), Revision::from(2));
        }
    }

    /// When nothing has been written since a transaction began, ending it asks the engine for nothing; nor does
    /// adopting what another has just proved.
    #[tokio::test]
    async fn what_is_known_is_not_proved_again() {
        let engine: Arc<dyn Engine> = Arc::new(Memory::new());
        writing(&engine, "k", Some("1")).finish().await.unwrap();
        let mut builder = Transaction::begin(Arc::clone(&engine));
        builder.get(b"k").await.unwrap();
        let reads = builder.reads();
        assert_eq!(reads.since(), engine.revision());
        writing(&engine, "other", Some("1")).finish().await.unwrap();
        assert!(reads.since() < engine.revision());
        let mut adopter = Transaction::begin(Arc::clone(&engine));
        assert!(adopter.adopt(&reads).await.unwrap());
        assert_eq!(reads.since(), engine.revision(), "the proof was not kept");
        assert_eq!(adopter.finish().await.unwrap(), engine.revision());
    }

    /// A counter that this transaction has added to cannot be got, as its value is not known before the commit.
    #[tokio::test]
    async fn a_counter_is_not_got_after_adding() {
        let mut transaction = Transaction::begin(Arc::new(Memory::new()));
        transaction.add("n", 1, 1);
        assert!(matches!(transaction.get(b"n").await, Err(Error::Invalid(_))));
        assert_eq!(transaction.counter(b"n").await.unwrap(), 1);
    }
}
