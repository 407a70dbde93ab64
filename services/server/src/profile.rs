//! Credentials as the AWS tools find them: a named profile, the key variables, or the default profile of the shared
//! credentials file. Whoever has those tools set up has this one set up.

mod place;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use configparser::ini::Ini;
use reeve_chassis::client::Credentials;
use zeroize::Zeroizing;

pub use place::Place;

/// The profile that is meant when none is named.
const PROFILE_DEFAULT: &str = "default";
/// A credentials file is a page of text; this bounds what a wrong path can make us read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads a variable of the environment.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Nobody gave any.
    #[error(
        "Unable to locate credentials. Name a profile with --profile, set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or write a [default] profile to ~/.aws/credentials."
    )]
    Missing,
    /// A profile was named that is not there.
    #[error("The config profile ({profile}) could not be found in {}", path.display())]
    NoSuchProfile {
        /// The profile.
        profile: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// One half of a key is missing.
    #[error("Partial credentials found in {place}, missing: {missing}")]
    Partial {
        /// The environment or a profile.
        place: String,
        /// The name of the other half there.
        missing: &'static str,
    },
    /// The credentials file cannot be read.
    #[error("Unable to read the credentials file {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The credentials file is not of its format.
    #[error("Unable to parse the credentials file {}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where; never the text, which may be a secret.
        reason: String,
    },
}

/// The credentials of `profile`; when none is named those of the key variables, then those of the profile `AWS_PROFILE`
/// or `default`.
///
/// # Errors
/// There are none, or only half of them.
pub fn find(profile: Option<&str>, variables: Variables<'_>) -> Result<Credentials, ProfileError> {
    let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
    if let Some(profile) = profile {
        return of_profile(profile, &file(&variable).ok_or(ProfileError::Missing)?);
    }
    if let Some(access_key_id) = variable("AWS_ACCESS_KEY_ID") {
        let secret = variable("AWS_SECRET_ACCESS_KEY").ok_or_else(|| ProfileError::Partial {
            place: "the environment".to_owned(),
            missing: "AWS_SECRET_ACCESS_KEY",
        })?;
        return Ok(Credentials {
            access_key_id,
            secret_access_key: Zeroizing::new(secret),
            session_token: variable("AWS_SESSION_TOKEN"),
        });
    }
    let path = file(&variable).ok_or(ProfileError::Missing)?;
    match variable("AWS_PROFILE") {
        Some(profile) => of_profile(&profile, &path),
        None => of_profile(PROFILE_DEFAULT, &path).map_err(|error| match error {
            // Nobody asked for it by name, so what is missing is any credentials at all.
            ProfileError::NoSuchProfile { .. } => ProfileError::Missing,
            other => other,
        }),
    }
}

/// Where the shared credentials file lies.
fn file(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = variable("HOME").map(PathBuf::from);
    match variable("AWS_SHARED_CREDENTIALS_FILE") {
        Some(path) => match (path.strip_prefix("~/"), home) {
            (Some(under_home), Some(home)) => Some(home.join(under_home)),
            _ => Some(path.into()),
        },
        None => home.map(|home| home.join(".aws").join("credentials")),
    }
}

fn of_profile(profile: &str, path: &Path) -> Result<Credentials, ProfileError> {
    let no_such = || ProfileError::NoSuchProfile { profile: profile.to_owned(), path: path.to_owned() };
    let text = read(path).map_err(|error| ProfileError::Unreadable { path: path.to_owned(), error })?;
    let text = text.ok_or_else(no_such)?;
    let found = parse(&text, profile)
        .map_err(|reason| ProfileError::Malformed { path: path.to_owned(), reason })?
        .ok_or_else(no_such)?;
    let partial = |missing| ProfileError::Partial { place: format!("the profile {profile}"), missing };
    Ok(Credentials {
        access_key_id: found.access_key_id.ok_or_else(|| partial("aws_access_key_id"))?,
        secret_access_key: found.secret_access_key.ok_or_else(|| partial("aws_secret_access_key"))?,
        session_token: found.session_token,
    })
}

/// The beginning of a file, which is all of it unless the path is wrong; none when there is no such file.
fn read(path: &Path) -> std::io::Result<Option<Zeroizing<String>>> {
    let mut text = Zeroizing::new(String::new());
    match File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a profile says.
#[derive(Default)]
struct Profile {
    access_key_id: Option<String>,
    secret_access_key: Option<Zeroizing<String>>,
    session_token: Option<String>,
}

/// The profile in the text of a credentials file, read as the AWS tools read it: names of keys have no case, names of
/// profiles have, and a `#` or `;` begins a comment only at the beginning of a line.
fn parse(text: &str, profile: &str) -> Result<Option<Profile>, String> {
    let mut ini = Ini::new_cs();
    ini.set_inline_comment_symbols(Some(&[]));
    ini.set_multiline(true);
    // What stands before the first profile belongs to none.
    ini.set_default_section("");
    let mut profiles = ini.read(text.trim_start_matches('\u{feff}').to_owned())?;
    let Some(members) = profiles.remove(profile).filter(|_| !profile.is_empty()) else { return Ok(None) };
    let mut found = Profile::default();
    for (name, value) in members {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        match name.to_ascii_lowercase().as_str() {
            "aws_access_key_id" => found.access_key_id = Some(value),
            "aws_secret_access_key" => found.secret_access_key = Some(Zeroizing::new(value)),
            "aws_session_token" => found.session_token = Some(value),
            _ => {}
        }
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "\
# a comment\n[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = se#cr;et/+=\n\n\
[root]\r\nAWS_ACCESS_KEY_ID=AKIAROOT\r\naws_secret_access_key=rootsecret\r\n\
[session]\naws_access_key_id = ASIA\naws_secret_access_key = s\naws_session_token = a=b:c\ns3 =\n  aws_access_key_id = nested\n\
[half]\naws_access_key_id = AKIAHALF\n";

    fn with(variables: &[(&str, &str)], profile: Option<&str>) -> Result<(String, String), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        std::fs::write(&path, FILE).unwrap();
        let lookup = |name: &str| {
            let given =
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            given.or((name == "AWS_SHARED_CREDENTIALS_FILE").then(|| path.display().to_string()))
        };
        find(profile, &lookup)
            .map(|found| (found.access_key_id, found.secret_access_key.to_string()))
            .map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }

    fn key(variables: &[(&str, &str)], profile: Option<&str>) -> String {
        with(variables, profile).unwrap().0
    }

    const KEYS: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKIAENV");
    const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "envsecret");

    #[test]
    fn the_order_is_that_of_the_aws_tools() {
        assert_eq!(key(&[], None), "AKIADEFAULT");
        assert_eq!(key(&[("AWS_PROFILE", "root")], None), "AKIAROOT");
        assert_eq!(key(&[("AWS_PROFILE", "root"), KEYS, SECRET], None), "AKIAENV");
        assert_eq!(key(&[("AWS_PROFILE", "root"), KEYS, SECRET], Some("session")), "ASIA");
        assert_eq!(key(&[("AWS_PROFILE", ""), ("AWS_ACCESS_KEY_ID", "")], None), "AKIADEFAULT");
    }

    #[test]
    fn secrets_keep_every_character() {
        assert_eq!(with(&[], None).unwrap().1, "se#cr;et/+=");
        let token = parse(FILE, "session").unwrap().unwrap().session_token;
        assert_eq!(token.as_deref(), Some("a=b:c"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let refused = |variables, profile| with(variables, profile).unwrap_err();
        assert_eq!(refused(&[], Some("nobody")), "The config profile (nobody) could not be found in FILE");
        assert_eq!(refused(&[], Some("")), "The config profile () could not be found in FILE");
        let half = "Partial credentials found in the profile half, missing: aws_secret_access_key";
        assert_eq!(refused(&[], Some("half")), half);
        let half = "Partial credentials found in the environment, missing: AWS_SECRET_ACCESS_KEY";
        assert_eq!(refused(&[KEYS], None), half);
        let elsewhere = ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials");
        assert!(refused(&[elsewhere], None).starts_with("Unable to locate credentials."));
    }

    #[test]
    fn the_file_is_looked_for_at_home() {
        let path = |variables: &'static [(&str, &str)]| {
            let known = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            file(&known)
        };
        assert_eq!(path(&[]), None);
        assert_eq!(path(&[("HOME", "/home/a")]), Some("/home/a/.aws/credentials".into()));
        let own = path(&[("HOME", "/home/a"), ("AWS_SHARED_CREDENTIALS_FILE", "~/mine")]);
        assert_eq!(own, Some("/home/a/mine".into()));
    }

    #[test]
    fn a_malformed_file_is_refused_without_its_text() {
        let refused = parse("[default]\naws_secret_access_key = s3cret\n[broken s3cret", "default");
        let reason = refused.err().unwrap();
        assert!(reason.contains("line 3") && !reason.contains("s3cret"), "{reason}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s)[\\[\\]=:#; \ta-c\r\n\u{e9}]{0,60}", profile in "[a-c]{0,2}") {
            let _ = parse(&text, &profile);
        }

        #[test]
        fn any_characters_at_all_are_read_or_refused(text in any::<String>()) {
            let _ = parse(&text, "default");
        }
    }
}
