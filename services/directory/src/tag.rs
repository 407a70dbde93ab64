//! Tags of users, roles, policies and sessions: keys compare without case, and those that AWS keeps for itself are refused.

use reeve_proto::store::v1::{
    MfaDeviceRecord, OidcProviderRecord, PolicyRecord, RoleRecord, StoredTag, UserRecord,
};

use crate::limits::TAGS_MAX;
use crate::listing::Page;
use crate::{Directory, Error, Result, part, policy};

part! {
    /// The tags of an account's users, roles, managed policies, MFA devices and OpenID Connect providers.
    Tags
}

/// Bytes of a key by which it finds its place on a page; a key may have four times as many.
const PLACE_BYTES_MAX: usize = 120;

/// What carries tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged<'n> {
    /// The user of this name.
    User(&'n str),
    /// The role of this name.
    Role(&'n str),
    /// The managed policy of this ARN.
    Policy(&'n str),
    /// The MFA device of this serial number.
    MfaDevice(&'n str),
    /// The OpenID Connect provider of this ARN.
    OidcProvider(&'n str),
}

impl Tags<'_, '_> {
    /// Adds tags; those whose key is there already take the place of the old ones.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for tags that cannot stand together; `LimitExceeded`.
    pub async fn add(&mut self, tagged: Tagged<'_>, new: Vec<StoredTag>) -> Result<()> {
        check(&new)?;
        let mut carrier = Carrier::get(self.0, tagged).await?;
        let tags = carrier.tags();
        tags.retain(|tag| !new.iter().any(|new| is_same_key(&new.key, &tag.key)));
        tags.extend(new);
        check(tags)?;
        carrier.touch(self.0).await
    }

    /// Takes tags away; a key that is not there is no error.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn remove(&mut self, tagged: Tagged<'_>, keys: &[String]) -> Result<()> {
        let mut carrier = Carrier::get(self.0, tagged).await?;
        carrier.tags().retain(|tag| !keys.iter().any(|key| is_same_key(key, &tag.key)));
        carrier.touch(self.0).await
    }

    /// The tags, in the order of their keys.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list(
        &mut self,
        tagged: Tagged<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<StoredTag>> {
        let mut carrier = Carrier::get(self.0, tagged).await?;
        let mut tags = std::mem::take(carrier.tags());
        tags.sort_by(|one, other| one.key.cmp(&other.key));
        let mut placed: Vec<(String, StoredTag)> = Vec::with_capacity(tags.len());
        for tag in tags {
            let clipped = clip(&tag.key);
            let alike = placed.iter().filter(|(_, earlier)| clip(&earlier.key) == clipped).count();
            placed.push((format!("{clipped}\0{alike:02}"), tag));
        }
        Ok(Page::of_all(placed, |(place, _)| place.clone(), after, limit).map(|(_, tag)| tag))
    }
}

/// The beginning of a key, short enough to be where a page ends.
fn clip(key: &str) -> &str {
    key.get(..key.floor_char_boundary(PLACE_BYTES_MAX)).unwrap_or_default()
}

/// The record that holds the tags.
enum Carrier {
    User(UserRecord),
    Role(RoleRecord),
    Policy(PolicyRecord),
    MfaDevice(MfaDeviceRecord),
    OidcProvider(OidcProviderRecord),
}

impl Carrier {
    async fn get(directory: &mut Directory<'_>, tagged: Tagged<'_>) -> Result<Self> {
        Ok(match tagged {
            Tagged::User(name) => Self::User(directory.get(name).await?),
            Tagged::Role(name) => Self::Role(directory.get(name).await?),
            Tagged::Policy(arn) => Self::Policy(policy::existing(directory, arn).await?),
            Tagged::MfaDevice(serial_number) => {
                Self::MfaDevice(directory.mfa_devices().get(serial_number).await?)
            }
            Tagged::OidcProvider(arn) => Self::OidcProvider(directory.oidc_providers().get(arn).await?),
        })
    }

    fn tags(&mut self) -> &mut Vec<StoredTag> {
        match self {
            Self::User(user) => &mut user.tags,
            Self::Role(role) => &mut role.tags,
            Self::Policy(policy) => &mut policy.tags,
            Self::MfaDevice(device) => &mut device.tags,
            Self::OidcProvider(provider) => &mut provider.tags,
        }
    }

    async fn touch(&self, directory: &mut Directory<'_>) -> Result<()> {
        match self {
            Self::User(user) => directory.touch(user).await,
            Self::Role(role) => directory.touch(role).await,
            Self::Policy(policy) => directory.touch(policy).await,
            Self::MfaDevice(device) => directory.mfa_devices().put(device).await,
            Self::OidcProvider(provider) => directory.oidc_providers().put(provider).await,
        }
    }
}

/// AWS's words for a key that stands twice.
pub const DUPLICATE_KEYS: &str = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
/// The beginning of keys that are AWS's own, in any case.
const RESERVED_PREFIX: &str = "aws:";

/// Whether two keys are the same without case, as conditions compare them.
#[must_use]
pub fn is_same_key(key: &str, other: &str) -> bool {
    reeve_evaluator::is_same_key(key, other)
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
