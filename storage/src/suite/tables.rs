//! Typed records, long ones among them.

use super::{Store, begin, is_conflict};
use crate::engine::VALUE_BYTES_MAX;
use crate::table::RECORD_BYTES_MAX;
use crate::{Error, KeyRange, Result, Table};

/// A record as long as one wants.
#[derive(Clone, PartialEq, prost::Message)]
struct Document {
    #[prost(bytes = "vec", tag = "1")]
    content: Vec<u8>,
}

fn document(content_bytes: usize, fill: u8) -> Document {
    Document { content: vec![fill; content_bytes] }
}

const DOCUMENTS: Table<(String, u32), Document> = Table::new(1, "documents");
const NOTES: Table<u32, Document> = Table::small(2, "notes");

/// Lengths around each boundary of parts come back as they were, alone and in a list.
pub async fn long_records_are_whole(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let around = |bytes: usize| (bytes - 8)..=(bytes + 4);
    let lengths = [0, 1, 100 * 1024, RECORD_BYTES_MAX - 16].into_iter();
    let lengths: Vec<usize> =
        lengths.chain(around(VALUE_BYTES_MAX)).chain(around(2 * VALUE_BYTES_MAX)).collect();
    for (index, bytes) in (0..).zip(lengths.iter().copied()) {
        let mut transaction = begin(&engine);
        let key = ("a".to_owned(), index);
        DOCUMENTS.put(&mut transaction, &key, &document(bytes, 7)).await?;
        assert_eq!(DOCUMENTS.get(&mut transaction, &key).await?, Some(document(bytes, 7)), "own {bytes}");
        transaction.finish().await?;
        let mut transaction = begin(&engine);
        assert_eq!(DOCUMENTS.get(&mut transaction, &key).await?, Some(document(bytes, 7)), "{bytes}");
        transaction.finish().await?;
    }
    let listed = DOCUMENTS.scan(&mut begin(&engine), &(), None, 100).await?;
    assert!(listed.iter().map(|(_, record)| record.content.len()).eq(lengths), "a list differs");
    Ok(())
}

/// No part of a longer record outlives it, and every part is in the read set.
pub async fn long_records_shrink_and_vanish(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let key = ("a".to_owned(), 1);
    for (bytes, keys) in [(100 * 1024, 13), (20 * 1024, 3), (10, 1), (50 * 1024, 7)] {
        let mut transaction = begin(&engine);
        DOCUMENTS.put(&mut transaction, &key, &document(bytes, 1)).await?;
        transaction.finish().await?;
        assert_eq!(engine.scan(KeyRange::default(), 100).await?.len(), keys, "{bytes}");
    }
    let mut reader = begin(&engine);
    DOCUMENTS.get(&mut reader, &key).await?;
    assert_eq!(reader.reads().len(), 7);
    let mut transaction = begin(&engine);
    DOCUMENTS.delete(&mut transaction, &key).await?;
    transaction.finish().await?;
    assert!(is_conflict(&reader.finish().await));
    assert_eq!(engine.scan(KeyRange::default(), 100).await?.len(), 0);
    Ok(())
}

/// A record that is replaced or deleted between the reads of its parts is a conflict; only a part that is gone
/// without that is corruption.
pub async fn torn_records_are_noticed(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let key = ("a".to_owned(), 1);
    let long = document(20 * 1024, 1);
    for replaced_by in [Some(document(20 * 1024, 2)), None] {
        let mut transaction = begin(&engine);
        DOCUMENTS.put(&mut transaction, &key, &long).await?;
        transaction.finish().await?;
        let mut reader = begin(&engine);
        reader.get(&DOCUMENTS.key(&key)).await?;
        let mut transaction = begin(&engine);
        match replaced_by {
            Some(record) => DOCUMENTS.put(&mut transaction, &key, &record).await?,
            None => DOCUMENTS.delete(&mut transaction, &key).await?,
        }
        transaction.finish().await?;
        assert!(is_conflict(&DOCUMENTS.get(&mut reader, &key).await), "a record of two halves");
    }
    let mut transaction = begin(&engine);
    DOCUMENTS.put(&mut transaction, &key, &long).await?;
    transaction.finish().await?;
    let items = engine.scan(KeyRange::default(), 100).await?;
    let mut transaction = begin(&engine);
    items.last().into_iter().for_each(|(part, _)| transaction.delete(part.clone()));
    transaction.finish().await?;
    let torn = DOCUMENTS.get(&mut begin(&engine), &key).await;
    assert!(matches!(torn, Err(Error::Corrupt { .. })), "{torn:?}");
    Ok(())
}

/// What is declared small is never cut.
pub async fn small_tables_refuse_long_records(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let mut transaction = begin(&engine);
    NOTES.put(&mut transaction, &1, &document(VALUE_BYTES_MAX - 4, 1)).await?;
    assert_eq!(transaction.reads().len(), 0, "a small record was read before it was put");
    let refused = NOTES.put(&mut transaction, &2, &document(VALUE_BYTES_MAX, 1)).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
    let refused = DOCUMENTS.put(&mut transaction, &("a".into(), 1), &document(RECORD_BYTES_MAX, 1)).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
    transaction.finish().await?;
    Ok(())
}

/// A list stays within its prefix and its table, and goes on after a key.
pub async fn tables_list_typed_records(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let mut transaction = begin(&engine);
    for (account, number) in [("a", 2), ("a", 1), ("ab", 3), ("a", 300), ("b", 1)] {
        DOCUMENTS.put(&mut transaction, &(account.to_owned(), number), &document(1, 1)).await?;
    }
    NOTES.put(&mut transaction, &7, &document(1, 1)).await?;
    transaction.finish().await?;
    let mut transaction = begin(&engine);
    let account = ("a".to_owned(),);
    let after = ("a".to_owned(), 1);
    for (after, limit, expect) in [(None, 9, vec![1, 2, 300]), (Some(&after), 1, vec![2]), (None, 0, vec![])]
    {
        let found = DOCUMENTS.scan(&mut transaction, &account, after, limit).await?;
        let found: Vec<u32> = found.into_iter().map(|((_, number), _)| number).collect();
        assert_eq!(found, expect);
    }
    assert_eq!(DOCUMENTS.scan(&mut transaction, &(), None, 9).await?.len(), 5);
    Ok(())
}
