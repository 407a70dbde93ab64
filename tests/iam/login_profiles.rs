//! Login profiles: the passwords of users, set by administrators and changed by themselves.

use reeve_chassis::client::Client;
use reeve_proto::iam::v1::{
    ChangePasswordRequest, CreateLoginProfileRequest, DeleteLoginProfileRequest, DeleteUserRequest,
    GetLoginProfileRequest, UpdateAccountPasswordPolicyRequest, UpdateLoginProfileRequest,
};

use super::{is_refused, is_refused_unwritten};
use crate::world::{ACCOUNT, User, World, allow, code, refused, trust};

/// Allowed by the default policy.
const PASSWORD: &str = "Correct-horse-1";
const OTHER: &str = "Battery-staple-2";
const NOT_CONFORMING: &str = "Password does not conform to the account password policy.";
const REUSED: &str = "Policy constraint violation with password reuse prevention during password change.";

fn create(user: Option<&str>, password: &str) -> CreateLoginProfileRequest {
    CreateLoginProfileRequest {
        user_name: user.map(str::to_owned),
        password: password.to_owned(),
        password_reset_required: None,
    }
}

fn update(user: &str, password: Option<&str>, reset_required: Option<bool>) -> UpdateLoginProfileRequest {
    UpdateLoginProfileRequest {
        user_name: user.to_owned(),
        password: password.map(str::to_owned),
        password_reset_required: reset_required,
    }
}

fn get(user: Option<&str>) -> GetLoginProfileRequest {
    GetLoginProfileRequest { user_name: user.map(str::to_owned) }
}

fn delete(user: Option<&str>) -> DeleteLoginProfileRequest {
    DeleteLoginProfileRequest { user_name: user.map(str::to_owned) }
}

fn change(old: &str, new: &str) -> ChangePasswordRequest {
    ChangePasswordRequest { old_password: old.to_owned(), new_password: new.to_owned() }
}

/// A user with a password, who may change it.
async fn changer(world: &World) -> User {
    let alice = world.user("Alice").await;
    world.root().call(&create(Some("Alice"), PASSWORD)).await.unwrap();
    world.allow(&alice, &allow("iam:ChangePassword", "*")).await;
    alice
}

/// Whether a password is the user's: whoever may change it can tell.
async fn is_password(user: &Client, password: &str) -> bool {
    // A new password that no policy allows, so that nothing is changed.
    match code(user.call(&change(password, "x")).await).as_str() {
        "PasswordPolicyViolation" => true,
        "AccessDenied" => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_password_is_given_told_of_and_taken_away() {
    let world = World::start().await;
    world.user("Alice").await;
    let missing = "Login Profile for User Alice cannot be found.";
    is_refused(world.root().call(&get(Some("alice"))).await, "NoSuchEntity", missing);
    is_refused(world.root().call(&delete(Some("alice"))).await, "NoSuchEntity", missing);
    let request =
        CreateLoginProfileRequest { password_reset_required: Some(true), ..create(Some("ALICE"), PASSWORD) };
    let created = world.root().call(&request).await.unwrap().login_profile.unwrap();
    assert_eq!(created.user_name, "Alice", "as the user was named");
    assert!(created.password_reset_required && created.create_date.is_some());
    let told = world.root().call(&get(Some("alice"))).await.unwrap().login_profile.unwrap();
    assert_eq!(told, created);
    let again = create(Some("alice"), PASSWORD);
    let because = "Login Profile for user Alice already exists.";
    is_refused_unwritten(&world, &again, "EntityAlreadyExists", because).await;
    world.root().call(&delete(Some("alice"))).await.unwrap();
    is_refused(world.root().call(&get(Some("alice"))).await, "NoSuchEntity", missing);
    world.root().call(&again).await.unwrap();
}

#[tokio::test]
async fn passwords_are_of_existing_users() {
    let world = World::start().await;
    let missing = "The user with name nobody cannot be found.";
    is_refused(world.root().call(&create(Some("nobody"), PASSWORD)).await, "NoSuchEntity", missing);
    is_refused(world.root().call(&update("nobody", Some(PASSWORD), None)).await, "NoSuchEntity", missing);
    is_refused(world.root().call(&get(Some("nobody"))).await, "NoSuchEntity", missing);
    is_refused(world.root().call(&delete(Some("nobody"))).await, "NoSuchEntity", missing);
}

#[tokio::test]
async fn a_user_with_a_password_is_not_deleted() {
    let world = World::start().await;
    let created =
        reeve_proto::iam::v1::CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() };
    world.root().call(&created).await.unwrap();
    world.root().call(&create(Some("alice"), PASSWORD)).await.unwrap();
    let gone = DeleteUserRequest { user_name: "alice".to_owned() };
    let because = "Cannot delete entity, must delete login profile first.";
    is_refused_unwritten(&world, &gone, "DeleteConflict", because).await;
    world.root().call(&delete(Some("alice"))).await.unwrap();
    world.root().call(&gone).await.unwrap();
    // Of a new user of that name nothing is known, its passwords neither.
    world.root().call(&created).await.unwrap();
    let policy =
        UpdateAccountPasswordPolicyRequest { password_reuse_prevention: Some(24), ..Default::default() };
    world.root().call(&policy).await.unwrap();
    world.root().call(&create(Some("alice"), PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn an_administrator_changes_the_password_or_its_reset() {
    let world = World::start().await;
    let alice = changer(&world).await;
    let profile = async || world.root().call(&get(Some("alice"))).await.unwrap().login_profile.unwrap();
    let first = profile().await;
    world.root().call(&update("alice", Some(OTHER), None)).await.unwrap();
    assert!(!is_password(&alice, PASSWORD).await && is_password(&alice, OTHER).await);
    assert_eq!(profile().await, first, "the profile was created when it was");
    world.root().call(&update("alice", None, Some(true))).await.unwrap();
    assert!(profile().await.password_reset_required && is_password(&alice, OTHER).await);
    world.root().call(&update("alice", Some(PASSWORD), None)).await.unwrap();
    assert!(profile().await.password_reset_required, "what is not said stays");
    world.root().call(&update("alice", Some(PASSWORD), Some(false))).await.unwrap();
    assert!(!profile().await.password_reset_required);
    let before = world.commits();
    world.root().call(&update("alice", None, None)).await.unwrap();
    assert_eq!(world.commits(), before, "nothing was asked for");
}

#[tokio::test]
async fn users_change_their_own_password_who_know_it() {
    let world = World::start().await;
    let alice = changer(&world).await;
    let required = update("alice", None, Some(true));
    world.root().call(&required).await.unwrap();
    let before = world.commits();
    is_refused(alice.call(&change(OTHER, OTHER)).await, "AccessDenied", "The old password was incorrect.");
    is_refused(alice.call(&change(PASSWORD, PASSWORD)).await, "PasswordPolicyViolation", REUSED);
    let error = refused(alice.call(&change(PASSWORD, "short")).await);
    assert_eq!((error.code.as_str(), error.message.as_str()), ("PasswordPolicyViolation", NOT_CONFORMING));
    assert_eq!(error.violations[0].0, "new_password");
    assert_eq!(world.commits(), before, "a refusal wrote");
    alice.call(&change(PASSWORD, OTHER)).await.unwrap();
    assert!(!is_password(&alice, PASSWORD).await && is_password(&alice, OTHER).await);
    let profile = world.root().call(&get(Some("alice"))).await.unwrap().login_profile.unwrap();
    assert!(!profile.password_reset_required, "it was changed");
}

#[tokio::test]
async fn only_users_change_their_own_password() {
    let world = World::start().await;
    let because = "Only IAM Users can change their own password.";
    is_refused(world.root().call(&change(PASSWORD, OTHER)).await, "InvalidUserType", because);
    let role = world.role("role", &trust(ACCOUNT)).await;
    world.allow_role(&role, &allow("iam:*", "*")).await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("sts:AssumeRole", "*")).await;
    let session = world.assume(&alice, &role).await;
    is_refused(session.call(&change(PASSWORD, OTHER)).await, "InvalidUserType", because);
    world.allow(&alice, &allow("iam:ChangePassword", "*")).await;
    let missing = "Login Profile for User alice cannot be found.";
    is_refused(alice.call(&change(PASSWORD, OTHER)).await, "NoSuchEntity", missing);
}

#[tokio::test]
async fn the_caller_is_meant_when_no_user_is_named() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("iam:*LoginProfile", "arn:aws:iam::*:user/${aws:username}")).await;
    let created = alice.call(&create(None, PASSWORD)).await.unwrap().login_profile.unwrap();
    assert_eq!(created.user_name, "alice");
    alice.call(&get(None)).await.unwrap();
    assert_eq!(code(alice.call(&get(Some("bob"))).await), "AccessDenied");
    alice.call(&delete(None)).await.unwrap();
}

#[tokio::test]
async fn root_has_a_password_of_its_own() {
    let world = World::start().await;
    is_refused_unwritten(&world, &create(None, "short"), "PasswordPolicyViolation", NOT_CONFORMING).await;
    let created = world.root().call(&create(None, PASSWORD)).await.unwrap().login_profile.unwrap();
    assert_eq!(created.user_name, "");
    world.root().call(&get(None)).await.unwrap();
    world.root().call(&delete(None)).await.unwrap();
    assert_eq!(code(world.root().call(&get(None)).await), "NoSuchEntity");
}

#[tokio::test]
async fn what_is_no_password_is_refused_and_not_told() {
    let world = World::start().await;
    world.user("alice").await;
    let planes = (0..=16).map(|plane| char::from_u32(plane * 0x1_0000 + 0xfffd).unwrap());
    let mut bad: Vec<String> = planes.map(|c| format!("Correct-horse-1{c}")).collect();
    bad.push("Correct-horse-1\u{100}".to_owned());
    bad.extend(["Correct\u{0}horse-1", "Correct\u{1b}horse-1"].map(str::to_owned));
    bad.push(format!("Aa1{}", "x".repeat(126)));
    bad.push(format!("Aa1{}", "ÿ".repeat(126)));
    bad.push(format!("Aa1{}", "x".repeat(3_000_000)));
    for password in &bad {
        let error = refused(world.root().call(&create(Some("alice"), password)).await);
        assert_eq!(error.code, "ValidationError", "{}", error.message);
        assert!(error.message.len() < 400 && !error.message.contains("orse"), "{}", error.message);
        assert_eq!(error.violations[0].0, "password");
    }
    let error = refused(world.root().call(&create(Some("alice"), "")).await);
    assert_eq!(error.code, "ValidationError");
    // What AWS allows: 128 characters, in Latin-1, with its controls.
    for good in [format!("Aa1{}", "ÿ".repeat(125)), "A\t\r\n \u{7f}\u{85}1a".to_owned()] {
        world.root().call(&create(Some("alice"), &good)).await.unwrap();
        world.root().call(&delete(Some("alice"))).await.unwrap();
    }
    // More than a message may hold.
    let error = refused(world.root().call(&create(Some("alice"), &"x".repeat(10_000_000))).await);
    assert!(["RequestEntityTooLarge", ""].contains(&&*error.code) && error.grpc != 0, "{}", error.message);
    assert!(error.message.len() < 400, "{}", error.message);
    assert_eq!(code(world.root().call(&get(Some("alice"))).await), "NoSuchEntity", "nothing was written");
}

#[tokio::test]
async fn none_of_the_last_24_passwords_is_used_again() {
    let world = World::configured(|config| {
        // The cheapest that may be configured: here it is about which, and not about how long.
        config.passwords.memory_kibibytes = 7_168;
        config.passwords.iterations = 5;
    })
    .await;
    world.user("alice").await;
    let password = |number: usize| format!("Password-{number}");
    world.root().call(&create(Some("alice"), &password(0))).await.unwrap();
    for number in 1..=24 {
        world.root().call(&update("alice", Some(&password(number)), None)).await.unwrap();
    }
    let policy =
        UpdateAccountPasswordPolicyRequest { password_reuse_prevention: Some(24), ..Default::default() };
    world.root().call(&policy).await.unwrap();
    for number in [24, 12, 1] {
        let again = update("alice", Some(&password(number)), None);
        is_refused_unwritten(&world, &again, "PasswordPolicyViolation", REUSED).await;
    }
    // Taking the password away and giving another is no way around it.
    world.root().call(&delete(Some("alice"))).await.unwrap();
    is_refused_unwritten(&world, &create(Some("alice"), &password(24)), "PasswordPolicyViolation", REUSED)
        .await;
    world.root().call(&create(Some("alice"), &password(0))).await.unwrap();
}
