//! Session tags: which a session gets, and which it passes on.

use reeve_chassis::Call;
use reeve_directory::Error;
use reeve_directory::record::StoredTag;
use reeve_directory::tag::{DUPLICATE_KEYS, is_reserved_key, is_same_key, repeated_key};
use reeve_proto::iam::v1::Tag;

/// Most tags of a session, those it was passed on included.
const SESSION_TAGS_MAX: usize = 50;

/// The tags of a new session, and the keys of those that it passes on.
#[derive(Debug, PartialEq)]
pub(crate) struct SessionTags {
    pub(crate) tags: Vec<StoredTag>,
    pub(crate) transitive_keys: Vec<String>,
}

/// The tags that `tags` and `transitive_keys` ask for, with those that the caller's session passes on.
pub(crate) fn of_session(
    call: &Call<'_>,
    tags: &[Tag],
    transitive_keys: &[String],
) -> Result<SessionTags, Error> {
    let inherited: Vec<&StoredTag> = call.caller.transitive_tags().collect();
    let own = tags.iter().map(|tag| StoredTag { key: tag.key.clone(), value: tag.value.clone() });
    merge(&inherited, own.collect(), transitive_keys)
}

/// Refuses tags that cannot stand together, or whose keys are not the caller's to give.
pub(crate) fn check<'t>(keys: impl IntoIterator<Item = &'t str, IntoIter: Clone>) -> Result<(), Error> {
    let keys = keys.into_iter();
    if let Some(key) = keys.clone().find(|key| is_reserved_key(key)) {
        return Err(refused("tags", format!("Tag keys may not begin with aws:: {key}")));
    }
    if repeated_key(keys).is_some() {
        return Err(refused("tags", DUPLICATE_KEYS.to_owned()));
    }
    Ok(())
}

/// Own tags after those that were passed on.
///
/// # Errors
/// `InvalidParameterValue` for tags that cannot stand together.
pub(crate) fn merge(
    inherited: &[&StoredTag],
    tags: Vec<StoredTag>,
    transitive_keys: &[String],
) -> Result<SessionTags, Error> {
    check(tags.iter().map(|tag| tag.key.as_str()))?;
    let passed_on =
        |tag: &&StoredTag| inherited.iter().any(|passed_on| is_same_key(&passed_on.key, &tag.key));
    if let Some(tag) = tags.iter().find(passed_on) {
        let message = format!("The tag {} was passed on to this session and cannot be overridden.", tag.key);
        return Err(refused("tags", message));
    }
    if transitive_keys.iter().any(|key| !tags.iter().any(|tag| is_same_key(&tag.key, key))) {
        let message = "The specified transitive tag key must be included in the requested tags.";
        return Err(refused("transitive_tag_keys", message.to_owned()));
    }
    if repeated_key(transitive_keys.iter().map(String::as_str)).is_some() {
        let message = "Duplicate transitive tag keys found. Please note that Tag keys are case insensitive.";
        return Err(refused("transitive_tag_keys", message.to_owned()));
    }
    if inherited.len() + tags.len() > SESSION_TAGS_MAX {
        let message =
            format!("A session can have at most {SESSION_TAGS_MAX} tags, those passed on included.");
        return Err(refused("tags", message));
    }
    let passed_on = inherited.iter().map(|tag| tag.key.clone());
    Ok(SessionTags {
        tags: inherited.iter().map(|tag| (*tag).clone()).chain(tags).collect(),
        transitive_keys: passed_on.chain(transitive_keys.iter().cloned()).collect(),
    })
}

fn refused(field: &str, message: String) -> Error {
    Error::invalid_parameter_value(&message).with_violation(field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(key: &str, value: &str) -> StoredTag {
        StoredTag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn own_tags_follow_those_passed_on() {
        let merged = merge(
            &[&stored("cost", "1")],
            vec![stored("team", "blue"), stored("x", "y")],
            &["TEAM".to_owned()],
        )
        .unwrap();
        assert_eq!(merged.tags, [stored("cost", "1"), stored("team", "blue"), stored("x", "y")]);
        assert_eq!(merged.transitive_keys, ["cost", "TEAM"]);
    }

    #[test]
    fn what_cannot_be() {
        let field = |result: Result<SessionTags, Error>| result.unwrap_err().violations[0].field.clone();
        assert_eq!(field(merge(&[], vec![stored("a", "1"), stored("A", "2")], &[])), "tags");
        assert_eq!(field(merge(&[], vec![stored("É", "1"), stored("é", "2")], &[])), "tags");
        assert_eq!(field(merge(&[], vec![stored("AWS:x", "1")], &[])), "tags");
        assert_eq!(field(merge(&[&stored("Team", "red")], vec![stored("team", "blue")], &[])), "tags");
        assert_eq!(field(merge(&[], vec![stored("a", "1")], &["b".to_owned()])), "transitive_tag_keys");
        let twice = ["a".to_owned(), "A".to_owned()];
        assert_eq!(field(merge(&[], vec![stored("a", "1")], &twice)), "transitive_tag_keys");
        let many: Vec<StoredTag> = (0..50).map(|number| stored(&format!("k{number}"), "")).collect();
        assert!(merge(&[], many.clone(), &[]).is_ok());
        assert_eq!(field(merge(&[&stored("one-more", "")], many, &[])), "tags");
    }
}
