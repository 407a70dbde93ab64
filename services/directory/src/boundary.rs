//! Permissions boundaries: the managed policy that bounds what a user or a role can be allowed. It is held by id, and counted at
//! the policy, which cannot be deleted while it bounds somebody.

use reeve_proto::store::v1::PolicyRecord;

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
        let id = self.0.bound_by(Some(policy_arn)).await?;
        self.change(entity, id).await
    }

    /// Takes the boundary away.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when there is no boundary; `InvalidInput` for a group.
    pub async fn clear(&mut self, kind: Kind, name: &str) -> Result<()> {
        let entity = self.0.entity(kind, name).await?;
        self.change(entity, String::new()).await
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

    async fn change(&mut self, mut entity: Entity, id: String) -> Result<()> {
        let held = match &mut entity {
            Entity::User(user) => &mut user.boundary_policy_id,
            Entity::Role(role) => &mut role.boundary_policy_id,
            Entity::Group(_) => return Err(Error::invalid_input("A group has no permissions boundary.")),
        };
        if id.is_empty() && held.is_empty() {
            return Err(Error::no_such_entity(format!(
                "The {} with name {} has no permissions boundary.",
                entity.kind(),
                entity.name()
            )));
        }
        let old = std::mem::replace(held, id);
        self.0.unbound_from(&old);
        self.0.touch_entity(&entity).await
    }
}

impl Directory<'_> {
    /// The id of the policy that is to bound an entity, counted at the policy; empty for no boundary.
    pub(crate) async fn bound_by(&mut self, policy_arn: Option<&str>) -> Result<String> {
        let Some(arn) = policy_arn else { return Ok(String::new()) };
        let policy = policy::attachable(self, arn)
            .await
            .map_err(|error| error.violation_renamed("policy_arn", "permissions_boundary"))?;
        let key = self.key(&policy.policy_id);
        tables::POLICY_BOUNDARIES_COUNT.add(self.transaction, &key, 1, i64::MAX);
        Ok(policy.policy_id)
    }

    /// The policy bounds an entity less.
    pub(crate) fn unbound_from(&mut self, policy_id: &str) {
        if !policy_id.is_empty() {
            let key = self.key(policy_id);
            tables::POLICY_BOUNDARIES_COUNT.add(self.transaction, &key, -1, i64::MAX);
        }
    }
}
