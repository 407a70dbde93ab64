//! Where a role's credentials are kept between two processes that want the same: a file for its owner's eyes alone, named by
//! everything that they depend on.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::profile::Variables;
use crate::terminal::Failure;

/// Credentials are a page of text.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The file of one set of credentials.
pub(super) struct Cache {
    folder: PathBuf,
    name: String,
}

impl Cache {
    /// Where the credentials belong that depend on `parts`, all of them; none without a home.
    pub(super) fn of(parts: &[&[u8]], variables: Variables<'_>) -> Option<Self> {
        let variable = |name: &str| variables(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let home = home.or_else(|| variable("HOME").map(|home| home.join(".cache")))?;
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let name = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ".json";
        Some(Self { folder: home.join("reeve").join("credentials"), name })
    }

    /// What is kept; nothing when others could have read or written it.
    pub(super) fn read(&self) -> Option<Zeroizing<String>> {
        let file = std::fs::File::open(self.folder.join(&self.name)).ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
            return None;
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Keeps `text`, at once.
    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        let written = || -> std::io::Result<()> {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
            let mut file = tempfile::Builder::new()
                .permissions(std::fs::Permissions::from_mode(0o600))
                .tempfile_in(&self.folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(self.folder.join(&self.name))?;
            Ok(())
        };
        written().map_err(|error| Failure::Configuration(format!("{}: {error}", self.folder.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(home: &std::path::Path, parts: &[&str]) -> Cache {
        let variables = |name: &str| (name == "HOME").then(|| home.display().to_string());
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        Cache::of(&parts, &variables).unwrap()
    }

    #[test]
    fn what_is_kept_is_its_owner_s_alone() {
        let home = tempfile::tempdir().unwrap();
        let cache = of(home.path(), &["AKIA", "r"]);
        assert!(cache.read().is_none());
        cache.write("one").unwrap();
        cache.write("two").unwrap();
        assert_eq!(cache.read().unwrap().as_str(), "two");
        let path = cache.folder.join(&cache.name);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(cache.read().is_none(), "others could read it");
    }

    #[test]
    fn what_differs_is_kept_apart() {
        let home = tempfile::tempdir().unwrap();
        let name = |parts: &[&str]| of(home.path(), parts).name;
        assert_eq!(name(&["A", "r"]), name(&["A", "r"]));
        assert_ne!(name(&["A", "r"]), name(&["B", "r"]));
        assert_ne!(name(&["A", "r"]), name(&["A", "s"]));
        assert_ne!(name(&["Ar", ""]), name(&["A", "r"]));
        assert_ne!(name(&["A", "r", ""]), name(&["A", "r"]));
    }
}
