//! Groups, and who is in them.

use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachGroupPolicyRequest, CreateGroupRequest, DeleteGroupPolicyRequest,
    DeleteGroupRequest, DetachGroupPolicyRequest, GetGroupRequest, GetGroupResponse, GetUserRequest,
    ListGroupsForUserRequest, ListGroupsRequest, PutGroupPolicyRequest, RemoveUserFromGroupRequest,
    UpdateGroupRequest, UpdateUserRequest,
};

use super::{is_refused, is_refused_unwritten};
use crate::world::{World, allow, code, document};

fn create(name: &str) -> CreateGroupRequest {
    CreateGroupRequest { group_name: name.to_owned(), ..Default::default() }
}

fn delete(name: &str) -> DeleteGroupRequest {
    DeleteGroupRequest { group_name: name.to_owned() }
}

fn add(group: &str, user: &str) -> AddUserToGroupRequest {
    AddUserToGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }
}

fn remove(group: &str, user: &str) -> RemoveUserFromGroupRequest {
    RemoveUserFromGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }
}

async fn get(world: &World, name: &str) -> GetGroupResponse {
    world.root().call(&GetGroupRequest { group_name: name.to_owned(), ..Default::default() }).await.unwrap()
}

async fn groups_of(world: &World, user: &str) -> Vec<String> {
    let request = ListGroupsForUserRequest { user_name: user.to_owned(), ..Default::default() };
    world.root().call(&request).await.unwrap().groups.into_iter().map(|group| group.group_name).collect()
}

#[tokio::test]
async fn a_group_is_created_shown_listed_and_deleted() {
    let world = World::start().await;
    let request = CreateGroupRequest { path: Some("/org/".to_owned()), ..create("Staff") };
    let group = world.root().call(&request).await.unwrap().group.unwrap();
    assert_eq!(group.arn, world.arn("group/org/Staff"));
    assert!(group.group_id.starts_with("AGPA") && group.group_id.len() == 21, "{}", group.group_id);
    let shown = get(&world, "staff").await;
    assert_eq!((shown.group, shown.users.len()), (Some(group.clone()), 0));
    let listed = world.root().call(&ListGroupsRequest::default()).await.unwrap();
    assert_eq!(listed.groups, [group]);
    world.root().call(&delete("STAFF")).await.unwrap();
    let gone =
        world.root().call(&GetGroupRequest { group_name: "Staff".to_owned(), ..Default::default() }).await;
    is_refused(gone, "NoSuchEntity", "The group with name Staff cannot be found.");
}

#[tokio::test]
async fn names_are_unique_without_case() {
    let world = World::start().await;
    world.group("staff").await;
    let again = create("Staff");
    is_refused_unwritten(&world, &again, "EntityAlreadyExists", "Group with name Staff already exists.")
        .await;
    // A user's name is another matter.
    world.user("staff").await;
}

#[tokio::test]
async fn a_member_is_added_once_shown_and_removed() {
    let world = World::start().await;
    world.group("staff").await;
    let alice = world.user("alice").await;
    world.root().call(&add("STAFF", "ALICE")).await.unwrap();
    let before = world.commits();
    world.root().call(&add("staff", "alice")).await.unwrap();
    assert!(world.commits() <= before + 1, "nothing but an audit event");
    let users = get(&world, "staff").await.users;
    assert_eq!(users.iter().map(|user| &user.arn).collect::<Vec<_>>(), [&alice.record.arn]);
    assert_eq!(groups_of(&world, "alice").await, ["staff"]);
    world.root().call(&remove("staff", "alice")).await.unwrap();
    assert!(get(&world, "staff").await.users.is_empty());
    assert_eq!(code(world.root().call(&remove("staff", "alice")).await), "NoSuchEntity");
}

#[tokio::test]
async fn membership_is_of_existing_groups_and_users() {
    let world = World::start().await;
    world.group("staff").await;
    world.user("alice").await;
    let no_group = "The group with name nothing cannot be found.";
    let no_user = "The user with name nobody cannot be found.";
    is_refused(world.root().call(&add("nothing", "alice")).await, "NoSuchEntity", no_group);
    is_refused(world.root().call(&add("staff", "nobody")).await, "NoSuchEntity", no_user);
    is_refused(world.root().call(&remove("nothing", "alice")).await, "NoSuchEntity", no_group);
    is_refused(world.root().call(&remove("staff", "nobody")).await, "NoSuchEntity", no_user);
    let of_nobody = ListGroupsForUserRequest { user_name: "nobody".to_owned(), ..Default::default() };
    is_refused(world.root().call(&of_nobody).await, "NoSuchEntity", no_user);
}

#[tokio::test]
async fn a_member_that_is_renamed_stays_in() {
    let world = World::start().await;
    world.group("staff").await;
    world.user("alice").await;
    world.root().call(&add("staff", "alice")).await.unwrap();
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("carol".to_owned()),
        new_path: None,
    };
    world.root().call(&rename).await.unwrap();
    assert_eq!(get(&world, "staff").await.users[0].user_name, "carol");
    assert_eq!(groups_of(&world, "carol").await, ["staff"]);
}

#[tokio::test]
async fn a_user_is_in_so_many_groups() {
    let world = World::configured(|config| config.quotas.groups_per_user_max = 2).await;
    world.user("alice").await;
    for name in ["a", "b", "c"] {
        world.group(name).await;
    }
    world.root().call(&add("a", "alice")).await.unwrap();
    world.root().call(&add("b", "alice")).await.unwrap();
    let third = add("c", "alice");
    is_refused_unwritten(&world, &third, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 2").await;
    world.root().call(&remove("a", "alice")).await.unwrap();
    world.root().call(&add("c", "alice")).await.unwrap();
}

#[tokio::test]
async fn an_account_holds_so_many_groups() {
    let world = World::configured(|config| config.quotas.groups_per_account_max = 1).await;
    world.group("a").await;
    let second = create("b");
    is_refused_unwritten(&world, &second, "LimitExceeded", "Cannot exceed quota for GroupsPerAccount: 1")
        .await;
}

#[tokio::test]
async fn a_group_is_deleted_only_when_nothing_hangs_on_it() {
    let world = World::start().await;
    let root = world.root();
    world.group("staff").await;
    world.user("alice").await;
    let policy_arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    let (group_name, policy_name) = (|| "staff".to_owned(), || "inline".to_owned());
    let policy_document = document(&allow("s3:*", "*"));
    let put = PutGroupPolicyRequest { group_name: group_name(), policy_name: policy_name(), policy_document };
    root.call(&put).await.unwrap();
    root.call(&AttachGroupPolicyRequest { group_name: group_name(), policy_arn: policy_arn.clone() })
        .await
        .unwrap();
    root.call(&add("staff", "alice")).await.unwrap();

    let conflict = async |message: &str| {
        is_refused_unwritten(&world, &delete("staff"), "DeleteConflict", message).await;
    };
    conflict("Cannot delete entity, must remove users from group first.").await;
    root.call(&remove("staff", "alice")).await.unwrap();
    conflict("Cannot delete entity, must detach all policies first.").await;
    root.call(&DetachGroupPolicyRequest { group_name: group_name(), policy_arn }).await.unwrap();
    conflict("Cannot delete entity, must delete policies first.").await;
    root.call(&DeleteGroupPolicyRequest { group_name: group_name(), policy_name: policy_name() })
        .await
        .unwrap();
    root.call(&delete("staff")).await.unwrap();
}

#[tokio::test]
async fn what_a_group_may_its_members_may_from_the_next_call_on() {
    let world = World::start().await;
    world.group("staff").await;
    let alice = world.user("alice").await;
    let own = GetUserRequest::default();
    let put = PutGroupPolicyRequest {
        group_name: "staff".to_owned(),
        policy_name: "self".to_owned(),
        policy_document: document(&allow("iam:GetUser", "arn:aws:iam::*:user/${aws:username}")),
    };
    world.root().call(&put).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "AccessDenied");
    world.root().call(&add("staff", "alice")).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "");
    world.root().call(&remove("staff", "alice")).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "AccessDenied");
}

fn update(name: &str, new_name: Option<&str>, new_path: Option<&str>) -> UpdateGroupRequest {
    UpdateGroupRequest {
        group_name: name.to_owned(),
        new_group_name: new_name.map(str::to_owned),
        new_path: new_path.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_renamed_group_keeps_its_users_and_what_they_may() {
    let world = World::start().await;
    let before = world.group("staff").await;
    let alice = world.user("alice").await;
    world.root().call(&add("staff", "alice")).await.unwrap();
    let policy = PutGroupPolicyRequest {
        group_name: "staff".to_owned(),
        policy_name: "see".to_owned(),
        policy_document: document(&allow("iam:GetUser", "*")),
    };
    world.root().call(&policy).await.unwrap();
    world.root().call(&update("STAFF", Some("Crew"), Some("/org/"))).await.unwrap();
    let after = get(&world, "crew").await.group.unwrap();
    assert_eq!((after.group_id, after.arn), (before.group_id, world.arn("group/org/Crew")));
    assert_eq!(groups_of(&world, "alice").await, ["Crew"]);
    assert_eq!(code(alice.call(&GetUserRequest::default()).await), "");
    world.root().call(&create("staff")).await.unwrap();
}

#[tokio::test]
async fn a_group_is_not_renamed_to_a_taken_name() {
    let world = World::start().await;
    world.group("staff").await;
    world.group("Crew").await;
    let taken = "Group with name crew already exists.";
    is_refused_unwritten(&world, &update("staff", Some("crew"), None), "EntityAlreadyExists", taken).await;
    world.root().call(&update("staff", Some("Staff"), None)).await.unwrap();
    assert_eq!(get(&world, "staff").await.group.unwrap().group_name, "Staff");
    let missing = "The group with name nothing cannot be found.";
    is_refused_unwritten(&world, &update("nothing", None, None), "NoSuchEntity", missing).await;
}

#[tokio::test]
async fn whoever_renames_a_group_needs_the_permission_on_what_it_becomes() {
    let world = World::start().await;
    let caller = world.user("caller").await;
    let own = CreateGroupRequest { path: Some("/own/".to_owned()), ..create("staff") };
    world.root().call(&own).await.unwrap();
    world.allow(&caller, &allow("iam:UpdateGroup", world.arn("group/own/*"))).await;
    assert_eq!(code(caller.call(&update("staff", None, Some("/admin/"))).await), "AccessDenied");
    assert_eq!(code(caller.call(&update("staff", Some("crew"), Some("/own/deeper/"))).await), "");
    world.root().call(&update("crew", None, Some("/admin/"))).await.unwrap();
    assert_eq!(code(caller.call(&update("crew", None, Some("/own/"))).await), "AccessDenied");
}
