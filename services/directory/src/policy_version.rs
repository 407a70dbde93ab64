//! Versions of managed policies: at most five, one of them in force. Numbers are never used again, so a version's number
//! always meant the same document.

use reeve_proto::store::v1::{PolicyRecord, PolicyVersionRecord};

use crate::limits::POLICY_VERSIONS_MAX;
use crate::listing::Page;
use crate::{Error, Result, document, part, policy, tables};

part! {
    /// The versions of the managed policies of an account.
    PolicyVersions
}

/// A version, and whether it is the one in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// What is stored.
    pub record: PolicyVersionRecord,
    /// Whether it is in force.
    pub is_default: bool,
}

impl Version {
    /// Its name, `v1` and so on.
    #[must_use]
    pub fn name(&self) -> String {
        name(self.record.version)
    }
}

/// The name of a version.
#[must_use]
pub fn name(version: u32) -> String {
    format!("v{version}")
}

impl PolicyVersions<'_, '_> {
    /// Adds a version, and puts it in force where asked to.
    ///
    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`, `InvalidInput` for what is no ARN.
    pub async fn create(&mut self, arn: &str, text: &str, set_as_default: bool) -> Result<Version> {
        let mut policy = policy::existing(self.0, arn).await?;
        let document = document::managed(text)?;
        if self.all(&policy).await?.len() >= POLICY_VERSIONS_MAX {
            return Err(Error::limit_exceeded(format!(
                "A managed policy can have up to {POLICY_VERSIONS_MAX} versions. Before you create a new version, you \
                 must delete an existing version."
            )));
        }
        policy.newest_version = policy.newest_version.saturating_add(1);
        let record =
            PolicyVersionRecord { version: policy.newest_version, document, create_date: self.0.now };
        let key = self.key(&policy, record.version);
        tables::POLICY_VERSIONS.put(self.0.transaction, &key, &record).await?;
        if set_as_default {
            policy.default_version = record.version;
        }
        self.touch(&mut policy).await?;
        Ok(Version { record, is_default: set_as_default })
    }

    /// A version by its name.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput` for what is no ARN.
    pub async fn get(&mut self, arn: &str, version: &str) -> Result<Version> {
        let policy = policy::existing(self.0, arn).await?;
        self.named(&policy, arn, version).await
    }

    /// The versions, newest first. `after` is the name of the last one on the page before.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput` for what is no ARN.
    pub async fn list(&mut self, arn: &str, after: Option<&str>, limit: usize) -> Result<Page<Version>> {
        let policy = policy::existing(self.0, arn).await?;
        let mut versions = self.all(&policy).await?;
        versions.reverse();
        let after = after.and_then(number);
        versions.retain(|version| after.is_none_or(|after| version.record.version < after));
        let more = versions.len() > limit;
        versions.truncate(limit);
        let next = versions.last().filter(|_| more).map(Version::name);
        Ok(Page { items: versions, next })
    }

    /// Puts a version in force.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput` for what is no ARN.
    pub async fn set_default(&mut self, arn: &str, version: &str) -> Result<()> {
        let mut policy = policy::existing(self.0, arn).await?;
        policy.default_version = self.named(&policy, arn, version).await?.record.version;
        self.touch(&mut policy).await
    }

    /// Deletes a version that is not in force.
    ///
    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`, `InvalidInput` for what is no ARN.
    pub async fn delete(&mut self, arn: &str, version: &str) -> Result<()> {
        let mut policy = policy::existing(self.0, arn).await?;
        let version = self.named(&policy, arn, version).await?;
        if version.is_default {
            return Err(Error::delete_conflict("Cannot delete the default version of a policy."));
        }
        let key = self.key(&policy, version.record.version);
        tables::POLICY_VERSIONS.delete(self.0.transaction, &key).await?;
        self.touch(&mut policy).await
    }

    async fn named(&mut self, policy: &PolicyRecord, arn: &str, version: &str) -> Result<Version> {
        let record = match number(version) {
            Some(number) => {
                let key = self.key(policy, number);
                tables::POLICY_VERSIONS.get(self.0.transaction, &key).await?
            }
            None => None,
        };
        let record = record.ok_or_else(|| {
            Error::no_such_entity(format!(
                "Policy {arn} version {version} does not exist or is not attachable."
            ))
        })?;
        Ok(Version { is_default: record.version == policy.default_version, record })
    }

    /// Oldest first; proved by the policy's record, which was got before.
    async fn all(&mut self, policy: &PolicyRecord) -> Result<Vec<Version>> {
        let under = self.0.under(&policy.policy_id);
        let found = tables::POLICY_VERSIONS.scan(self.0.transaction, &under, None, usize::MAX).await?;
        let version = |record: PolicyVersionRecord| Version {
            is_default: record.version == policy.default_version,
            record,
        };
        Ok(found.into_iter().map(|(_, record)| version(record)).collect())
    }

    async fn touch(&mut self, policy: &mut PolicyRecord) -> Result<()> {
        policy.update_date = self.0.now;
        self.0.touch(policy).await
    }

    fn key(&self, policy: &PolicyRecord, version: u32) -> (String, String, u32) {
        (self.0.account.to_owned(), policy.policy_id.clone(), version)
    }
}

fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('v')?;
    digits.parse().ok().filter(|number: &u32| number.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_spelling_names_a_version() {
        assert_eq!(number("v12"), Some(12));
        for text in ["", "v", "12", "v+1", "v01", "v1.a", "v99999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
