//! A real process with 64 writers is killed in the middle, again and again on one store: every commit that it
//! said was durable is there whole, and of no commit there is a half.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::{Engine, Revision, Sled, SledConfig, Transaction};

const DIRECTORY: &str = "REEVE_STORAGE_KILL_TEST";
const WRITERS: u64 = 64;
/// A writer keeps its newest commits and deletes the one before them.
const KEPT: u64 = 8;
/// How many acknowledgements each round waits for before it kills: none is a death while opening.
const ROUNDS: [usize; 10] = [0, 1, 0, 64, 500, 0, 2000, 7, 4000, 1000];

/// The newest commit of each writer that was acknowledged or found, and its revision.
type Acknowledged = BTreeMap<u64, (u64, u64)>;

/// Run again by itself with [`DIRECTORY`] set, it is the child that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_writers_lose_nothing_and_leave_no_half() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return write_until_killed(directory.as_ref()).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::new();
    for wanted in ROUNDS {
        let before = acknowledged.values().map(|(_, revision)| *revision).max().unwrap_or_default();
        run_and_kill(directory.path(), wanted, before, &mut acknowledged);
        verify(directory.path(), &mut acknowledged).await;
    }
    assert!(acknowledged.len() > 1);
}

fn run_and_kill(directory: &Path, wanted: usize, before: u64, acknowledged: &mut Acknowledged) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sled::tests::kill::killed_writers_lose_nothing_and_leave_no_half", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut note = |line: String| {
        let Some(line) = line.strip_prefix("ack ") else { return false };
        // The last line may have been cut short by the kill.
        let numbers: Vec<u64> = line.split(' ').map_while(|number| number.parse().ok()).collect();
        let [writer, count, revision, 0] = numbers[..] else { return false };
        assert!(revision > before, "revision {revision} was given out before");
        acknowledged.insert(writer, (count, revision));
        true
    };
    let mut heard = 0;
    let opening = lines.find(|line| line.contains("opening"));
    assert!(opening.is_some(), "the writers did not start");
    while heard < wanted {
        heard += usize::from(note(lines.next().expect("the writers ended by themselves")));
    }
    child.kill().unwrap();
    for line in lines {
        note(line);
    }
    child.wait().unwrap();
}

async fn verify(directory: &Path, acknowledged: &mut Acknowledged) {
    let engine = Sled::open(&SledConfig::new(directory)).unwrap();
    let engine: Arc<dyn Engine> = Arc::new(engine);
    let mut total = 0;
    for writer in 0..WRITERS {
        let (least, revision) = acknowledged.get(&writer).copied().unwrap_or_default();
        let newest = newest(&engine, writer).await;
        assert!(
            newest == least || newest == least + 1,
            "writer {writer}: {least} acknowledged, {newest} found"
        );
        for count in newest.saturating_sub(2 * KEPT)..=newest + 1 {
            let kept = count > 0 && count <= newest && count + KEPT > newest;
            let (one, two) =
                (get(&engine, "one", writer, count).await, get(&engine, "two", writer, count).await);
            assert_eq!(one.is_some(), kept, "writer {writer}, commit {count} of {newest}");
            assert_eq!(one, two, "half of commit {count} of writer {writer}");
            assert!(count != least || count == 0 || one.unwrap().1 == Revision::from(revision));
        }
        total += newest;
        // What has been found once must stay, acknowledged or not.
        if let Some((_, revision)) = get(&engine, "one", writer, newest).await {
            acknowledged.insert(writer, (newest, revision.into()));
        }
    }
    // Each commit counted itself and took one revision, so none can have come or gone in part.
    assert_eq!(
        Transaction::begin(Arc::clone(&engine)).counter(b"total").await.unwrap(),
        i64::try_from(total).unwrap()
    );
    assert_eq!(engine.revision(), Revision::from(total));
    assert_eq!(std::fs::read_dir(directory.join("blobs")).unwrap().count(), 0);
}

/// The child: commits for ever, and says so of each commit once it is acknowledged.
async fn write_until_killed(directory: &Path) {
    println!("opening");
    let engine: Arc<dyn Engine> = Arc::new(Sled::open(&SledConfig::new(directory)).unwrap());
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&engine), writer))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn write(engine: Arc<dyn Engine>, writer: u64) {
    for count in newest(&engine, writer).await + 1.. {
        let mut transaction = Transaction::begin(Arc::clone(&engine));
        let value_bytes = usize::try_from((writer * 31 + count * 97) % 2000).unwrap();
        for side in ["one", "two"] {
            transaction
                .put(key(side, writer, count), [&count.to_be_bytes()[..], &vec![7; value_bytes]].concat());
            transaction.delete(key(side, writer, count.saturating_sub(KEPT)));
        }
        transaction.put(format!("newest/{writer}"), count.to_be_bytes().to_vec());
        transaction.add("total", 1, i64::MAX);
        let revision = transaction.finish().await.unwrap();
        // The trailing 0 shows that the line is complete.
        writeln!(std::io::stdout().lock(), "ack {writer} {count} {revision} 0").unwrap();
    }
}

async fn newest(engine: &Arc<dyn Engine>, writer: u64) -> u64 {
    let found = engine.get(format!("newest/{writer}").as_bytes()).await.unwrap();
    found.map_or(0, |entry| u64::from_be_bytes(entry.value[..].try_into().unwrap()))
}

async fn get(
    engine: &Arc<dyn Engine>,
    side: &str,
    writer: u64,
    count: u64,
) -> Option<(bytes::Bytes, Revision)> {
    let found = engine.get(key(side, writer, count).as_bytes()).await.unwrap();
    found.map(|entry| (entry.value, entry.revision))
}

fn key(side: &str, writer: u64, count: u64) -> String {
    format!("{side}/{writer:03}/{count:08}")
}
