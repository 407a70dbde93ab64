//! A token of an identity provider, in a file that whoever runs the command keeps fresh, and the role that it is traded for:
//! what a workload has in the place of a stored secret. The variables are those that the AWS SDKs know. (Source: "Assume role
//! credential provider" of the AWS SDKs and Tools Reference Guide.)

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use reeve_proto::sts::v1::AssumeRoleWithWebIdentityRequest;
use zeroize::Zeroizing;

use super::{DURATION_DEFAULT_SECONDS, SESSION_NAME_DEFAULT};
use crate::profile::Variables;
use crate::terminal::Failure;

/// The file of the token.
pub(super) const TOKEN_FILE_VARIABLE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// The role.
pub(super) const ROLE_VARIABLE: &str = "AWS_ROLE_ARN";
/// What the session is called.
const SESSION_NAME_VARIABLE: &str = "AWS_ROLE_SESSION_NAME";
/// More than a token may be; this bounds what a wrong path can make us read.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A token, and what it is traded for.
pub(super) struct WebIdentity {
    token_file: PathBuf,
    /// But for the token.
    request: AssumeRoleWithWebIdentityRequest,
}

/// What the command line says; what it does not say is looked for in the environment.
#[derive(Default)]
pub(super) struct Said {
    pub(super) token_file: Option<String>,
    pub(super) role_arn: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) duration_seconds: Option<i32>,
}

impl WebIdentity {
    /// The token that is said or that the environment names; none where neither does.
    ///
    /// # Errors
    /// There is a token, and no role for it.
    pub(super) fn of(said: Said, variables: Variables<'_>) -> Result<Option<Self>, Failure> {
        let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
        let Some(token_file) = said.token_file.or_else(|| variable(TOKEN_FILE_VARIABLE)) else {
            return Ok(None);
        };
        let role_arn = said.role_arn.or_else(|| variable(ROLE_VARIABLE)).ok_or_else(|| {
            let message = format!(
                "{token_file} holds a web identity token: say for which role, or set {ROLE_VARIABLE}"
            );
            Failure::Configuration(message)
        })?;
        let session_name = said.session_name.or_else(|| variable(SESSION_NAME_VARIABLE));
        let request = AssumeRoleWithWebIdentityRequest {
            role_arn,
            role_session_name: session_name.unwrap_or_else(|| SESSION_NAME_DEFAULT.to_owned()),
            duration_seconds: said.duration_seconds,
            ..AssumeRoleWithWebIdentityRequest::default()
        };
        Ok(Some(Self { token_file: token_file.into(), request }))
    }

    /// What the credentials depend on, as far as it stays: tokens come and go, and the file that holds them says whose they
    /// are.
    pub(super) fn lasting(&self) -> (&[u8], &AssumeRoleWithWebIdentityRequest) {
        (self.token_file.as_os_str().as_encoded_bytes(), &self.request)
    }

    pub(super) fn duration_seconds(&self) -> i32 {
        self.request.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS)
    }

    /// The request, with the token that the file holds now.
    ///
    /// # Errors
    /// The file cannot be read, or holds no token.
    pub(super) fn request(&self) -> Result<AssumeRoleWithWebIdentityRequest, Failure> {
        let failed = |why: &str| Failure::Configuration(format!("{}: {why}", self.token_file.display()));
        let file = File::open(&self.token_file).map_err(|error| failed(&error.to_string()))?;
        let mut text = Zeroizing::new(String::new());
        let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
        read.map_err(|error| failed(&error.to_string()))?;
        let token = text.trim();
        if token.is_empty() || u64::try_from(text.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
            return Err(failed("this is no web identity token"));
        }
        Ok(AssumeRoleWithWebIdentityRequest { web_identity_token: token.to_owned(), ..self.request.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/ci";

    fn of(said: Said, variables: &[(&str, &str)]) -> Result<Option<WebIdentity>, Failure> {
        WebIdentity::of(said, &|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn said(token_file: &str) -> Said {
        Said { token_file: Some(token_file.to_owned()), ..Said::default() }
    }

    #[test]
    fn what_is_said_stands_before_the_environment() {
        assert!(of(Said::default(), &[(ROLE_VARIABLE, ROLE), (TOKEN_FILE_VARIABLE, "")]).unwrap().is_none());
        let environment =
            [(TOKEN_FILE_VARIABLE, "/run/token"), (ROLE_VARIABLE, ROLE), (SESSION_NAME_VARIABLE, "ci")];
        let found = of(Said::default(), &environment).unwrap().unwrap();
        assert_eq!(found.token_file, PathBuf::from("/run/token"));
        assert_eq!((found.request.role_arn.as_str(), found.request.role_session_name.as_str()), (ROLE, "ci"));
        let found = of(Said { role_arn: Some("other".to_owned()), ..said("mine") }, &environment);
        let found = found.unwrap().unwrap();
        assert_eq!((found.token_file, found.request.role_arn.as_str()), (PathBuf::from("mine"), "other"));
    }

    #[test]
    fn a_token_without_a_role_is_refused() {
        let refused = of(said("mine"), &[]).err().unwrap();
        assert!(refused.to_string().contains(ROLE_VARIABLE), "{refused}");
    }

    #[test]
    fn a_file_is_read_each_time_and_never_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let role = |said| Said { role_arn: Some(ROLE.to_owned()), ..said };
        let found = of(role(said(path.to_str().unwrap())), &[]).unwrap().unwrap();
        assert!(found.request().is_err(), "it is not there");
        for (text, token) in [("a.b.c\n", Some("a.b.c")), ("d.e.f", Some("d.e.f")), (" \n", None)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(found.request().ok().map(|request| request.web_identity_token).as_deref(), token);
        }
        std::fs::write(&path, "a".repeat(100_000)).unwrap();
        assert!(found.request().is_err());
        let endless = of(role(said("/dev/zero")), &[]).unwrap().unwrap();
        assert!(endless.request().is_err());
    }
}
