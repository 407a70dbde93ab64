//! Access keys.

use reeve_directory::Owner;
use reeve_directory::access_key::{self, NewAccessKey};
use reeve_proto::error::v1::ErrorReason::{LimitExceeded, NoSuchEntity};

use crate::world::{ACCOUNT, World, refused};

fn key(id: &str) -> NewAccessKey {
    NewAccessKey { access_key_id: id.to_owned(), sealed_secret: vec![7; 60] }
}

#[tokio::test]
async fn users_and_root_have_two_keys_at_most() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    for (owner, principal) in [(Owner::User("Alice"), alice.user_id.as_str()), (Owner::Root, ACCOUNT)] {
        let ids: Vec<String> = (0..3).map(|number| format!("AKIA{principal}{number}")).collect();
        for id in &ids[..2] {
            let record = world.run(async |d| d.access_keys().create(owner, key(id)).await).await.unwrap();
            assert_eq!((record.principal_id.as_str(), record.active), (principal, true));
        }
        refused(
            world.run(async |d| d.access_keys().create(owner, key(&ids[2])).await).await,
            LimitExceeded,
            "Cannot exceed quota for AccessKeysPerUser: 2",
        );
        let page = world.run(async |d| d.access_keys().list(owner, None, 1).await).await.unwrap();
        assert_eq!(
            (page.items[0].access_key_id.as_str(), page.next.as_ref()),
            (ids[0].as_str(), Some(&ids[0]))
        );
        let page = world.run(async |d| d.access_keys().list(owner, Some(&ids[0]), 1).await).await.unwrap();
        assert_eq!((page.items[0].access_key_id.as_str(), page.next), (ids[1].as_str(), None));
        world.run(async |d| d.access_keys().delete(owner, &ids[0]).await).await.unwrap();
        world.run(async |d| d.access_keys().create(owner, key(&ids[2])).await).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_id_alone_and_changed_by_its_owner_alone() {
    let world = World::new().await;
    world.user("alice").await;
    world.user("bob").await;
    let (alice, bob) = (Owner::User("alice"), Owner::User("bob"));
    world.run(async |d| d.access_keys().create(alice, key("AKIA1")).await).await.unwrap();
    for owner in [bob, Owner::Root] {
        let answer = world.run(async |d| d.access_keys().set_active(owner, "AKIA1", false).await).await;
        refused(answer, NoSuchEntity, "The Access Key with id AKIA1 cannot be found.");
        let answer = world.run(async |d| d.access_keys().delete(owner, "AKIA1").await).await;
        refused(answer, NoSuchEntity, "The Access Key with id AKIA1 cannot be found.");
    }
    let mut reader = world.begin();
    let found = access_key::find(&mut reader, "AKIA1").await.unwrap().unwrap();
    assert_eq!((found.account_id.as_str(), found.active), (ACCOUNT, true));
    world.run(async |d| d.access_keys().set_active(alice, "AKIA1", false).await).await.unwrap();
    assert!(reader.finish().await.unwrap_err().is_conflict(), "whoever used the key is told");
    let found = world.run(async |d| d.access_keys().find("AKIA1").await).await.unwrap().unwrap();
    assert!(!found.active);
    assert_eq!(found.sealed_secret, vec![7; 60]);
}
