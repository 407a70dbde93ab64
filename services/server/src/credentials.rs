//! `reeve credentials`: a role's temporary credentials, as the AWS SDKs take them from a `credential_process`, for credentials
//! or for the token of an identity provider. They are kept, so that not every process asks, and renewed before they expire.

mod cache;
mod web_identity;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use prost::Message as _;
use prost_types::Timestamp;
use reeve_chassis::client::Credentials;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::iam::v1::Tag;
use reeve_proto::sts::v1::{AssumeRoleRequest, Credentials as Given};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::profile::Variables;
use crate::terminal::{Connection, Failure, connection_options, ended, option};
use cache::Cache;
use web_identity::{Said, WebIdentity};

const ROLE: &str = "role";
const TAG: &str = "tag";
const DURATION: &str = "duration";
const SESSION_NAME: &str = "session-name";
const EXTERNAL_ID: &str = "external-id";
const SOURCE_IDENTITY: &str = "source-identity";
const SERIAL_NUMBER: &str = "serial-number";
const TOKEN_CODE: &str = "token-code";
const NO_CACHE: &str = "no-cache";
const TOKEN_FILE: &str = "web-identity-token-file";
/// What says more of a session than a provider's token leaves to be said.
const OF_ASSUME_ROLE: [&str; 5] = [TAG, EXTERNAL_ID, SOURCE_IDENTITY, SERIAL_NUMBER, TOKEN_CODE];

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
            "In ~/.aws/config:\n\n  [profile reader]\n  credential_process = reeve credentials --profile me --role ARN\n\n\
             Where an identity provider puts a token into a file (CI, Kubernetes), nothing else is needed:\n\n  \
             reeve credentials --web-identity-token-file FILE --role ARN\n\n\
             or the same in AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME, which every other command\n\
             takes its credentials by, too, where it is given no profile and no access key.\n",
        )
        .arg(text(ROLE, "ARN", "The role [env: AWS_ROLE_ARN, for a web identity token]"))
        .arg(
            text(TOKEN_FILE, "FILE", "A file with the token of an identity provider that the role trusts")
                .conflicts_with_all(OF_ASSUME_ROLE),
        )
        .arg(text(TAG, "KEY=VALUE", "A session tag; may be given several times").action(ArgAction::Append))
        .arg(
            text(DURATION, "SECONDS", "How long the session lasts [default: 3600]")
                .value_parser(clap::value_parser!(i32)),
        )
        .arg(
            text(SESSION_NAME, "NAME", "What the session is called [default: reeve-credentials]")
                .visible_alias("role-session-name"),
        )
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

/// What temporary credentials are asked for by.
enum Asked {
    /// By credentials, which are traded for a role's.
    Role { by: Credentials, request: AssumeRoleRequest },
    /// By the token of an identity provider.
    WebIdentity(WebIdentity),
}

impl Asked {
    fn duration_seconds(&self) -> i32 {
        match self {
            Self::Role { request, .. } => request.duration_seconds.unwrap_or(DURATION_DEFAULT_SECONDS),
            Self::WebIdentity(token) => token.duration_seconds(),
        }
    }

    /// Where what is given is kept.
    fn cache(&self, endpoint: &str, variables: Variables<'_>) -> Option<Cache> {
        match self {
            Self::Role { by, request } => {
                // A code is good for one call; what it was good for is not asked again while it lasts.
                let lasting = AssumeRoleRequest { token_code: None, ..request.clone() };
                Cache::of(
                    &[endpoint.as_bytes(), by.access_key_id.as_bytes(), &lasting.encode_to_vec()],
                    variables,
                )
            }
            Self::WebIdentity(token) => {
                let (file, request) = token.lasting();
                Cache::of(&[endpoint.as_bytes(), file, &request.encode_to_vec(), b"web identity"], variables)
            }
        }
    }

    fn given(&self, connection: &Connection) -> Result<Option<Given>, Failure> {
        Ok(match self {
            Self::Role { by, request } => connection.call(Some(by), request)?.credentials,
            Self::WebIdentity(token) => connection.call(None, &token.request()?)?.credentials,
        })
    }
}

fn printed(matches: &ArgMatches, variables: Variables<'_>) -> Result<String, Failure> {
    let connection = Connection::prepare(matches, variables)?;
    let asked = asked(matches, &connection, variables)?;
    obtained(&connection, &asked, !matches.get_flag(NO_CACHE), variables)
}

/// Where a role is named and no token, the caller's own credentials are traded for it, whatever they come from.
fn asked(matches: &ArgMatches, connection: &Connection, variables: Variables<'_>) -> Result<Asked, Failure> {
    let token_file = option(matches, TOKEN_FILE);
    let role_arn = option(matches, ROLE);
    if token_file.is_some() || role_arn.is_none() {
        let session_name = option(matches, SESSION_NAME);
        let said =
            Said { token_file, role_arn, session_name, duration_seconds: matches.get_one(DURATION).copied() };
        let token = WebIdentity::of(said, variables)?;
        let missing = || Failure::Usage(format!("--{ROLE} is missing, or a web identity token"));
        return token.map(Asked::WebIdentity).ok_or_else(missing);
    }
    let request = request(matches)?;
    Ok(Asked::Role { by: connection.credentials(matches, variables)?, request })
}

/// The credentials that are kept while they last, or that are given now, as they are printed.
fn obtained(
    connection: &Connection,
    asked: &Asked,
    from_cache: bool,
    variables: Variables<'_>,
) -> Result<String, Failure> {
    let cache = asked.cache(&connection.endpoint, variables);
    let kept = if from_cache { cache.as_ref().and_then(Cache::read) } else { None };
    let kept = kept.and_then(|text| {
        let printed: Printed = serde_json::from_str(&text).ok()?;
        printed.is_fresh(SystemClock.now().seconds(), asked.duration_seconds()).then_some(text)
    });
    if let Some(text) = kept {
        return Ok(text.to_string());
    }
    let given = asked.given(connection)?.and_then(|given| Some((given.expiration?, given)));
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
    match (cache.map(|cache| cache.write(&text)), asked) {
        // Where tokens are mounted there is often nothing that could be written to.
        (Some(Err(_)), Asked::WebIdentity(_)) | (None, _) => {}
        (Some(written), _) => written?,
    }
    Ok(text)
}

/// The credentials that the environment's web identity token is traded for; none where there is no such token.
///
/// # Errors
/// It names no role, or the server refuses.
pub(crate) fn of_environment(
    connection: &Connection,
    variables: Variables<'_>,
) -> Result<Option<Credentials>, Failure> {
    let Some(token) = WebIdentity::of(Said::default(), variables)? else { return Ok(None) };
    let text = Zeroizing::new(obtained(connection, &Asked::WebIdentity(token), true, variables)?);
    let printed: Printed =
        serde_json::from_str(&text).map_err(|error| Failure::General(error.to_string()))?;
    Ok(Some(Credentials {
        access_key_id: printed.access_key_id,
        secret_access_key: Zeroizing::new(printed.secret_access_key),
        session_token: Some(printed.session_token),
    }))
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
