//! Typed tables: what a record's key and value are, stated once, so that nothing above handles bytes.
//!
//! A value is a Protocol Buffers message behind one byte that counts its further parts. A message too long for
//! one key is cut; its further parts lie under a tag of their own, so that ranges over the table meet only
//! records. All parts are written by one commit and so carry one revision, by which a torn read is noticed.

use std::marker::PhantomData;

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;

use crate::engine::{VALUE_BYTES_MAX, within};
use crate::key::{KeyBuilder, KeyPart, KeyReader};
use crate::{Error, KeyRange, Result, Transaction};

/// Longest message of one record.
pub const RECORD_BYTES_MAX: usize = 512 * 1024;
/// The tag under which the further parts of long messages lie; no table has it.
pub const TAG_PARTS: u16 = u16::MAX;

const PARTS_MAX: usize = u8::MAX as usize;

const _: () = assert!(RECORD_BYTES_MAX < PARTS_MAX * VALUE_BYTES_MAX);
const _: () = assert!(RECORD_BYTES_MAX * 2 <= crate::engine::COMMIT_BYTES_MAX);

/// Records of type `V` under keys of type `K`. The tag is for ever.
#[derive(Debug)]
pub struct Table<K, V> {
    tag: u16,
    name: &'static str,
    is_small: bool,
    record: PhantomData<fn(K) -> V>,
}

impl<K: KeyPart, V: Message + Default> Table<K, V> {
    /// A table whose records may be of any length up to [`RECORD_BYTES_MAX`].
    #[must_use]
    pub const fn new(tag: u16, name: &'static str) -> Self {
        assert!(tag != TAG_PARTS, "the tag is reserved for the parts of long records");
        Self { tag, name, is_small: false, record: PhantomData }
    }

    /// A table whose records always fit one key: a write needs not read what it replaces. Longer ones are
    /// refused.
    #[must_use]
    pub const fn small(tag: u16, name: &'static str) -> Self {
        Self { is_small: true, ..Self::new(tag, name) }
    }

    /// The number that all keys of the table begin with.
    #[must_use]
    pub const fn tag(&self) -> u16 {
        self.tag
    }

    /// What people call the table.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The key of a record.
    pub fn key(&self, key: &K) -> Bytes {
        self.prefix(key)
    }

    /// The record under a key.
    pub async fn get(&self, transaction: &mut Transaction, key: &K) -> Result<Option<V>> {
        let key = self.key(key);
        let Some((head, revision)) = transaction.read(&key).await? else { return Ok(None) };
        let (further, message) = self.split_head(head)?;
        if further == 0 {
            return self.decode(&message).map(Some);
        }
        let mut whole = BytesMut::from(message);
        for index in 1..=further {
            match transaction.read(&part_key(&key, index)).await? {
                Some((part, part_revision)) if part_revision == revision => whole.put(part),
                None if transaction.is_unmoved(&key, revision).await? => {
                    return Err(self.corrupt("lacks a part"));
                }
                // The record was replaced while it was read.
                _ => return Err(Error::Conflict),
            }
        }
        self.decode(&whole).map(Some)
    }

    /// Puts a record in place of the one that may be there.
    pub async fn put(&self, transaction: &mut Transaction, key: &K, record: &V) -> Result<()> {
        let key = self.key(key);
        let message = record.encode_to_vec();
        let record_max = if self.is_small { VALUE_BYTES_MAX - 1 } else { RECORD_BYTES_MAX };
        within("a record's bytes", message.len(), record_max)?;
        let old = self.further_parts(transaction, &key).await?;

        let (first, rest) = message.split_at_checked(VALUE_BYTES_MAX - 1).unwrap_or((&message, &[]));
        let parts = rest.chunks(VALUE_BYTES_MAX);
        let further = u8::try_from(parts.len()).map_err(|_| Error::Invalid("a record has too many parts"))?;
        let mut head = BytesMut::with_capacity(first.len() + 1);
        head.put_u8(further);
        head.put_slice(first);
        for (index, part) in (1..=further).zip(parts) {
            transaction.put(part_key(&key, index), Bytes::copy_from_slice(part));
        }
        (1..=old)
            .filter(|index| *index > further)
            .for_each(|index| transaction.delete(part_key(&key, index)));
        transaction.put(key, head);
        Ok(())
    }

    /// Deletes a record; deleting an absent one is no error.
    pub async fn delete(&self, transaction: &mut Transaction, key: &K) -> Result<()> {
        let key = self.key(key);
        let old = self.further_parts(transaction, &key).await?;
        (1..=old).for_each(|index| transaction.delete(part_key(&key, index)));
        transaction.delete(key);
        Ok(())
    }

    /// At most `limit` records whose keys begin with the components `prefix`, in ascending order, above `after`.
    /// As every scan it proves nothing, see [`Transaction::scan`].
    pub async fn scan(
        &self,
        transaction: &mut Transaction,
        prefix: &impl KeyPart,
        after: Option<&K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>> {
        let mut range = KeyRange::prefix(self.prefix(prefix));
        range.after = after.map(|key| self.key(key));
        let mut records = Vec::new();
        for (bytes, head) in transaction.scan(range, limit).await? {
            let key = self.read_key(&bytes)?;
            let (further, message) = self.split_head(head)?;
            let record = match further {
                0 => self.decode(&message)?,
                // Its parts are got one by one, and it may be gone by now.
                _ => self.get(transaction, &key).await?.ok_or(Error::Conflict)?,
            };
            records.push((key, record));
        }
        Ok(records)
    }

    fn prefix(&self, part: &impl KeyPart) -> Bytes {
        let mut builder = KeyBuilder::new(self.tag);
        builder.part(part);
        builder.build()
    }

    fn read_key(&self, bytes: &[u8]) -> Result<K> {
        let mut reader = KeyReader::new(self.tag, bytes)?;
        let key = K::read(&mut reader)?;
        reader.end()?;
        Ok(key)
    }

    async fn further_parts(&self, transaction: &mut Transaction, key: &[u8]) -> Result<u8> {
        if self.is_small {
            return Ok(0);
        }
        match transaction.read(key).await? {
            Some((head, _)) => Ok(self.split_head(head)?.0),
            None => Ok(0),
        }
    }

    fn split_head(&self, mut head: Bytes) -> Result<(u8, Bytes)> {
        if head.is_empty() {
            return Err(self.corrupt("is empty"));
        }
        let message = head.split_off(1);
        Ok((head.first().copied().unwrap_or_default(), message))
    }

    fn decode(&self, message: &[u8]) -> Result<V> {
        V::decode(message).map_err(|error| self.corrupt(&error.to_string()))
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::corrupt(format_args!("a record of table {} {what}", self.name))
    }
}

/// Bounded numbers under keys of type `K`, such as how many users an account has.
#[derive(Debug)]
pub struct Counter<K> {
    tag: u16,
    name: &'static str,
    key: PhantomData<fn(K)>,
}

impl<K: KeyPart> Counter<K> {
    /// A table of counters.
    #[must_use]
    pub const fn new(tag: u16, name: &'static str) -> Self {
        assert!(tag != TAG_PARTS, "the tag is reserved for the parts of long records");
        Self { tag, name, key: PhantomData }
    }

    /// The number that all keys of the table begin with.
    #[must_use]
    pub const fn tag(&self) -> u16 {
        self.tag
    }

    /// What people call the table.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The key of a counter: what [`Error::LimitReached`] names.
    pub fn key(&self, key: &K) -> Bytes {
        let mut builder = KeyBuilder::new(self.tag);
        builder.part(key);
        builder.build()
    }

    /// Changes a counter within 0 and `max` when the transaction commits.
    pub fn add(&self, transaction: &mut Transaction, key: &K, delta: i64, max: i64) {
        transaction.add(self.key(key), delta, max);
    }

    /// The number, which others may be changing.
    pub async fn get(&self, transaction: &mut Transaction, key: &K) -> Result<i64> {
        transaction.counter(&self.key(key)).await
    }
}

fn part_key(key: &[u8], index: u8) -> Bytes {
    let mut builder = KeyBuilder::new(TAG_PARTS);
    builder.fixed(key).fixed(&[index]);
    builder.build()
}
