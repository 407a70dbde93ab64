//! Tags of users, roles and policies: keys compare without case, and those that AWS keeps for itself are refused.

use std::collections::HashSet;

use reeve_proto::store::v1::StoredTag;

use crate::limits::TAGS_MAX;
use crate::{Error, Result};

/// Refuses tags that cannot stand together on one entity.
pub(crate) fn check(tags: &[StoredTag]) -> Result<()> {
    if tags.len() > TAGS_MAX {
        return Err(Error::quota("TagsPerEntity", TAGS_MAX).with_violation("tags", "too many tags"));
    }
    let mut keys = HashSet::new();
    for tag in tags {
        let key = tag.key.to_lowercase();
        if key.starts_with("aws:") {
            return Err(Error::invalid_input("Tag keys that begin with aws: are reserved for system use.")
                .with_violation("tags", format!("{} is reserved", tag.key)));
        }
        if !keys.insert(key) {
            return Err(Error::invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            )
            .with_violation("tags", format!("{} stands twice", tag.key)));
        }
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
        assert!(check(&[tag("AWS:team")]).is_err());
        let many: Vec<StoredTag> = (0..=TAGS_MAX).map(|number| tag(&number.to_string())).collect();
        assert!(check(&many).is_err());
    }
}
