//! Measures the embedded engine with the shape of an identity store: each user is a record, a name index, an add
//! to a shared counter and, unless left out, an audit record, in one durable commit.
//!
//! `cargo run --release -p reeve-storage --example users -- [USERS] [IN_FLIGHT] [audit|plain]`
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reeve_storage::key::KeyBuilder;
use reeve_storage::{Engine, KeyRange, Sled, SledConfig, Transaction};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const RECORD_BYTES: usize = 300;
const NAME_BYTES: usize = 60;
const AUDIT_BYTES: usize = 400;
const COMMIT_BYTES: usize = RECORD_BYTES + NAME_BYTES + AUDIT_BYTES + 200;
const RAW_SYNCS: usize = 500;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["reopen", directory] = arguments[..] {
        return reopen(Path::new(directory));
    }
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let (users, in_flight) = (number(0, 200_000)?, number(1, 64)?);
    let with_audit = arguments.get(2) != Some(&"plain");

    let directory = std::env::temp_dir().join(format!("reeve-users-{}", std::process::id()));
    raw_syncs(&directory, in_flight)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    runtime.block_on(load(&directory, users, in_flight, with_audit))?;
    let disk = disk_bytes(&directory)?;
    println!("disk {} MiB, {} bytes a user", disk >> 20, disk / u64::try_from(users)?);
    Command::new(std::env::current_exe()?).arg("reopen").arg(&directory).status()?;
    fs::remove_dir_all(directory)?;
    Ok(())
}

/// The yardstick: the bytes of one group appended and synced, again and again.
fn raw_syncs(directory: &Path, in_flight: usize) -> Outcome {
    fs::create_dir_all(directory)?;
    let path = directory.join("raw");
    let mut file = File::create(&path)?;
    let group = vec![7; in_flight * COMMIT_BYTES];
    let begun = Instant::now();
    for _ in 0..RAW_SYNCS {
        file.write_all(&group)?;
        file.sync_data()?;
    }
    let commits = u32::try_from(RAW_SYNCS * in_flight)?;
    println!("raw  {:.0} commits/s in groups of {in_flight}", per_second(commits, begun.elapsed()));
    Ok(fs::remove_file(path)?)
}

async fn load(directory: &Path, users: usize, in_flight: usize, with_audit: bool) -> Outcome {
    let engine: Arc<dyn Engine> = Arc::new(Sled::open(&SledConfig::new(directory))?);
    let begun = Instant::now();
    let mut writers = Vec::new();
    for writer in 0..in_flight {
        let engine = Arc::clone(&engine);
        writers.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            for user in (writer..users).step_by(in_flight) {
                let begun = Instant::now();
                create_user(&engine, user, with_audit).await?;
                latencies.push(begun.elapsed());
            }
            Outcome::Ok(latencies)
        }));
    }
    let loaded = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read_beside(Arc::clone(&engine), Arc::clone(&loaded)));
    let mut latencies = Vec::new();
    for writer in writers {
        latencies.extend(writer.await??);
    }
    loaded.store(true, Ordering::Relaxed);
    let (gets, proofs) = reader.await??;
    let elapsed = begun.elapsed();
    println!(
        "load {users} users in {elapsed:.1?}: {:.0} commits/s, {}, resident {} MiB",
        per_second(u32::try_from(users)?, elapsed),
        percentiles(latencies),
        resident_kib()? >> 10,
    );
    println!("get beside the load {}, proof of 10 reads {}", percentiles(gets), percentiles(proofs));
    Ok(())
}

/// How long readers take while writers are at work.
async fn read_beside(
    engine: Arc<dyn Engine>,
    loaded: Arc<AtomicBool>,
) -> Outcome<(Vec<Duration>, Vec<Duration>)> {
    let mut transaction = Transaction::begin(Arc::clone(&engine));
    for key in 0..10u8 {
        transaction.get(&[255, key]).await?;
    }
    let reads = [transaction.reads()];
    let (mut gets, mut proofs) = (Vec::new(), Vec::new());
    let mut pace = tokio::time::interval(Duration::from_millis(1));
    while !loaded.load(Ordering::Relaxed) {
        pace.tick().await;
        let begun = Instant::now();
        engine.get(b"\0\x03users").await?;
        gets.push(begun.elapsed());
        let begun = Instant::now();
        engine.validate(&reads).await?;
        proofs.push(begun.elapsed());
    }
    Ok((gets, proofs))
}

fn percentiles(mut latencies: Vec<Duration>) -> String {
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
    format!("p50 {:.1?}, p99 {:.1?}", at(50), at(99))
}

async fn create_user(engine: &Arc<dyn Engine>, user: usize, with_audit: bool) -> Outcome {
    let id = u64::try_from(user)?.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut transaction = Transaction::begin(Arc::clone(engine));
    let mut name = KeyBuilder::new(2);
    name.text("123456789012").text(&format!("user-{:08x}", id >> 32));
    let name = name.build();
    if transaction.get(&name).await?.is_some() {
        return Err("the name is taken".into());
    }
    let mut record = KeyBuilder::new(1);
    record.text("123456789012").text(&format!("AIDA{id:017X}"));
    transaction.put(record.build(), vec![1; RECORD_BYTES]);
    transaction.put(name, vec![2; NAME_BYTES]);
    transaction.add("\0\u{3}users", 1, i64::MAX);
    if with_audit {
        let mut audit = KeyBuilder::new(9);
        audit.fixed(&u64::try_from(user)?.to_be_bytes()).fixed(&id.to_be_bytes());
        transaction.put(audit.build(), vec![3; AUDIT_BYTES]);
    }
    transaction.finish().await?;
    Ok(())
}

/// In a process of its own, so that memory is what an opened store takes.
fn reopen(directory: &Path) -> Outcome {
    let before = resident_kib()?;
    let begun = Instant::now();
    let engine = Sled::open(&SledConfig::new(directory))?;
    println!("open {:.0?}, resident {} MiB more", begun.elapsed(), (resident_kib()? - before) >> 10);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let begun = Instant::now();
    let (mut range, mut items) = (KeyRange::default(), 0);
    while let Some((last, count)) = runtime.block_on(async {
        let page = engine.scan(range.clone(), 1000).await?;
        Outcome::Ok(page.last().map(|(key, _)| (key.clone(), page.len())))
    })? {
        items += count;
        range = range.after(last);
    }
    println!(
        "scan {items} items in {:.0?}, resident {} MiB more",
        begun.elapsed(),
        (resident_kib()? - before) >> 10
    );
    Ok(())
}

fn per_second(count: u32, elapsed: Duration) -> f64 {
    f64::from(count) / elapsed.as_secs_f64()
}

fn disk_bytes(directory: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        bytes +=
            if entry.file_type()?.is_dir() { disk_bytes(&entry.path())? } else { allocated(&entry.path())? };
    }
    Ok(bytes)
}

fn allocated(path: &Path) -> Outcome<u64> {
    Ok(std::os::unix::fs::MetadataExt::blocks(&fs::metadata(path)?) * 512)
}

fn resident_kib() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
