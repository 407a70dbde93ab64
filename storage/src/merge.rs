//! The rule by which a commit becomes writes, the same in every engine that commits in this process: reads
//! are compared, adds are bounded and merged, and what is left is keys and their new values.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::engine::counter_value;
use crate::{Add, Commit, Entry, Error, Read, Result, Revision};

/// Checks `commit` against what `lookup` finds and returns the writes it comes to.
pub(crate) fn merge(
    commit: Commit,
    lookup: impl Fn(&[u8]) -> Result<Option<Entry>>,
) -> Result<BTreeMap<Bytes, Option<Bytes>>> {
    for read in &commit.reads {
        current(read, lookup(&read.key)?.as_ref())?;
    }
    let mut writes: BTreeMap<Bytes, Option<Bytes>> =
        commit.writes.into_iter().map(|write| (write.key, write.value)).collect();
    for add in commit.adds {
        let before = match writes.get(&add.key) {
            Some(value) => value.clone(),
            None => lookup(&add.key)?.map(|entry| entry.value),
        };
        let after = bounded(&add, before.as_deref())?;
        writes.insert(add.key, Some(Bytes::copy_from_slice(&after.to_be_bytes())));
    }
    Ok(writes)
}

/// Whether a read still holds.
pub(crate) fn current(read: &Read, found: Option<&Entry>) -> Result<()> {
    let revision = found.map_or(Revision::ZERO, |entry| entry.revision);
    if revision == read.revision { Ok(()) } else { Err(Error::Conflict) }
}

fn bounded(add: &Add, before: Option<&[u8]>) -> Result<i64> {
    let before = before.map_or(Ok(0), counter_value)?;
    before
        .checked_add(add.delta)
        .filter(|after| *after >= 0 && (add.delta <= 0 || *after <= add.max))
        .ok_or_else(|| Error::LimitReached { key: add.key.clone() })
}
