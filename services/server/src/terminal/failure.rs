//! Why a command did not answer, in the words and with the exit codes of the AWS CLI.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use heck::ToUpperCamelCase as _;
use reeve_chassis::client::CallError;

use crate::profile::ProfileError;

/// The exit codes. (Source: "Command line return codes in the AWS CLI".)
pub mod exit {
    /// The service answered.
    pub const SUCCESS: u8 = 0;
    /// The command line was refused, and nothing was asked.
    pub const USAGE: u8 = 252;
    /// Credentials or configuration are missing or invalid, and nothing was asked.
    pub const CONFIGURATION: u8 = 253;
    /// The service answered with an error.
    pub const SERVICE: u8 = 254;
    /// Anything else, such as that nobody answers at the endpoint.
    pub const GENERAL: u8 = 255;
}

/// Why a command did not answer.
#[derive(Debug)]
pub enum Failure {
    /// The command line is refused.
    Usage(String),
    /// The input is not of the operation's form; each line says where and why.
    Input(Vec<String>),
    /// There are no credentials.
    Credentials(ProfileError),
    /// Something that the environment names cannot be used.
    Configuration(String),
    /// The service refused.
    Refused {
        /// The operation.
        method: &'static str,
        /// What it said.
        error: Box<CallError>,
    },
    /// The call did not come to an answer.
    Unanswered {
        /// The operation.
        method: &'static str,
        /// Where.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// Anything else.
    General(String),
}

impl Failure {
    /// A fault of the build: the descriptors are not what they should be.
    pub(crate) fn descriptor(reason: impl fmt::Display) -> Self {
        Self::General(format!("the descriptors are broken: {reason}"))
    }

    pub(crate) fn output(error: impl fmt::Display) -> Self {
        Self::General(format!("the answer cannot be printed: {error}"))
    }

    /// One thing wrong with the input.
    pub(crate) fn input(reason: impl Into<String>) -> Self {
        Self::Input(vec![reason.into()])
    }

    /// Prints it where errors belong; with what the process then ends.
    #[must_use]
    pub fn tell(&self) -> ExitCode {
        let _ = write!(std::io::stderr().lock(), "{self}");
        ExitCode::from(self.exit_code())
    }

    /// With what the process ends.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Input(_) => exit::USAGE,
            Self::Credentials(_) | Self::Configuration(_) => exit::CONFIGURATION,
            Self::Refused { .. } => exit::SERVICE,
            Self::Unanswered { .. } | Self::General(_) => exit::GENERAL,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A blank line before, as the AWS CLI prints one.
        writeln!(f)?;
        match self {
            Self::Usage(reason) | Self::Configuration(reason) | Self::General(reason) => {
                writeln!(f, "reeve: error: {reason}")
            }
            Self::Input(reasons) => {
                writeln!(f, "Parameter validation failed:")?;
                reasons.iter().try_for_each(|reason| writeln!(f, "{reason}"))
            }
            Self::Credentials(error) => writeln!(f, "{error}"),
            Self::Refused { method, error } => refused(f, method, error),
            Self::Unanswered { method, endpoint, reason } => {
                writeln!(
                    f,
                    "Could not get an answer to {method} from the endpoint URL: \"{endpoint}\": {reason}"
                )
            }
        }
    }
}

fn refused(f: &mut fmt::Formatter<'_>, method: &str, error: &CallError) -> fmt::Result {
    let CallError { code, message, request_id, violations, .. } = error;
    writeln!(f, "An error occurred ({code}) when calling the {method} operation: {message}")?;
    for (field, description) in violations {
        writeln!(f, "  {}: {description}", aws_path(field))?;
    }
    if request_id.is_empty() { Ok(()) } else { writeln!(f, "Request id: {request_id}") }
}

/// `question.resource_tags[0].key` as `Question.ResourceTags[0].Key`.
fn aws_path(path: &str) -> String {
    let segment = |segment: &str| match segment.split_once('[') {
        Some((name, index)) => format!("{}[{index}", name.to_upper_camel_case()),
        None => segment.to_upper_camel_case(),
    };
    path.split('.').map(segment).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_the_aws_cli_words_it() {
        let error = CallError {
            code: "ValidationError".to_owned(),
            message: "1 validation error detected".to_owned(),
            grpc: 3,
            request_id: "r-1".to_owned(),
            violations: vec![("question.resource_tags[0].key".to_owned(), "too long".to_owned())],
            retry_after: None,
        };
        let failure = Failure::Refused { method: "Authorize", error: Box::new(error) };
        assert_eq!(
            failure.to_string(),
            "\nAn error occurred (ValidationError) when calling the Authorize operation: 1 validation error detected\n  \
             Question.ResourceTags[0].Key: too long\nRequest id: r-1\n"
        );
        assert_eq!(failure.exit_code(), 254);
    }

    #[test]
    fn exit_codes_are_those_of_the_aws_cli() {
        assert_eq!(Failure::Usage(String::new()).exit_code(), 252);
        assert_eq!(Failure::input("x").exit_code(), 252);
        assert_eq!(Failure::Credentials(ProfileError::Missing).exit_code(), 253);
        assert_eq!(Failure::General(String::new()).exit_code(), 255);
    }
}
