//! From a command line to the input of an operation, as JSON under AWS's names: `--cli-input-json` first, options over it.

use std::fs::File;
use std::io::Read as _;

use clap::ArgMatches;
use clap::parser::ValueSource;
use prost_reflect::Kind;
use serde_json::{Map, Value};

use super::catalogue::{Member, Operation, TIMESTAMP};
use super::command::{INPUT_JSON, NO};
use super::failure::Failure;
use super::shorthand;

/// What a value must begin with to be read from a file.
const FILE_SCHEME: &str = "file://";
/// The most that is read from a file: no server takes more in one message.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The input that `matches` give to `operation`.
pub(crate) fn gather(operation: &Operation, matches: &ArgMatches) -> Result<Map<String, Value>, Failure> {
    let mut input = whole(operation, matches)?;
    for member in &operation.members {
        if let Some(value) = given(member, matches)? {
            input.insert(member.name.clone(), value);
        }
    }
    let missing =
        operation.members.iter().filter(|member| member.required && !input.contains_key(&member.name));
    let missing: Vec<String> = missing.map(|member| format!("--{}", member.option)).collect();
    if missing.is_empty() {
        return Ok(input);
    }
    Err(Failure::Usage(format!("the following arguments are required: {}", missing.join(", "))))
}

/// What `--cli-input-json` holds, its members under AWS's names.
fn whole(operation: &Operation, matches: &ArgMatches) -> Result<Map<String, Value>, Failure> {
    let Some(text) = matches.get_one::<String>(INPUT_JSON) else { return Ok(Map::new()) };
    let text = resolved(INPUT_JSON, text)?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::Usage(format!("invalid JSON in --{INPUT_JSON}: {error}")))?;
    let Value::Object(members) = value else {
        return Err(Failure::Usage(format!("--{INPUT_JSON} holds no JSON object")));
    };
    let mut input = Map::new();
    for (name, value) in members {
        // A name that is unknown stays, for the check of the whole to tell what could have been meant.
        let field = operation.names.find(&operation.input, &name);
        let name = field.map_or(name, |field| operation.names.of(&field));
        if input.insert(name.clone(), value).is_some() {
            return Err(Failure::input(format!("{name} is given twice in --{INPUT_JSON}")));
        }
    }
    Ok(input)
}

/// What the options give to a member; `None` when they do not.
fn given(member: &Member, matches: &ArgMatches) -> Result<Option<Value>, Failure> {
    let is_flag = matches!(member.field.kind(), Kind::Bool) && !member.field.is_list();
    if is_flag && matches.get_flag(&format!("{NO}{}", member.option)) {
        return Ok(Some(Value::Bool(false)));
    }
    if matches.value_source(&member.option) != Some(ValueSource::CommandLine) {
        return Ok(None);
    }
    let texts: Vec<&String> = matches.get_many(&member.option).into_iter().flatten().collect();
    let value = match texts.as_slice() {
        [text] if text.starts_with(FILE_SCHEME) => {
            let text = resolved(&member.option, text)?;
            if member.field.is_list() { list(member, &[&text])? } else { single(member, &text)? }
        }
        [text] if !member.field.is_list() => single(member, text)?,
        texts => list(member, texts)?,
    };
    Ok(Some(value))
}

fn single(member: &Member, text: &str) -> Result<Value, Failure> {
    match member.field.kind() {
        Kind::Message(message) if message.full_name() != TIMESTAMP => structure(member, text),
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn list(member: &Member, texts: &[&String]) -> Result<Value, Failure> {
    if let [text] = texts
        && text.trim_start().starts_with('[')
    {
        return json(member, text);
    }
    texts.iter().map(|text| single(member, text)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn structure(member: &Member, text: &str) -> Result<Value, Failure> {
    if text.trim_start().starts_with('{') {
        return json(member, text);
    }
    let parsed = shorthand::parse(text).map(Value::Object);
    parsed
        .map_err(|reason| Failure::Usage(format!("error parsing parameter '--{}': {reason}", member.option)))
}

fn json(member: &Member, text: &str) -> Result<Value, Failure> {
    let parsed = serde_json::from_str(text);
    parsed.map_err(|error| {
        Failure::Usage(format!("error parsing parameter '--{}': invalid JSON: {error}", member.option))
    })
}

/// `text`, or the content of the file that it names.
fn resolved(option: &str, text: &str) -> Result<String, Failure> {
    let Some(path) = text.strip_prefix(FILE_SCHEME) else { return Ok(text.to_owned()) };
    let refused = |reason: String| {
        Failure::Usage(format!("error parsing parameter '--{option}': unable to load {text}: {reason}"))
    };
    let mut content = String::new();
    let file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut content);
    let bytes = read.map_err(|error| refused(error.to_string()))?;
    if bytes as u64 > FILE_BYTES_MAX {
        return Err(refused(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(content)
}
