//! Managed policies attached to users, groups and roles.

use reeve_proto::iam::v1::{
    AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest, CreatePolicyRequest,
    DetachGroupPolicyRequest, DetachRolePolicyRequest, DetachUserPolicyRequest, GetPolicyRequest,
    GetUserRequest, ListAttachedGroupPoliciesRequest, ListAttachedRolePoliciesRequest,
    ListAttachedUserPoliciesRequest,
};

use super::{is_refused, is_refused_unwritten};
use crate::world::{ACCOUNT, OTHER_ACCOUNT, World, allow, code, document, trust};

/// A world with a user, a group and a role, all of one name, and two policies.
async fn furnished(attached_max: usize) -> World {
    let world =
        World::configured(|config| config.quotas.attached_policies_per_entity_max = attached_max).await;
    world.user("same").await;
    world.group("same").await;
    world.role("same", &trust(ACCOUNT)).await;
    world.policy("Reader", &allow("s3:GetObject", "*")).await;
    let request = CreatePolicyRequest {
        policy_name: "Writer".to_owned(),
        policy_document: document(&allow("s3:PutObject", "*")),
        path: Some("/org/".to_owned()),
        ..Default::default()
    };
    world.root().call(&request).await.unwrap();
    world
}

async fn attachment_count(world: &World, policy_arn: &str) -> i32 {
    let request = GetPolicyRequest { policy_arn: policy_arn.to_owned() };
    world.root().call(&request).await.unwrap().policy.unwrap().attachment_count.unwrap()
}

/// The same tests for each kind of holder.
macro_rules! attachments_of {
    ($kind:ident, $name:ident, $attach:ident, $detach:ident, $list:ident, $quota:literal) => {
        mod $kind {
            use super::*;

            const KIND: &str = stringify!($kind);

            fn attach(policy_arn: &str) -> $attach {
                $attach { $name: "same".to_owned(), policy_arn: policy_arn.to_owned() }
            }

            fn detach(policy_arn: &str) -> $detach {
                $detach { $name: "same".to_owned(), policy_arn: policy_arn.to_owned() }
            }

            async fn attached(world: &World, path_prefix: Option<&str>) -> Vec<String> {
                let path_prefix = path_prefix.map(str::to_owned);
                let request = $list { $name: "same".to_owned(), path_prefix, ..Default::default() };
                let policies = world.root().call(&request).await.unwrap().attached_policies;
                policies.into_iter().map(|policy| policy.policy_arn.unwrap()).collect()
            }

            #[tokio::test]
            async fn a_policy_is_attached_once_listed_and_detached() {
                let world = furnished(10).await;
                let (reader, writer) = (world.arn("policy/Reader"), world.arn("policy/org/Writer"));
                for arn in [&writer, &reader, &reader] {
                    world.root().call(&attach(arn)).await.unwrap();
                }
                assert_eq!(attached(&world, None).await, [reader.clone(), writer.clone()]);
                assert_eq!(attached(&world, Some("/org/")).await, std::slice::from_ref(&writer));
                assert_eq!(attachment_count(&world, &reader).await, 1);
                world.root().call(&detach(&reader)).await.unwrap();
                assert_eq!(attached(&world, None).await, [writer]);
                assert_eq!(attachment_count(&world, &reader).await, 0);
                let again = world.root().call(&detach(&reader)).await;
                is_refused(again, "NoSuchEntity", &format!("Policy {reader} was not found."));
            }

            #[tokio::test]
            async fn only_a_policy_that_exists_is_attached() {
                let world = furnished(10).await;
                for arn in [
                    world.arn("policy/Nothing"),
                    world.arn("policy/reader"),
                    world.arn("policy/Writer"),
                    format!("arn:aws:iam::{OTHER_ACCOUNT}:policy/Reader"),
                ] {
                    let because = format!("Policy {arn} does not exist or is not attachable.");
                    is_refused_unwritten(&world, &attach(&arn), "NoSuchEntity", &because).await;
                }
                let text = "policy/Reader of this account";
                let because = format!("ARN {text} is not valid.");
                is_refused_unwritten(&world, &attach(text), "InvalidInput", &because).await;
            }

            #[tokio::test]
            async fn only_what_exists_holds_policies() {
                let world = furnished(10).await;
                let missing = format!("The {KIND} with name nothing cannot be found.");
                let name = || "nothing".to_owned();
                let policy_arn = || world.arn("policy/Reader");
                let attach = $attach { $name: name(), policy_arn: policy_arn() };
                is_refused(world.root().call(&attach).await, "NoSuchEntity", &missing);
                let detach = $detach { $name: name(), policy_arn: policy_arn() };
                is_refused(world.root().call(&detach).await, "NoSuchEntity", &missing);
                let list = $list { $name: name(), ..Default::default() };
                is_refused(world.root().call(&list).await, "NoSuchEntity", &missing);
            }

            #[tokio::test]
            async fn so_many_are_attached() {
                let world = furnished(1).await;
                world.root().call(&attach(&world.arn("policy/Reader"))).await.unwrap();
                let because = concat!("Cannot exceed quota for ", $quota, ": 1");
                let second = attach(&world.arn("policy/org/Writer"));
                is_refused_unwritten(&world, &second, "LimitExceeded", because).await;
                world.root().call(&attach(&world.arn("policy/Reader"))).await.unwrap();
            }
        }
    };
}

attachments_of!(
    user,
    user_name,
    AttachUserPolicyRequest,
    DetachUserPolicyRequest,
    ListAttachedUserPoliciesRequest,
    "PoliciesPerUser"
);
attachments_of!(
    group,
    group_name,
    AttachGroupPolicyRequest,
    DetachGroupPolicyRequest,
    ListAttachedGroupPoliciesRequest,
    "PoliciesPerGroup"
);
attachments_of!(
    role,
    role_name,
    AttachRolePolicyRequest,
    DetachRolePolicyRequest,
    ListAttachedRolePoliciesRequest,
    "PoliciesPerRole"
);

#[tokio::test]
async fn what_is_attached_counts_from_the_next_call_on() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let policy_arn = world.policy("self", &allow("iam:GetUser", "*")).await;
    let user_name = || "alice".to_owned();
    let own = GetUserRequest::default();
    assert_eq!(code(alice.call(&own).await), "AccessDenied");
    let attach = AttachUserPolicyRequest { user_name: user_name(), policy_arn: policy_arn.clone() };
    world.root().call(&attach).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "");
    let detach = DetachUserPolicyRequest { user_name: user_name(), policy_arn };
    world.root().call(&detach).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "AccessDenied");
}
