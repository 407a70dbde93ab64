//! Roles. Their trust policies are shown with ARNs and held with unique ids.

use reeve_chassis::{Call, Handle};
use reeve_directory::limits::ROLE_MAX_SESSION_DURATION_DEFAULT_SECONDS;
use reeve_directory::record::RoleRecord;
use reeve_directory::resource::Kind;
use reeve_directory::role::NewRole;
use reeve_directory::{Directory, Error, Page};
use reeve_proto::iam::v1::{
    CreateRoleRequest, CreateRoleResponse, DeleteRoleRequest, DeleteRoleResponse, GetRoleRequest,
    GetRoleResponse, ListRolesRequest, ListRolesResponse, Role, UpdateAssumeRolePolicyRequest,
    UpdateAssumeRolePolicyResponse, UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse,
    UpdateRoleRequest, UpdateRoleResponse,
};

use crate::{EVERYTHING, Iam, tags, timestamp, users, with_marker};

impl Handle<CreateRoleRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &CreateRoleRequest) -> Result<CreateRoleResponse, Error> {
        let new = NewRole {
            name: op.role_name.clone(),
            path: op.path.clone(),
            trust_policy: op.assume_role_policy_document.clone(),
            description: op.description.clone().unwrap_or_default(),
            max_session_duration_seconds: op.max_session_duration,
            permissions_boundary: op.permissions_boundary.clone(),
            tags: tags::stored(&op.tags),
        };
        let mut directory = call.directory();
        let created = directory.roles().create(new).await;
        let role = created
            .map_err(|error| error.violation_renamed("policy_document", "assume_role_policy_document"))?;
        Ok(CreateRoleResponse { role: Some(shown(&mut directory, role).await?) })
    }
}

impl Handle<GetRoleRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &GetRoleRequest) -> Result<GetRoleResponse, Error> {
        let mut directory = call.directory();
        let role = directory.roles().get(&op.role_name).await?;
        Ok(GetRoleResponse { role: Some(shown(&mut directory, role).await?) })
    }
}

impl Handle<ListRolesRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &ListRolesRequest) -> Result<ListRolesResponse, Error> {
        let path = op.path_prefix.as_deref().unwrap_or(EVERYTHING);
        let page = call.page(&[path], op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let found = directory.roles().list(path, page.after.as_deref(), page.limit).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for role in found.items {
            items.push(listed(&mut directory, role).await?);
        }
        let (roles, marker) = with_marker(call, &[path], Page { items, next: found.next })?;
        Ok(ListRolesResponse { roles, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<DeleteRoleRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &DeleteRoleRequest) -> Result<DeleteRoleResponse, Error> {
        call.directory().roles().delete(&op.role_name).await?;
        Ok(DeleteRoleResponse {})
    }
}

impl Handle<UpdateAssumeRolePolicyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &UpdateAssumeRolePolicyRequest,
    ) -> Result<UpdateAssumeRolePolicyResponse, Error> {
        call.directory().roles().set_trust_policy(&op.role_name, &op.policy_document).await?;
        Ok(UpdateAssumeRolePolicyResponse {})
    }
}

impl Handle<UpdateRoleRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &UpdateRoleRequest) -> Result<UpdateRoleResponse, Error> {
        // As AWS documents it: a duration that is not given is the default again.
        let duration = op.max_session_duration.unwrap_or(ROLE_MAX_SESSION_DURATION_DEFAULT_SECONDS);
        call.directory().roles().update(&op.role_name, op.description.as_deref(), Some(duration)).await?;
        Ok(UpdateRoleResponse {})
    }
}

impl Handle<UpdateRoleDescriptionRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &UpdateRoleDescriptionRequest,
    ) -> Result<UpdateRoleDescriptionResponse, Error> {
        let mut directory = call.directory();
        let role = directory.roles().update(&op.role_name, op.description.as_deref(), None).await?;
        Ok(UpdateRoleDescriptionResponse { role: Some(shown(&mut directory, role).await?) })
    }
}

/// A role as a listing shows it: AWS leaves out tags and boundary there.
async fn listed(directory: &mut Directory<'_>, role: RoleRecord) -> Result<Role, Error> {
    let trust_policy = directory.roles().shown_trust_policy(&role).await?;
    Ok(Role {
        arn: directory.arn(Kind::Role, &role.path, &role.role_name),
        path: role.path,
        role_name: role.role_name,
        role_id: role.role_id,
        create_date: timestamp(role.create_date),
        assume_role_policy_document: Some(trust_policy),
        description: Some(role.description).filter(|description| !description.is_empty()),
        max_session_duration: Some(role.max_session_duration_seconds),
        permissions_boundary: None,
        tags: Vec::new(),
        role_last_used: None,
    })
}

async fn shown(directory: &mut Directory<'_>, mut role: RoleRecord) -> Result<Role, Error> {
    let tags = tags::shown(std::mem::take(&mut role.tags));
    let permissions_boundary = users::boundary(directory, &role.boundary_policy_id).await?;
    Ok(Role { tags, permissions_boundary, ..listed(directory, role).await? })
}
