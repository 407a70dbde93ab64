//! Inline policies.

use reeve_directory::entity::Kind;
use reeve_proto::error::v1::ErrorReason::{LimitExceeded, MalformedPolicyDocument, NoSuchEntity};

use crate::world::{World, allow, refused};

#[tokio::test]
async fn a_policy_is_put_replaced_listed_and_deleted() {
    let world = World::new().await;
    world.group("g").await;
    let put = async |name: &str, document: &str| {
        world.run(async |d| d.inline_policies().put(Kind::Group, "g", name, document).await).await
    };
    put("b", &allow("s3:GetObject").replace(',', " ,\n\t")).await.unwrap();
    put("A", &allow("s3:PutObject")).await.unwrap();
    let (entity, policy) =
        world.run(async |d| d.inline_policies().get(Kind::Group, "G", "B").await).await.unwrap();
    assert_eq!((entity.name(), policy.policy_name.as_str()), ("g", "b"));
    assert_eq!(policy.document, allow("s3:GetObject"), "stored without whitespace");
    put("B", &allow("s3:*")).await.unwrap();
    let page = world.run(async |d| d.inline_policies().list(Kind::Group, "g", None, 10).await).await.unwrap();
    assert_eq!(page.items, ["A", "B"]);
    let page = world.run(async |d| d.inline_policies().list(Kind::Group, "g", Some("a"), 10).await).await;
    assert_eq!(page.unwrap().items, ["B"]);
    world.run(async |d| d.inline_policies().delete(Kind::Group, "g", "b").await).await.unwrap();
    refused(
        world.run(async |d| d.inline_policies().get(Kind::Group, "g", "b").await).await,
        NoSuchEntity,
        "The group policy with name b cannot be found.",
    );
    assert_eq!(put("c", "{").await.unwrap_err().reason, MalformedPolicyDocument);
}

#[tokio::test]
async fn their_sizes_are_bounded_together() {
    let world = World::new().await;
    world.user("u").await;
    let put = async |name: &str, length: usize| {
        let document = allow(&format!("s3:{}", "a".repeat(length)));
        world.run(async |d| d.inline_policies().put(Kind::User, "u", name, &document).await).await
    };
    put("a", 900).await.unwrap();
    put("b", 900).await.unwrap();
    refused(put("c", 100).await, LimitExceeded, "Maximum policy size of 2048 bytes exceeded for user u");
    put("A", 100).await.unwrap();
    put("c", 100).await.unwrap();
}
