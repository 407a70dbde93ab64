//! The command line of every operation, as clap sees it.

use clap::{Arg, ArgAction, Command};
use prost_reflect::{FieldDescriptor, Kind};

use super::catalogue::{Catalogue, Member, Names, Operation, TIMESTAMP};
use super::failure::Failure;

/// The option that takes the whole input at once.
pub(crate) const INPUT_JSON: &str = "cli-input-json";
/// Where the server answers.
pub(crate) const ENDPOINT: &str = "endpoint";
/// Whom to trust over TLS, besides the system's authorities.
pub(crate) const CA_FILE: &str = "ca-file";
/// The region that calls are signed for.
pub(crate) const REGION: &str = "region";
/// Whose credentials.
pub(crate) const PROFILE: &str = "profile";
/// What stands before the name of an option to take a flag back.
pub(crate) const NO: &str = "no-";

const GROUP_HELP: &str = "\
Input:
  A text or number is given by its option; several texts one after the other; true and false as --option and --no-option.
  A structure is given as JSON or in AWS's shorthand: --tags Key=team,Value=blue Key=stage,Value=dev
  A value file://PATH is the content of the file. --cli-input-json takes the whole input as JSON, with the names of AWS's API
  (UserName) or of the proto (user_name); options stand before it.
Output:
  JSON with the names of AWS's API, times as RFC 3339, policy documents as JSON; nothing when there is nothing to tell. Errors go
  to standard error.
Credentials:
  --profile; else AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else the profile AWS_PROFILE or `default` of the
  file AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials.
Exit status:
  0 answered, 252 the command line is refused, 253 credentials or configuration are missing, 254 the service answered with an
  error, 255 anything else.";

/// A command for each group, with a subcommand for each of its operations.
pub(crate) fn groups(catalogue: &Catalogue) -> Result<Vec<Command>, Failure> {
    catalogue.groups().into_iter().map(|group| with_operations(catalogue, group)).collect()
}

fn with_operations(catalogue: &Catalogue, group: &'static str) -> Result<Command, Failure> {
    let operations = catalogue.operations(group)?;
    let command = Command::new(group)
        .about(format!("Calls an operation of reeve.{group}.v1"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("OPERATION")
        .subcommand_help_heading("Operations")
        .disable_help_subcommand(true)
        .after_long_help(GROUP_HELP)
        .args(connection())
        .subcommands(operations.iter().map(one));
    Ok(command)
}

/// The options of every command that calls.
pub(crate) fn connection() -> [Arg; 4] {
    let option = |name, value, help| {
        Arg::new(name).long(name).value_name(value).help(help).global(true).help_heading("Connection")
    };
    [
        option(
            ENDPOINT,
            "URL",
            "Where the server answers [env: REEVE_ENDPOINT] [default: http://127.0.0.1:7443]",
        )
        // As the AWS CLI calls it.
        .visible_alias("endpoint-url"),
        option(CA_FILE, "FILE", "Certificate authority to trust over TLS, PEM"),
        option(REGION, "REGION", "Region to sign for [env: AWS_REGION, AWS_DEFAULT_REGION]"),
        option(PROFILE, "NAME", "Profile of the credentials file [env: AWS_PROFILE]"),
    ]
}

fn one(operation: &Operation) -> Command {
    let input = Arg::new(INPUT_JSON)
        .long(INPUT_JSON)
        .value_name("JSON|file://PATH")
        .help("The whole input as JSON; options stand before it");
    Command::new(operation.command())
        .about(operation.spec.summary)
        .after_long_help(
            "How input, output, credentials and exit status work is told by the help of the group.",
        )
        .args(operation.members.iter().flat_map(|member| options(member, &operation.names)))
        .arg(input)
}

/// The option of a member; of a flag, also the one that takes it back.
fn options(member: &Member, names: &Names) -> Vec<Arg> {
    let name = member.option.clone();
    let mut help: Vec<String> = Vec::new();
    if member.required {
        help.push("Required".to_owned());
    }
    if member.field.is_list() && !matches!(member.field.kind(), Kind::Message(_)) {
        help.push("one or more values".to_owned());
    }
    if let Some(synopsis) = synopsis(&member.field, names) {
        help.push(synopsis);
    }
    if !member.limits.is_empty() {
        help.push(member.limits.clone());
    }
    if member.secret {
        help.push("a secret: better given in a file".to_owned());
    }
    let option = Arg::new(name.clone()).long(name.clone()).help(help.join("; "));
    if matches!(member.field.kind(), Kind::Bool) && !member.field.is_list() {
        let back = format!("{NO}{name}");
        let option = option.num_args(0..=1).default_missing_value("true").value_name("true|false");
        let no = Arg::new(back.clone()).long(back).action(ArgAction::SetTrue).conflicts_with(name).hide(true);
        return vec![option, no];
    }
    let option = option.value_name(value_name(&member.field)).allow_negative_numbers(true);
    vec![if member.field.is_list() { option.num_args(1..).action(ArgAction::Append) } else { option }]
}

fn value_name(field: &FieldDescriptor) -> &'static str {
    match field.kind() {
        Kind::String => "TEXT",
        Kind::Message(message) if message.full_name() == TIMESTAMP => "TIME",
        Kind::Message(_) => "SHORTHAND|JSON",
        _ => "NUMBER",
    }
}

/// The shorthand of a structure: `Key=string,Value=string`.
fn synopsis(field: &FieldDescriptor, names: &Names) -> Option<String> {
    let Kind::Message(message) = field.kind() else { return None };
    if message.full_name() == TIMESTAMP {
        return None;
    }
    let member = |field: FieldDescriptor| {
        let value = match field.kind() {
            Kind::Message(_) => "{...}",
            Kind::String => "string",
            Kind::Bool => "boolean",
            _ => "number",
        };
        let value = if field.is_list() { format!("[{value},...]") } else { value.to_owned() };
        format!("{}={value}", names.of(&field))
    };
    let members: Vec<String> = message.fields().map(member).collect();
    Some(format!("{}{}", members.join(","), if field.is_list() { " ..." } else { "" }))
}
