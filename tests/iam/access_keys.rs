//! Access keys.

use reeve_proto::iam::v1::{
    AccessKey, AccessKeyMetadata, CreateAccessKeyRequest, DeleteAccessKeyRequest,
    GetAccessKeyLastUsedRequest, ListAccessKeysRequest, UpdateAccessKeyRequest,
};
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::{is_refused, is_refused_unwritten};
use crate::world::{World, allow, code, credentials};

fn create(user: Option<&str>) -> CreateAccessKeyRequest {
    CreateAccessKeyRequest { user_name: user.map(str::to_owned) }
}

fn update(user: Option<&str>, id: &str, status: &str) -> UpdateAccessKeyRequest {
    UpdateAccessKeyRequest {
        access_key_id: id.to_owned(),
        status: status.to_owned(),
        user_name: user.map(str::to_owned),
    }
}

fn delete(user: Option<&str>, id: &str) -> DeleteAccessKeyRequest {
    DeleteAccessKeyRequest { access_key_id: id.to_owned(), user_name: user.map(str::to_owned) }
}

async fn listed(world: &World, user: Option<&str>) -> Vec<AccessKeyMetadata> {
    let request = ListAccessKeysRequest { user_name: user.map(str::to_owned), ..Default::default() };
    world.root().call(&request).await.unwrap().access_key_metadata
}

async fn created(world: &World, user: Option<&str>) -> AccessKey {
    world.root().call(&create(user)).await.unwrap().access_key.unwrap()
}

#[tokio::test]
async fn a_key_is_created_listed_and_deleted() {
    let world = World::start().await;
    let alice = world.user("Alice").await;
    let key = &alice.key;
    assert!(key.access_key_id.starts_with("AKIA") && key.access_key_id.len() == 20, "{}", key.access_key_id);
    assert_eq!(
        (key.secret_access_key.len(), key.status.as_str(), key.user_name.as_str()),
        (40, "Active", "Alice")
    );
    let found = listed(&world, Some("ALICE")).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].user_name.as_deref(), Some("Alice"), "as the user was named");
    assert_eq!(found[0].access_key_id.as_ref(), Some(&key.access_key_id));
    assert!(!format!("{found:?} {key:?}").contains(&key.secret_access_key), "a secret is printed nowhere");
    world.root().call(&delete(Some("alice"), &key.access_key_id)).await.unwrap();
    assert!(listed(&world, Some("alice")).await.is_empty());
}

#[tokio::test]
async fn a_key_that_is_switched_off_or_deleted_signs_nothing_from_the_next_call_on() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let id = &alice.key.access_key_id;
    let who = GetCallerIdentityRequest {};
    assert_eq!(code(alice.call(&who).await), "");
    world.root().call(&update(Some("alice"), id, "Inactive")).await.unwrap();
    assert_eq!(code(alice.call(&who).await), "InvalidClientTokenId");
    assert_eq!(listed(&world, Some("alice")).await[0].status.as_deref(), Some("Inactive"));
    world.root().call(&update(Some("alice"), id, "Active")).await.unwrap();
    assert_eq!(code(alice.call(&who).await), "");
    world.root().call(&delete(Some("alice"), id)).await.unwrap();
    assert_eq!(code(alice.call(&who).await), "InvalidClientTokenId");
}

#[tokio::test]
async fn a_user_has_at_most_two_keys_whatever_their_status() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let second = created(&world, Some("alice")).await;
    world.root().call(&update(Some("alice"), &alice.key.access_key_id, "Inactive")).await.unwrap();
    let because = "Cannot exceed quota for AccessKeysPerUser: 2";
    let third = create(Some("alice"));
    is_refused_unwritten(&world, &third, "LimitExceeded", because).await;
    world.root().call(&delete(Some("alice"), &second.access_key_id)).await.unwrap();
    created(&world, Some("alice")).await;
}

#[tokio::test]
async fn a_key_is_its_owners_alone() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.user("bob").await;
    let id = &alice.key.access_key_id;
    let missing = format!("The Access Key with id {id} cannot be found.");
    for user in [Some("bob"), None] {
        is_refused(world.root().call(&update(user, id, "Inactive")).await, "NoSuchEntity", &missing);
        is_refused(world.root().call(&delete(user, id)).await, "NoSuchEntity", &missing);
    }
    assert_eq!(code(alice.call(&GetCallerIdentityRequest {}).await), "");
}

#[tokio::test]
async fn keys_are_of_existing_users() {
    let world = World::start().await;
    let missing = "The user with name nobody cannot be found.";
    is_refused(world.root().call(&create(Some("nobody"))).await, "NoSuchEntity", missing);
    let list = ListAccessKeysRequest { user_name: Some("nobody".to_owned()), ..Default::default() };
    is_refused(world.root().call(&list).await, "NoSuchEntity", missing);
}

#[tokio::test]
async fn no_key_is_made_expired() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let expired = update(Some("alice"), &alice.key.access_key_id, "Expired");
    is_refused_unwritten(&world, &expired, "InvalidInput", "Expired").await;
}

#[tokio::test]
async fn the_caller_is_meant_when_no_user_is_named() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}")).await;
    let second = alice.call(&create(None)).await.unwrap().access_key.unwrap();
    assert_eq!(second.user_name, "alice");
    let own = alice.call(&ListAccessKeysRequest::default()).await.unwrap().access_key_metadata;
    assert_eq!(own.len(), 2);
    // A key can be rotated away by the one that takes its place.
    let rotated = world.client(credentials(&second));
    rotated.call(&delete(None, &alice.key.access_key_id)).await.unwrap();
    assert_eq!(code(alice.call(&GetCallerIdentityRequest {}).await), "InvalidClientTokenId");
    assert_eq!(code(rotated.call(&create(Some("bob"))).await), "AccessDenied");
}

#[tokio::test]
async fn root_has_keys_too() {
    let world = World::start().await;
    let before = listed(&world, None).await;
    assert_eq!((before.len(), before[0].user_name.as_deref()), (1, None));
    let second = created(&world, None).await;
    assert_eq!(second.user_name, "");
    let root = world.client(credentials(&second));
    let who = root.call(&GetCallerIdentityRequest {}).await.unwrap();
    assert_eq!(who.arn, world.arn("root"));
    let because = "Cannot exceed quota for AccessKeysPerUser: 2";
    is_refused_unwritten(&world, &create(None), "LimitExceeded", because).await;
    root.call(&delete(None, before[0].access_key_id.as_deref().unwrap())).await.unwrap();
    assert_eq!(code(world.root().call(&GetCallerIdentityRequest {}).await), "InvalidClientTokenId");
    assert_eq!(code(root.call(&GetCallerIdentityRequest {}).await), "");
}

#[tokio::test]
async fn whose_a_key_is_can_be_asked_by_whoever_may_ask_about_its_user() {
    let world = World::start().await;
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let ask = |key: &str| GetAccessKeyLastUsedRequest { access_key_id: key.to_owned() };
    world.allow(&bob, &allow("iam:GetAccessKeyLastUsed", world.arn("user/alice"))).await;
    let answer = bob.call(&ask(&alice.key.access_key_id)).await.unwrap();
    assert_eq!(answer.user_name.as_deref(), Some("alice"));
    let used = answer.access_key_last_used.unwrap();
    assert_eq!((used.last_used_date, used.service_name.as_str(), used.region.as_str()), (None, "N/A", "N/A"));
    // About a key of somebody else's and about one that nobody has he learns the same: nothing.
    for key in [bob.key.access_key_id.as_str(), "AKIAIOSFODNN7EXAMPLE"] {
        assert_eq!(code(bob.call(&ask(key)).await), "AccessDenied", "{key}");
    }
    let nobodys = "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.";
    is_refused(world.root().call(&ask("AKIAIOSFODNN7EXAMPLE")).await, "NoSuchEntity", nobodys);
}
