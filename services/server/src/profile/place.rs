//! A profile of the shared credentials file as a place to write to. Everything else in the file stays as it is, byte for
//! byte, and a long-term access key is never written over.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use reeve_chassis::client::Credentials;
use zeroize::Zeroizing;

use super::{FILE_BYTES_MAX, PROFILE_DEFAULT, ProfileError, Variables, file, parse, read};
use crate::terminal::Failure;

/// The keys of a session, as AWS's tools name them.
const KEYS: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// A profile to be written.
pub struct Place {
    profile: String,
    path: PathBuf,
}

impl Place {
    /// The profile `profile`, or `AWS_PROFILE`, or `default`.
    ///
    /// # Errors
    /// There is no home for a credentials file, or the name cannot stand in one.
    pub fn of(profile: Option<String>, variables: Variables<'_>) -> Result<Self, Failure> {
        let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
        let path = file(&variable).ok_or(Failure::Credentials(ProfileError::Missing))?;
        let profile =
            profile.or_else(|| variable("AWS_PROFILE")).unwrap_or_else(|| PROFILE_DEFAULT.to_owned());
        let is_name = !profile.is_empty()
            && profile.chars().all(|c| !c.is_control() && !matches!(c, '[' | ']' | '#' | ';'))
            && profile.trim() == profile;
        if !is_name {
            return Err(Failure::Configuration(format!("{profile:?} cannot be the name of a profile")));
        }
        Ok(Self { profile, path })
    }

    /// The profile's name.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Refuses to write over a long-term access key.
    ///
    /// # Errors
    /// There is one, or the file cannot be read.
    pub fn check(&self) -> Result<(), Failure> {
        let text = self.text()?;
        let found = parse(&text, &self.profile).map_err(|reason| {
            Failure::Credentials(ProfileError::Malformed { path: self.path.clone(), reason })
        })?;
        if found.is_some_and(|found| found.secret_access_key.is_some() && found.session_token.is_none()) {
            return Err(Failure::Configuration(format!(
                "the profile {} of {} holds a long-term access key; name another with --profile",
                self.profile,
                self.path.display()
            )));
        }
        Ok(())
    }

    /// Writes a session's credentials.
    ///
    /// # Errors
    /// As [`Place::check`], or the file cannot be written.
    pub fn write(&self, credentials: &Credentials) -> Result<(), Failure> {
        self.check()?;
        let values = [
            credentials.access_key_id.as_str(),
            credentials.secret_access_key.as_str(),
            credentials.session_token.as_deref().unwrap_or_default(),
        ];
        let lines: Zeroizing<String> = Zeroizing::new(
            KEYS.iter().zip(values).map(|(key, value)| format!("{key} = {value}\n")).collect(),
        );
        self.replace(&with_keys(&self.text()?, &self.profile, Some(&lines)))
    }

    /// Takes a session's credentials out.
    ///
    /// # Errors
    /// As [`Place::check`], or the file cannot be written.
    pub fn clear(&self) -> Result<(), Failure> {
        self.check()?;
        self.replace(&with_keys(&self.text()?, &self.profile, None))
    }

    fn text(&self) -> Result<Zeroizing<String>, Failure> {
        let unreadable =
            |error| Failure::Credentials(ProfileError::Unreadable { path: self.path.clone(), error });
        let text = read(&self.path).map_err(unreadable)?.unwrap_or_default();
        if text.len() as u64 >= FILE_BYTES_MAX {
            return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
        }
        Ok(text)
    }

    /// Puts `text` in the file's place at once, for its owner's eyes alone.
    fn replace(&self, text: &str) -> Result<(), Failure> {
        let written = || -> std::io::Result<()> {
            // Who keeps the file elsewhere behind a link finds it there still.
            let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = tempfile::Builder::new()
                .prefix(".credentials-")
                .permissions(std::fs::Permissions::from_mode(0o600))
                .tempfile_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(|error| Failure::Configuration(format!("{}: {error}", self.path.display())))
    }
}

/// The text of a credentials file with `lines` in place of the keys of `profile`. Without lines the profile goes, unless it
/// holds something else.
fn with_keys(text: &str, profile: &str, lines: Option<&str>) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 2048));
    let (mut rest, mut found) = (text, false);
    while !rest.is_empty() {
        let (section, after) = rest.split_at(end_of_section(rest));
        rest = after;
        if found || name_of(section) != Some(profile) {
            out.push_str(section);
            continue;
        }
        found = true;
        let kept: Vec<&str> = section.split_inclusive('\n').filter(|line| !is_key(line)).collect();
        let only_header = kept.iter().skip(1).all(|line| line.trim().is_empty());
        if lines.is_none() && only_header {
            continue;
        }
        for (index, line) in kept.iter().enumerate() {
            out.push_str(line);
            if index == 0 {
                end_line(&mut out);
                out.push_str(lines.unwrap_or_default());
            }
        }
    }
    if let (false, Some(lines)) = (found, lines) {
        end_line(&mut out);
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("[{profile}]\n"));
        out.push_str(lines);
    }
    out
}

/// Where the section that `text` begins with ends: before the next header.
fn end_of_section(text: &str) -> usize {
    let mut end = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index > 0 && name_of(line).is_some() {
            return end;
        }
        end += line.len();
    }
    end
}

/// The name in the header that `text` begins with.
fn name_of(text: &str) -> Option<&str> {
    let line = text.lines().next()?.trim_start_matches('\u{feff}');
    let (name, _) = line.strip_prefix('[')?.split_once(']')?;
    Some(name.trim())
}

fn is_key(line: &str) -> bool {
    let name = line.split_once('=').map(|(name, _)| name.trim());
    name.is_some_and(|name| KEYS.iter().any(|key| key.eq_ignore_ascii_case(name)))
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "aws_access_key_id = ASIANEW\naws_secret_access_key = n\naws_session_token = t\n";

    #[track_caller]
    fn check(text: &str, profile: &str, lines: Option<&str>, expected: &str) {
        assert_eq!(with_keys(text, profile, lines).as_str(), expected);
    }

    #[test]
    fn a_profile_is_added_behind_the_others() {
        check("", "me", Some(NEW), &format!("[me]\n{NEW}"));
        check("[a]\nx = 1", "me", Some(NEW), &format!("[a]\nx = 1\n\n[me]\n{NEW}"));
        check("# mine\n", "me", Some(NEW), &format!("# mine\n\n[me]\n{NEW}"));
    }

    #[test]
    fn a_profile_is_written_over_and_the_others_are_not() {
        let text = "# c\n[a]\naws_session_token = kept\n\n[me]\n; mine\nregion = x\nAWS_ACCESS_KEY_ID=ASIA\r\n\
                    aws_session_token = old\n\n[z]\naws_session_token = kept";
        let expected = format!(
            "# c\n[a]\naws_session_token = kept\n\n[me]\n{NEW}; mine\nregion = x\n\n[z]\naws_session_token = kept"
        );
        check(text, "me", Some(NEW), &expected);
        check(&expected, "me", Some(NEW), &expected);
    }

    #[test]
    fn a_profile_that_holds_nothing_else_goes() {
        let text = format!("[a]\nx = 1\n[me]\n{NEW}\n[z]\ny = 2\n");
        check(&text, "me", None, "[a]\nx = 1\n[z]\ny = 2\n");
        let text = format!("[me]\nregion = x\n{NEW}");
        check(&text, "me", None, "[me]\nregion = x\n");
        check("[a]\n", "me", None, "[a]\n");
    }

    #[test]
    fn the_file_is_its_owner_s_alone_and_a_long_term_key_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("credentials");
        let place = |profile: &str| Place { profile: profile.to_owned(), path: path.clone() };
        let session = Credentials {
            access_key_id: "ASIA".to_owned(),
            secret_access_key: Zeroizing::new("secret".to_owned()),
            session_token: Some("token".to_owned()),
        };
        place("me").write(&session).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        let found = parse(&text, "me").unwrap().unwrap();
        assert_eq!(found.session_token.as_deref(), Some("token"));
        std::fs::write(&path, "[me]\naws_access_key_id = AKIA\naws_secret_access_key = s\n").unwrap();
        assert!(matches!(place("me").write(&session), Err(Failure::Configuration(_))));
        assert!(matches!(place("me").clear(), Err(Failure::Configuration(_))));
        place("other").write(&session).unwrap();
        place("other").clear().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("[me]\naws_access_key_id = AKIA") && !text.contains("token"), "{text}");
    }

    #[test]
    fn a_name_that_cannot_stand_in_the_file_is_refused() {
        let home = |name: &str| (name == "HOME").then(|| "/nonexistent".to_owned());
        for name in ["", " a", "a]b", "a\nb", "[a", "a#b"] {
            assert!(Place::of(Some(name.to_owned()), &home).is_err(), "{name:?}");
        }
        assert_eq!(Place::of(None, &home).unwrap().profile(), "default");
        assert!(Place::of(None, &|_| None).is_err());
    }
}
