//! The contract as tests: one body for every engine. An engine is what passes it.
//!
//! An engine's own test module says `engine_suite!(name, store)`, where `store` makes a [`Store`].

mod commits;
mod concurrency;
mod model;
mod ranges;
mod tables;

use std::sync::Arc;

use bytes::Bytes;

pub use self::{commits::*, concurrency::*, model::*, ranges::*, tables::*};
use crate::{Engine, Error, Memory, Result, Revision, Transaction};

/// How the suite comes by an engine.
pub trait Store {
    /// Opens it; a durable one with all that was committed before. The one opened before has been dropped.
    fn open(&self) -> Result<Arc<dyn Engine>>;

    /// Whether it remembers.
    fn is_durable(&self) -> bool;
}

/// A new [`Memory`] at each opening.
#[derive(Debug)]
pub struct MemoryStore;

impl Store for MemoryStore {
    fn open(&self) -> Result<Arc<dyn Engine>> {
        Ok(Arc::new(Memory::new()))
    }

    fn is_durable(&self) -> bool {
        false
    }
}

/// Makes a module `$name` of tests, one for each promise of an engine; `$store` is evaluated for each.
#[macro_export]
macro_rules! engine_suite {
    ($name:ident, $store:expr) => {
        $crate::engine_suite!(@module $name, $store,
            gets_find_what_was_committed deletions_are_seen empty_keys_are_refused too_large_is_refused
            a_changed_read_conflicts a_created_read_conflicts a_deleted_read_conflicts changed_back_conflicts
            a_refused_commit_writes_nothing adds_stay_in_bounds adds_never_conflict_with_adds
            a_counter_is_not_also_written revisions_only_grow reads_are_proved an_adopted_value_is_proved
            read_only_transactions_write_nothing ranges_are_ordered_and_bounded pages_meet_every_item_once
            scans_merge_own_writes gets_see_own_writes long_records_are_whole
            long_records_shrink_and_vanish torn_records_are_noticed small_tables_refuse_long_records tables_list_typed_records
            concurrent_adds_count_all concurrent_writers_lose_nothing readers_see_one_instant
            watchers_hear_in_order slow_watchers_are_told what_was_committed_is_there_when_opened_again
            behaves_like_the_model
        );
    };
    (@module $name:ident, $store:expr, $($test:ident)*) => {
        mod $name {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() -> $crate::Result<()> {
                    $crate::suite::$test(&$store).await
                }
            )*
        }
    };
}

pub(crate) fn begin(engine: &Arc<dyn Engine>) -> Transaction {
    Transaction::begin(Arc::clone(engine))
}

pub(crate) async fn put(
    engine: &Arc<dyn Engine>,
    key: &'static str,
    value: &'static str,
) -> Result<Revision> {
    let mut transaction = begin(engine);
    transaction.put(key, value);
    transaction.finish().await
}

pub(crate) async fn delete(engine: &Arc<dyn Engine>, key: &'static str) -> Result<Revision> {
    let mut transaction = begin(engine);
    transaction.delete(key);
    transaction.finish().await
}

pub(crate) async fn value(engine: &Arc<dyn Engine>, key: &str) -> Result<Option<Bytes>> {
    Ok(engine.get(key.as_bytes()).await?.map(|entry| entry.value))
}

pub(crate) fn is_conflict<T>(outcome: &Result<T>) -> bool {
    matches!(outcome, Err(Error::Conflict))
}
