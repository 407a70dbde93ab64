//! Who uses a managed policy.

use reeve_proto::iam::v1::{
    AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest, CreateRoleRequest,
    CreateUserRequest, DeleteRoleRequest, DeleteUserPermissionsBoundaryRequest, DetachUserPolicyRequest,
    ListEntitiesForPolicyRequest, PutUserPermissionsBoundaryRequest, UpdateUserRequest,
};

use super::is_refused;
use crate::world::{ACCOUNT, World, allow, code, trust};

fn ask(policy_arn: &str) -> ListEntitiesForPolicyRequest {
    ListEntitiesForPolicyRequest { policy_arn: policy_arn.to_owned(), ..Default::default() }
}

/// The names of a whole listing, sorted: `user/alice`.
async fn names(world: &World, mut request: ListEntitiesForPolicyRequest) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = world.root().call(&request).await.unwrap();
        let items = page.policy_users.len() + page.policy_groups.len() + page.policy_roles.len();
        assert!(items <= request.max_items.unwrap_or(100).try_into().unwrap());
        assert_eq!(page.is_truncated, page.marker.is_some());
        names.extend(page.policy_users.into_iter().map(|user| format!("user/{}", user.user_name.unwrap())));
        names.extend(
            page.policy_groups.into_iter().map(|group| format!("group/{}", group.group_name.unwrap())),
        );
        names.extend(page.policy_roles.into_iter().map(|role| format!("role/{}", role.role_name.unwrap())));
        request.marker = page.marker;
        if request.marker.is_none() {
            names.sort();
            return names;
        }
    }
}

/// A policy attached to alice (under `/staff/`), to a group and to a role, which bounds bob and the role.
async fn furnished() -> (World, String) {
    let world = World::start().await;
    let root = world.root();
    let policy_arn = world.policy("shared", &allow("s3:*", "*")).await;
    let user = |name: &str, path: &str, boundary: Option<&String>| CreateUserRequest {
        user_name: name.to_owned(),
        path: Some(path.to_owned()),
        permissions_boundary: boundary.cloned(),
        ..Default::default()
    };
    root.call(&user("alice", "/staff/", None)).await.unwrap();
    root.call(&user("bob", "/", Some(&policy_arn))).await.unwrap();
    root.call(&user("carol", "/staff/", None)).await.unwrap();
    world.group("crew").await;
    let role = CreateRoleRequest {
        role_name: "reader".to_owned(),
        assume_role_policy_document: trust(ACCOUNT).to_string(),
        permissions_boundary: Some(policy_arn.clone()),
        ..Default::default()
    };
    root.call(&role).await.unwrap();
    let attach = AttachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: policy_arn.clone() };
    root.call(&attach).await.unwrap();
    let attach = AttachGroupPolicyRequest { group_name: "crew".to_owned(), policy_arn: policy_arn.clone() };
    root.call(&attach).await.unwrap();
    let attach = AttachRolePolicyRequest { role_name: "reader".to_owned(), policy_arn: policy_arn.clone() };
    root.call(&attach).await.unwrap();
    (world, policy_arn)
}

#[tokio::test]
async fn holders_are_listed_once_page_by_page() {
    let (world, policy_arn) = furnished().await;
    let all = ["group/crew", "role/reader", "user/alice", "user/bob"];
    for max_items in [None, Some(1), Some(2), Some(3), Some(4)] {
        assert_eq!(names(&world, ListEntitiesForPolicyRequest { max_items, ..ask(&policy_arn) }).await, all);
    }
    let page = world.root().call(&ask(&policy_arn)).await.unwrap();
    let alice = page.policy_users.iter().find(|user| user.user_name.as_deref() == Some("alice")).unwrap();
    assert!(alice.user_id.as_ref().unwrap().starts_with("AIDA"));
}

#[tokio::test]
async fn holders_are_filtered() {
    let (world, policy_arn) = furnished().await;
    let of = |entity: Option<&str>, usage: Option<&str>, path: Option<&str>| ListEntitiesForPolicyRequest {
        entity_filter: entity.map(str::to_owned),
        policy_usage_filter: usage.map(str::to_owned),
        path_prefix: path.map(str::to_owned),
        ..ask(&policy_arn)
    };
    for (entity, usage, path, expected) in [
        (Some("User"), None, None, &["user/alice", "user/bob"][..]),
        (Some("Group"), None, None, &["group/crew"]),
        (Some("Role"), None, None, &["role/reader"]),
        (Some("LocalManagedPolicy"), None, None, &[]),
        (None, Some("PermissionsPolicy"), None, &["group/crew", "role/reader", "user/alice"]),
        (None, Some("PermissionsBoundary"), None, &["role/reader", "user/bob"]),
        (Some("User"), Some("PermissionsBoundary"), None, &["user/bob"]),
        (None, None, Some("/staff/"), &["user/alice"]),
    ] {
        assert_eq!(names(&world, of(entity, usage, path)).await, expected, "{entity:?} {usage:?} {path:?}");
    }
}

#[tokio::test]
async fn the_listing_is_as_things_are() {
    let (world, policy_arn) = furnished().await;
    let root = world.root();
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("Alicia".to_owned()),
        new_path: None,
    };
    root.call(&rename).await.unwrap();
    assert!(names(&world, ask(&policy_arn)).await.contains(&"user/Alicia".to_owned()));
    let detach = DetachUserPolicyRequest { user_name: "alicia".to_owned(), policy_arn: policy_arn.clone() };
    root.call(&detach).await.unwrap();
    root.call(&DeleteUserPermissionsBoundaryRequest { user_name: "bob".to_owned() }).await.unwrap();
    let bound = PutUserPermissionsBoundaryRequest {
        user_name: "carol".to_owned(),
        permissions_boundary: policy_arn.clone(),
    };
    root.call(&bound).await.unwrap();
    assert_eq!(names(&world, ask(&policy_arn)).await, ["group/crew", "role/reader", "user/carol"]);
    let arn = policy_arn.clone();
    let detach =
        reeve_proto::iam::v1::DetachRolePolicyRequest { role_name: "reader".to_owned(), policy_arn: arn };
    root.call(&detach).await.unwrap();
    root.call(&DeleteRoleRequest { role_name: "reader".to_owned() }).await.unwrap();
    assert_eq!(names(&world, ask(&policy_arn)).await, ["group/crew", "user/carol"]);
}

#[tokio::test]
async fn a_marker_is_good_for_its_own_listing_alone() {
    let (world, policy_arn) = furnished().await;
    let first = ListEntitiesForPolicyRequest { max_items: Some(1), ..ask(&policy_arn) };
    let marker = world.root().call(&first).await.unwrap().marker;
    let other =
        ListEntitiesForPolicyRequest { entity_filter: Some("User".to_owned()), marker, ..ask(&policy_arn) };
    assert_eq!(code(world.root().call(&other).await), "ValidationError");
}

#[tokio::test]
async fn what_does_not_exist_has_no_holders() {
    let world = World::start().await;
    let arn = world.arn("policy/nothing");
    let because = format!("Policy {arn} was not found.");
    is_refused(world.root().call(&ask(&arn)).await, "NoSuchEntity", &because);
    assert_eq!(code(world.root().call(&ask("this is not an ARN at all")).await), "InvalidInput");
}
