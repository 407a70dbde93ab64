//! Every operation from the terminal, derived from the descriptors: nothing here knows a single one of them. What the AWS
//! CLI would do with a command line, this does: its names, its shorthand, its output, its errors and its exit codes.

mod call;
mod catalogue;
mod command;
mod failure;
mod input;
mod message;
mod output;
mod shorthand;

use std::io::Write;
use std::process::ExitCode;

use clap::ArgMatches;

pub(crate) use call::Connection;
pub use catalogue::{Catalogue, Member, Operation};
pub(crate) use command::{PROFILE, connection as connection_options};
pub use failure::{Failure, exit};

use crate::profile::Variables;

/// A command for each group of operations (`iam`, `sts`, ...), with a subcommand for each operation.
///
/// # Errors
/// The descriptors do not decode.
pub fn commands() -> Result<Vec<clap::Command>, Failure> {
    command::groups(&Catalogue::load()?)
}

/// Runs the operation that `matches`, of the command `group`, names; prints its answer or why there is none.
#[must_use]
pub fn run(group: &str, matches: &ArgMatches) -> ExitCode {
    let mut answer = Vec::new();
    let variables = |name: &str| std::env::var(name).ok();
    let code = match answered(group, matches, &variables, &mut answer) {
        Ok(()) => match std::io::stdout().lock().write_all(&answer) {
            Ok(()) => exit::SUCCESS,
            Err(_) => exit::GENERAL,
        },
        Err(failure) => return failure.tell(),
    };
    ExitCode::from(code)
}

/// What a command line that clap refuses ends with, once clap has told why: as the AWS CLI, 252.
#[must_use]
pub fn refuse(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::SUCCESS })
}

/// What a command ends with that prints `printed`, or cannot.
#[must_use]
pub(crate) fn ended(printed: Result<String, Failure>) -> ExitCode {
    match printed {
        Ok(text) => match std::io::stdout().lock().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::from(exit::SUCCESS),
            Err(_) => ExitCode::from(exit::GENERAL),
        },
        Err(failure) => failure.tell(),
    }
}

/// The text given for an option.
pub(crate) fn option(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

fn answered(
    group: &str,
    matches: &ArgMatches,
    variables: Variables<'_>,
    output: &mut dyn Write,
) -> Result<(), Failure> {
    let catalogue = Catalogue::load()?;
    let (name, matches) = matches.subcommand().unwrap_or(("", matches));
    let operation = catalogue.operation(group, name)?;
    // The input first: whoever mistypes an option should not have to be connected to be told.
    let input = input::gather(&operation, matches)?;
    let request = message::decode(&operation.names, &operation.input, &input)?;
    let call = call::Call::prepare(&operation, matches, variables)?;
    let response = call.make(&operation, &request)?;
    output::print(&operation, &response, output).map_err(Failure::output)
}

#[cfg(test)]
mod tests;
