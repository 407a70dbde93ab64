//! Tags between the wire and the store.

use reeve_directory::record::StoredTag;
use reeve_proto::iam::v1::Tag;

/// Tags as they are stored.
pub(crate) fn stored(tags: &[Tag]) -> Vec<StoredTag> {
    tags.iter().map(|tag| StoredTag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

/// Tags as they are shown.
pub(crate) fn shown(tags: Vec<StoredTag>) -> Vec<Tag> {
    tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect()
}
