//! Groups, and who is in them.

use reeve_chassis::{Call, Handle};
use reeve_directory::group::NewGroup;
use reeve_directory::record::GroupRecord;
use reeve_directory::resource::Kind;
use reeve_directory::{Directory, Error};
use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AddUserToGroupResponse, CreateGroupRequest, CreateGroupResponse,
    DeleteGroupRequest, DeleteGroupResponse, GetGroupRequest, GetGroupResponse, Group,
    ListGroupsForUserRequest, ListGroupsForUserResponse, ListGroupsRequest, ListGroupsResponse,
    RemoveUserFromGroupRequest, RemoveUserFromGroupResponse, UpdateGroupRequest, UpdateGroupResponse,
};

use crate::{EVERYTHING, Iam, timestamp, users, with_marker};

impl Handle<CreateGroupRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreateGroupRequest,
    ) -> Result<CreateGroupResponse, Error> {
        let mut directory = call.directory();
        let new = NewGroup { name: op.group_name.clone(), path: op.path.clone() };
        let group = directory.groups().create(new).await?;
        Ok(CreateGroupResponse { group: Some(shown(&directory, group)) })
    }
}

impl Handle<GetGroupRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &GetGroupRequest) -> Result<GetGroupResponse, Error> {
        let filters = [op.group_name.as_str()];
        let page = call.page(&filters, op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let group = directory.groups().get(&op.group_name).await?;
        let found =
            directory.memberships().users_of(&op.group_name, page.after.as_deref(), page.limit).await?;
        let found = found.map(|user| users::listed(&directory, user));
        let group = Some(shown(&directory, group));
        let (users, marker) = with_marker(call, &filters, found)?;
        Ok(GetGroupResponse { group, users, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<ListGroupsRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &ListGroupsRequest) -> Result<ListGroupsResponse, Error> {
        let path = op.path_prefix.as_deref().unwrap_or(EVERYTHING);
        let page = call.page(&[path], op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let found = directory.groups().list(path, page.after.as_deref(), page.limit).await?;
        let found = found.map(|group| shown(&directory, group));
        let (groups, marker) = with_marker(call, &[path], found)?;
        Ok(ListGroupsResponse { groups, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<UpdateGroupRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &UpdateGroupRequest,
    ) -> Result<UpdateGroupResponse, Error> {
        let (name, path) = (op.new_group_name.as_deref(), op.new_path.as_deref());
        call.directory().groups().update(&op.group_name, name, path).await?;
        Ok(UpdateGroupResponse {})
    }
}

impl Handle<DeleteGroupRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeleteGroupRequest,
    ) -> Result<DeleteGroupResponse, Error> {
        call.directory().groups().delete(&op.group_name).await?;
        Ok(DeleteGroupResponse {})
    }
}

impl Handle<AddUserToGroupRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &AddUserToGroupRequest,
    ) -> Result<AddUserToGroupResponse, Error> {
        call.directory().memberships().add(&op.group_name, &op.user_name).await?;
        Ok(AddUserToGroupResponse {})
    }
}

impl Handle<RemoveUserFromGroupRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &RemoveUserFromGroupRequest,
    ) -> Result<RemoveUserFromGroupResponse, Error> {
        call.directory().memberships().remove(&op.group_name, &op.user_name).await?;
        Ok(RemoveUserFromGroupResponse {})
    }
}

impl Handle<ListGroupsForUserRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListGroupsForUserRequest,
    ) -> Result<ListGroupsForUserResponse, Error> {
        let filters = [op.user_name.as_str()];
        let page = call.page(&filters, op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let found =
            directory.memberships().groups_of(&op.user_name, page.after.as_deref(), page.limit).await?;
        let found = found.map(|group| shown(&directory, group));
        let (groups, marker) = with_marker(call, &filters, found)?;
        Ok(ListGroupsForUserResponse { groups, is_truncated: marker.is_some(), marker })
    }
}

fn shown(directory: &Directory<'_>, group: GroupRecord) -> Group {
    Group {
        arn: directory.arn(Kind::Group, &group.path, &group.group_name),
        path: group.path,
        group_name: group.group_name,
        group_id: group.group_id,
        create_date: timestamp(group.create_date),
    }
}
