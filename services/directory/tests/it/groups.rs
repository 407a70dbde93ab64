//! Groups and memberships.

use reeve_directory::entity::Kind;
use reeve_directory::group::NewGroup;
use reeve_proto::error::v1::ErrorReason::{DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity};

use crate::world::{World, policy_arn, refused};

#[tokio::test]
async fn groups_are_named_without_case_and_listed_in_order() {
    let world = World::new().await;
    world.group("Beta").await;
    world.group("alpha").await;
    let new = NewGroup { name: "BETA".to_owned(), path: None };
    refused(
        world.run(async |d| d.groups().create(new.clone()).await).await,
        EntityAlreadyExists,
        "Group with name BETA already exists.",
    );
    let page = world.run(async |d| d.groups().list("/", None, 10).await).await.unwrap();
    let names: Vec<&str> = page.items.iter().map(|group| group.group_name.as_str()).collect();
    assert_eq!(names, ["alpha", "Beta"]);
    refused(
        world.run(async |d| d.groups().get("gamma").await).await,
        NoSuchEntity,
        "The group with name gamma cannot be found.",
    );
}

#[tokio::test]
async fn members_are_seen_from_both_sides() {
    let world = World::new().await;
    for group in ["Ops", "dev"] {
        world.group(group).await;
    }
    for user in ["a", "b", "c"] {
        world.user(user).await;
        world.run(async |d| d.memberships().add("ops", user).await).await.unwrap();
        world.run(async |d| d.memberships().add("ops", user).await).await.unwrap();
    }
    world.run(async |d| d.memberships().add("dev", "a").await).await.unwrap();

    let groups = world.run(async |d| d.memberships().groups_of("a", None, 10).await).await.unwrap();
    let names: Vec<&str> = groups.items.iter().map(|group| group.group_name.as_str()).collect();
    assert_eq!(names, ["dev", "Ops"]);

    let first = world.run(async |d| d.memberships().users_of("OPS", None, 2).await).await.unwrap();
    assert_eq!(first.items.len(), 2);
    let next = first.next.unwrap();
    let second = world.run(async |d| d.memberships().users_of("OPS", Some(&next), 2).await).await.unwrap();
    let mut names: Vec<String> =
        first.items.into_iter().chain(second.items).map(|user| user.user_name).collect();
    names.sort();
    assert_eq!((names, second.next), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], None));

    world.run(async |d| d.memberships().remove("ops", "a").await).await.unwrap();
    refused(
        world.run(async |d| d.memberships().remove("ops", "a").await).await,
        NoSuchEntity,
        "User a is not in group Ops.",
    );
}

#[tokio::test]
async fn a_user_is_in_ten_groups_at_most() {
    let world = World::new().await;
    world.user("a").await;
    for number in 0..11 {
        world.group(&format!("g{number}")).await;
    }
    for number in 0..10 {
        world.run(async |d| d.memberships().add(&format!("g{number}"), "a").await).await.unwrap();
    }
    refused(
        world.run(async |d| d.memberships().add("g10", "a").await).await,
        LimitExceeded,
        "Cannot exceed quota for GroupsPerUser: 10",
    );
}

#[tokio::test]
async fn only_an_empty_group_is_deleted() {
    let world = World::new().await;
    world.group("g").await;
    world.user("a").await;
    world.policy("p").await;
    let arn = policy_arn("p");
    let delete = async || world.run(async |d| d.groups().delete("g").await).await;

    world.run(async |d| d.memberships().add("g", "a").await).await.unwrap();
    refused(delete().await, DeleteConflict, "Cannot delete entity, must remove users from group first.");
    world.run(async |d| d.memberships().remove("g", "a").await).await.unwrap();
    world.run(async |d| d.attachments().attach(Kind::Group, "g", &arn).await).await.unwrap();
    refused(delete().await, DeleteConflict, "Cannot delete entity, must detach all policies first.");
    world.run(async |d| d.attachments().detach(Kind::Group, "g", &arn).await).await.unwrap();
    delete().await.unwrap();
    assert!(world.run(async |d| d.groups().get("g").await).await.is_err());
}
