//! The policy of the resource itself, as the asking service hands it over: in the resource's account, and across.

use serde_json::{Value, json};

use super::{Question, about, about_session, about_user, allowed, ask, on};
use crate::sts::{assume, neighbour, request, within};
use crate::world::{ACCOUNT, User, World, allow, deny, document, trust};

fn policy(effect: &str, principal: Value) -> Option<String> {
    Some(document(&json!({ "Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "*" })))
}

fn with(question: Question, resource_policy: Option<String>) -> Question {
    Question { resource_policy, ..question }
}

#[tokio::test]
async fn within_an_account_naming_the_user_is_enough() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let bob = world.user("bob").await;
    for (principal, for_alice, for_bob) in [
        (json!({ "AWS": alice.record.arn }), true, false),
        (json!("*"), true, true),
        (json!({ "AWS": "*" }), true, true),
        (json!({ "AWS": "123456789012" }), false, false),
        (json!({ "AWS": world.arn("root") }), false, false),
        (json!({ "AWS": "999988887777" }), false, false),
        (json!({ "AWS": world.arn("user/Alice") }), false, false),
    ] {
        let resource_policy = policy("Allow", principal.clone());
        assert_eq!(
            allowed(&world, with(about_user(&alice), resource_policy.clone())).await,
            for_alice,
            "{principal}"
        );
        assert_eq!(allowed(&world, with(about_user(&bob), resource_policy)).await, for_bob, "{principal}");
    }
    let decision = ask(world.root(), with(about_user(&alice), policy("Allow", json!("*")))).await.unwrap();
    assert_eq!(decision.layer, "resource");
}

#[tokio::test]
async fn a_deny_on_either_side_wins() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    let denied = with(about_user(&alice), policy("Deny", json!({ "AWS": alice.record.arn })));
    let decision = ask(world.root(), denied).await.unwrap();
    assert_eq!((decision.eval_decision.as_str(), decision.layer.as_str()), ("explicitDeny", "resource"));
    world.allow(&alice, &deny("s3:*", "*")).await;
    assert!(!allowed(&world, with(about_user(&alice), policy("Allow", json!("*")))).await);
}

#[tokio::test]
async fn a_direct_principal_is_not_limited_by_implicit_denies_and_a_role_is() {
    let world = World::start().await;
    let boundary = world.policy("boundary", &allow("sqs:*", "*")).await;
    let create = reeve_proto::iam::v1::CreateUserRequest {
        user_name: "bounded".to_owned(),
        permissions_boundary: Some(boundary),
        ..Default::default()
    };
    let bounded = User::of(&world, &create).await;
    let named = policy("Allow", json!({ "AWS": bounded.record.arn }));
    assert!(allowed(&world, with(about_user(&bounded), named)).await, "the user is named");

    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let tight = Some(document(&allow("sqs:*", "*")));
    let session = assume(&alice, &within(&role, tight, &[])).await.unwrap();
    for (principal, expected) in
        [(role.arn.clone(), false), (session.user.arn.clone(), true), ("*".to_owned(), true)]
    {
        let question = with(about_session(&session), policy("Allow", json!({ "AWS": principal })));
        assert_eq!(allowed(&world, question).await, expected, "{principal}");
    }
    let open = assume(&alice, &request(&role)).await.unwrap();
    let question = with(about_session(&open), policy("Allow", json!({ "AWS": role.arn })));
    assert!(allowed(&world, question).await, "without a session policy the role's grant is enough");
}

#[tokio::test]
async fn across_accounts_both_sides_must_allow() {
    let (world, next_door) = neighbour::start().await;
    let (carol, _) = neighbour::user(&next_door, "carol", Some(allow("s3:*", "*"))).await;
    let (dave, _) = neighbour::user(&next_door, "dave", None).await;
    for (principal, for_carol, for_dave) in [
        (None, false, false),
        (Some(json!({ "AWS": carol.arn })), true, false),
        (Some(json!({ "AWS": dave.arn })), false, false),
        (Some(json!({ "AWS": neighbour::NEIGHBOUR })), true, false),
        (Some(json!("*")), true, false),
    ] {
        let resource_policy = principal.clone().and_then(|principal| policy("Allow", principal));
        assert_eq!(
            allowed(&world, with(about(&carol.arn), resource_policy.clone())).await,
            for_carol,
            "{principal:?}"
        );
        assert_eq!(allowed(&world, with(about(&dave.arn), resource_policy)).await, for_dave, "{principal:?}");
    }
}

#[tokio::test]
async fn nobody_comes_to_a_key_but_by_its_own_policy() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    let root = world.arn("root");
    let key = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd");
    let of_account = Some(document(
        &json!({ "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*" }),
    ));
    for (resource, key_policy, for_alice, for_root) in [
        (&*key, None, false, false),
        (&*key, of_account, true, true),
        // A name for a key is a resource like any other.
        (&*format!("arn:aws:kms:eu-west-1:{ACCOUNT}:alias/a"), None, true, true),
    ] {
        for (arn, expected) in [(&alice.record.arn, for_alice), (&root, for_root)] {
            let question = Question { action: "kms:Decrypt".to_owned(), ..on(about(arn), resource) };
            let question = with(question, key_policy.clone());
            assert_eq!(allowed(&world, question).await, expected, "{arn} {resource} {key_policy:?}");
        }
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_understood_is_refused_whole() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    for document in [
        document(
            &json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": { "NoSuchOperator": { "a:b": "c" } } }),
        ),
        document(&json!({ "Effect": "Allow", "Action": "*", "Resource": "*" })),
        "not JSON".to_owned(),
        format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
    ] {
        let error = ask(world.root(), with(about_user(&alice), Some(document.clone()))).await.unwrap_err();
        assert_eq!(error.code, "MalformedPolicyDocument", "{document:.80}");
    }
}
