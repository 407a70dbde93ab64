//! The data directory: one process at a time, and nothing in it left to chance by a crash while it was opened.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Error, Result};

/// How often, and how long apart, to look whether a file that is locked has been let go of.
const LOCK_LOOKS_MAX: usize = 100;
const LOCK_LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// A data directory that this process alone uses. The lock goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Creates the directory where it is missing, readable by its owner only, and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self> {
        let at = |error: io::Error| Error::unavailable(format_args!("{}: {error}", path.display()));
        create(path).map_err(at)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock = lock.map_err(at)?;
        if !try_lock(&lock).map_err(at)? || !is_released(&path.join("db")).map_err(at)? {
            return Err(Error::InUse { path: path.to_owned() });
        }
        remove_unfinished_snapshots(path).map_err(at)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Makes durable what opening has created, down to the names of files, and returns the log's file.
    pub(super) fn settle(&self) -> Result<File> {
        let settle = || {
            File::open(self.path.join("conf"))?.sync_all()?;
            let log = OpenOptions::new().write(true).open(self.path.join("db"))?;
            log.sync_all()?;
            File::open(self.path.join("blobs"))?.sync_all()?;
            File::open(&self.path)?.sync_all()?;
            if let Some(parent) = fs::canonicalize(&self.path)?.parent() {
                File::open(parent)?.sync_all()?;
            }
            Ok(log)
        };
        settle()
            .map_err(|error: io::Error| Error::unavailable(format_args!("{}: {error}", self.path.display())))
    }
}

fn create(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Locks a file, with some patience: a process that has just been told to end may hold it a moment longer, and
/// so does any child that this one has begun to start and that still shares its files.
fn try_lock(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_LOOKS_MAX {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(LOCK_LOOK_INTERVAL),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// sled locks its log itself, without patience, and when a store is closed one of its threads may hold on to it
/// a moment longer.
fn is_released(log: &Path) -> io::Result<bool> {
    match File::open(log) {
        // Let go of expressly: a child that is being started would keep what is merely closed.
        Ok(log) => Ok(try_lock(&log)? && log.unlock().is_ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// sled writes a snapshot of its page table under a temporary name when it is opened. If it is killed then, it
/// takes the torn file for the newest snapshot the next time and refuses to open.
fn remove_unfinished_snapshots(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
