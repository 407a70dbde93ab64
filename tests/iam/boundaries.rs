//! Permissions boundaries: what is not within them is not allowed, whatever else is.

use reeve_proto::iam::v1::{
    CreatePolicyVersionRequest, CreateRoleRequest, CreateUserRequest, DeletePolicyRequest, DeleteUserRequest,
    GetRoleRequest, GetUserRequest, ListUsersRequest,
};

use super::is_refused_unwritten;
use crate::world::{ACCOUNT, User, World, allow, code, deny, document, refused, trust};

/// A user that may do everything within the boundary of this name.
async fn bounded(world: &World, boundary: &str) -> User {
    let request = CreateUserRequest {
        user_name: "bounded".to_owned(),
        permissions_boundary: Some(boundary.to_owned()),
        ..Default::default()
    };
    let user = User::of(world, &request).await;
    world.allow(&user, &allow("*", "*")).await;
    user
}

#[tokio::test]
async fn what_is_outside_the_boundary_is_not_allowed() {
    let world = World::start().await;
    let boundary = world.policy("boundary", &allow("iam:Get*", "*")).await;
    let user = bounded(&world, &boundary).await;
    assert_eq!(code(user.call(&GetUserRequest::default()).await), "");
    let error = refused(user.call(&ListUsersRequest::default()).await);
    assert_eq!(error.code, "AccessDenied");
    let because = "because no permissions boundary allows the iam:ListUsers action";
    assert!(error.message.ends_with(because), "{}", error.message);
}

#[tokio::test]
async fn a_boundary_alone_allows_nothing_and_can_deny() {
    let world = World::start().await;
    let boundary = world.policy("boundary", &allow("*", "*")).await;
    let user = bounded(&world, &boundary).await;
    let request = CreateUserRequest {
        user_name: "other".to_owned(),
        permissions_boundary: Some(boundary.clone()),
        ..Default::default()
    };
    let other = User::of(&world, &request).await;
    assert_eq!(code(other.call(&GetUserRequest::default()).await), "AccessDenied");
    // The boundary changes for everybody whom it bounds, from the next call on.
    assert_eq!(code(user.call(&GetUserRequest::default()).await), "");
    let version = CreatePolicyVersionRequest {
        policy_arn: boundary,
        policy_document: document(&deny("iam:GetUser", "*")),
        set_as_default: Some(true),
    };
    world.root().call(&version).await.unwrap();
    let error = refused(user.call(&GetUserRequest::default()).await);
    assert!(error.message.ends_with("with an explicit deny in a permissions boundary"), "{}", error.message);
}

#[tokio::test]
async fn a_boundary_is_shown_and_keeps_its_policy() {
    let world = World::start().await;
    let boundary = world.policy("boundary", &allow("s3:*", "*")).await;
    let user = bounded(&world, &boundary).await;
    let shown = user.record.permissions_boundary.clone().unwrap();
    assert_eq!(shown.permissions_boundary_arn.as_ref(), Some(&boundary));
    assert_eq!(shown.permissions_boundary_type.as_deref(), Some("PermissionsBoundaryPolicy"));
    let role = CreateRoleRequest {
        role_name: "bounded".to_owned(),
        assume_role_policy_document: trust(ACCOUNT).to_string(),
        permissions_boundary: Some(boundary.clone()),
        ..Default::default()
    };
    world.root().call(&role).await.unwrap();
    let role =
        world.root().call(&GetRoleRequest { role_name: "bounded".to_owned() }).await.unwrap().role.unwrap();
    assert_eq!(role.permissions_boundary, Some(shown));
    let delete = DeletePolicyRequest { policy_arn: boundary };
    is_refused_unwritten(&world, &delete, "DeleteConflict", "Cannot delete a policy attached to entities.")
        .await;
}

#[tokio::test]
async fn a_boundary_is_free_when_whom_it_bounded_is_gone() {
    let world = World::start().await;
    let policy_arn = world.policy("boundary", &allow("s3:*", "*")).await;
    let request = CreateUserRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: Some(policy_arn.clone()),
        ..Default::default()
    };
    world.root().call(&request).await.unwrap();
    world.root().call(&DeleteUserRequest { user_name: "alice".to_owned() }).await.unwrap();
    world.root().call(&DeletePolicyRequest { policy_arn }).await.unwrap();
}

#[tokio::test]
async fn a_boundary_is_a_policy_that_exists() {
    let world = World::start().await;
    let arn = world.arn("policy/nothing");
    let because = format!("Policy {arn} does not exist or is not attachable.");
    let request = CreateUserRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: Some(arn.clone()),
        ..Default::default()
    };
    is_refused_unwritten(&world, &request, "NoSuchEntity", &because).await;
    let request = CreateRoleRequest {
        role_name: "reader".to_owned(),
        assume_role_policy_document: trust(ACCOUNT).to_string(),
        permissions_boundary: Some(arn),
        ..Default::default()
    };
    is_refused_unwritten(&world, &request, "NoSuchEntity", &because).await;
}
