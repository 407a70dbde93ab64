//! Users.

use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachUserPolicyRequest, CreateAccessKeyRequest, CreateUserRequest,
    CreateUserResponse, DeleteAccessKeyRequest, DeleteUserPolicyRequest, DeleteUserRequest,
    DetachUserPolicyRequest, GetUserRequest, ListAccessKeysRequest, ListUsersRequest, PutUserPolicyRequest,
    RemoveUserFromGroupRequest, UpdateUserRequest, User,
};
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use serde_json::json;

use super::{is_refused, is_refused_unwritten, tag};
use crate::world::{ACCOUNT, World, allow, code, document, refused, trust};

fn create(name: &str) -> CreateUserRequest {
    CreateUserRequest { user_name: name.to_owned(), ..Default::default() }
}

fn create_under(path: &str, name: &str) -> CreateUserRequest {
    CreateUserRequest { path: Some(path.to_owned()), ..create(name) }
}

fn delete(name: &str) -> DeleteUserRequest {
    DeleteUserRequest { user_name: name.to_owned() }
}

async fn get(world: &World, name: &str) -> User {
    let request = GetUserRequest { user_name: Some(name.to_owned()) };
    world.root().call(&request).await.unwrap().user.unwrap()
}

async fn names_under(world: &World, path: Option<&str>) -> Vec<String> {
    let request = ListUsersRequest { path_prefix: path.map(str::to_owned), ..Default::default() };
    let users = world.root().call(&request).await.unwrap().users;
    users.into_iter().map(|user| user.user_name).collect()
}

#[tokio::test]
async fn a_user_is_created_shown_listed_and_deleted() {
    let world = World::start().await;
    let request = CreateUserRequest { tags: vec![tag("team", "red")], ..create_under("/staff/", "Alice") };
    let CreateUserResponse { user: Some(created) } = world.root().call(&request).await.unwrap() else {
        panic!("no user");
    };
    assert_eq!(created.arn, world.arn("user/staff/Alice"));
    assert!(created.user_id.starts_with("AIDA") && created.user_id.len() == 21, "{}", created.user_id);
    assert!(created.create_date.unwrap().seconds > 1_700_000_000);
    assert_eq!(created.tags, [tag("team", "red")]);
    assert_eq!(get(&world, "Alice").await, created);

    let listed = world.root().call(&ListUsersRequest::default()).await.unwrap();
    assert_eq!(listed.users, [User { tags: Vec::new(), ..created }], "AWS lists users without their tags");
    assert!(!listed.is_truncated && listed.marker.is_none());

    world.root().call(&delete("Alice")).await.unwrap();
    let gone = world.root().call(&GetUserRequest { user_name: Some("Alice".to_owned()) }).await;
    is_refused(gone, "NoSuchEntity", "The user with name Alice cannot be found.");
}

#[tokio::test]
async fn names_are_unique_without_case_and_shown_as_given() {
    let world = World::start().await;
    world.root().call(&create("Alice")).await.unwrap();
    let again = world.root().call(&create("aLICE")).await;
    is_refused(again, "EntityAlreadyExists", "User with name aLICE already exists.");
    assert_eq!(get(&world, "ALICE").await.user_name, "Alice");
    world.root().call(&delete("alice")).await.unwrap();
    world.root().call(&create("aLICE")).await.unwrap();
    assert_eq!(get(&world, "alice").await.user_name, "aLICE");
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_changed() {
    let world = World::start().await;
    let missing = "The user with name nobody cannot be found.";
    is_refused(world.root().call(&delete("nobody")).await, "NoSuchEntity", missing);
    let update = UpdateUserRequest { user_name: "nobody".to_owned(), ..Default::default() };
    is_refused(world.root().call(&update).await, "NoSuchEntity", missing);
}

#[tokio::test]
async fn the_caller_is_meant_when_no_name_is_given() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("iam:GetUser", world.arn("user/alice"))).await;
    let own = alice.call(&GetUserRequest::default()).await.unwrap().user.unwrap();
    assert_eq!(own, alice.record);
    let others = alice.call(&GetUserRequest { user_name: Some("bob".to_owned()) }).await;
    assert_eq!(code(others), "AccessDenied");
}

#[tokio::test]
async fn root_has_neither_name_nor_path() {
    let world = World::start().await;
    let root = world.root().call(&GetUserRequest::default()).await.unwrap().user.unwrap();
    assert_eq!((root.user_id.as_str(), root.arn), (ACCOUNT, world.arn("root")));
    assert_eq!((root.user_name.as_str(), root.path.as_str()), ("", ""));
    assert!(root.create_date.is_some());
}

#[tokio::test]
async fn a_session_is_no_user_and_must_name_one() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("reader", &trust(alice.record.arn.clone())).await;
    world.allow_role(&role, &allow("iam:*", "*")).await;
    let session = world.assume(&alice, &role).await;
    let because = "Must specify userName when calling with non-User credentials";
    is_refused(session.call(&GetUserRequest::default()).await, "ValidationError", because);
    is_refused(session.call(&ListAccessKeysRequest::default()).await, "ValidationError", because);
    is_refused(session.call(&CreateAccessKeyRequest::default()).await, "ValidationError", because);
    assert_eq!(code(session.call(&GetUserRequest { user_name: Some("alice".to_owned()) }).await), "");
}

#[tokio::test]
async fn a_name_may_hold_every_character_that_aws_allows() {
    let world = World::start().await;
    let name = "a_b+c=d,e.f@g-h";
    let created = world.root().call(&create_under("/~!*?$/", name)).await.unwrap().user.unwrap();
    assert_eq!(created.arn, world.arn(&format!("user/~!*?$/{name}")));
    assert_eq!(get(&world, name).await, created);
    world.root().call(&delete(name)).await.unwrap();
}

#[tokio::test]
async fn what_looks_like_a_pattern_in_a_path_is_none() {
    let world = World::start().await;
    let caller = world.user("caller").await;
    world.allow(&caller, &allow(json!(["iam:CreateUser", "iam:GetUser"]), world.arn("user/own/*"))).await;
    for path in ["/*/", "/o*/", "/ow?/", "/${aws:username}/", "/x/../own/"] {
        assert_eq!(code(caller.call(&create_under(path, "alice")).await), "AccessDenied", "{path}");
    }
    assert_eq!(code(caller.call(&create_under("/own/", "alice")).await), "");
}

#[tokio::test]
async fn whoever_may_not_ask_does_not_learn_who_exists() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.user("bob").await;
    for name in ["bob", "nobody"] {
        let error = refused(alice.call(&GetUserRequest { user_name: Some(name.to_owned()) }).await);
        let expected = format!(
            "User: {} is not authorized to perform: iam:GetUser on resource: {} because no identity-based policy \
             allows the iam:GetUser action",
            alice.record.arn,
            world.arn(&format!("user/{name}"))
        );
        assert_eq!((error.code.as_str(), error.message), ("AccessDenied", expected));
    }
}

#[tokio::test]
async fn a_permission_on_an_arn_is_on_that_very_arn() {
    let world = World::start().await;
    let caller = world.user("caller").await;
    world.root().call(&create("Alice")).await.unwrap();
    world.root().call(&create_under("/staff/", "bob")).await.unwrap();
    let get = async |name: &str| caller.call(&GetUserRequest { user_name: Some(name.to_owned()) }).await;
    world.allow(&caller, &allow("iam:GetUser", world.arn("user/alice"))).await;
    world.allow(&caller, &allow("iam:GetUser", world.arn("user/bob"))).await;
    // The name finds the user whatever its case; the policy speaks of another ARN.
    assert_eq!(code(get("alice").await), "AccessDenied");
    assert_eq!(code(get("bob").await), "AccessDenied");
    world
        .allow(&caller, &allow("iam:GetUser", vec![world.arn("user/Alice"), world.arn("user/staff/*")]))
        .await;
    assert_eq!(code(get("alice").await), "");
    assert_eq!(code(get("bob").await), "");
}

#[tokio::test]
async fn a_renamed_user_stays_who_it_is() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("iam:GetUser", "*")).await;
    let update = UpdateUserRequest {
        user_name: "ALICE".to_owned(),
        new_user_name: Some("Carol".to_owned()),
        new_path: Some("/staff/".to_owned()),
    };
    world.root().call(&update).await.unwrap();
    let identity = alice.call(&GetCallerIdentityRequest {}).await.unwrap();
    assert_eq!(
        (identity.user_id, identity.arn),
        (alice.record.user_id.clone(), world.arn("user/staff/Carol"))
    );
    let own = alice.call(&GetUserRequest::default()).await.unwrap().user.unwrap();
    assert_eq!((own.user_id, own.user_name.as_str()), (alice.record.user_id.clone(), "Carol"));
    assert_eq!(
        code(world.root().call(&GetUserRequest { user_name: Some("alice".to_owned()) }).await),
        "NoSuchEntity"
    );
    world.root().call(&create("alice")).await.unwrap();
}

#[tokio::test]
async fn a_user_is_not_renamed_to_a_taken_name() {
    let world = World::start().await;
    world.root().call(&create("alice")).await.unwrap();
    world.root().call(&create("Bob")).await.unwrap();
    let rename = |to: &str| UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some(to.to_owned()),
        new_path: None,
    };
    let taken = rename("bob");
    is_refused_unwritten(&world, &taken, "EntityAlreadyExists", "User with name bob already exists.").await;
    // Its own name is not taken by another, whatever the case.
    world.root().call(&rename("Alice")).await.unwrap();
    assert_eq!(get(&world, "alice").await.user_name, "Alice");
}

#[tokio::test]
async fn whoever_renames_a_user_needs_the_permission_on_what_it_becomes() {
    let world = World::start().await;
    let caller = world.user("caller").await;
    world.root().call(&create_under("/own/", "alice")).await.unwrap();
    world.allow(&caller, &allow("iam:UpdateUser", world.arn("user/own/*"))).await;
    let update = |name: Option<&str>, path: Option<&str>| UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: name.map(str::to_owned),
        new_path: path.map(str::to_owned),
    };
    assert_eq!(code(caller.call(&update(None, Some("/admin/"))).await), "AccessDenied");
    assert_eq!(code(caller.call(&update(Some("carol"), Some("/own/deeper/"))).await), "");
}

#[tokio::test]
async fn a_user_is_deleted_only_when_nothing_hangs_on_it() {
    let world = World::start().await;
    let root = world.root();
    let alice = world.user("alice").await;
    let (name, policy_arn) =
        (|| "alice".to_owned(), world.policy("reader", &allow("s3:GetObject", "*")).await);
    world.group("staff").await;
    let (group_name, user_name) = (|| "staff".to_owned(), name);
    let document = document(&allow("s3:*", "*"));
    let policy_name = || "inline".to_owned();
    let put =
        PutUserPolicyRequest { user_name: name(), policy_name: policy_name(), policy_document: document };
    root.call(&put).await.unwrap();
    root.call(&AttachUserPolicyRequest { user_name: name(), policy_arn: policy_arn.clone() }).await.unwrap();
    root.call(&AddUserToGroupRequest { group_name: group_name(), user_name: user_name() }).await.unwrap();

    let conflict = async |message: &str| {
        is_refused_unwritten(&world, &delete("alice"), "DeleteConflict", message).await;
    };
    conflict("Cannot delete entity, must detach all policies first.").await;
    root.call(&DetachUserPolicyRequest { user_name: name(), policy_arn }).await.unwrap();
    conflict("Cannot delete entity, must delete policies first.").await;
    root.call(&DeleteUserPolicyRequest { user_name: name(), policy_name: policy_name() }).await.unwrap();
    conflict("Cannot delete entity, must delete access keys first.").await;
    let key =
        DeleteAccessKeyRequest { access_key_id: alice.key.access_key_id.clone(), user_name: Some(name()) };
    root.call(&key).await.unwrap();
    conflict("Cannot delete entity, must remove user").await;
    root.call(&RemoveUserFromGroupRequest { group_name: group_name(), user_name: name() }).await.unwrap();
    root.call(&delete("alice")).await.unwrap();
}

#[tokio::test]
async fn an_account_holds_so_many_users() {
    let world = World::configured(|config| config.quotas.users_per_account_max = 2).await;
    for name in ["a", "b"] {
        world.root().call(&create(name)).await.unwrap();
    }
    let third = create("c");
    is_refused_unwritten(&world, &third, "LimitExceeded", "Cannot exceed quota for UsersPerAccount: 2").await;
    world.root().call(&delete("a")).await.unwrap();
    world.root().call(&create("c")).await.unwrap();
}

#[tokio::test]
async fn users_are_listed_by_name_under_a_path() {
    let world = World::start().await;
    for (path, name) in [("/", "bob"), ("/a/", "Carol"), ("/a/b/", "alice"), ("/ab/", "dave")] {
        world.root().call(&create_under(path, name)).await.unwrap();
    }
    assert_eq!(names_under(&world, None).await, ["alice", "bob", "Carol", "dave"]);
    assert_eq!(names_under(&world, Some("/a")).await, ["alice", "Carol", "dave"]);
    assert_eq!(names_under(&world, Some("/a/")).await, ["alice", "Carol"]);
    assert!(names_under(&world, Some("/nowhere/")).await.is_empty());
}

#[tokio::test]
async fn tags_that_cannot_stand_together_are_refused() {
    let world = World::start().await;
    let with = |tags| CreateUserRequest { tags, ..create("alice") };
    let twice = with(vec![tag("team", "red"), tag("Team", "blue")]);
    let duplicate = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    is_refused_unwritten(&world, &twice, "InvalidInput", duplicate).await;
    let reserved = with(vec![tag("aws:team", "red")]);
    is_refused_unwritten(&world, &reserved, "InvalidInput", "system use").await;
    let empty = with(vec![tag("team", "")]);
    assert_eq!(world.root().call(&empty).await.unwrap().user.unwrap().tags, [tag("team", "")]);
}

#[tokio::test]
async fn a_deleted_users_key_signs_nothing_although_the_name_is_taken_again() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let key = DeleteAccessKeyRequest {
        access_key_id: alice.key.access_key_id.clone(),
        user_name: Some("alice".to_owned()),
    };
    world.root().call(&key).await.unwrap();
    world.root().call(&delete("alice")).await.unwrap();
    let again = world.user("alice").await;
    assert_ne!(again.record.user_id, alice.record.user_id);
    assert_eq!(code(alice.call(&GetCallerIdentityRequest {}).await), "InvalidClientTokenId");
}
