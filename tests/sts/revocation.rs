//! The end of anything that a session rests on is the session's end, on the very next call.

use reeve_chassis::client::Client;
use reeve_proto::iam::v1::{
    DeleteAccessKeyRequest, DeleteRolePolicyRequest, DeleteRoleRequest, DeleteUserRequest, Role,
    UpdateAccessKeyRequest,
};
use serde_json::json;

use super::{BUCKET, Session, assume, may, request, trust_with, who};
use crate::world::{User, World, allow, code, trust};

/// Alice's session of `first`, and that session's session of `second`.
struct Chain {
    world: World,
    alice: User,
    session: Session,
    next: Session,
}

async fn chain() -> Chain {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let first = world.role("first", &trust(world.arn("user/alice"))).await;
    let second: Role = world.role("second", &trust_with(&first.arn, "sts:AssumeRole", json!({}))).await;
    let session = assume(&alice, &request(&first)).await.unwrap();
    let next = assume(&session, &request(&second)).await.unwrap();
    let chain = Chain { world, alice, session, next };
    assert_eq!(chain.ends().await, [false; 3]);
    chain
}

impl Chain {
    /// Whether Alice, her session and the next one have ended.
    async fn ends(&self) -> [bool; 3] {
        [ended(&self.alice).await, ended(&self.session).await, ended(&self.next).await]
    }

    async fn set_key(&self, status: &str) {
        let update = UpdateAccessKeyRequest {
            user_name: Some("alice".to_owned()),
            access_key_id: self.alice.key.access_key_id.clone(),
            status: status.to_owned(),
        };
        self.world.root().call(&update).await.unwrap();
    }

    async fn delete_key(&self) {
        let delete = DeleteAccessKeyRequest {
            user_name: Some("alice".to_owned()),
            access_key_id: self.alice.key.access_key_id.clone(),
        };
        self.world.root().call(&delete).await.unwrap();
    }

    async fn delete_role(&self, name: &str) {
        self.world.root().call(&DeleteRoleRequest { role_name: name.to_owned() }).await.unwrap();
    }
}

async fn ended(client: &Client) -> bool {
    match who(client).await {
        Ok(_) => false,
        Err(code) => {
            assert_eq!(code, "InvalidClientTokenId");
            true
        }
    }
}

#[tokio::test]
async fn a_deactivated_key_suspends_everything_made_with_it() {
    let chain = chain().await;
    chain.set_key("Inactive").await;
    assert_eq!(chain.ends().await, [true; 3]);
    chain.set_key("Active").await;
    assert_eq!(chain.ends().await, [false; 3]);
}

#[tokio::test]
async fn a_deleted_key_ends_everything_made_with_it() {
    let chain = chain().await;
    chain.delete_key().await;
    assert_eq!(chain.ends().await, [true; 3]);
    // The user's other key makes nothing of it alive again.
    let key = reeve_proto::iam::v1::CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
    chain.world.root().call(&key).await.unwrap();
    assert_eq!(chain.ends().await, [true; 3]);
}

#[tokio::test]
async fn a_deleted_user_ends_its_sessions() {
    let chain = chain().await;
    chain.delete_key().await;
    chain.world.root().call(&DeleteUserRequest { user_name: "alice".to_owned() }).await.unwrap();
    assert_eq!(chain.ends().await, [true; 3]);
    chain.world.user("alice").await;
    assert_eq!(chain.ends().await, [true; 3], "who has the name now is somebody else");
}

#[tokio::test]
async fn a_deleted_role_ends_its_sessions_and_those_they_made() {
    let first = chain().await;
    first.delete_role("first").await;
    assert_eq!(first.ends().await, [false, true, true]);
    first.world.role("first", &trust(first.world.arn("user/alice"))).await;
    assert_eq!(first.ends().await, [false, true, true], "what has the name now is another role");

    let last = chain().await;
    last.delete_role("second").await;
    assert_eq!(last.ends().await, [false, false, true]);
}

#[tokio::test]
async fn a_role_s_policy_is_read_live() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    assert!(!may(&world, &session, "s3:GetObject", BUCKET).await);
    world.allow_role(&role, &allow("s3:*", "*")).await;
    assert!(may(&world, &session, "s3:GetObject", BUCKET).await);
    let delete = DeleteRolePolicyRequest { role_name: "r".to_owned(), policy_name: "allowed-0".to_owned() };
    world.root().call(&delete).await.unwrap();
    assert!(!may(&world, &session, "s3:GetObject", BUCKET).await);
    // And of its own calls too.
    let list = reeve_proto::iam::v1::ListUsersRequest::default();
    assert_eq!(code(session.call(&list).await), "AccessDenied");
    world.allow_role(&role, &allow("iam:ListUsers", "*")).await;
    assert_eq!(code(session.call(&list).await), "");
}

#[tokio::test]
async fn each_of_root_s_keys_ends_by_itself() {
    let world = World::start().await;
    let key = reeve_proto::iam::v1::CreateAccessKeyRequest::default();
    let second = world.root().call(&key).await.unwrap().access_key.unwrap();
    let root = world.client(crate::world::credentials(&second));
    assert_eq!(who(&root).await, who(world.root()).await);
    let delete = DeleteAccessKeyRequest { user_name: None, access_key_id: second.access_key_id.clone() };
    root.call(&delete).await.unwrap();
    assert!(ended(&root).await);
    assert!(who(world.root()).await.is_ok());
}

#[tokio::test]
async fn a_change_of_root_s_keys_ends_nobody_else_s_sessions() {
    let chain = chain().await;
    let key = reeve_proto::iam::v1::CreateAccessKeyRequest::default();
    let second = chain.world.root().call(&key).await.unwrap().access_key.unwrap();
    let root = chain.world.client(crate::world::credentials(&second));
    let listed = root.call(&reeve_proto::iam::v1::ListAccessKeysRequest::default()).await.unwrap();
    let mut keys = listed.access_key_metadata.into_iter().filter_map(|key| key.access_key_id);
    let first = keys.find(|id| *id != second.access_key_id).unwrap();
    let delete = DeleteAccessKeyRequest { user_name: None, access_key_id: first };
    root.call(&delete).await.unwrap();
    assert!(ended(chain.world.root()).await);
    assert_eq!(chain.ends().await, [false; 3]);
}
