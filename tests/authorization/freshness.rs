//! An answer is of now: what was attached, detached, changed or deleted counts on the very next question.

use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest,
    CreatePolicyVersionRequest, DeleteAccessKeyRequest, DeleteRolePolicyRequest, DeleteUserPolicyRequest,
    DeleteUserRequest, DetachGroupPolicyRequest, DetachRolePolicyRequest, DetachUserPolicyRequest,
    PutGroupPolicyRequest, RemoveUserFromGroupRequest, SetDefaultPolicyVersionRequest, UpdateUserRequest,
};

use super::{READ, about_session, about_user, allowed, ask};
use crate::sts::{assume, request};
use crate::world::{World, allow, deny, document, trust};

/// Makes a call as root.
macro_rules! root {
    ($world:expr, $request:ident { $($member:ident: $value:expr),* $(,)? }) => {
        $world.root().call(&$request { $($member: $value.into()),* }).await.unwrap()
    };
}

#[tokio::test]
async fn of_a_user_s_own_policies() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let policy = world.policy("read", &allow(READ, "*")).await;
    for _ in 0..3 {
        assert!(!allowed(&world, about_user(&alice)).await);
        root!(world, AttachUserPolicyRequest { user_name: "alice", policy_arn: policy.as_str() });
        assert!(allowed(&world, about_user(&alice)).await);
        root!(world, DetachUserPolicyRequest { user_name: "alice", policy_arn: policy.as_str() });
    }
    world.allow(&alice, &allow(READ, "*")).await;
    assert!(allowed(&world, about_user(&alice)).await);
    root!(world, DeleteUserPolicyRequest { user_name: "alice", policy_name: "allowed-0" });
    assert!(!allowed(&world, about_user(&alice)).await);
}

#[tokio::test]
async fn of_a_policy_s_versions() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let policy = world.policy("read", &allow(READ, "*")).await;
    root!(world, AttachUserPolicyRequest { user_name: "alice", policy_arn: policy.as_str() });
    root!(
        world,
        CreatePolicyVersionRequest {
            policy_arn: policy.as_str(),
            policy_document: document(&deny(READ, "*")),
            set_as_default: false,
        }
    );
    assert!(allowed(&world, about_user(&alice)).await, "it is not the default version");
    for (version, expected) in [("v2", false), ("v1", true), ("v2", false)] {
        root!(world, SetDefaultPolicyVersionRequest { policy_arn: policy.as_str(), version_id: version });
        assert_eq!(allowed(&world, about_user(&alice)).await, expected, "{version}");
    }
}

#[tokio::test]
async fn of_a_group_s_policies_and_members() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.group("staff").await;
    let policy = world.policy("read", &allow(READ, "*")).await;
    root!(world, AttachGroupPolicyRequest { group_name: "staff", policy_arn: policy.as_str() });
    assert!(!allowed(&world, about_user(&alice)).await);
    root!(world, AddUserToGroupRequest { group_name: "staff", user_name: "alice" });
    assert!(allowed(&world, about_user(&alice)).await);
    root!(
        world,
        PutGroupPolicyRequest {
            group_name: "staff",
            policy_name: "no",
            policy_document: document(&deny(READ, "*")),
        }
    );
    assert!(!allowed(&world, about_user(&alice)).await);
    root!(world, RemoveUserFromGroupRequest { group_name: "staff", user_name: "alice" });
    let decision = ask(world.root(), about_user(&alice)).await.unwrap();
    assert_eq!(decision.eval_decision, "implicitDeny");
    root!(world, DetachGroupPolicyRequest { group_name: "staff", policy_arn: policy.as_str() });
}

#[tokio::test]
async fn of_a_role_s_policies() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    let policy = world.policy("read", &allow(READ, "*")).await;
    for _ in 0..3 {
        assert!(!allowed(&world, about_session(&session)).await);
        root!(world, AttachRolePolicyRequest { role_name: "r", policy_arn: policy.as_str() });
        assert!(allowed(&world, about_session(&session)).await);
        root!(world, DetachRolePolicyRequest { role_name: "r", policy_arn: policy.as_str() });
    }
    world.allow_role(&role, &allow(READ, "*")).await;
    assert!(allowed(&world, about_session(&session)).await);
    root!(world, DeleteRolePolicyRequest { role_name: "r", policy_name: "allowed-0" });
    assert!(!allowed(&world, about_session(&session)).await);
}

#[tokio::test]
async fn of_who_is_there_at_all() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    world.allow_role(&role, &allow(READ, "*")).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    assert!(allowed(&world, about_session(&session)).await);
    root!(
        world,
        DeleteAccessKeyRequest {
            user_name: "alice".to_owned(),
            access_key_id: alice.key.access_key_id.as_str(),
        }
    );
    let decision = ask(world.root(), about_session(&session)).await.unwrap();
    assert_eq!((decision.allowed, decision.error_code.as_str()), (false, "InvalidClientTokenId"));
    root!(
        world,
        UpdateUserRequest { user_name: "alice", new_path: None::<String>, new_user_name: "bob".to_owned() }
    );
    assert_eq!(ask(world.root(), about_user(&alice)).await.unwrap().error_code, "NoSuchEntity");
    root!(world, DeleteUserRequest { user_name: "bob" });
    let renamed = super::about(&world.arn("user/bob"));
    assert_eq!(ask(world.root(), renamed).await.unwrap().error_code, "NoSuchEntity");
}
