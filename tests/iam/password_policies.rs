//! The account's password policy: what it says, what holds without one, and what it lets users do.

use reeve_proto::iam::v1::{
    ChangePasswordRequest, CreateLoginProfileRequest, DeleteAccountPasswordPolicyRequest,
    GetAccountPasswordPolicyRequest, PasswordPolicy, UpdateAccountPasswordPolicyRequest,
    UpdateLoginProfileRequest,
};
use serde_json::json;

use super::{is_refused, is_refused_unwritten};
use crate::world::{World, allow, code, deny, refused};

const PASSWORD: &str = "Correct-horse-1";
const OTHER: &str = "Battery-staple-2";

fn create(user: &str, password: &str) -> CreateLoginProfileRequest {
    CreateLoginProfileRequest {
        user_name: Some(user.to_owned()),
        password: password.to_owned(),
        password_reset_required: None,
    }
}

fn change() -> ChangePasswordRequest {
    ChangePasswordRequest { old_password: PASSWORD.to_owned(), new_password: OTHER.to_owned() }
}

fn letting_users_change() -> UpdateAccountPasswordPolicyRequest {
    UpdateAccountPasswordPolicyRequest { allow_users_to_change_password: Some(true), ..Default::default() }
}

async fn told(world: &World) -> PasswordPolicy {
    let answer = world.root().call(&GetAccountPasswordPolicyRequest {}).await.unwrap();
    answer.password_policy.unwrap()
}

#[tokio::test]
async fn a_policy_is_set_told_and_removed() {
    let world = World::start().await;
    let none = "The Password Policy with domain name 123456789012 cannot be found.";
    is_refused(world.root().call(&GetAccountPasswordPolicyRequest {}).await, "NoSuchEntity", none);
    let none = "The account policy with name PasswordPolicy cannot be found.";
    is_refused(world.root().call(&DeleteAccountPasswordPolicyRequest {}).await, "NoSuchEntity", none);
    let policy = UpdateAccountPasswordPolicyRequest {
        minimum_password_length: Some(14),
        require_symbols: Some(true),
        require_numbers: Some(true),
        require_uppercase_characters: Some(true),
        require_lowercase_characters: Some(true),
        allow_users_to_change_password: Some(true),
        max_password_age: Some(90),
        password_reuse_prevention: Some(24),
        hard_expiry: Some(false),
    };
    world.root().call(&policy).await.unwrap();
    let expected = PasswordPolicy {
        minimum_password_length: 14,
        require_symbols: true,
        require_numbers: true,
        require_uppercase_characters: true,
        require_lowercase_characters: true,
        allow_users_to_change_password: true,
        expire_passwords: true,
        max_password_age: Some(90),
        password_reuse_prevention: Some(24),
        hard_expiry: Some(false),
    };
    assert_eq!(told(&world).await, expected);
    world.root().call(&UpdateAccountPasswordPolicyRequest::default()).await.unwrap();
    let defaults = PasswordPolicy { minimum_password_length: 6, ..Default::default() };
    assert_eq!(told(&world).await, defaults, "what is not given reverts to its default");
    world.root().call(&DeleteAccountPasswordPolicyRequest {}).await.unwrap();
    assert_eq!(code(world.root().call(&GetAccountPasswordPolicyRequest {}).await), "NoSuchEntity");
}

#[tokio::test]
async fn passwords_are_held_to_the_policy_wherever_they_are_set() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let because = "Password does not conform to the account password policy.";
    is_refused_unwritten(&world, &create("alice", "abcdefgh"), "PasswordPolicyViolation", because).await;
    let policy = UpdateAccountPasswordPolicyRequest { require_numbers: Some(true), ..letting_users_change() };
    world.root().call(&policy).await.unwrap();
    is_refused_unwritten(&world, &create("alice", "abcde"), "PasswordPolicyViolation", because).await;
    world.root().call(&create("alice", "abcde1")).await.unwrap();
    let update = UpdateLoginProfileRequest {
        user_name: "alice".to_owned(),
        password: Some("abcdef".to_owned()),
        password_reset_required: None,
    };
    is_refused_unwritten(&world, &update, "PasswordPolicyViolation", because).await;
    let own = ChangePasswordRequest { old_password: "abcde1".to_owned(), new_password: "abcdef".to_owned() };
    let error = refused(alice.call(&own).await);
    assert_eq!(error.code, "PasswordPolicyViolation");
    assert!(error.violations[0].1.contains("at least one number"), "{:?}", error.violations);
}

#[tokio::test]
async fn the_policy_can_let_users_change_their_own_password() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.root().call(&create("alice", PASSWORD)).await.unwrap();
    let read = GetAccountPasswordPolicyRequest {};
    assert_eq!(code(alice.call(&change()).await), "AccessDenied");
    world.root().call(&UpdateAccountPasswordPolicyRequest::default()).await.unwrap();
    assert_eq!(code(alice.call(&change()).await), "AccessDenied", "it does not say so");
    assert_eq!(code(alice.call(&read).await), "AccessDenied");
    world.root().call(&letting_users_change()).await.unwrap();
    alice.call(&read).await.unwrap();
    alice.call(&change()).await.unwrap();
    // That and no more: neither another's, nor the policy itself.
    let other = UpdateLoginProfileRequest { user_name: "alice".to_owned(), ..Default::default() };
    assert_eq!(code(alice.call(&other).await), "AccessDenied");
    assert_eq!(code(alice.call(&DeleteAccountPasswordPolicyRequest {}).await), "AccessDenied");
    assert_eq!(code(alice.call(&UpdateAccountPasswordPolicyRequest::default()).await), "AccessDenied");
    world.root().call(&DeleteAccountPasswordPolicyRequest {}).await.unwrap();
    assert_eq!(code(alice.call(&change()).await), "AccessDenied", "from the next call on");
}

#[tokio::test]
async fn an_explicit_denial_binds_whatever_the_policy_lets_users_do() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.root().call(&create("alice", PASSWORD)).await.unwrap();
    world.root().call(&letting_users_change()).await.unwrap();
    world.allow(&alice, &deny(json!(["iam:ChangePassword", "iam:GetAccountPasswordPolicy"]), "*")).await;
    let error = refused(alice.call(&change()).await);
    assert_eq!(error.code, "AccessDenied");
    assert!(error.message.contains("explicit deny"), "{}", error.message);
    assert_eq!(code(alice.call(&GetAccountPasswordPolicyRequest {}).await), "AccessDenied");
}

#[tokio::test]
async fn sessions_of_roles_are_no_users() {
    let world = World::start().await;
    let role = world.role("role", &crate::world::trust(crate::world::ACCOUNT)).await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("sts:AssumeRole", "*")).await;
    world.root().call(&letting_users_change()).await.unwrap();
    let session = world.assume(&alice, &role).await;
    assert_eq!(code(session.call(&GetAccountPasswordPolicyRequest {}).await), "AccessDenied");
}
