//! What the disk can do: the bytes of 64 commits appended and made durable by one `fdatasync`, again and again. No
//! store that makes every commit durable before it answers is faster than this with 64 calls in flight.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Commits that share a sync.
pub(crate) const GROUP_COMMITS: usize = 64;
/// What a user's creation appends: record, name, counter, audit event, and what the store adds to them.
const COMMIT_BYTES: usize = 960;

/// Commits made durable in a second.
pub(crate) fn per_second(directory: &Path, window: Duration) -> Outcome<f64> {
    let path = directory.join("syncs");
    let mut file = File::create(&path)?;
    let group = vec![7; GROUP_COMMITS * COMMIT_BYTES];
    let begun = Instant::now();
    let mut commits = 0;
    while begun.elapsed() < window {
        file.write_all(&group)?;
        file.sync_data()?;
        commits += GROUP_COMMITS;
    }
    let elapsed = begun.elapsed();
    drop(file);
    std::fs::remove_file(path)?;
    Ok(commits as f64 / elapsed.as_secs_f64())
}
