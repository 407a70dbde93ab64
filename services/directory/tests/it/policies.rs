//! Managed policies and their versions.

use reeve_directory::entity::Kind;
use reeve_directory::policy::{NewPolicy, PolicyFilter, PolicyUsage};
use reeve_proto::error::v1::ErrorReason::{
    DeleteConflict, EntityAlreadyExists, InvalidInput, LimitExceeded, MalformedPolicyDocument, NoSuchEntity,
};

use crate::world::{World, allow, policy_arn, refused};

#[tokio::test]
async fn a_policy_is_found_by_its_exact_arn() {
    let world = World::new().await;
    let policy = world.policy("P").await;
    let found = world.run(async |d| d.policies().get(&policy_arn("P")).await).await.unwrap();
    assert_eq!(found, policy);
    for arn in [
        policy_arn("p"),
        policy_arn("a/P"),
        "arn:aws:iam::444455556666:policy/P".to_owned(),
        "arn:aws:iam::111122223333:user/P".to_owned(),
        "arn:aws-cn:iam::111122223333:policy/P".to_owned(),
    ] {
        let answer = world.run(async |d| d.policies().get(&arn).await).await;
        refused(answer, NoSuchEntity, &format!("Policy {arn} was not found."));
    }
    let answer = world.run(async |d| d.policies().get("a policy of some sort").await).await;
    refused(answer, InvalidInput, "ARN a policy of some sort is not valid.");
    let new = NewPolicy { name: "p".to_owned(), document: allow("a:b"), ..NewPolicy::default() };
    refused(
        world.run(async |d| d.policies().create(new.clone()).await).await,
        EntityAlreadyExists,
        "A policy called p already exists. Duplicate names are not allowed.",
    );
}

#[tokio::test]
async fn a_malformed_document_writes_nothing() {
    let world = World::new().await;
    let commits = world.engine.commits();
    for document in ["", "{}", "[", &allow("s3:*").replace("2012-10-17", "2008-10-17"), &allow("nonsense")] {
        let new =
            NewPolicy { name: "p".to_owned(), document: (*document).to_owned(), ..NewPolicy::default() };
        let error = world.run(async |d| d.policies().create(new.clone()).await).await.unwrap_err();
        assert_eq!(error.reason, MalformedPolicyDocument, "{document}");
    }
    assert_eq!(world.engine.commits(), commits);
}

#[tokio::test]
async fn versions_are_numbered_for_ever_and_bounded() {
    let world = World::new().await;
    world.policy("p").await;
    let arn = policy_arn("p");
    let create = async |set_as_default: bool| {
        let document = allow("s3:PutObject");
        world.run(async |d| d.policy_versions().create(&arn, &document, set_as_default).await).await
    };
    let list = async |after: Option<&str>, limit| {
        let page = world.run(async |d| d.policy_versions().list(&arn, after, limit).await).await.unwrap();
        (page.items.iter().map(|version| version.name()).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(create(false).await.unwrap().name(), "v2");
    let third = create(true).await.unwrap();
    assert!(third.is_default);
    for _ in 4..=5 {
        create(false).await.unwrap();
    }
    refused(
        create(false).await,
        LimitExceeded,
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    );
    assert_eq!(list(None, 2).await, (vec!["v5".to_owned(), "v4".to_owned()], Some("v4".to_owned())));
    assert_eq!(list(Some("v4"), 9).await.0, ["v3", "v2", "v1"]);

    let delete =
        async |version: &str| world.run(async |d| d.policy_versions().delete(&arn, version).await).await;
    refused(delete("v3").await, DeleteConflict, "Cannot delete the default version of a policy.");
    delete("v5").await.unwrap();
    assert_eq!(create(false).await.unwrap().name(), "v6", "a number is never used again");
    for version in ["v5", "v9", "v01"] {
        refused(
            delete(version).await,
            NoSuchEntity,
            &format!("Policy {arn} version {version} does not exist or is not attachable."),
        );
    }
    world.run(async |d| d.policy_versions().set_default(&arn, "v1").await).await.unwrap();
    let policy = world.run(async |d| d.policies().get(&arn).await).await.unwrap();
    assert_eq!((policy.default_version, policy.newest_version), (1, 6));
    let version = world.run(async |d| d.policy_versions().get(&arn, "v1").await).await.unwrap();
    assert_eq!((version.is_default, version.record.document), (true, allow("s3:GetObject")));
}

#[tokio::test]
async fn only_an_unused_policy_is_deleted() {
    let world = World::new().await;
    world.policy("p").await;
    world.role("r", &crate::world::trusting("*")).await.unwrap();
    let arn = policy_arn("p");
    let delete = async || world.run(async |d| d.policies().delete(&arn).await).await;
    world.run(async |d| d.attachments().attach(Kind::Role, "r", &arn).await).await.unwrap();
    refused(delete().await, DeleteConflict, "Cannot delete a policy attached to entities.");
    world.run(async |d| d.attachments().detach(Kind::Role, "r", &arn).await).await.unwrap();
    let document = allow("a:b");
    world.run(async |d| d.policy_versions().create(&arn, &document, false).await).await.unwrap();
    assert!(delete().await.unwrap_err().message.starts_with("This policy has more than one version."));
    world.run(async |d| d.policy_versions().delete(&arn, "v2").await).await.unwrap();
    delete().await.unwrap();
    assert!(world.run(async |d| d.policies().get(&arn).await).await.is_err());
    // Only the counters of the account and its records are left.
    world.policy("p").await;
}

#[tokio::test]
async fn lists_tell_how_policies_are_used() {
    let world = World::new().await;
    for name in ["a", "b", "c", "d"] {
        world.policy(name).await;
    }
    world.user("u").await;
    world.run(async |d| d.attachments().attach(Kind::User, "u", &policy_arn("b")).await).await.unwrap();
    world.run(async |d| d.boundaries().set(Kind::User, "u", &policy_arn("d")).await).await.unwrap();
    let list = async |only_attached, usage| {
        let filter = PolicyFilter { only_attached, usage };
        let page = world.run(async |d| d.policies().list("/", filter, None, 10).await).await.unwrap();
        page.items.into_iter().map(|(policy, _)| policy.policy_name).collect::<Vec<_>>()
    };
    assert_eq!(list(false, None).await, ["a", "b", "c", "d"]);
    assert_eq!(list(true, None).await, ["b", "d"]);
    assert_eq!(list(false, Some(PolicyUsage::Permissions)).await, ["b"]);
    assert_eq!(list(true, Some(PolicyUsage::Boundary)).await, ["d"]);
    let filter = PolicyFilter { only_attached: true, usage: None };
    let page = world.run(async |d| d.policies().list("/", filter, None, 1).await).await.unwrap();
    assert_eq!((page.items[0].0.policy_name.as_str(), page.items[0].1.attachments), ("b", 1));
    assert_eq!(page.next.as_deref(), Some("b"));
}
