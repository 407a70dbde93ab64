//! The file that audit events lie in: written to its end whatever happens, and rotated when it has grown.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Retention, WAIT_MAX};

/// The file, and how it is rotated.
pub(super) struct Sink {
    path: PathBuf,
    file: File,
    bytes: u64,
    retention: Retention,
    /// A pipe or a device is not rotated, and neither is what somebody else put a link to.
    rotates: bool,
}

impl Sink {
    pub(super) fn open(path: &Path, retention: &Retention) -> std::io::Result<Self> {
        let file = append_to(path)?;
        let bytes = file.metadata()?.len();
        let rotates = std::fs::symlink_metadata(path)?.is_file();
        Ok(Self { path: path.to_owned(), file, bytes, retention: retention.clone(), rotates })
    }

    /// Writes all of `lines`, trying again for as long as the server runs: meanwhile the buffer fills, and calls fail.
    pub(super) fn write(&mut self, lines: &[u8], closed: impl Fn() -> bool) -> bool {
        let mut rest = lines;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    self.bytes = self.bytes.saturating_add(count as u64);
                }
                Err(error) => {
                    tracing::error!(%error, path = %self.path.display(), "the audit log cannot be written");
                    if closed() {
                        return false;
                    }
                    std::thread::park_timeout(WAIT_MAX);
                }
            }
        }
        if self.rotates
            && self.bytes > self.retention.file_bytes_max
            && let Err(error) = self.rotate()
        {
            tracing::error!(%error, path = %self.path.display(), "the audit log cannot be rotated");
        }
        true
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        for number in (1..self.retention.files_kept_max).rev() {
            let from = self.numbered(number);
            if from.exists() {
                std::fs::rename(from, self.numbered(number + 1))?;
            }
        }
        std::fs::rename(&self.path, self.numbered(1))?;
        self.file = append_to(&self.path)?;
        self.bytes = 0;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append_to(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_rotated_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.log");
        let retention = Retention { file_bytes_max: 1, files_kept_max: 3, store_days_max: 0 };
        let mut sink = Sink::open(&path, &retention).unwrap();
        for number in 0..5 {
            assert!(sink.write(format!("{number}\n").as_bytes(), || false));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
        assert_eq!(std::fs::read_to_string(sink.numbered(1)).unwrap(), "4\n");
        assert!(sink.numbered(3).exists());
        assert!(!sink.numbered(4).exists());
    }

    #[test]
    fn what_is_no_file_of_ours_is_not_rotated() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("elsewhere"), directory.path().join("audit.log"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let retention = Retention { file_bytes_max: 1, ..Retention::default() };
        let mut sink = Sink::open(&link, &retention).unwrap();
        assert!(sink.write(b"one\n", || false) && sink.write(b"two\n", || false));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert!(!sink.numbered(1).exists());
    }
}
