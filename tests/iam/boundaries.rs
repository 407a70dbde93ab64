//! Permissions boundaries: what is not within them is not allowed, whatever else is.

use reeve_proto::iam::v1::{
    CreatePolicyVersionRequest, CreateRoleRequest, CreateUserRequest, DeletePolicyRequest,
    DeleteRolePermissionsBoundaryRequest, DeleteUserPermissionsBoundaryRequest, DeleteUserRequest,
    GetRoleRequest, GetUserRequest, ListUsersRequest, PutRolePermissionsBoundaryRequest,
    PutUserPermissionsBoundaryRequest,
};
use serde_json::json;

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

fn put(policy_arn: &str) -> PutUserPermissionsBoundaryRequest {
    PutUserPermissionsBoundaryRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: policy_arn.to_owned(),
    }
}

fn delete() -> DeleteUserPermissionsBoundaryRequest {
    DeleteUserPermissionsBoundaryRequest { user_name: "alice".to_owned() }
}

#[tokio::test]
async fn a_boundary_that_is_set_and_taken_away_counts_from_the_very_next_call() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    let narrow = world.policy("narrow", &allow("iam:ListGroups", "*")).await;
    let wide = world.policy("wide", &allow("iam:*", "*")).await;
    let get = GetUserRequest::default();
    for _ in 0..2 {
        assert_eq!(code(alice.call(&get).await), "");
        world.root().call(&put(&narrow)).await.unwrap();
        assert_eq!(code(alice.call(&get).await), "AccessDenied");
        world.root().call(&put(&wide)).await.unwrap();
        world.root().call(&put(&wide)).await.unwrap();
        assert_eq!(code(alice.call(&get).await), "");
        world.root().call(&put(&narrow)).await.unwrap();
        world.root().call(&delete()).await.unwrap();
    }
    // Every one that was replaced or taken away is free again.
    for policy_arn in [narrow, wide] {
        world.root().call(&DeletePolicyRequest { policy_arn }).await.unwrap();
    }
}

#[tokio::test]
async fn a_role_is_bounded_with_its_living_sessions() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("reader", &trust(alice.record.arn.clone())).await;
    world.allow_role(&role, &allow("iam:*", "*")).await;
    let session = world.assume(&alice, &role).await;
    let get = GetUserRequest { user_name: Some("alice".to_owned()) };
    assert_eq!(code(session.call(&get).await), "");
    let boundary = PutRolePermissionsBoundaryRequest {
        role_name: "reader".to_owned(),
        permissions_boundary: world.policy("narrow", &allow("iam:ListGroups", "*")).await,
    };
    world.root().call(&boundary).await.unwrap();
    assert_eq!(code(session.call(&get).await), "AccessDenied");
    let delete = DeleteRolePermissionsBoundaryRequest { role_name: "reader".to_owned() };
    world.root().call(&delete).await.unwrap();
    assert_eq!(code(session.call(&get).await), "");
    let again = "The role with name reader has no permissions boundary.";
    is_refused_unwritten(&world, &delete, "NoSuchEntity", again).await;
}

#[tokio::test]
async fn what_bounds_nothing_and_nobody_is_refused() {
    let world = World::start().await;
    let boundary = world.policy("boundary", &allow("s3:*", "*")).await;
    let missing = "The user with name alice cannot be found.";
    is_refused_unwritten(&world, &put(&boundary), "NoSuchEntity", missing).await;
    is_refused_unwritten(&world, &delete(), "NoSuchEntity", missing).await;
    world.user("alice").await;
    let nothing = world.arn("policy/nothing");
    let because = format!("Policy {nothing} does not exist or is not attachable.");
    is_refused_unwritten(&world, &put(&nothing), "NoSuchEntity", &because).await;
    let no_arn = put("this is not an ARN at all");
    is_refused_unwritten(&world, &no_arn, "InvalidInput", "is not valid").await;
    let none = "The user with name alice has no permissions boundary.";
    is_refused_unwritten(&world, &delete(), "NoSuchEntity", none).await;
}

/// The delegation of AWS's user guide: the delegate sets this boundary and no other, whatever boundary there is.
#[tokio::test]
async fn the_boundary_that_is_set_can_be_limited() {
    let world = World::start().await;
    let delegate = world.user("delegate").await;
    let (given, other) =
        (world.policy("given", &allow("s3:*", "*")).await, world.policy("other", &allow("*", "*")).await);
    let mut only = allow(json!(["iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary"]), "*");
    only["Condition"] = json!({ "StringEquals": { "iam:PermissionsBoundary": given } });
    world.allow(&delegate, &only).await;
    world.user("alice").await;
    assert_eq!(code(delegate.call(&put(&other)).await), "AccessDenied");
    assert_eq!(code(delegate.call(&put(&given)).await), "");
    assert_eq!(code(delegate.call(&put(&other)).await), "AccessDenied", "the one it has does not count");
    world.root().call(&put(&other)).await.unwrap();
    assert_eq!(code(delegate.call(&delete()).await), "AccessDenied", "here the one it has counts");
    assert_eq!(code(delegate.call(&put(&given)).await), "");
    assert_eq!(code(delegate.call(&delete()).await), "");
}
