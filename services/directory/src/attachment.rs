//! Managed policies attached to users, groups and roles. An attachment is the holder's: it writes the holder's record, reads
//! the policy's, and is counted at the policy, so that a policy can get thousands of holders at once and still never be
//! deleted under one of them.

use reeve_proto::store::v1::{MarkRecord, PolicyRecord};
use reeve_storage::Transaction;

use crate::entity::Kind;
use crate::listing::Page;
use crate::name::fold;
use crate::{Error, Result, named, part, policy, tables};

part! {
    /// The attachments of an account.
    Attachments
}

impl Attachments<'_, '_> {
    /// Attaches a policy; nothing happens when it is attached already.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput` for the ARN, `LimitExceeded`.
    pub async fn attach(&mut self, kind: Kind, name: &str, policy_arn: &str) -> Result<()> {
        let entity = self.0.entity(kind, name).await?;
        let policy = policy::attachable(self.0, policy_arn).await?;
        let attached = policy_ids(self.0.transaction, self.0.account, entity.id()).await?;
        if attached.contains(&policy.policy_id) {
            return Ok(());
        }
        let max = self.0.settings.quotas.attached_policies_per_entity_max;
        if attached.len() >= max {
            return Err(Error::quota(&format!("PoliciesPer{}", kind.in_quotas()), max));
        }
        let key = self.0.hanging(entity.id(), &policy.policy_id);
        tables::ATTACHMENTS.put(self.0.transaction, &key, &MarkRecord {}).await?;
        let key = self.0.hanging(&policy.policy_id, entity.id());
        tables::POLICY_HOLDERS.put(self.0.transaction, &key, &MarkRecord {}).await?;
        let key = self.0.key(&policy.policy_id);
        tables::POLICY_HOLDERS_COUNT.add(self.0.transaction, &key, 1, i64::MAX);
        self.0.touch_entity(&entity).await
    }

    /// Detaches a policy.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when it is not attached; `InvalidInput` for the ARN.
    pub async fn detach(&mut self, kind: Kind, name: &str, policy_arn: &str) -> Result<()> {
        let entity = self.0.entity(kind, name).await?;
        let policy = policy::existing(self.0, policy_arn).await?;
        let key = self.0.hanging(entity.id(), &policy.policy_id);
        if tables::ATTACHMENTS.get(self.0.transaction, &key).await?.is_none() {
            return Err(policy::not_found(policy_arn));
        }
        tables::ATTACHMENTS.delete(self.0.transaction, &key).await?;
        let key = self.0.hanging(&policy.policy_id, entity.id());
        tables::POLICY_HOLDERS.delete(self.0.transaction, &key).await?;
        let key = self.0.key(&policy.policy_id);
        tables::POLICY_HOLDERS_COUNT.add(self.0.transaction, &key, -1, i64::MAX);
        self.0.touch_entity(&entity).await
    }

    /// The attached policies under a path, in the order of their folded names.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list(
        &mut self,
        kind: Kind,
        name: &str,
        path_prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<PolicyRecord>> {
        let entity = self.0.entity(kind, name).await?;
        let mut policies: Vec<PolicyRecord> = Vec::new();
        for id in policy_ids(self.0.transaction, self.0.account, entity.id()).await? {
            let policy: Option<PolicyRecord> = named::by_id(self.0.transaction, self.0.account, &id).await?;
            policies.extend(policy.filter(|policy| policy.path.starts_with(path_prefix)));
        }
        Ok(Page::of_all(policies, |policy| fold(&policy.policy_name), after, limit))
    }
}

/// The ids of the policies attached to an entity, proved by the entity's record, which was got before.
pub(crate) async fn policy_ids(
    transaction: &mut Transaction,
    account: &str,
    entity_id: &str,
) -> Result<Vec<String>> {
    let under = (account.to_owned(), entity_id.to_owned());
    let found = tables::ATTACHMENTS.scan(transaction, &under, None, usize::MAX).await?;
    Ok(found.into_iter().map(|((_, _, policy), _)| policy).collect())
}
