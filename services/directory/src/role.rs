//! Roles: identities to be assumed, by whom their trust policy says.

use reeve_proto::store::v1::{RoleRecord, StoredTag};

use crate::limits::ROLE_MAX_SESSION_DURATION_DEFAULT_SECONDS;
use crate::listing::{Page, list};
use crate::name::ROOT_PATH;
use crate::{Result, id, named, part, tag, trust};

part! {
    /// The roles of an account.
    Roles
}

/// A role to be created.
#[derive(Debug, Clone, Default)]
pub struct NewRole {
    /// The name, unique in the account without case.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
    /// Who may assume it: a trust policy as the caller wrote it.
    pub trust_policy: String,
    /// For people.
    pub description: String,
    /// One hour when absent.
    pub max_session_duration_seconds: Option<i32>,
    /// The ARN of the managed policy that bounds what the role can be allowed.
    pub permissions_boundary: Option<String>,
    /// Tags.
    pub tags: Vec<StoredTag>,
}

impl Roles<'_, '_> {
    /// Creates a role.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `MalformedPolicyDocument`, `LimitExceeded`, `InvalidInput` for the tags, `NoSuchEntity` for
    /// the boundary.
    pub async fn create(&mut self, new: NewRole) -> Result<RoleRecord> {
        tag::check(&new.tags)?;
        let trust = trust::bind(self.0, &new.trust_policy, &[]).await?;
        let role_id = id::role(self.0.random);
        let boundary_policy_id = self.0.bound_by(new.permissions_boundary.as_deref(), &role_id).await?;
        let role = RoleRecord {
            role_id,
            role_name: new.name,
            path: new.path.unwrap_or_else(|| ROOT_PATH.to_owned()),
            create_date: self.0.now,
            tags: new.tags,
            boundary_policy_id,
            description: new.description,
            max_session_duration_seconds: new
                .max_session_duration_seconds
                .unwrap_or(ROLE_MAX_SESSION_DURATION_DEFAULT_SECONDS),
            trust_policy: trust.document,
            trust_principals: trust.principals,
        };
        self.0.insert(&role).await?;
        Ok(role)
    }

    /// The role of a name, whatever its case.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(&mut self, name: &str) -> Result<RoleRecord> {
        self.0.get(name).await
    }

    /// The role of a unique id.
    pub async fn by_id(&mut self, id: &str) -> Result<Option<RoleRecord>> {
        named::by_id(self.0.transaction, self.0.account, id).await
    }

    /// Roles under a path, in the order of their folded names.
    pub async fn list(
        &mut self,
        path_prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<RoleRecord>> {
        list(self.0, path_prefix, after, limit).await
    }

    /// Changes what a role says of itself: each only where it is given.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn update(
        &mut self,
        name: &str,
        description: Option<&str>,
        max_session_duration_seconds: Option<i32>,
    ) -> Result<RoleRecord> {
        let mut role: RoleRecord = self.0.get(name).await?;
        if let Some(description) = description {
            description.clone_into(&mut role.description);
        }
        if let Some(seconds) = max_session_duration_seconds {
            role.max_session_duration_seconds = seconds;
        }
        self.0.touch(&role).await?;
        Ok(role)
    }

    /// Replaces the policy that says who may assume a role.
    ///
    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
    pub async fn set_trust_policy(&mut self, name: &str, text: &str) -> Result<RoleRecord> {
        let mut role: RoleRecord = self.0.get(name).await?;
        let trust = trust::bind(self.0, text, &role.trust_principals).await?;
        role.trust_policy = trust.document;
        role.trust_principals = trust.principals;
        self.0.touch(&role).await?;
        Ok(role)
    }

    /// The trust policy as it is shown: ARNs for the users and roles that exist, bare ids for those that do not any more.
    pub async fn shown_trust_policy(&mut self, role: &RoleRecord) -> Result<String> {
        trust::show(self.0, role).await
    }

    /// Deletes a role that has no policies left. Its sessions end with it.
    ///
    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`.
    pub async fn delete(&mut self, name: &str) -> Result<()> {
        let role: RoleRecord = self.0.get(name).await?;
        self.0.has_no_policies(&role.role_id).await?;
        self.0.unbound_from(&role.boundary_policy_id, &role.role_id).await?;
        self.0.remove(&role).await
    }
}
