//! Who is calling, for each kind of caller; and which condition keys each carries.

use reeve_proto::iam::v1::GetUserRequest;
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use serde_json::{Value, json};

use super::{allowed, assume, request};
use crate::world::{ACCOUNT, World, deny, trust};

#[tokio::test]
async fn each_kind_of_caller_is_told_who_it_is() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    for (client, user_id, arn) in [
        (world.root(), ACCOUNT.to_owned(), world.arn("root")),
        (&*alice, alice.record.user_id.clone(), alice.record.arn.clone()),
        (
            &*session,
            format!("{}:session", role.role_id),
            format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/session"),
        ),
    ] {
        let answer = client.call(&GetCallerIdentityRequest {}).await.unwrap();
        assert_eq!((answer.account.as_str(), answer.user_id, answer.arn), (ACCOUNT, user_id, arn));
    }
}

#[tokio::test]
async fn no_policy_refuses_the_question_who_one_is() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &deny("*", "*")).await;
    assert!(alice.call(&GetCallerIdentityRequest {}).await.is_ok());
}

#[tokio::test]
async fn condition_keys_describe_the_caller_and_nobody_else() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let id = &alice.record.user_id;
    let check = async |condition: Value, by_user: bool, by_session: bool| {
        let name = "check".to_owned();
        let statement =
            json!({ "Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": condition });
        let document = crate::world::document(&statement);
        let user = reeve_proto::iam::v1::PutUserPolicyRequest {
            user_name: "alice".to_owned(),
            policy_name: name.clone(),
            policy_document: document.clone(),
        };
        let of_role = reeve_proto::iam::v1::PutRolePolicyRequest {
            role_name: "r".to_owned(),
            policy_name: name,
            policy_document: document,
        };
        world.root().call(&user).await.unwrap();
        world.root().call(&of_role).await.unwrap();
        let session = assume(&alice, &request(&role)).await.unwrap();
        let get = GetUserRequest { user_name: Some("alice".to_owned()) };
        assert_eq!(allowed(alice.call(&get).await), by_user, "the user, {statement}");
        assert_eq!(allowed(session.call(&get).await), by_session, "the session, {statement}");
    };
    check(json!({ "StringEquals": { "aws:username": "alice" } }), true, false).await;
    check(json!({ "StringEquals": { "aws:userid": id } }), true, false).await;
    check(json!({ "StringEquals": { "aws:userid": format!("{}:session", role.role_id) } }), false, true)
        .await;
    check(json!({ "StringEquals": { "aws:PrincipalType": "AssumedRole" } }), false, true).await;
    check(json!({ "StringEquals": { "aws:PrincipalAccount": ACCOUNT } }), true, true).await;
    check(json!({ "ArnEquals": { "aws:PrincipalArn": role.arn } }), false, true).await;
    check(json!({ "ArnEquals": { "aws:PrincipalArn": alice.record.arn } }), true, false).await;
    // Neither a long-term key nor a role's session carries anything about MFA.
    check(json!({ "Null": { "aws:MultiFactorAuthPresent": "true" } }), true, true).await;
    check(json!({ "Null": { "aws:MultiFactorAuthAge": "true" } }), true, true).await;
    check(json!({ "Bool": { "aws:MultiFactorAuthPresent": "false" } }), false, false).await;
    check(json!({ "Null": { "aws:TokenIssueTime": "false" } }), false, true).await;
    check(json!({ "Null": { "aws:SourceIdentity": "true" } }), true, true).await;
    check(json!({ "Bool": { "aws:SecureTransport": "false" } }), true, true).await;
    check(json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } }), true, true).await;
}
