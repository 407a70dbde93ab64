//! Tags of users, roles, policies and sessions: keys compare without case, and those that AWS keeps for itself are refused.

use reeve_proto::store::v1::StoredTag;

use crate::limits::TAGS_MAX;
use crate::{Error, Result};

/// AWS's words for a key that stands twice.
pub const DUPLICATE_KEYS: &str = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
/// The beginning of keys that are AWS's own, in any case.
const RESERVED_PREFIX: &str = "aws:";

/// Whether two keys are the same. The one place that says what "without case" means for tags.
#[must_use]
pub fn is_same_key(key: &str, other: &str) -> bool {
    key.eq_ignore_ascii_case(other)
        || (!(key.is_ascii() && other.is_ascii()) && key.to_lowercase() == other.to_lowercase())
}

/// Whether a key is AWS's own.
#[must_use]
pub fn is_reserved_key(key: &str) -> bool {
    key.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}

/// The first key that stands twice.
#[must_use]
pub fn repeated_key<'k>(keys: impl IntoIterator<Item = &'k str, IntoIter: Clone>) -> Option<&'k str> {
    let keys = keys.into_iter();
    let mut rest = keys.clone().enumerate();
    rest.find(|(index, key)| keys.clone().take(*index).any(|earlier| is_same_key(earlier, key)))
        .map(|(_, key)| key)
}

/// Refuses tags that cannot stand together on one entity.
pub(crate) fn check(tags: &[StoredTag]) -> Result<()> {
    if tags.len() > TAGS_MAX {
        return Err(Error::quota("TagsPerEntity", TAGS_MAX).with_violation("tags", "too many tags"));
    }
    if let Some(tag) = tags.iter().find(|tag| is_reserved_key(&tag.key)) {
        return Err(Error::invalid_input("Tag keys that begin with aws: are reserved for system use.")
            .with_violation("tags", format!("{} is reserved", tag.key)));
    }
    if let Some(key) = repeated_key(tags.iter().map(|tag| tag.key.as_str())) {
        return Err(
            Error::invalid_input(DUPLICATE_KEYS).with_violation("tags", format!("{key} stands twice"))
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str) -> StoredTag {
        StoredTag { key: key.to_owned(), value: String::new() }
    }

    #[test]
    fn keys_are_unique_without_case() {
        assert!(check(&[tag("team"), tag("cost")]).is_ok());
        assert!(check(&[tag("team"), tag("Team")]).is_err());
        assert!(check(&[tag("É"), tag("é")]).is_err());
        assert!(check(&[tag("AWS:team")]).is_err());
        let many: Vec<StoredTag> = (0..=TAGS_MAX).map(|number| tag(&number.to_string())).collect();
        assert!(check(&many).is_err());
    }
}
