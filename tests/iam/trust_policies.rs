//! Trust policies: whom they name is bound by unique id when they are written, so that a name that is taken again is not
//! trusted.

use reeve_proto::iam::v1::{
    CreateRoleRequest, DeleteAccessKeyRequest, DeleteUserRequest, GetRoleRequest,
    UpdateAssumeRolePolicyRequest, UpdateUserRequest,
};
use reeve_proto::sts::v1::AssumeRoleRequest;
use serde_json::{Value, json};

use super::is_refused_unwritten;
use crate::world::{ACCOUNT, OTHER_ACCOUNT, User, World, code, trust};

async fn shown(world: &World, role: &str) -> Value {
    let request = GetRoleRequest { role_name: role.to_owned() };
    let role = world.root().call(&request).await.unwrap().role.unwrap();
    serde_json::from_str(&role.assume_role_policy_document.unwrap()).unwrap()
}

async fn shown_principal(world: &World, role: &str) -> Value {
    shown(world, role).await["Statement"]["Principal"]["AWS"].clone()
}

fn assume(world: &World, role: &str) -> AssumeRoleRequest {
    AssumeRoleRequest {
        role_arn: world.arn(&format!("role/{role}")),
        role_session_name: "session".to_owned(),
        ..Default::default()
    }
}

fn update(role: &str, document: &str) -> UpdateAssumeRolePolicyRequest {
    UpdateAssumeRolePolicyRequest { role_name: role.to_owned(), policy_document: document.to_owned() }
}

async fn delete(world: &World, user: &User) {
    let user_name = user.record.user_name.clone();
    let access_key_id = user.key.access_key_id.clone();
    let key = DeleteAccessKeyRequest { access_key_id, user_name: Some(user_name.clone()) };
    world.root().call(&key).await.unwrap();
    world.root().call(&DeleteUserRequest { user_name }).await.unwrap();
}

#[tokio::test]
async fn a_trusted_user_is_shown_by_the_arn_it_has_now() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.role("shared", &trust(alice.record.arn.clone())).await;
    assert_eq!(shown_principal(&world, "shared").await, world.arn("user/alice"));
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("carol".to_owned()),
        new_path: Some("/staff/".to_owned()),
    };
    world.root().call(&rename).await.unwrap();
    assert_eq!(shown_principal(&world, "shared").await, world.arn("user/staff/carol"));
    assert_eq!(code(alice.call(&assume(&world, "shared")).await), "", "it is still the same user");
}

#[tokio::test]
async fn a_user_that_was_made_again_is_not_trusted() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.role("shared", &trust(alice.record.arn.clone())).await;
    assert_eq!(code(alice.call(&assume(&world, "shared")).await), "");
    delete(&world, &alice).await;
    let again = world.user("alice").await;
    assert_eq!(again.record.arn, alice.record.arn);
    assert_eq!(code(again.call(&assume(&world, "shared")).await), "AccessDenied");
    assert_eq!(
        shown_principal(&world, "shared").await,
        alice.record.user_id,
        "the one that is gone, by its id"
    );
    // What is shown cannot be written again: there is nobody of that id.
    let document = shown(&world, "shared").await.to_string();
    let call = update("shared", &document);
    let because = format!("Invalid principal in policy: \"AWS\":\"{}\"", alice.record.user_id);
    is_refused_unwritten(&world, &call, "MalformedPolicyDocument", &because).await;
    world.root().call(&update("shared", &trust(again.record.arn.clone()).to_string())).await.unwrap();
    assert_eq!(code(again.call(&assume(&world, "shared")).await), "");
}

#[tokio::test]
async fn a_changed_trust_policy_takes_effect_on_the_next_call() {
    let world = World::start().await;
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    world.role("shared", &trust(alice.record.arn.clone())).await;
    assert_eq!(code(bob.call(&assume(&world, "shared")).await), "AccessDenied");
    world.root().call(&update("shared", &trust(bob.record.arn.clone()).to_string())).await.unwrap();
    assert_eq!(code(bob.call(&assume(&world, "shared")).await), "");
    assert_eq!(code(alice.call(&assume(&world, "shared")).await), "AccessDenied");
}

#[tokio::test]
async fn who_is_trusted_must_exist() {
    let world = World::start().await;
    world.user("alice").await;
    for principal in [
        world.arn("user/nobody"),
        world.arn("user/Alice"),
        world.arn("user/path/alice"),
        world.arn("role/nothing"),
        world.arn("group/staff"),
        format!("arn:aws:iam::{OTHER_ACCOUNT}:user/alice"),
        format!("arn:aws:iam::{OTHER_ACCOUNT}:root"),
        OTHER_ACCOUNT.to_owned(),
        "AIDAAAAAAAAAAAAAAAAAA".to_owned(),
        "alice".to_owned(),
    ] {
        let request = CreateRoleRequest {
            role_name: "shared".to_owned(),
            assume_role_policy_document: trust(principal.clone()).to_string(),
            ..Default::default()
        };
        let because = format!("Invalid principal in policy: \"AWS\":\"{principal}\"");
        is_refused_unwritten(&world, &request, "MalformedPolicyDocument", &because).await;
    }
}

#[tokio::test]
async fn accounts_and_everybody_are_held_as_they_are_written() {
    let world = World::start().await;
    for principal in [json!(ACCOUNT), json!(world.arn("root")), json!("*")] {
        let role = world.role(&format!("r{}", principal.to_string().len()), &trust(principal.clone())).await;
        assert_eq!(shown_principal(&world, &role.role_name).await, principal);
    }
}

#[tokio::test]
async fn a_document_that_is_no_trust_policy_is_refused() {
    let world = World::start().await;
    world.role("shared", &trust(ACCOUNT)).await;
    let statement = trust(ACCOUNT)["Statement"].clone();
    let with = |name: &str, value: Value| {
        let mut statement = statement.clone();
        statement[name] = value;
        json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
    };
    let mut without_principal = statement.clone();
    without_principal.as_object_mut().unwrap().remove("Principal");
    let without_principal = json!({ "Version": "2012-10-17", "Statement": without_principal }).to_string();
    for (document, part) in [
        (with("Resource", json!("*")), "Has prohibited field Resource"),
        (with("Action", json!("s3:GetObject")), "AssumeRole policy may only specify STS AssumeRole actions."),
        (without_principal, "Missing required field Principal"),
        (with("Effect", json!("Perhaps")), "Syntax errors in policy."),
        (with("Effect", json!("allow")), "The policy failed legacy parsing"),
        ("{}".to_owned(), "Syntax errors in policy."),
        ("no JSON".to_owned(), "Syntax errors in policy."),
    ] {
        let call = update("shared", &document);
        is_refused_unwritten(&world, &call, "MalformedPolicyDocument", part).await;
    }
}

#[tokio::test]
async fn a_trust_policy_has_a_size_without_its_whitespace() {
    let characters = trust(ACCOUNT).to_string().len();
    let world = World::configured(|config| config.quotas.trust_policy_chars_max = characters).await;
    world.role("shared", &trust(ACCOUNT)).await;
    let spaced = serde_json::to_string_pretty(&trust(ACCOUNT)).unwrap();
    assert!(spaced.len() > characters);
    world.root().call(&update("shared", &spaced)).await.unwrap();
    let longer = trust(vec![ACCOUNT, "*"]).to_string();
    let call = update("shared", &longer);
    let because = format!("Cannot exceed quota for ACLSizePerRole: {characters}");
    is_refused_unwritten(&world, &call, "LimitExceeded", &because).await;
}

#[tokio::test]
async fn a_role_can_trust_a_role_and_outlives_it() {
    let world = World::start().await;
    let first = world.role("first", &trust(ACCOUNT)).await;
    world.role("second", &trust(first.arn.clone())).await;
    assert_eq!(shown_principal(&world, "second").await, first.arn);
    let request = reeve_proto::iam::v1::DeleteRoleRequest { role_name: "first".to_owned() };
    world.root().call(&request).await.unwrap();
    world.role("first", &trust(ACCOUNT)).await;
    assert_eq!(shown_principal(&world, "second").await, first.role_id);
}
