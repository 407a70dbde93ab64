//! What a user takes, on disk and in memory, and how long a store of many takes to open. One store is filled by
//! CreateUser calls to a server, and so holds an audit record a user; another by the directory alone, without. The
//! difference is what auditing takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use reeve_chassis::SystemRandom;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_directory::record::StoredTag;
use reeve_directory::user::NewUser;
use reeve_directory::{Directory, Settings};
use reeve_storage::{Engine, KeyRange, Sled, SledConfig, Transaction};
use tempfile::TempDir;

use crate::Outcome;
use crate::load::{Shape, user};
use crate::process::{ACCOUNT, Server, config, resident_bytes};
use crate::world::ControlPlane;

const SHAPE: Shape = Shape { in_flight: 64, connections: 4 };
/// Items read at a time.
const PAGE_ITEMS: usize = 1000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Users
    #[arg(long, default_value_t = 200_000)]
    users: usize,
    /// Where the stores are made; beside this program when not given. Not a file system in memory
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// What a process that opened a store and read all of it tells.
struct Reopened {
    open: Duration,
    read: Duration,
    items: u64,
    open_bytes: u64,
    read_bytes: u64,
}

/// A directory for what this run stores, which goes with it: beside the program, because the system's temporary
/// directory may lie in memory.
pub(crate) fn scratch(parent: Option<&Path>) -> Outcome<TempDir> {
    let program = std::env::current_exe()?;
    let parent = parent.or(program.parent()).ok_or("a program without a directory")?;
    Ok(tempfile::Builder::new().prefix("reeve-bench-").tempdir_in(parent)?)
}

pub(crate) async fn run(arguments: &Arguments) -> Outcome {
    let directory = scratch(arguments.directory.as_deref())?;
    let users = arguments.users.max(1);
    let plain = directory.path().join("plain");
    let begun = Instant::now();
    fill(&plain, users).await?;
    println!("{users} users created in the directory, without audit records: {:.1?}", begun.elapsed());
    let begun = Instant::now();
    let plane = ControlPlane::start(directory.path(), SHAPE.connections).await?;
    plane.create_user.call_times(SHAPE, users).await?;
    let elapsed = begun.elapsed();
    println!(
        "{users} users created by calls, with audit records: {elapsed:.1?}, {:.0} a second, resident {} MiB",
        users as f64 / elapsed.as_secs_f64(),
        plane.server.resident_bytes()? >> 20,
    );
    drop(plane.create_user);
    plane.server.stop()?;

    let home = directory.path().join("control-plane");
    let audited = config(&home).data_dir;
    let (plain_bytes, audited_bytes) = (disk_bytes(&plain)?, disk_bytes(&audited)?);
    let (plain, audited) = (reopened(&plain)?, reopened(&audited)?);
    let server = Server::reeve(&home)?;
    let (ready, ready_bytes) = (server.started_in(), server.resident_bytes()?);
    server.stop()?;
    let each = |bytes: u64| bytes as f64 / users as f64;
    println!();
    println!("{:<32} {:>10} {:>14}", "", "users", "users, audited");
    let line = |what: &str, plain: f64, audited: f64, digits: usize| {
        println!("{what:<32} {plain:>10.digits$} {audited:>14.digits$}");
    };
    line("disk, bytes a user", each(plain_bytes), each(audited_bytes), 0);
    line("open, seconds", plain.open.as_secs_f64(), audited.open.as_secs_f64(), 2);
    line("read everything, seconds", plain.read.as_secs_f64(), audited.read.as_secs_f64(), 2);
    line("items", plain.items as f64, audited.items as f64, 0);
    line("resident after opening, a user", each(plain.open_bytes), each(audited.open_bytes), 0);
    line("resident after reading, a user", each(plain.read_bytes), each(audited.read_bytes), 0);
    println!();
    println!("disk_bytes_per_user {:.0}", each(plain_bytes));
    println!("audit_disk_bytes_per_user {:.0}", each(audited_bytes.saturating_sub(plain_bytes)));
    println!("resident_bytes_per_user {:.0}", each(plain.read_bytes));
    println!(
        "audit_resident_bytes_per_user {:.0}",
        each(audited.read_bytes.saturating_sub(plain.read_bytes))
    );
    println!("reopen_seconds {:.2}", plain.open.as_secs_f64());
    println!("reopen_audited_seconds {:.2}", audited.open.as_secs_f64());
    println!("server_ready_audited_seconds {:.2} (resident {} MiB)", ready.as_secs_f64(), ready_bytes >> 20);
    Ok(())
}

/// Creates the users that the calls create, in the same transactions but for the audit record.
async fn fill(data_dir: &Path, users: usize) -> Outcome {
    let engine = open(data_dir)?;
    let settings = Arc::new(config(Path::new("")).settings());
    let mut writers = Vec::with_capacity(SHAPE.in_flight);
    for writer in 0..SHAPE.in_flight {
        let (engine, settings) = (Arc::clone(&engine), Arc::clone(&settings));
        writers.push(tokio::spawn(async move {
            for number in (writer..users).step_by(SHAPE.in_flight) {
                create(&engine, &settings, u64::try_from(number)?).await?;
            }
            Outcome::Ok(())
        }));
    }
    for writer in writers {
        writer.await??;
    }
    Ok(())
}

async fn create(engine: &Arc<dyn Engine>, settings: &Settings, number: u64) -> Outcome {
    let request = user(number);
    let tags = request.tags.into_iter().map(|tag| StoredTag { key: tag.key, value: tag.value }).collect();
    let new = NewUser { name: request.user_name, path: request.path, permissions_boundary: None, tags };
    let mut transaction = Transaction::begin(Arc::clone(engine));
    let mut directory = Directory {
        transaction: &mut transaction,
        account: ACCOUNT,
        settings,
        now: SystemClock.now().seconds(),
        random: &mut SystemRandom::new(),
    };
    directory.users().create(new).await?;
    transaction.finish().await?;
    Ok(())
}

fn open(data_dir: &Path) -> Outcome<Arc<dyn Engine>> {
    let mut sled = SledConfig::new(data_dir);
    sled.cache_bytes = config(data_dir).store_cache_bytes;
    Ok(Arc::new(Sled::open(&sled)?))
}

/// Opens a store and reads all of it; tells on standard output what that took.
pub(crate) async fn reopen(data_dir: &Path) -> Outcome {
    let before = resident_bytes("self")?;
    let begun = Instant::now();
    let engine = open(data_dir)?;
    let (opened, open_bytes) = (begun.elapsed(), resident_bytes("self")?.saturating_sub(before));
    let begun = Instant::now();
    let (mut range, mut items) = (KeyRange::default(), 0);
    loop {
        let page = engine.scan(range.clone(), PAGE_ITEMS).await?;
        items += page.len();
        let Some((last, _)) = page.last() else { break };
        range = range.after(last.clone());
    }
    let (read, read_bytes) = (begun.elapsed(), resident_bytes("self")?.saturating_sub(before));
    println!("{} {} {items} {open_bytes} {read_bytes}", opened.as_micros(), read.as_micros());
    Ok(())
}

fn reopened(data_dir: &Path) -> Outcome<Reopened> {
    let output = Command::new(std::env::current_exe()?).arg("reopen").arg(data_dir).output()?;
    if !output.status.success() {
        return Err(format!("reopening failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
    let [open, read, items, open_bytes, read_bytes] = numbers[..] else {
        return Err(format!("reopening told {text:?}").into());
    };
    let (open, read) = (Duration::from_micros(open), Duration::from_micros(read));
    Ok(Reopened { open, read, items, open_bytes, read_bytes })
}

/// What the files of a directory take on their device.
fn disk_bytes(directory: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let metadata = fs::metadata(&path)?;
        bytes += if metadata.is_dir() {
            disk_bytes(&path)?
        } else {
            std::os::unix::fs::MetadataExt::blocks(&metadata) * 512
        };
    }
    Ok(bytes)
}
