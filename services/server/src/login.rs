//! `reeve login` and `reeve logout`: a password and a code for temporary credentials, kept where the other subcommands and
//! AWS's tools look for them.

mod prompt;

use std::net::IpAddr;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use http::Uri;
use prost_types::Timestamp;
use reeve_chassis::client::Credentials;
use reeve_proto::signin::v1::{SignInRequest, SignInResponse, SignOutRequest};
use zeroize::Zeroizing;

use crate::profile::{self, Variables};
use crate::terminal::{Connection, Failure, PROFILE, connection_options, ended, option};
use prompt::Prompt;

const ACCOUNT: &str = "account";
const USER_NAME: &str = "user-name";
const ROOT: &str = "root";
const CODE: &str = "code";
const DURATION: &str = "duration";
const PASSWORD_STDIN: &str = "password-stdin";
const PLAINTEXT: &str = "plaintext";

/// The error of a password that must be changed first.
const MUST_CHANGE: &str = "PasswordResetRequired";
/// The errors of a session that has ended by itself.
const ENDED: [&str; 2] = ["ExpiredToken", "InvalidClientTokenId"];

/// The commands.
pub fn commands() -> [Command; 2] {
    let text = |name: &'static str, value, help| Arg::new(name).long(name).value_name(value).help(help);
    let login = Command::new("login")
        .about("Signs in with a password, and writes the session's credentials into a profile")
        .arg(text(ACCOUNT, "ID|ALIAS", "The account; asked for when not given"))
        .arg(text(USER_NAME, "NAME", "The user; asked for when not given").conflicts_with(ROOT))
        .arg(
            Arg::new(ROOT)
                .long(ROOT)
                .action(ArgAction::SetTrue)
                .help("Signs the account's root in, not a user"),
        )
        .arg(text(CODE, "CODE", "The code of an MFA device; asked for when not given"))
        .arg(text(DURATION, "SECONDS", "How long the session lasts").value_parser(clap::value_parser!(i32)))
        .arg(
            Arg::new(PASSWORD_STDIN)
                .long(PASSWORD_STDIN)
                .action(ArgAction::SetTrue)
                .help("Reads the password from the first line of standard input, and asks for nothing"),
        )
        .arg(
            Arg::new(PLAINTEXT)
                .long(PLAINTEXT)
                .action(ArgAction::SetTrue)
                .help("Sends the password to another machine in plain text, where nobody else can read it"),
        )
        .args(connection_options());
    let logout = Command::new("logout")
        .about("Ends the session of a profile at once, and takes its credentials out")
        .args(connection_options());
    [login, logout]
}

/// Runs `reeve login`.
#[must_use]
pub fn login(matches: &ArgMatches) -> ExitCode {
    ended(signed_in(matches, &|name| std::env::var(name).ok()))
}

/// Runs `reeve logout`.
#[must_use]
pub fn logout(matches: &ArgMatches) -> ExitCode {
    ended(signed_out(matches, &|name| std::env::var(name).ok()))
}

fn signed_in(matches: &ArgMatches, variables: Variables<'_>) -> Result<String, Failure> {
    let connection = Connection::prepare(matches, variables)?;
    if !matches.get_flag(PLAINTEXT) && !is_private(&connection.endpoint) {
        return Err(Failure::Configuration(format!(
            "a password is not sent to {} in plain text; name an https:// endpoint, or say --{PLAINTEXT}",
            connection.endpoint
        )));
    }
    // Whether there is a place for the credentials comes first: nobody should type a password in vain.
    let place = profile::Place::of(option(matches, PROFILE), variables)?;
    place.check()?;
    let mut prompt = Prompt::new(matches.get_flag(PASSWORD_STDIN));
    let mut request = request(matches, &mut prompt)?;
    let answer = match connection.call(None, &request) {
        Err(Failure::Refused { error, .. }) if error.code == MUST_CHANGE => {
            request.new_password = Some(prompt.new_password(&error.message)?.to_string());
            connection.call(None, &request)?
        }
        answered => answered?,
    };
    let arn = answer.arn.clone();
    let (credentials, until) = session(answer)?;
    place.write(&credentials)?;
    Ok(format!("Signed in as {arn} until {until}, in the profile {}.\n", place.profile()))
}

/// Whether nobody on the way reads what is sent there: over TLS, or to this very machine.
fn is_private(endpoint: &str) -> bool {
    let Ok(endpoint) = endpoint.parse::<Uri>() else { return false };
    let host = endpoint.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    endpoint.scheme_str() == Some("https") || host == "localhost" || is_loopback()
}

fn request(matches: &ArgMatches, prompt: &mut Prompt) -> Result<SignInRequest, Failure> {
    let account = match option(matches, ACCOUNT) {
        Some(account) => account,
        None => prompt.line("Account id or alias")?,
    };
    let user_name = match option(matches, USER_NAME) {
        _ if matches.get_flag(ROOT) => None,
        Some(name) => Some(name),
        None => Some(prompt.line("User name")?),
    };
    let password = prompt.password("Password")?;
    let mfa_code = match option(matches, CODE) {
        Some(code) => Some(code),
        None => prompt.code()?,
    };
    Ok(SignInRequest {
        account,
        user_name,
        password: password.to_string(),
        mfa_code,
        new_password: None,
        duration_seconds: matches.get_one(DURATION).copied(),
    })
}

/// The credentials of the answer, and until when they are good.
fn session(answer: SignInResponse) -> Result<(Credentials, Timestamp), Failure> {
    let given = answer.credentials.and_then(|given| Some((given.expiration?, given)));
    let (until, given) = given.ok_or_else(|| Failure::General("the answer lacks credentials".to_owned()))?;
    let credentials = Credentials {
        access_key_id: given.access_key_id,
        secret_access_key: Zeroizing::new(given.secret_access_key),
        session_token: Some(given.session_token),
    };
    Ok((credentials, until))
}

fn signed_out(matches: &ArgMatches, variables: Variables<'_>) -> Result<String, Failure> {
    let connection = Connection::prepare(matches, variables)?;
    let place = profile::Place::of(option(matches, PROFILE), variables)?;
    let credentials = profile::find(Some(place.profile()), variables).map_err(Failure::Credentials)?;
    if credentials.session_token.is_none() {
        let message = format!("the profile {} holds a long-term access key, not a session", place.profile());
        return Err(Failure::Configuration(message));
    }
    match connection.call(Some(&credentials), &SignOutRequest {}) {
        Err(Failure::Refused { error, .. }) if ENDED.contains(&error.code.as_str()) => {}
        answered => drop(answered?),
    }
    place.clear()?;
    Ok(format!("Signed out of the profile {}.\n", place.profile()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_go_over_tls_or_to_this_very_machine() {
        for (endpoint, expected) in [
            ("https://reeve.example.com", true),
            ("http://127.0.0.1:7443", true),
            ("http://[::1]:7443", true),
            ("http://localhost:7443", true),
            ("http://reeve.example.com:7443", false),
            ("http://10.0.0.1:7443", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://user@10.0.0.1:7443", false),
            ("no endpoint", false),
        ] {
            assert_eq!(is_private(endpoint), expected, "{endpoint}");
        }
    }
}
