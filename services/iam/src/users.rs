//! Users.

use reeve_chassis::{Call, Handle};
use reeve_directory::record::UserRecord;
use reeve_directory::resource::{Kind, root_arn};
use reeve_directory::user::NewUser;
use reeve_directory::{Directory, Error, Owner, OwnerRecord};
use reeve_proto::iam::v1::{
    AttachedPermissionsBoundary, CreateUserRequest, CreateUserResponse, DeleteUserRequest,
    DeleteUserResponse, GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse,
    UpdateUserRequest, UpdateUserResponse, User,
};

use crate::{EVERYTHING, Iam, tags, timestamp, with_marker};

impl Handle<CreateUserRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &CreateUserRequest) -> Result<CreateUserResponse, Error> {
        let new = NewUser {
            name: op.user_name.clone(),
            path: op.path.clone(),
            permissions_boundary: op.permissions_boundary.clone(),
            tags: tags::stored(&op.tags),
        };
        let mut directory = call.directory();
        let user = directory.users().create(new).await?;
        Ok(CreateUserResponse { user: Some(shown(&mut directory, user).await?) })
    }
}

impl Handle<GetUserRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &GetUserRequest) -> Result<GetUserResponse, Error> {
        let user = match named_or_caller(call, op.user_name.as_deref())? {
            Some(name) => {
                let mut directory = call.directory();
                let user = directory.users().get(&name).await?;
                shown(&mut directory, user).await?
            }
            None => root(call).await?,
        };
        Ok(GetUserResponse { user: Some(with_password_use(call, user).await?) })
    }
}

impl Handle<ListUsersRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &ListUsersRequest) -> Result<ListUsersResponse, Error> {
        let path = op.path_prefix.as_deref().unwrap_or(EVERYTHING);
        let page = call.page(&[path], op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let found = directory.users().list(path, page.after.as_deref(), page.limit).await?;
        let found = found.map(|user| listed(&directory, user));
        let (mut users, marker) = with_marker(call, &[path], found)?;
        for user in &mut users {
            *user = with_password_use(call, std::mem::take(user)).await?;
        }
        Ok(ListUsersResponse { users, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<UpdateUserRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &UpdateUserRequest) -> Result<UpdateUserResponse, Error> {
        let (name, path) = (op.new_user_name.as_deref(), op.new_path.as_deref());
        call.directory().users().update(&op.user_name, name, path).await?;
        Ok(UpdateUserResponse {})
    }
}

impl Handle<DeleteUserRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &DeleteUserRequest) -> Result<DeleteUserResponse, Error> {
        call.directory().users().delete(&op.user_name).await?;
        Ok(DeleteUserResponse {})
    }
}

/// The user that a call means: the one it names, or the caller; none when that is the account's root.
pub(crate) fn named_or_caller(call: &Call<'_>, name: Option<&str>) -> Result<Option<String>, Error> {
    match name.or_else(|| call.caller.user_name()) {
        Some(name) => Ok(Some(name.to_owned())),
        None if call.caller.is_root() => Ok(None),
        None => {
            let message = "Must specify userName when calling with non-User credentials";
            Err(Error::validation_error(message).with_violation("user_name", message))
        }
    }
}

/// Whose password or device a call means: the user's that it names, or the caller's.
pub(crate) async fn owner(call: &mut Call<'_>, name: Option<&str>) -> Result<OwnerRecord, Error> {
    let name = named_or_caller(call, name)?;
    call.directory().owner(name.as_deref().map_or(Owner::Root, Owner::User)).await
}

/// A user as a listing shows it: AWS leaves out tags and boundary there.
pub(crate) fn listed(directory: &Directory<'_>, user: UserRecord) -> User {
    User {
        arn: directory.arn(Kind::User, &user.path, &user.user_name),
        path: user.path,
        user_name: user.user_name,
        user_id: user.user_id,
        create_date: timestamp(user.create_date),
        password_last_used: None,
        permissions_boundary: None,
        tags: Vec::new(),
    }
}

/// The same user with when its password last let it in, which AWS tells only of who is asked about or listed.
async fn with_password_use(call: &mut Call<'_>, user: User) -> Result<User, Error> {
    let last_used = call.password_last_used(&user.user_id).await?;
    Ok(User { password_last_used: last_used.and_then(timestamp), ..user })
}

/// The boundary of a user or a role, as it is shown.
pub(crate) async fn boundary(
    directory: &mut Directory<'_>,
    boundary_policy_id: &str,
) -> Result<Option<AttachedPermissionsBoundary>, Error> {
    let arn = directory.boundaries().arn(boundary_policy_id).await?;
    Ok(arn.map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some("PermissionsBoundaryPolicy".to_owned()),
        permissions_boundary_arn: Some(arn),
    }))
}

async fn shown(directory: &mut Directory<'_>, mut user: UserRecord) -> Result<User, Error> {
    let tags = tags::shown(std::mem::take(&mut user.tags));
    let permissions_boundary = boundary(directory, &user.boundary_policy_id).await?;
    Ok(User { tags, permissions_boundary, ..listed(directory, user) })
}

/// The root of the caller's account, which has neither a name nor a path.
pub(crate) async fn root(call: &mut Call<'_>) -> Result<User, Error> {
    let account = call.caller.account().to_owned();
    let arn = root_arn(&call.environment.settings.partition, &account);
    let record = call.directory().accounts().get(&account).await?;
    let create_date = record.and_then(|record| timestamp(record.create_date));
    Ok(User { user_id: account, arn, create_date, ..User::default() })
}
