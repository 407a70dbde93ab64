//! What scans and gets find, own writes included.

use std::sync::Arc;

use bytes::Bytes;

use super::{Store, begin, put};
use crate::engine::SCAN_ITEMS_MAX;
use crate::{Engine, KeyRange, Result, Transaction};

async fn filled(store: &impl Store) -> Result<Arc<dyn Engine>> {
    let engine = store.open()?;
    for key in ["a", "b", "b/1", "b/2", "b/3", "b0", "c", "\u{7f}"] {
        put(&engine, key, key).await?;
    }
    Ok(engine)
}

async fn keys(transaction: &mut Transaction, range: KeyRange, limit: usize) -> Result<Vec<Bytes>> {
    let items = transaction.scan(range, limit).await?;
    Ok(items.into_iter().map(|(key, _)| key).collect())
}

/// A range is what begins with the prefix and comes after the key given, in order, up to the limit.
pub async fn ranges_are_ordered_and_bounded(store: &impl Store) -> Result<()> {
    let engine = filled(store).await?;
    for (range, limit, expect) in [
        (KeyRange::prefix("b/"), 10, vec!["b/1", "b/2", "b/3"]),
        (KeyRange::prefix("b/"), 2, vec!["b/1", "b/2"]),
        (KeyRange::prefix("b/").after("b/1"), 10, vec!["b/2", "b/3"]),
        (KeyRange::prefix("b/").after("a"), 1, vec!["b/1"]),
        (KeyRange::prefix("b/").after("c"), 10, vec![]),
        (KeyRange::prefix("b").after("b"), 10, vec!["b/1", "b/2", "b/3", "b0"]),
        (KeyRange::prefix(""), 3, vec!["a", "b", "b/1"]),
        (KeyRange::prefix("x"), 10, vec![]),
        (KeyRange::prefix("a"), 0, vec![]),
    ] {
        let found = engine.scan(range.clone(), limit).await?;
        let found: Vec<Bytes> = found.into_iter().map(|(key, _)| key).collect();
        assert_eq!(found, expect, "{range:?} up to {limit}");
        assert_eq!(keys(&mut begin(&engine), range, limit).await?, expect);
    }
    Ok(())
}

/// Going on after the last key of each page finds everything once, however the engine bounds a scan.
pub async fn pages_meet_every_item_once(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let count = u32::try_from(SCAN_ITEMS_MAX).unwrap_or(u32::MAX) + 10;
    for first in (0..count).step_by(1000) {
        let mut transaction = begin(&engine);
        for index in first..count.min(first + 1000) {
            transaction.put(index.to_be_bytes().to_vec(), "");
        }
        transaction.finish().await?;
    }
    let all: Vec<Bytes> = (0..count).map(|index| index.to_be_bytes().to_vec().into()).collect();
    assert_eq!(engine.scan(KeyRange::default(), usize::MAX).await?.len(), SCAN_ITEMS_MAX);
    for page_items in [700, usize::MAX] {
        let mut found = Vec::new();
        let mut range = KeyRange::default();
        loop {
            let page = keys(&mut begin(&engine), range.clone(), page_items).await?;
            found.extend(page.iter().cloned());
            match page.last() {
                Some(last) if page.len() == page_items => range = range.after(last.clone()),
                _ => break,
            }
        }
        assert!(found == all, "pages of {page_items}");
    }
    Ok(())
}

/// A transaction's scan is as if its writes had been applied, and limits count what is left.
pub async fn scans_merge_own_writes(store: &impl Store) -> Result<()> {
    let engine = filled(store).await?;
    let mut transaction = begin(&engine);
    transaction.delete("b/1");
    transaction.delete("b/3");
    transaction.put("b/2", "changed");
    for key in ["b/0", "b/5", "a/0", "b/9"] {
        transaction.put(key, "new");
    }
    for (limit, expect) in [(1, vec!["b/0"]), (2, vec!["b/0", "b/2"]), (9, vec!["b/0", "b/2", "b/5", "b/9"])]
    {
        assert_eq!(keys(&mut transaction, KeyRange::prefix("b/"), limit).await?, expect);
    }
    let range = KeyRange::prefix("b/").after("b/2");
    assert_eq!(keys(&mut transaction, range, 9).await?, ["b/5", "b/9"]);
    let items = transaction.scan(KeyRange::prefix("b/2"), 9).await?;
    assert_eq!(items, [("b/2".into(), "changed".into())]);
    Ok(())
}

/// A get finds what the transaction itself has put or deleted, and what it had read before stays as it was.
pub async fn gets_see_own_writes(store: &impl Store) -> Result<()> {
    let engine = filled(store).await?;
    let mut transaction = begin(&engine);
    assert_eq!(transaction.get(b"a").await?, Some("a".into()));
    transaction.put("a", "own");
    transaction.delete("b");
    assert_eq!(transaction.get(b"a").await?, Some("own".into()));
    assert_eq!(transaction.peek(b"b").await?, None);
    assert_eq!(transaction.get(b"b").await?, None);
    transaction.get(b"c").await?;
    put(&engine, "c", "changed").await?;
    assert_eq!(transaction.get(b"c").await?, Some("c".into()), "one key was read as two");
    Ok(())
}
