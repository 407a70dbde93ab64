//! Account aliases: one an account, and one account an alias.

use reeve_chassis::client::Client;
use reeve_proto::iam::v1::{CreateAccountAliasRequest, DeleteAccountAliasRequest, ListAccountAliasesRequest};

use super::{is_refused, is_refused_unwritten};
use crate::world::{World, refused};

fn create(alias: &str) -> CreateAccountAliasRequest {
    CreateAccountAliasRequest { account_alias: alias.to_owned() }
}

fn delete(alias: &str) -> DeleteAccountAliasRequest {
    DeleteAccountAliasRequest { account_alias: alias.to_owned() }
}

async fn aliases(client: &Client) -> Vec<String> {
    client.call(&ListAccountAliasesRequest::default()).await.unwrap().account_aliases
}

#[tokio::test]
async fn an_account_has_one_alias() {
    let world = World::start().await;
    assert!(aliases(world.root()).await.is_empty());
    world.root().call(&create("acme")).await.unwrap();
    assert_eq!(aliases(world.root()).await, ["acme"]);
    let because = "The account alias acme already exists.";
    is_refused_unwritten(&world, &create("acme"), "EntityAlreadyExists", because).await;
    world.root().call(&create("acme-2")).await.unwrap();
    assert_eq!(aliases(world.root()).await, ["acme-2"], "in place of the first, as AWS has it");
    let missing = "The Account Alias with name acme cannot be found.";
    is_refused(world.root().call(&delete("acme")).await, "NoSuchEntity", missing);
    world.root().call(&delete("acme-2")).await.unwrap();
    assert!(aliases(world.root()).await.is_empty());
    world.root().call(&create("acme")).await.unwrap();
}

#[tokio::test]
async fn what_is_no_alias_is_refused() {
    let world = World::start().await;
    for bad in ["ab", "Acme", "-acme", "acme-", "ac--me", "ac_me", "äcme", &"a".repeat(64)] {
        let error = refused(world.root().call(&create(bad)).await);
        assert_eq!(error.code, "ValidationError", "{bad}");
    }
    for good in ["abc", "a-b-c", "0-0", &"a".repeat(63)] {
        world.root().call(&create(good)).await.unwrap();
    }
}
