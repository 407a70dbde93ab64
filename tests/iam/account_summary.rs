//! The account in numbers.

use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::iam::v1::{DeleteUserRequest, GetAccountSummaryRequest};

use crate::world::{ACCOUNT, Authenticator, World, allow, trust};

#[tokio::test]
async fn the_account_is_counted_and_its_quotas_are_told() {
    let world = World::configured(|config| config.quotas.users_per_account_max = 77).await;
    let summary = async || world.root().call(&GetAccountSummaryRequest {}).await.unwrap().summary_map;
    let before = summary().await;
    for (name, number) in [
        ("Users", 0),
        ("Policies", 0),
        ("UsersQuota", 77),
        ("GroupsQuota", 300),
        ("PolicySizeQuota", 6144),
        ("VersionsPerPolicyQuota", 5),
        ("AccountAccessKeysPresent", 1),
        ("ServerCertificates", 0),
    ] {
        assert_eq!(before.get(name), Some(&number), "{name}");
    }
    world
        .root()
        .call(&reeve_proto::iam::v1::CreateUserRequest {
            user_name: "alice".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap();
    world.group("crew").await;
    world.role("reader", &trust(ACCOUNT)).await;
    world.policy("one", &allow("s3:*", "*")).await;
    world.policy("two", &allow("s3:*", "*")).await;
    let after = summary().await;
    for (name, number) in [("Users", 1), ("Groups", 1), ("Roles", 1), ("Policies", 2), ("MFADevices", 0)] {
        assert_eq!(after.get(name), Some(&number), "{name}");
    }
    world.root().call(&DeleteUserRequest { user_name: "alice".to_owned() }).await.unwrap();
    assert_eq!(summary().await.get("Users"), Some(&0));
}

#[tokio::test]
async fn what_protects_the_root_is_told() {
    let world = World::start().await;
    let summary = async |name: &str| {
        world.root().call(&GetAccountSummaryRequest {}).await.unwrap().summary_map.get(name).copied()
    };
    for name in ["MFADevices", "MFADevicesInUse", "AccountMFAEnabled", "AccountPasswordPresent"] {
        assert_eq!(summary(name).await, Some(0), "{name}");
    }
    Authenticator::created(&world, "spare").await;
    let device = Authenticator::created(&world, "root").await;
    let enable = device.enable(None, SystemClock.now().seconds());
    world.root().call(&enable).await.unwrap();
    for (name, number) in [("MFADevices", 2), ("MFADevicesInUse", 1), ("AccountMFAEnabled", 1)] {
        assert_eq!(summary(name).await, Some(number), "{name}");
    }
}
