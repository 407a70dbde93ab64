//! What belongs to the server rather than to an account: accounts, data keys, the cluster, relying services.

use reeve_directory::record::ClusterRecord;
use reeve_directory::relying_service::NewRelyingService;
use reeve_proto::error::v1::ErrorReason::{EntityAlreadyExists, InvalidInput, NoSuchEntity};

use crate::world::{ACCOUNT, OTHER_ACCOUNT, World, refused};

#[tokio::test]
async fn accounts_are_twelve_digits_and_listed() {
    let world = World::new().await;
    refused(
        world.run(async |d| d.accounts().create(ACCOUNT).await).await,
        EntityAlreadyExists,
        "Account 111122223333 already exists.",
    );
    refused(
        world.run(async |d| d.accounts().create("12").await).await,
        InvalidInput,
        "An account id is twelve digits.",
    );
    let page = world.run(async |d| d.accounts().list(None, 1).await).await.unwrap();
    assert_eq!((page.items[0].account_id.as_str(), page.next.as_deref()), (ACCOUNT, Some(ACCOUNT)));
    let page = world.run(async |d| d.accounts().list(Some(ACCOUNT), 1).await).await.unwrap();
    assert_eq!((page.items[0].account_id.as_str(), page.next), (OTHER_ACCOUNT, None));
}

#[tokio::test]
async fn data_keys_and_the_cluster_are_read_back() {
    let world = World::empty();
    assert_eq!(world.run(async |d| d.cluster().get().await).await.unwrap(), None);
    let record = ClusterRecord { incarnation: 3, ..ClusterRecord::default() };
    world.run(async |d| d.cluster().put(&record).await).await.unwrap();
    assert_eq!(world.run(async |d| d.cluster().get().await).await.unwrap(), Some(record));
    for number in [2, 1] {
        world.run(async |d| d.data_keys().create(number, vec![9]).await).await.unwrap();
    }
    assert!(world.run(async |d| d.data_keys().create(1, vec![8]).await).await.is_err());
    let keys = world.run(async |d| d.data_keys().list().await).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.key_number).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn relying_services_have_scopes_of_their_own() {
    let world = World::new().await;
    let of = |name: &str, scope: &str| NewRelyingService {
        name: name.to_owned(),
        hosts: vec!["store.example".to_owned()],
        scope_service: scope.to_owned(),
        resource_patterns: vec!["arn:aws:s3:::*".to_owned()],
    };
    world.run(async |d| d.relying_services().create(of("Store", "s3")).await).await.unwrap();
    world.run(async |d| d.relying_services().create(of("queue", "sqs")).await).await.unwrap();
    assert!(world.run(async |d| d.relying_services().create(of("STORE", "s3")).await).await.is_err());
    for scope in ["iam", "STS", "reeve"] {
        let answer = world.run(async |d| d.relying_services().create(of("x", scope)).await).await;
        assert_eq!(answer.unwrap_err().reason, InvalidInput);
    }
    let page = world.run(async |d| d.relying_services().list(None, 1).await).await.unwrap();
    assert_eq!((page.items[0].name.as_str(), page.next.as_deref()), ("queue", Some("queue")));
    let page = world.run(async |d| d.relying_services().list(Some("queue"), 1).await).await.unwrap();
    assert_eq!((page.items[0].name.as_str(), page.next), ("Store", None));
    world.run(async |d| d.relying_services().delete("store").await).await.unwrap();
    refused(
        world.run(async |d| d.relying_services().get("store").await).await,
        NoSuchEntity,
        "The relying service with name store cannot be found.",
    );
}
