//! What a commit proves, writes and refuses.

use std::sync::Arc;

use bytes::Bytes;

use super::{Store, begin, delete, is_conflict, put, value};
use crate::engine::{COMMIT_BYTES_MAX, COMMIT_OPERATIONS_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX, counter_value};
use crate::{Commit, Engine, Error, ReadSet, Result, Revision};

/// A get finds the value and the revision of the commit that wrote it.
pub async fn gets_find_what_was_committed(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    assert_eq!(engine.get(b"a").await?, None);
    let first = put(&engine, "a", "1").await?;
    let second = put(&engine, "b", "").await?;
    assert!(Revision::ZERO < first && first < second);
    assert_eq!(engine.revision(), second);
    assert!(engine.durable() >= second, "acknowledged before it was durable");
    assert_eq!(engine.get(b"a").await?.map(|entry| (entry.value, entry.revision)), Some(("1".into(), first)));
    assert_eq!(value(&engine, "b").await?, Some(Bytes::new()));
    assert_eq!(engine.commits(), 2);
    Ok(())
}

/// A deleted key is absent, and deleting an absent one is no error.
pub async fn deletions_are_seen(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    put(&engine, "a", "1").await?;
    let deleted = delete(&engine, "a").await?;
    assert_eq!(value(&engine, "a").await?, None);
    assert!(engine.newest_delete() >= deleted);
    delete(&engine, "a").await?;
    Ok(())
}

/// The empty key belongs to the engine.
pub async fn empty_keys_are_refused(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    assert!(matches!(put(&engine, "", "1").await, Err(Error::Invalid(_))));
    Ok(())
}

/// Limits are those of every engine, and the largest that is allowed works.
pub async fn too_large_is_refused(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let mut largest = begin(&engine);
    largest.put(vec![1; KEY_BYTES_MAX], vec![2; VALUE_BYTES_MAX]);
    largest.finish().await?;
    let found = engine.get(&[1; KEY_BYTES_MAX]).await?;
    assert_eq!(found.map(|entry| entry.value.len()), Some(VALUE_BYTES_MAX));
    for (key_bytes, value_bytes, count) in [
        (KEY_BYTES_MAX + 1, 1, 1),
        (4, VALUE_BYTES_MAX + 1, 1),
        (4, VALUE_BYTES_MAX, COMMIT_BYTES_MAX / VALUE_BYTES_MAX),
        (4, 1, COMMIT_OPERATIONS_MAX + 1),
    ] {
        let mut transaction = begin(&engine);
        for index in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            let key = [&index.to_be_bytes()[..], &vec![0; key_bytes - 4]].concat();
            transaction.put(key, vec![2; value_bytes]);
        }
        let outcome = transaction.finish().await;
        assert!(matches!(outcome, Err(Error::TooLarge { .. })), "{count} of {value_bytes}: {outcome:?}");
    }
    Ok(())
}

/// Somebody else has put the key since it was read.
pub async fn a_changed_read_conflicts(store: &impl Store) -> Result<()> {
    read_then(store, Some("1"), Some("2")).await
}

/// Somebody else has made the key that was found absent.
pub async fn a_created_read_conflicts(store: &impl Store) -> Result<()> {
    read_then(store, None, Some("2")).await
}

/// Somebody else has deleted the key that was read.
pub async fn a_deleted_read_conflicts(store: &impl Store) -> Result<()> {
    read_then(store, Some("1"), None).await
}

async fn read_then(
    store: &impl Store,
    before: Option<&'static str>,
    after: Option<&'static str>,
) -> Result<()> {
    let engine = store.open()?;
    if let Some(before) = before {
        put(&engine, "k", before).await?;
    }
    let mut writer = begin(&engine);
    let mut reader = begin(&engine);
    assert_eq!(writer.get(b"k").await?, before.map(Bytes::from));
    assert_eq!(reader.get(b"k").await?, before.map(Bytes::from));
    writer.put("other", "x");
    match after {
        Some(after) => put(&engine, "k", after).await?,
        None => delete(&engine, "k").await?,
    };
    assert!(is_conflict(&writer.finish().await), "a write rested on a stale read");
    assert!(is_conflict(&reader.finish().await), "an answer rested on a stale read");
    assert_eq!(value(&engine, "other").await?, None);
    Ok(())
}

/// A key with the same value as before is not the same key state.
pub async fn changed_back_conflicts(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    put(&engine, "k", "1").await?;
    let mut transaction = begin(&engine);
    transaction.get(b"k").await?;
    transaction.put("other", "x");
    delete(&engine, "k").await?;
    put(&engine, "k", "1").await?;
    assert!(is_conflict(&transaction.finish().await));
    Ok(())
}

/// Of a commit that fails in any part nothing is applied, and it costs no revision.
pub async fn a_refused_commit_writes_nothing(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let before = put(&engine, "k", "1").await?;
    let mut transaction = begin(&engine);
    transaction.put("k", "2");
    transaction.put("l", "2");
    transaction.add("ok", 1, 10);
    transaction.add("full", 2, 1);
    assert!(matches!(transaction.finish().await, Err(Error::LimitReached { key }) if key == "full"));
    assert_eq!(value(&engine, "k").await?, Some("1".into()));
    assert_eq!((value(&engine, "l").await?, value(&engine, "ok").await?), (None, None));
    assert_eq!((engine.revision(), engine.commits()), (before, 1));
    Ok(())
}

/// Neither below 0 nor above the limit; a limit that has been lowered still lets the number fall.
pub async fn adds_stay_in_bounds(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    for (delta, max, expect) in [
        (3, 3, Some(3)),
        (1, 3, None),
        (-4, 3, None),
        (-1, 1, Some(2)),
        (0, 1, Some(2)),
        (i64::MAX, i64::MAX, None),
    ] {
        let mut transaction = begin(&engine);
        transaction.add("n", delta, max);
        assert_eq!(transaction.finish().await.is_ok(), expect.is_some(), "{delta} up to {max}");
        if let Some(expect) = expect {
            assert_eq!(begin(&engine).counter(b"n").await?, expect);
        }
    }
    let mut twice = begin(&engine);
    twice.add("n", 1, 10);
    twice.add("n", -2, 10);
    assert_eq!(twice.counter(b"n").await?, 1, "own adds are not seen");
    twice.finish().await?;
    assert_eq!(value(&engine, "n").await?.map(|value| counter_value(&value)).transpose()?, Some(1));
    Ok(())
}

/// Two transactions that add to one counter both commit, even if they have looked at it.
pub async fn adds_never_conflict_with_adds(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let (mut one, mut other) = (begin(&engine), begin(&engine));
    for transaction in [&mut one, &mut other] {
        assert_eq!(transaction.counter(b"n").await?, 0);
        transaction.add("n", 1, 2);
    }
    one.finish().await?;
    other.finish().await?;
    assert_eq!(begin(&engine).counter(b"n").await?, 2);
    Ok(())
}

/// One key is a counter or a value, never both in one commit.
pub async fn a_counter_is_not_also_written(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let mut transaction = begin(&engine);
    transaction.add("n", 1, 2);
    transaction.put("n", "1");
    assert!(matches!(transaction.finish().await, Err(Error::Invalid(_))));
    Ok(())
}

/// Each commit is above all before it, and durable never above applied.
pub async fn revisions_only_grow(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let mut newest = engine.revision();
    for _ in 0..50 {
        let revision = put(&engine, "k", "v").await?;
        assert!(revision > newest && engine.revision() >= revision && engine.horizon() >= engine.revision());
        assert!(engine.durable() >= revision && engine.durable() <= engine.revision());
        newest = revision;
    }
    engine.wait_durable(newest).await
}

/// Proving says when the reads last held, and notes it where others see it.
pub async fn reads_are_proved(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    put(&engine, "a", "1").await?;
    let mut transaction = begin(&engine);
    transaction.get(b"a").await?;
    transaction.get(b"absent").await?;
    let reads = transaction.reads();
    let unrelated = put(&engine, "b", "1").await?;
    assert_eq!(engine.validate(std::slice::from_ref(&reads)).await?, unrelated);
    assert_eq!(reads.since(), unrelated);
    assert_eq!(transaction.finish().await?, unrelated);
    put(&engine, "absent", "1").await?;
    let sets = [ReadSet::default(), reads];
    assert!(is_conflict(&engine.validate(&sets).await));
    Ok(())
}

/// A value built by one transaction serves another for as long as what it was built from holds.
pub async fn an_adopted_value_is_proved(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    put(&engine, "policy", "1").await?;
    let mut builder = begin(&engine);
    builder.get(b"policy").await?;
    let built_from = builder.reads();
    builder.finish().await?;

    put(&engine, "unrelated", "1").await?;
    let (mut reader, mut writer) = (begin(&engine), begin(&engine));
    assert!(reader.adopt(&built_from).await? && writer.adopt(&built_from).await?);
    assert_eq!(writer.reads().len(), 1);
    writer.put("granted", "1");
    let revision = put(&engine, "policy", "2").await?;
    assert!(is_conflict(&reader.finish().await) && is_conflict(&writer.finish().await));
    assert!(!begin(&engine).adopt(&built_from).await?, "a stale value was adopted");
    assert_eq!(value(&engine, "granted").await?, None);
    assert_eq!(engine.revision(), revision);
    Ok(())
}

/// Reading, proving and refusing are no store writes.
pub async fn read_only_transactions_write_nothing(store: &impl Store) -> Result<()> {
    let engine: Arc<dyn Engine> = store.open()?;
    let revision = put(&engine, "a", "1").await?;
    let mut reader = begin(&engine);
    reader.get(b"a").await?;
    assert!(reader.is_read_only());
    assert_eq!(reader.finish().await?, revision);
    let mut refused = begin(&engine);
    refused.get(b"a").await?;
    refused.put("a", "2");
    assert!(!refused.is_read_only());
    assert_eq!(refused.finish_without_writes().await?, revision);
    assert_eq!(engine.commit(Commit::default()).await?, revision);
    assert_eq!((engine.commits(), engine.revision()), (1, revision));
    Ok(())
}
