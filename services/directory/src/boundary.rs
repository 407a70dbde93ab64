//! Permissions boundaries: the managed policy that bounds what a user or a role can be allowed. It is held by id, and counted at
//! the policy, which cannot be deleted while it bounds somebody.

use reeve_proto::store::v1::{MarkRecord, PolicyRecord};

use crate::entity::{Entity, Kind};
use crate::{Directory, Error, Result, named, part, policy, tables};

part! {
    /// The permissions boundaries of an account.
    Boundaries
}

impl Boundaries<'_, '_> {
    /// Bounds a user or a role by a managed policy of the account, in place of the one it may have.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for a group, which has no boundary.
    pub async fn set(&mut self, kind: Kind, name: &str, policy_arn: &str) -> Result<()> {
        let entity = self.0.entity(kind, name).await?;
        self.change(entity, Some(policy_arn)).await
    }

    /// Takes the boundary away.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when there is no boundary; `InvalidInput` for a group.
    pub async fn clear(&mut self, kind: Kind, name: &str) -> Result<()> {
        let entity = self.0.entity(kind, name).await?;
        self.change(entity, None).await
    }

    /// The ARN of the policy that a record's `boundary_policy_id` names; none when that is empty.
    pub async fn arn(&mut self, boundary_policy_id: &str) -> Result<Option<String>> {
        if boundary_policy_id.is_empty() {
            return Ok(None);
        }
        let policy: Option<PolicyRecord> =
            named::by_id(self.0.transaction, self.0.account, boundary_policy_id).await?;
        let policy = policy.ok_or_else(|| Error::internal_failure("a boundary's policy does not exist"))?;
        Ok(Some(policy::arn(self.0, &policy)))
    }

    async fn change(&mut self, mut entity: Entity, policy_arn: Option<&str>) -> Result<()> {
        let id = entity.id().to_owned();
        let held = match &mut entity {
            Entity::User(user) => &mut user.boundary_policy_id,
            Entity::Role(role) => &mut role.boundary_policy_id,
            Entity::Group(_) => return Err(Error::invalid_input("A group has no permissions boundary.")),
        };
        if policy_arn.is_none() && held.is_empty() {
            return Err(Error::no_such_entity(format!(
                "The {} with name {} has no permissions boundary.",
                entity.kind(),
                entity.name()
            )));
        }
        // In this order, because the old one may be the new one.
        self.0.unbound_from(held, &id).await?;
        *held = self.0.bound_by(policy_arn, &id).await?;
        self.0.touch_entity(&entity).await
    }
}

impl Directory<'_> {
    /// The id of the policy that is to bound an entity, counted and marked at the policy; empty for no boundary.
    pub(crate) async fn bound_by(&mut self, policy_arn: Option<&str>, entity_id: &str) -> Result<String> {
        let Some(arn) = policy_arn else { return Ok(String::new()) };
        let policy = policy::attachable(self, arn)
            .await
            .map_err(|error| error.violation_renamed("policy_arn", "permissions_boundary"))?;
        let key = self.key(&policy.policy_id);
        tables::POLICY_BOUNDARIES_COUNT.add(self.transaction, &key, 1, i64::MAX);
        let key = self.hanging(&policy.policy_id, entity_id);
        tables::POLICY_BOUNDED.put(self.transaction, &key, &MarkRecord {}).await?;
        Ok(policy.policy_id)
    }

    /// The policy, if there is one, bounds the entity no more.
    pub(crate) async fn unbound_from(&mut self, policy_id: &str, entity_id: &str) -> Result<()> {
        if policy_id.is_empty() {
            return Ok(());
        }
        let key = self.key(policy_id);
        tables::POLICY_BOUNDARIES_COUNT.add(self.transaction, &key, -1, i64::MAX);
        let key = self.hanging(policy_id, entity_id);
        Ok(tables::POLICY_BOUNDED.delete(self.transaction, &key).await?)
    }
}
