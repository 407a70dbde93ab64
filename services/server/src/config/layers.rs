//! What the operator has written, one layer over the other: the configuration file, and over it the environment.

use std::path::Path;

use super::ConfigError;

/// The beginning of the environment variables: `REEVE_DATA_DIR`, `REEVE_LIMITS_STREAMS_MAX`.
pub const ENVIRONMENT_PREFIX: &str = "REEVE_";

/// What `file`, if there is one, says, and over it what the environment says of the keys of `known`.
pub(super) fn merged(
    file: Option<&Path>,
    known: &toml::Table,
    environment: &impl Fn(&str) -> Option<String>,
) -> Result<toml::Table, ConfigError> {
    let mut table = match file {
        Some(path) => read(path)?,
        None => toml::Table::new(),
    };
    overlay(&mut table, known, ENVIRONMENT_PREFIX, environment)?;
    Ok(table)
}

fn read(path: &Path) -> Result<toml::Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
    text.parse().map_err(|error| ConfigError::Malformed { path: path.to_owned(), error: Box::new(error) })
}

/// Sets in `table` what the environment says of the keys of `known`, each in the type that its default has.
fn overlay(
    table: &mut toml::Table,
    known: &toml::Table,
    prefix: &str,
    environment: &impl Fn(&str) -> Option<String>,
) -> Result<(), ConfigError> {
    for (key, default) in known {
        let variable = format!("{prefix}{}", key.to_uppercase());
        if let toml::Value::Table(inner) = default {
            let empty = toml::Value::Table(toml::Table::new());
            if let toml::Value::Table(place) = table.entry(key.clone()).or_insert(empty) {
                overlay(place, inner, &format!("{variable}_"), environment)?;
            }
            continue;
        }
        let Some(text) = environment(&variable) else { continue };
        let refused = |reason: String| ConfigError::Environment { variable: variable.clone(), reason };
        let value = match default {
            toml::Value::Integer(_) => {
                toml::Value::Integer(text.parse().map_err(|error| refused(format!("{text}: {error}")))?)
            }
            toml::Value::Boolean(_) => {
                toml::Value::Boolean(text.parse().map_err(|error| refused(format!("{text}: {error}")))?)
            }
            _ => toml::Value::String(text),
        };
        table.insert(key.clone(), value);
    }
    Ok(())
}
