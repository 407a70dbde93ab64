//! Many at once: nothing lost, nothing torn, nothing missed in silence.

use std::sync::Arc;

use bytes::Bytes;

use super::{Store, begin, delete, put, value};
use crate::{Engine, Error, Event, Result, Transaction, WATCH_COMMITS_MAX};

const TASKS: usize = 64;
const ROUNDS: usize = 10;

/// Runs `work` in many tasks and waits for all.
async fn together<F>(
    engine: &Arc<dyn Engine>,
    tasks: usize,
    work: impl Fn(Arc<dyn Engine>, usize) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let running: Vec<_> = (0..tasks).map(|task| tokio::spawn(work(Arc::clone(engine), task))).collect();
    for task in running {
        task.await.map_err(Error::unavailable)??;
    }
    Ok(())
}

/// Adds by many tasks all count, none has to be run again, and the bound holds exactly.
pub async fn concurrent_adds_count_all(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let max = i64::try_from(TASKS * ROUNDS).unwrap_or(i64::MAX);
    together(&engine, TASKS, move |engine, task| async move {
        for round in 0..ROUNDS {
            let mut transaction = begin(&engine);
            transaction.add("n", 1, max);
            transaction.put(format!("{task}/{round}"), "");
            transaction.finish().await?;
        }
        let mut full = begin(&engine);
        full.add("m", 1, 10);
        match full.finish().await {
            Ok(_) | Err(Error::LimitReached { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await?;
    assert_eq!(begin(&engine).counter(b"n").await?, max);
    assert_eq!(begin(&engine).counter(b"m").await?, 10);
    Ok(())
}

/// Reading, adding one and writing back, with reruns, loses no increment.
pub async fn concurrent_writers_lose_nothing(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    together(&engine, 8, |engine, _| async move {
        for _ in 0..ROUNDS {
            rerun(&engine, async |transaction| {
                let length = transaction.get(b"tally").await?.map_or(0, |tally| tally.len());
                transaction.put("tally", vec![b'|'; length + 1]);
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
    .await?;
    assert_eq!(value(&engine, "tally").await?.map(|tally| tally.len()), Some(8 * ROUNDS));
    Ok(())
}

/// While writers change two keys together, move a third about and delete and create a pair by turns, whoever
/// proves its reads has seen all of them as they were at one instant.
pub async fn readers_see_one_instant(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    put(&engine, "left", "0").await?;
    together(&engine, 6, |engine, task| async move {
        for round in 0..ROUNDS * 8 {
            if task < 2 {
                let value = Bytes::from(format!("{task} {round}"));
                let mut transaction = begin(&engine);
                let present = ["left", "right"].get(round % 2).copied().unwrap_or_default();
                let absent = ["right", "left"].get(round % 2).copied().unwrap_or_default();
                transaction.put("one", value.clone());
                transaction.put("two", value);
                transaction.put(present, "");
                transaction.delete(absent);
                transaction.finish().await?;
            } else {
                observe(&engine).await?;
            }
        }
        Ok(())
    })
    .await
}

async fn observe(engine: &Arc<dyn Engine>) -> Result<()> {
    let mut reader = begin(engine);
    let (one, left) = (reader.get(b"one").await?, reader.get(b"left").await?);
    tokio::task::yield_now().await;
    let (right, two) = (reader.get(b"right").await?, reader.get(b"two").await?);
    match reader.finish().await {
        Ok(revision) => {
            assert!(one == two, "{one:?} and {two:?} were proved together");
            assert!(left.is_some() != right.is_some(), "{left:?} and {right:?} were proved together");
            assert!(revision <= engine.durable(), "an answer above the durable revision");
            Ok(())
        }
        Err(Error::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn rerun(engine: &Arc<dyn Engine>, work: impl AsyncFn(&mut Transaction) -> Result<()>) -> Result<()> {
    loop {
        let mut transaction = begin(engine);
        work(&mut transaction).await?;
        match transaction.finish().await {
            Err(Error::Conflict) => {}
            outcome => return outcome.map(drop),
        }
    }
}

/// Every commit is announced once, durable by then, with all of its keys.
pub async fn watchers_hear_in_order(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    put(&engine, "before", "").await?;
    let mut watch = engine.watch();
    let mut both = begin(&engine);
    both.put("a", "");
    both.add("n", 1, 1);
    let expect = [
        (both.finish().await?, vec!["a", "n"]),
        (delete(&engine, "a").await?, vec!["a"]),
        (put(&engine, "b", "").await?, vec!["b"]),
    ];
    for (expected_revision, expected_keys) in expect {
        let Event::Committed { revision, keys } = watch.next().await else {
            return Err(Error::Invalid("no commit was announced"));
        };
        assert_eq!(
            (revision, &*keys),
            (expected_revision, &expected_keys.iter().map(|key| Bytes::from(*key)).collect::<Vec<_>>()[..])
        );
        assert!(engine.durable() >= revision);
    }
    drop(engine);
    assert_eq!(watch.next().await, Event::Closed);
    Ok(())
}

/// Whoever does not keep up hears how much it has missed, and then what is left.
pub async fn slow_watchers_are_told(store: &impl Store) -> Result<()> {
    let engine = store.open()?;
    let mut watch = engine.watch();
    together(&engine, TASKS, |engine, task| async move {
        for _ in 0..WATCH_COMMITS_MAX / TASKS + 1 {
            let mut transaction = begin(&engine);
            transaction.put(format!("{task}"), "");
            transaction.finish().await?;
        }
        Ok(())
    })
    .await?;
    let Event::Lagged(missed) = watch.next().await else {
        return Err(Error::Invalid("a watcher missed commits in silence"));
    };
    assert!(missed >= 1);
    assert!(matches!(watch.next().await, Event::Committed { .. }));
    Ok(())
}

/// What was acknowledged is there again, and revisions go on above all there ever were.
pub async fn what_was_committed_is_there_when_opened_again(store: &impl Store) -> Result<()> {
    if !store.is_durable() {
        return Ok(());
    }
    let engine = store.open()?;
    let kept = put(&engine, "kept", "1").await?;
    let mut transaction = begin(&engine);
    transaction.add("n", 5, 9);
    transaction.finish().await?;
    put(&engine, "gone", "1").await?;
    let newest = delete(&engine, "gone").await?;
    drop(engine);
    let engine = store.open()?;
    assert_eq!((engine.revision(), engine.durable(), engine.horizon()), (newest, newest, newest));
    assert_eq!(
        engine.get(b"kept").await?.map(|entry| (entry.value, entry.revision)),
        Some(("1".into(), kept))
    );
    assert_eq!(value(&engine, "gone").await?, None);
    assert_eq!(begin(&engine).counter(b"n").await?, 5);
    assert!(put(&engine, "k", "").await? > newest);
    Ok(())
}
