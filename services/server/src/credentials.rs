//! `reeve credentials`: a role's temporary credentials, as the AWS SDKs take them from a `credential_process`. They are kept,
//! so that not every process asks, and renewed before they expire.

mod cache;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use prost_types::Timestamp;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::iam::v1::Tag;
use reeve_proto::sts::v1::AssumeRoleRequest;
use serde::{Deserialize, Serialize};

use crate::profile::Variables;
use crate::terminal::{self, Connection, Failure, connection_options, ended, option};
use cache::Cache;

const ROLE: &str = "role";
const TAG: &str = "tag";
const DURATION: &str = "duration";
const SESSION_NAME: &str = "session-name";
const EXTERNAL_ID: &str = "external-id";
const SOURCE_IDENTITY: &str = "source-identity";
const SERIAL_NUMBER: &str = "serial-number";
const TOKEN_CODE: &str = "token-code";
const NO_CACHE: &str = "no-cache";

/// What a session is called when nobody says.
const SESSION_NAME_DEFAULT: &str = "reeve-credentials";
/// Credentials are renewed this long before they expire, when the AWS SDKs begin to ask for others; sessions that are short
/// themselves when a third of them is left. Seconds.
const RENEWED_BEFORE_SECONDS: i64 = 900;
/// How long a session lasts when nobody says, in seconds.
const DURATION_DEFAULT_SECONDS: i32 = 3600;

/// The command.
pub fn command() -> Command {
    let text = |name: &'static str, value, help| Arg::new(name).long(name).value_name(value).help(help);
    Command::new("credentials")
        .about("Assumes a role and prints its credentials in the format of a credential_process")
        .after_long_help(
            "In ~/.aws/config:\n\n  [profile reader]\n  credential_process = reeve credentials --profile me --role ARN\n",
        )
        .arg(text(ROLE, "ARN", "The role").required(true))
        .arg(text(TAG, "KEY=VALUE", "A session tag; may be given several times").action(ArgAction::Append))
        .arg(
            text(DURATION, "SECONDS", "How long the session lasts [default: 3600]")
                .value_parser(clap::value_parser!(i32)),
        )
        .arg(text(SESSION_NAME, "NAME", "What the session is called [default: reeve-credentials]"))
        .arg(text(EXTERNAL_ID, "TEXT", "What the role's trust policy may ask for"))
        .arg(text(SOURCE_IDENTITY, "TEXT", "Who is behind the session"))
        .arg(text(SERIAL_NUMBER, "ARN", "An MFA device of yours").requires(TOKEN_CODE))
        .arg(text(TOKEN_CODE, "CODE", "Its code").requires(SERIAL_NUMBER))
        .arg(
            Arg::new(NO_CACHE)
                .long(NO_CACHE)
                .action(ArgAction::SetTrue)
                .help("Assumes the role now, whatever is kept from before"),
        )
        .args(connection_options())
}

/// Runs the command.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    ended(printed(matches, &|name| std::env::var(name).ok()))
}

/// What a `credential_process` prints. (Source: "Sourcing credentials with an external process" of the AWS SDKs and Tools
/// Reference Guide.)
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

impl Printed {
    /// Whether they last until somebody who asks now has made use of them.
    fn is_fresh(&self, now: i64, duration_seconds: i32) -> bool {
        let renewed_before = RENEWED_BEFORE_SECONDS.min(i64::from(duration_seconds) / 3);
        let expiration = self.expiration.parse::<Timestamp>();
        self.version == 1 && expiration.is_ok_and(|at| at.seconds.saturating_sub(renewed_before) > now)
    }
}

fn printed(matches: &ArgMatches, variables: Variables<'_>) -> Result<String, Failure> {
    let request = request(matches)?;
    let connection = Connection::prepare(matches, variables)?;
    let credentials = terminal::credentials(matches, variables)?;
    let duration = request.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS);
    let cache = Cache::of(&connection.endpoint, &credentials.access_key_id, &request, variables);
    let kept = if matches.get_flag(NO_CACHE) { None } else { cache.as_ref().and_then(Cache::read) };
    let kept = kept.and_then(|text| {
        let printed: Printed = serde_json::from_str(&text).ok()?;
        printed.is_fresh(SystemClock.now().seconds(), duration).then_some(text)
    });
    if let Some(text) = kept {
        return Ok(text.to_string());
    }
    let answer = connection.call(Some(&credentials), &request)?;
    let given = answer.credentials.and_then(|given| Some((given.expiration?, given)));
    let (expiration, given) =
        given.ok_or_else(|| Failure::General("the answer lacks credentials".to_owned()))?;
    let printed = Printed {
        version: 1,
        access_key_id: given.access_key_id,
        secret_access_key: given.secret_access_key,
        session_token: given.session_token,
        expiration: expiration.to_string(),
    };
    let text = serde_json::to_string_pretty(&printed).map_err(|error| Failure::General(error.to_string()))?;
    let text = text + "\n";
    if let Some(cache) = &cache {
        cache.write(&text)?;
    }
    Ok(text)
}

fn request(matches: &ArgMatches) -> Result<AssumeRoleRequest, Failure> {
    let tags = matches.get_many::<String>(TAG).into_iter().flatten().map(|tag| match tag.split_once('=') {
        Some((key, value)) => Ok(Tag { key: key.to_owned(), value: value.to_owned() }),
        None => Err(Failure::Usage(format!("--{TAG}: {tag}: a tag is KEY=VALUE"))),
    });
    Ok(AssumeRoleRequest {
        role_arn: option(matches, ROLE).unwrap_or_default(),
        role_session_name: option(matches, SESSION_NAME).unwrap_or_else(|| SESSION_NAME_DEFAULT.to_owned()),
        tags: tags.collect::<Result<_, _>>()?,
        duration_seconds: matches.get_one(DURATION).copied(),
        external_id: option(matches, EXTERNAL_ID),
        source_identity: option(matches, SOURCE_IDENTITY),
        serial_number: option(matches, SERIAL_NUMBER),
        token_code: option(matches, TOKEN_CODE),
        ..AssumeRoleRequest::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_before_they_expire() {
        let printed = Printed {
            version: 1,
            access_key_id: String::new(),
            secret_access_key: String::new(),
            session_token: String::new(),
            expiration: Timestamp { seconds: 10_000, nanos: 0 }.to_string(),
        };
        assert!(printed.is_fresh(9_099, 3600) && !printed.is_fresh(9_100, 3600));
        assert!(printed.is_fresh(9_699, 900) && !printed.is_fresh(9_700, 900));
        assert!(!Printed { version: 2, ..printed }.is_fresh(0, 3600));
    }
}
