//! How people sign in: passwords that are remembered, devices that are somebody's, aliases that mean one account.

use reeve_directory::mfa_device::NewMfaDevice;
use reeve_directory::{Owner, account_alias, password_use};
use reeve_proto::error::v1::ErrorReason::{EntityAlreadyExists, NoSuchEntity};

use crate::world::{ACCOUNT, NOW, OTHER_ACCOUNT, World, refused};

/// The n-th password's hash, as far as the directory is concerned.
fn hash(number: u8) -> Vec<u8> {
    vec![number; 150]
}

#[tokio::test]
async fn the_last_24_passwords_are_remembered_the_present_one_first() {
    let world = World::new().await;
    let alice = world.user("alice").await.user_id;
    let last = async |count: usize| {
        world.run(async |d| d.login_profiles().last_hashes(&alice, count).await).await.unwrap()
    };
    assert!(last(24).await.is_empty());
    for number in 1..=30 {
        world.run(async |d| d.login_profiles().set(&alice, hash(number), false).await).await.unwrap();
    }
    let expected: Vec<_> = (7..=30).rev().map(hash).collect();
    assert_eq!(last(24).await, expected);
    assert_eq!(last(2).await, expected[..2]);
    assert!(last(0).await.is_empty());
    world
        .run(async |d| {
            let owner = d.owner(Owner::User("alice")).await?;
            d.login_profiles().delete(&owner).await
        })
        .await
        .unwrap();
    assert_eq!(last(23).await, expected[..23], "what was deleted is remembered");
    world.run(async |d| d.users().delete("alice").await).await.unwrap();
    assert!(last(24).await.is_empty(), "nothing is left of who is gone");
}

#[tokio::test]
async fn a_profile_keeps_its_date_and_a_password_has_its_own() {
    let world = World::new().await;
    let alice = world.user("alice").await.user_id;
    let first = world.run(async |d| d.login_profiles().set(&alice, hash(1), true).await).await.unwrap();
    assert_eq!((first.create_date, first.password_date, first.reset_required), (NOW, NOW, true));
    let later = world
        .run(async |d| {
            d.now = NOW + 5;
            d.login_profiles().set(&alice, hash(2), false).await
        })
        .await
        .unwrap();
    assert_eq!((later.create_date, later.password_date, later.reset_required), (NOW, NOW + 5, false));
}

#[tokio::test]
async fn a_use_is_written_of_whom_there_is_and_never_back() {
    let world = World::new().await;
    let alice = world.user("alice").await.user_id;
    let written = async |account: &str, id: &str, at: i64| {
        let mut transaction = world.begin();
        password_use::put(&mut transaction, account, id, at).await.unwrap();
        transaction.finish().await.unwrap();
        password_use::get(&mut world.begin(), account, id).await.unwrap()
    };
    assert_eq!(written(ACCOUNT, &alice, 10).await, Some(10));
    assert_eq!(written(ACCOUNT, &alice, 9).await, Some(10));
    assert_eq!(written(ACCOUNT, &alice, 11).await, Some(11));
    assert_eq!(written(ACCOUNT, ACCOUNT, 12).await, Some(12), "root's");
    assert_eq!(written(ACCOUNT, "AIDANOBODY", 12).await, None);
    assert_eq!(written(OTHER_ACCOUNT, &alice, 12).await, None);
    world.run(async |d| d.users().delete("alice").await).await.unwrap();
    assert_eq!(written(ACCOUNT, &alice, 13).await, None);
}

#[tokio::test]
async fn an_alias_means_one_account() {
    let world = World::new().await;
    let create = async |account: &str, alias: &str| {
        world.run_in(account, async |d| d.account_aliases().create(alias).await).await
    };
    let meant = async |alias: &str| account_alias::find(&mut world.begin(), alias).await.unwrap();
    create(ACCOUNT, "acme").await.unwrap();
    let taken = "The account alias acme already exists.";
    refused(create(OTHER_ACCOUNT, "acme").await, EntityAlreadyExists, taken);
    let gone = world.run_in(OTHER_ACCOUNT, async |d| d.account_aliases().delete("acme").await).await;
    refused(gone, NoSuchEntity, "The Account Alias with name acme cannot be found.");
    assert_eq!(meant("acme").await.as_deref(), Some(ACCOUNT));
    create(ACCOUNT, "acme-2").await.unwrap();
    assert_eq!((meant("acme").await, meant("acme-2").await.as_deref()), (None, Some(ACCOUNT)));
    create(OTHER_ACCOUNT, "acme").await.unwrap();
    assert_eq!(meant("acme").await.as_deref(), Some(OTHER_ACCOUNT));
}

#[tokio::test]
async fn devices_are_listed_page_by_page() {
    let world = World::new().await;
    for name in ["c", "a", "B"] {
        let new = NewMfaDevice { name: name.to_owned(), ..NewMfaDevice::default() };
        world.run(async |d| d.mfa_devices().create(new.clone(), vec![7; 90]).await).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = world.run(async |d| d.mfa_devices().list(None, after.as_deref(), 2).await).await.unwrap();
        seen.extend(page.items.into_iter().map(|device| device.serial_number));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let expected: Vec<_> =
        ["a", "B", "c"].iter().map(|name| format!("arn:aws:iam::{ACCOUNT}:mfa/{name}")).collect();
    assert_eq!(seen, expected);
    let assigned = world.run(async |d| d.mfa_devices().list(Some(true), None, 9).await).await.unwrap();
    assert!(assigned.items.is_empty());
}
