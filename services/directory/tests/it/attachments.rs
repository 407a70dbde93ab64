//! Attachments of managed policies.

use reeve_directory::entity::Kind;
use reeve_proto::error::v1::ErrorReason::{InvalidInput, LimitExceeded, NoSuchEntity};

use crate::world::{World, policy_arn, refused, trusting};

#[tokio::test]
async fn all_three_kinds_hold_policies() {
    let world = World::new().await;
    world.user("x").await;
    world.group("x").await;
    world.role("x", &trusting("*")).await.unwrap();
    for name in ["b", "A"] {
        world.policy(name).await;
    }
    for kind in [Kind::User, Kind::Group, Kind::Role] {
        for name in ["b", "A", "b"] {
            world.run(async |d| d.attachments().attach(kind, "X", &policy_arn(name)).await).await.unwrap();
        }
        let page = world.run(async |d| d.attachments().list(kind, "x", "/", None, 1).await).await.unwrap();
        assert_eq!((page.items[0].policy_name.as_str(), page.next.as_deref()), ("A", Some("a")));
        let page =
            world.run(async |d| d.attachments().list(kind, "x", "/", Some("a"), 1).await).await.unwrap();
        assert_eq!((page.items[0].policy_name.as_str(), page.next), ("b", None));
        let none = world.run(async |d| d.attachments().list(kind, "x", "/p/", None, 1).await).await.unwrap();
        assert!(none.items.is_empty());
        world.run(async |d| d.attachments().detach(kind, "x", &policy_arn("b")).await).await.unwrap();
        refused(
            world.run(async |d| d.attachments().detach(kind, "x", &policy_arn("b")).await).await,
            NoSuchEntity,
            &format!("Policy {} was not found.", policy_arn("b")),
        );
    }
    let policy = world.run(async |d| d.policies().get(&policy_arn("A")).await).await.unwrap();
    let usage = world.run(async |d| d.policies().usage(&policy).await).await.unwrap();
    assert_eq!(usage.attachments, 3);
}

#[tokio::test]
async fn what_does_not_exist_is_not_attached() {
    let world = World::new().await;
    world.user("u").await;
    let arn = policy_arn("p");
    refused(
        world.run(async |d| d.attachments().attach(Kind::User, "u", &arn).await).await,
        NoSuchEntity,
        &format!("Policy {arn} does not exist or is not attachable."),
    );
    refused(
        world.run(async |d| d.attachments().attach(Kind::Group, "u", &arn).await).await,
        NoSuchEntity,
        "The group with name u cannot be found.",
    );
    refused(
        world.run(async |d| d.attachments().attach(Kind::User, "u", "not an arn at all").await).await,
        InvalidInput,
        "ARN not an arn at all is not valid.",
    );
}

#[tokio::test]
async fn ten_policies_at_most() {
    let world = World::new().await;
    world.group("g").await;
    for number in 0..11 {
        world.policy(&format!("p{number}")).await;
    }
    let attach = async |number: u32| {
        let arn = policy_arn(&format!("p{number}"));
        world.run(async |d| d.attachments().attach(Kind::Group, "g", &arn).await).await
    };
    for number in 0..10 {
        attach(number).await.unwrap();
    }
    attach(3).await.unwrap();
    refused(attach(10).await, LimitExceeded, "Cannot exceed quota for PoliciesPerGroup: 10");
}
