//! Users, groups and roles as what policies hang on, so that attachments and inline policies are written once for all three.

use reeve_proto::store::v1::{GroupRecord, RoleRecord, UserRecord};

use crate::{Directory, Error, Result, limits, resource, tables};

/// What policies can hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
}

impl Kind {
    /// The kind of what has this unique id.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        match id.get(..4)? {
            "AIDA" => Some(Self::User),
            "AGPA" => Some(Self::Group),
            "AROA" => Some(Self::Role),
            _ => None,
        }
    }

    /// How AWS writes it in the names of quotas.
    pub(crate) const fn in_quotas(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }

    /// Characters that its inline policies may have together.
    pub(crate) const fn inline_chars_max(self) -> usize {
        match self {
            Self::User => limits::USER_INLINE_POLICIES_CHARS_MAX,
            Self::Group => limits::GROUP_INLINE_POLICIES_CHARS_MAX,
            Self::Role => limits::ROLE_INLINE_POLICIES_CHARS_MAX,
        }
    }
}

impl From<Kind> for resource::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::User => Self::User,
            Kind::Group => Self::Group,
            Kind::Role => Self::Role,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        resource::Kind::from(*self).fmt(f)
    }
}

/// A user, a group or a role.
#[derive(Debug, Clone, PartialEq)]
pub enum Entity {
    /// A user.
    User(UserRecord),
    /// A group.
    Group(GroupRecord),
    /// A role.
    Role(RoleRecord),
}

impl Entity {
    /// Which of them.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::User(_) => Kind::User,
            Self::Group(_) => Kind::Group,
            Self::Role(_) => Kind::Role,
        }
    }

    /// Its unique id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User(user) => &user.user_id,
            Self::Group(group) => &group.group_id,
            Self::Role(role) => &role.role_id,
        }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::User(user) => &user.path,
            Self::Group(group) => &group.path,
            Self::Role(role) => &role.path,
        }
    }

    /// Its name, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => &user.user_name,
            Self::Group(group) => &group.group_name,
            Self::Role(role) => &role.role_name,
        }
    }
}

impl Directory<'_> {
    /// The user, group or role of a name.
    ///
    /// # Errors
    /// `NoSuchEntity` when there is none.
    pub async fn entity(&mut self, kind: Kind, name: &str) -> Result<Entity> {
        Ok(match kind {
            Kind::User => Entity::User(self.get(name).await?),
            Kind::Group => Entity::Group(self.get(name).await?),
            Kind::Role => Entity::Role(self.get(name).await?),
        })
    }

    /// Writes an entity's record again, because what hangs on it changes.
    pub(crate) async fn touch_entity(&mut self, entity: &Entity) -> Result<()> {
        match entity {
            Entity::User(user) => self.touch(user).await,
            Entity::Group(group) => self.touch(group).await,
            Entity::Role(role) => self.touch(role).await,
        }
    }

    /// Refuses to delete an entity on which policies hang. The entity's record was got before, which proves the scans.
    pub(crate) async fn has_no_policies(&mut self, id: &str) -> Result<()> {
        let under = self.under(id);
        if !tables::ATTACHMENTS.scan(self.transaction, &under, None, 1).await?.is_empty() {
            return Err(Error::delete_conflict("Cannot delete entity, must detach all policies first."));
        }
        if !tables::INLINE_POLICIES.scan(self.transaction, &under, None, 1).await?.is_empty() {
            return Err(Error::delete_conflict("Cannot delete entity, must delete policies first."));
        }
        Ok(())
    }
}
