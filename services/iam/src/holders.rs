//! Who uses a managed policy.

use reeve_chassis::{Call, Handle};
use reeve_directory::holder::HolderFilter;
use reeve_directory::{Entity, Error, Kind};
use reeve_proto::iam::v1::{
    ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse, PolicyGroup, PolicyRole, PolicyUser,
};

use crate::policies::usage;
use crate::{EVERYTHING, Iam, with_marker};

impl Handle<ListEntitiesForPolicyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListEntitiesForPolicyRequest,
    ) -> Result<ListEntitiesForPolicyResponse, Error> {
        let path_prefix = op.path_prefix.as_deref().unwrap_or(EVERYTHING);
        let (entity, used) = (op.entity_filter.as_deref(), op.policy_usage_filter.as_deref());
        let filters =
            [op.policy_arn.as_str(), path_prefix, entity.unwrap_or_default(), used.unwrap_or_default()];
        let page = call.page(&filters, op.marker.as_deref(), op.max_items)?;
        let filter = HolderFilter { kinds: kinds(entity), path_prefix, usage: used.map(usage) };
        let mut directory = call.directory();
        let mut holders = directory.holders();
        let found = holders.list(&op.policy_arn, filter, page.after.as_deref(), page.limit).await?;
        let (entities, marker) = with_marker(call, &filters, found)?;
        let mut response =
            ListEntitiesForPolicyResponse { is_truncated: marker.is_some(), marker, ..Default::default() };
        for entity in entities {
            match entity {
                Entity::User(user) => response
                    .policy_users
                    .push(PolicyUser { user_name: Some(user.user_name), user_id: Some(user.user_id) }),
                Entity::Group(group) => response
                    .policy_groups
                    .push(PolicyGroup { group_name: Some(group.group_name), group_id: Some(group.group_id) }),
                Entity::Role(role) => response
                    .policy_roles
                    .push(PolicyRole { role_name: Some(role.role_name), role_id: Some(role.role_id) }),
            }
        }
        Ok(response)
    }
}

/// The kinds of holder that AWS's filter leaves. A policy is never attached to a policy.
fn kinds(filter: Option<&str>) -> &'static [Kind] {
    match filter {
        None => &[Kind::User, Kind::Group, Kind::Role],
        Some("User") => &[Kind::User],
        Some("Group") => &[Kind::Group],
        Some("Role") => &[Kind::Role],
        Some(_) => &[],
    }
}
