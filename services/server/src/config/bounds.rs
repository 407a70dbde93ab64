//! What each number of the configuration may be. A value that would break a running server (a limit of nothing, a
//! duration that no clock can add) is refused at its start, by the name of its key.

use reeve_chassis::outbound::OVERLAP_SECONDS_MIN;

use super::{Config, ConfigError};

const MIB: i64 = 1024 * 1024;
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// More entities than one account will hold.
const ENTITIES_MAX: i64 = 1_000_000_000;

/// Every number by its key, with the least and the most that it may be.
const BOUNDS: &[(&str, i64, i64)] = &[
    ("store_cache_bytes", MIB, MIB * MIB),
    ("signatures.skew_seconds_max", 1, 900),
    ("passwords.memory_kibibytes", 7 * 1024, 1024 * 1024),
    ("passwords.iterations", 1, 100),
    ("passwords.threads", 0, 1024),
    ("passwords.queue_max", 1, 65_536),
    // At the least a day, and no key for longer than certificates of authorities are good.
    ("signing_keys.age_seconds_max", DAY_SECONDS, 3_650 * DAY_SECONDS),
    ("signing_keys.overlap_seconds", OVERLAP_SECONDS_MIN, 365 * DAY_SECONDS),
    ("oidc.fetch_seconds_max", 1, 25),
    ("oidc.answer_bytes_max", 1024, 16 * MIB),
    ("oidc.fresh_seconds_max", 1, DAY_SECONDS),
    ("oidc.lifetime_seconds_max", 60, 7 * DAY_SECONDS),
    ("oidc.interval_seconds_min", 1, 3600),
    ("oidc.skew_seconds_max", 0, 900),
    ("audit.file_bytes_max", MIB, MIB * MIB),
    ("audit.files_kept_max", 1, 1000),
    ("audit.store_days_max", 0, 36_500),
    ("limits.message_bytes_max", 1024, 64 * MIB),
    ("limits.incoming_bytes_max", 64 * 1024, 1024 * 1024 * MIB),
    ("limits.streams_max", 1, 65_536),
    ("limits.header_bytes_max", 8 * 1024, MIB),
    ("limits.connections_max", 1, 1_000_000),
    ("limits.connections_per_address_max", 1, 1_000_000),
    ("limits.idle_seconds_max", 1, DAY_SECONDS),
    ("limits.deadline_seconds_max", 1, DAY_SECONDS),
    ("limits.drain_seconds_max", 0, DAY_SECONDS),
    ("quotas.users_per_account_max", 0, ENTITIES_MAX),
    ("quotas.groups_per_account_max", 0, ENTITIES_MAX),
    ("quotas.roles_per_account_max", 0, ENTITIES_MAX),
    ("quotas.policies_per_account_max", 0, ENTITIES_MAX),
    ("quotas.relying_services_per_account_max", 0, ENTITIES_MAX),
    ("quotas.groups_per_user_max", 0, 1000),
    ("quotas.attached_policies_per_entity_max", 0, 1000),
    ("quotas.trust_policy_chars_max", 1, 131_072),
];

/// Refuses the first number that is out of its bounds.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let table = toml::Table::try_from(config)
        .map_err(|_| ConfigError::Refused("a number is larger than a configuration can hold"))?;
    for (key, least, most) in BOUNDS {
        let value = number(&table, key).ok_or(ConfigError::Refused("a bound without its key"))?;
        if !(*least..=*most).contains(&value) {
            return Err(ConfigError::OutOfBounds { key, least: *least, most: *most, value });
        }
    }
    Ok(())
}

fn number(table: &toml::Table, key: &str) -> Option<i64> {
    match key.split_once('.') {
        Some((name, rest)) => number(table.get(name)?.as_table()?, rest),
        None => table.get(key)?.as_integer(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of all numbers under `prefix`.
    fn numbers(table: &toml::Table, prefix: &str) -> Vec<String> {
        let named = |name: &str| format!("{prefix}{name}");
        let each = table.iter().flat_map(|(name, value)| match value {
            toml::Value::Table(inner) => numbers(inner, &format!("{}.", named(name))),
            toml::Value::Integer(_) => vec![named(name)],
            _ => Vec::new(),
        });
        each.collect()
    }

    #[test]
    fn every_number_has_its_bounds_and_the_defaults_keep_them() {
        let table = toml::Table::try_from(Config::default()).unwrap();
        let mut bounded: Vec<_> = BOUNDS.iter().map(|(key, ..)| (*key).to_owned()).collect();
        let mut all = numbers(&table, "");
        bounded.sort();
        all.sort();
        assert_eq!(bounded, all);
        check(&Config::default()).unwrap();
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_its_name() {
        let mut config = Config::default();
        config.limits.connections_max = usize::MAX >> 1;
        let error = check(&config).unwrap_err().to_string();
        assert!(error.starts_with("limits.connections_max must be between 1 and"), "{error}");
        let config = Config { store_cache_bytes: 0, ..Config::default() };
        assert!(check(&config).is_err());
        let mut config = Config::default();
        config.quotas.users_per_account_max = -1;
        assert!(check(&config).is_err());
        let mut config = Config::default();
        config.limits.deadline_seconds_max = u64::MAX;
        assert!(check(&config).is_err());
    }
}
