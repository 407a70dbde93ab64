//! Customer managed policies. Their documents are in their versions.

use reeve_proto::store::v1::{PolicyRecord, PolicyVersionRecord, StoredTag};
use reeve_storage::Transaction;

use crate::listing::{Page, list};
use crate::name::ROOT_PATH;
use crate::resource::{Kind, Resource};
use crate::{Directory, Error, Result, document, id, named, part, tables, tag};

part! {
    /// The managed policies of an account.
    Policies
}

/// A managed policy to be created.
#[derive(Debug, Clone, Default)]
pub struct NewPolicy {
    /// The name, unique in the account without case.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
    /// The document of its first version.
    pub document: String,
    /// For people.
    pub description: String,
    /// Tags.
    pub tags: Vec<StoredTag>,
}

/// Which policies a list holds, besides their path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyFilter {
    /// Only those attached to something, or used as `usage` says.
    pub only_attached: bool,
    /// Only those used so.
    pub usage: Option<PolicyUsage>,
}

/// How a managed policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyUsage {
    /// Attached to a user, a group or a role.
    Permissions,
    /// As somebody's boundary.
    Boundary,
}

/// How often a managed policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageCounts {
    /// Users, groups and roles to which it is attached.
    pub attachments: i64,
    /// Users and roles that it bounds.
    pub boundaries: i64,
}

impl Policies<'_, '_> {
    /// Creates a policy; its document becomes version 1, the default.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `MalformedPolicyDocument`, `LimitExceeded`, `InvalidInput` for the tags.
    pub async fn create(&mut self, new: NewPolicy) -> Result<PolicyRecord> {
        tag::check(&new.tags)?;
        let document = document::managed(&new.document)?;
        let policy = PolicyRecord {
            policy_id: id::policy(self.0.random),
            policy_name: new.name,
            path: new.path.unwrap_or_else(|| ROOT_PATH.to_owned()),
            create_date: self.0.now,
            update_date: self.0.now,
            tags: new.tags,
            description: new.description,
            default_version: 1,
            newest_version: 1,
        };
        self.0.insert(&policy).await?;
        let version = PolicyVersionRecord { version: 1, document, create_date: self.0.now };
        let key = (self.0.account.to_owned(), policy.policy_id.clone(), 1);
        tables::POLICY_VERSIONS.put(self.0.transaction, &key, &version).await?;
        Ok(policy)
    }

    /// The policy of an ARN.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput` for what is no ARN.
    pub async fn get(&mut self, arn: &str) -> Result<PolicyRecord> {
        existing(self.0, arn).await
    }

    /// The policy of a unique id.
    pub async fn by_id(&mut self, id: &str) -> Result<Option<PolicyRecord>> {
        named::by_id(self.0.transaction, self.0.account, id).await
    }

    /// How often a policy is used. Others may be changing it: it proves nothing.
    pub async fn usage(&mut self, policy: &PolicyRecord) -> Result<UsageCounts> {
        let key = self.0.key(&policy.policy_id);
        Ok(UsageCounts {
            attachments: tables::POLICY_HOLDERS_COUNT.get(self.0.transaction, &key).await?,
            boundaries: tables::POLICY_BOUNDARIES_COUNT.get(self.0.transaction, &key).await?,
        })
    }

    /// Policies under a path with how often they are used, in the order of their folded names.
    pub async fn list(
        &mut self,
        path_prefix: &str,
        filter: PolicyFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(PolicyRecord, UsageCounts)>> {
        let mut items = Vec::new();
        let mut next = after.map(ToOwned::to_owned);
        loop {
            let wanted = limit.saturating_sub(items.len());
            let page: Page<PolicyRecord> = list(self.0, path_prefix, next.as_deref(), wanted).await?;
            for policy in page.items {
                let usage = self.usage(&policy).await?;
                if filter.holds(usage) {
                    items.push((policy, usage));
                }
            }
            next = page.next;
            if next.is_none() || items.len() >= limit {
                return Ok(Page { items, next });
            }
        }
    }

    /// Deletes a policy that nothing uses and that has no version but the default.
    ///
    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`, `InvalidInput` for what is no ARN.
    pub async fn delete(&mut self, arn: &str) -> Result<()> {
        let policy = existing(self.0, arn).await?;
        for counter in [&tables::POLICY_HOLDERS_COUNT, &tables::POLICY_BOUNDARIES_COUNT] {
            if self.0.proved_count(counter, &policy.policy_id).await? > 0 {
                return Err(Error::delete_conflict("Cannot delete a policy attached to entities."));
            }
            self.0.drop_count(counter, &policy.policy_id);
        }
        let under = self.0.under(&policy.policy_id);
        let versions = tables::POLICY_VERSIONS.scan(self.0.transaction, &under, None, usize::MAX).await?;
        if versions.len() > 1 {
            return Err(Error::delete_conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy.",
            ));
        }
        for (key, _) in versions {
            tables::POLICY_VERSIONS.delete(self.0.transaction, &key).await?;
        }
        self.0.remove(&policy).await
    }
}

impl PolicyFilter {
    fn holds(self, counts: UsageCounts) -> bool {
        let (permissions, boundary) = (counts.attachments > 0, counts.boundaries > 0);
        match self.usage {
            Some(PolicyUsage::Permissions) => permissions,
            Some(PolicyUsage::Boundary) => boundary,
            None => !self.only_attached || permissions || boundary,
        }
    }
}

/// The ARN of a policy of this account.
pub(crate) fn arn(directory: &Directory<'_>, policy: &PolicyRecord) -> String {
    directory.arn(Kind::Policy, &policy.path, &policy.policy_name)
}

/// The policy of an ARN, where it need not exist. ARNs match exactly, names without case, so both are compared.
pub(crate) async fn find(
    transaction: &mut Transaction,
    partition: &str,
    account: &str,
    arn: &str,
) -> Result<Option<PolicyRecord>> {
    let Some(Resource::Named { kind: Kind::Policy, account: owner, path, name }) =
        Resource::parse(partition, arn)
    else {
        return Ok(None);
    };
    if owner != account {
        return Ok(None);
    }
    let policy: Option<PolicyRecord> = named::find(transaction, account, name).await?;
    Ok(policy.filter(|policy| policy.path == path && policy.policy_name == name))
}

/// The policy of an ARN, to be read or changed.
pub(crate) async fn existing(directory: &mut Directory<'_>, arn: &str) -> Result<PolicyRecord> {
    let found = find_checked(directory, arn).await?;
    found.ok_or_else(|| not_found(arn))
}

/// The policy of an ARN, to be attached or to be a boundary.
pub(crate) async fn attachable(directory: &mut Directory<'_>, arn: &str) -> Result<PolicyRecord> {
    let found = find_checked(directory, arn).await?;
    found.ok_or_else(|| Error::no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

pub(crate) fn not_found(arn: &str) -> Error {
    Error::no_such_entity(format!("Policy {arn} was not found."))
}

async fn find_checked(directory: &mut Directory<'_>, arn: &str) -> Result<Option<PolicyRecord>> {
    if reeve_evaluator::Arn::parse(arn).is_err() {
        return Err(Error::invalid_input(format!("ARN {arn} is not valid."))
            .with_violation("policy_arn", "is not an ARN"));
    }
    find(directory.transaction, &directory.settings.partition, directory.account, arn).await
}
