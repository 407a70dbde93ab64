//! Users: names, pages, renames, deletion.

use reeve_directory::Owner;
use reeve_directory::Settings;
use reeve_directory::access_key::NewAccessKey;
use reeve_directory::entity::Kind;
use reeve_directory::record::StoredTag;
use reeve_directory::user::NewUser;
use reeve_proto::error::v1::ErrorReason::{
    DeleteConflict, EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity,
};

use crate::world::{ACCOUNT, NOW, World, allow, policy_arn, refused};

fn named(name: &str) -> NewUser {
    NewUser { name: name.to_owned(), ..NewUser::default() }
}

#[tokio::test]
async fn a_user_is_found_whatever_the_case_and_shown_as_named() {
    let world = World::new().await;
    let new = NewUser { path: Some("/team/".to_owned()), ..named("Alice") };
    let user = world.run(async |d| d.users().create(new.clone()).await).await.unwrap();
    assert_eq!((user.path.as_str(), user.create_date), ("/team/", NOW));
    let found = world.run(async |d| d.users().get("aLICE").await).await.unwrap();
    assert_eq!(found, user);
    let found = world.run(async |d| d.users().by_id(&user.user_id).await).await.unwrap();
    assert_eq!(found, Some(user));
    let elsewhere = world.run_in("444455556666", async |d| d.users().get("Alice").await).await;
    refused(elsewhere, NoSuchEntity, "The user with name Alice cannot be found.");
}

#[tokio::test]
async fn names_are_unique_without_case() {
    let world = World::new().await;
    world.user("alice").await;
    let again = world.run(async |d| d.users().create(named("ALICE")).await).await;
    refused(again, EntityAlreadyExists, "User with name ALICE already exists.");
    world.run_in("444455556666", async |d| d.users().create(named("ALICE")).await).await.unwrap();
}

#[tokio::test]
async fn a_recreated_user_is_another_one() {
    let world = World::new().await;
    let first = world.user("alice").await;
    world.run(async |d| d.users().delete("alice").await).await.unwrap();
    refused(
        world.run(async |d| d.users().delete("alice").await).await,
        NoSuchEntity,
        "The user with name alice cannot be found.",
    );
    let second = world.user("alice").await;
    assert_ne!(first.user_id, second.user_id);
    assert_eq!(world.run(async |d| d.users().by_id(&first.user_id).await).await.unwrap(), None);
}

#[tokio::test]
async fn creating_writes_two_records_and_one_counter() {
    let world = World::new().await;
    let before = world.engine.scan(Default::default(), 100).await.unwrap().len();
    world.user("alice").await;
    let after = world.engine.scan(Default::default(), 100).await.unwrap().len();
    assert_eq!(after - before, 3);
    world.run(async |d| d.users().delete("alice").await).await.unwrap();
    // The counter stays.
    assert_eq!(world.engine.scan(Default::default(), 100).await.unwrap().len(), before + 1);
}

#[tokio::test]
async fn the_quota_holds_and_a_deletion_makes_room() {
    let mut world = World::new().await;
    world.settings.quotas.users_per_account_max = 2;
    world.user("a").await;
    world.user("b").await;
    let third = world.run(async |d| d.users().create(named("c")).await).await;
    refused(third, LimitExceeded, "Cannot exceed quota for UsersPerAccount: 2");
    world.run(async |d| d.users().delete("a").await).await.unwrap();
    world.user("c").await;
    world.settings = Settings::default();
    world.user("d").await;
}

#[tokio::test]
async fn tags_must_stand_together() {
    let world = World::new().await;
    let tag = |key: &str| StoredTag { key: key.to_owned(), value: "x".to_owned() };
    let new = NewUser { tags: vec![tag("team"), tag("TEAM")], ..named("alice") };
    refused(
        world.run(async |d| d.users().create(new.clone()).await).await,
        InvalidInput,
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    );
    assert_eq!(world.engine.commits(), 2, "only the accounts");
}

#[tokio::test]
async fn pages_are_in_folded_order_and_survive_changes_between_them() {
    let world = World::new().await;
    for name in ["Delta", "alpha", "Charlie", "bravo", "echo"] {
        world.user(name).await;
    }
    let page = world.run(async |d| d.users().list("/", None, 2).await).await.unwrap();
    let names: Vec<&str> = page.items.iter().map(|user| user.user_name.as_str()).collect();
    assert_eq!((names, page.next.as_deref()), (vec!["alpha", "bravo"], Some("bravo")));
    world.run(async |d| d.users().delete("bravo").await).await.unwrap();
    world.user("abc").await;
    let page = world.run(async |d| d.users().list("/", Some("bravo"), 3).await).await.unwrap();
    let names: Vec<&str> = page.items.iter().map(|user| user.user_name.as_str()).collect();
    assert_eq!((names, page.next), (vec!["Charlie", "Delta", "echo"], None));
}

#[tokio::test]
async fn lists_hold_only_what_lies_under_the_path() {
    let world = World::new().await;
    for (name, path) in [("a", "/x/"), ("b", "/y/"), ("c", "/x/z/"), ("d", "/")] {
        let new = NewUser { path: Some(path.to_owned()), ..named(name) };
        world.run(async |d| d.users().create(new.clone()).await).await.unwrap();
    }
    let page = world.run(async |d| d.users().list("/x/", None, 1).await).await.unwrap();
    assert_eq!((page.items[0].user_name.as_str(), page.next.as_deref()), ("a", Some("b")));
    let page = world.run(async |d| d.users().list("/x/", Some("b"), 1).await).await.unwrap();
    assert_eq!((page.items[0].user_name.as_str(), page.next), ("c", None));
    world.run(async |d| d.users().update("b", None, Some("/x/")).await).await.unwrap();
    let page = world.run(async |d| d.users().list("/x/", None, 10).await).await.unwrap();
    assert_eq!(page.items.len(), 3);
}

#[tokio::test]
async fn a_rename_keeps_the_id_and_what_hangs_on_it() {
    let world = World::new().await;
    let user = world.user("alice").await;
    world.user("bob").await;
    world.policy("p").await;
    let arn = policy_arn("p");
    world.run(async |d| d.attachments().attach(Kind::User, "alice", &arn).await).await.unwrap();
    refused(
        world.run(async |d| d.users().update("alice", Some("Bob"), None).await).await,
        EntityAlreadyExists,
        "User with name Bob already exists.",
    );
    world.run(async |d| d.users().update("alice", Some("ALICE"), None).await).await.unwrap();
    let renamed = world.run(async |d| d.users().update("alice", Some("carol"), None).await).await.unwrap();
    assert_eq!(renamed.user_id, user.user_id);
    assert!(world.run(async |d| d.users().get("alice").await).await.is_err());
    let attached = world.run(async |d| d.attachments().list(Kind::User, "carol", "/", None, 9).await).await;
    assert_eq!(attached.unwrap().items.len(), 1);
    world.user("alice").await;
}

#[tokio::test]
async fn only_an_empty_user_is_deleted() {
    let world = World::new().await;
    world.user("alice").await;
    world.group("g").await;
    world.policy("p").await;
    let arn = policy_arn("p");
    let key = NewAccessKey { access_key_id: "AKIAALICE".to_owned(), sealed_secret: vec![1] };
    let delete = async || world.run(async |d| d.users().delete("alice").await).await;

    world.run(async |d| d.attachments().attach(Kind::User, "alice", &arn).await).await.unwrap();
    refused(delete().await, DeleteConflict, "Cannot delete entity, must detach all policies first.");
    world.run(async |d| d.attachments().detach(Kind::User, "alice", &arn).await).await.unwrap();

    let document = allow("s3:*");
    world.run(async |d| d.inline_policies().put(Kind::User, "alice", "i", &document).await).await.unwrap();
    refused(delete().await, DeleteConflict, "Cannot delete entity, must delete policies first.");
    world.run(async |d| d.inline_policies().delete(Kind::User, "alice", "i").await).await.unwrap();

    let owner = Owner::User("alice");
    world.run(async |d| d.access_keys().create(owner, key.clone()).await).await.unwrap();
    refused(delete().await, DeleteConflict, "Cannot delete entity, must delete access keys first.");
    world.run(async |d| d.access_keys().delete(owner, "AKIAALICE").await).await.unwrap();

    world.run(async |d| d.memberships().add("g", "alice").await).await.unwrap();
    refused(delete().await, DeleteConflict, "Cannot delete entity, must remove user from all groups first.");
    world.run(async |d| d.memberships().remove("g", "alice").await).await.unwrap();

    delete().await.unwrap();
}

#[tokio::test]
async fn a_boundary_is_a_policy_that_cannot_go_while_it_bounds() {
    let world = World::new().await;
    let policy = world.policy("p").await;
    let arn = policy_arn("p");
    let missing = NewUser { permissions_boundary: Some(policy_arn("q")), ..named("alice") };
    refused(
        world.run(async |d| d.users().create(missing.clone()).await).await,
        NoSuchEntity,
        &format!("Policy arn:aws:iam::{ACCOUNT}:policy/q does not exist or is not attachable."),
    );
    let new = NewUser { permissions_boundary: Some(arn.clone()), ..named("alice") };
    let user = world.run(async |d| d.users().create(new.clone()).await).await.unwrap();
    assert_eq!(user.boundary_policy_id, policy.policy_id);
    let shown = world.run(async |d| d.boundaries().arn(&user.boundary_policy_id).await).await.unwrap();
    assert_eq!(shown.as_deref(), Some(arn.as_str()));
    refused(
        world.run(async |d| d.policies().delete(&arn).await).await,
        DeleteConflict,
        "Cannot delete a policy attached to entities.",
    );
    world.run(async |d| d.users().delete("alice").await).await.unwrap();
    world.run(async |d| d.policies().delete(&arn).await).await.unwrap();
}
