//! Passwords that must be changed first, and when they are hashed anew.

use reeve_proto::iam::v1::{
    ChangePasswordRequest, DeleteLoginProfileRequest, PutUserPolicyRequest,
    UpdateAccountPasswordPolicyRequest, UpdateLoginProfileRequest,
};
use reeve_proto::signin::v1::SignInRequest;
use reeve_server::config::EngineName;

use serde_json::json;

use super::second_factor::{equipped, next_code};
use super::{PASSWORD, People, alice, code, person, with};
use crate::sts::who;
use crate::world::{deny, document, refused};

const NEW: &str = "Another-horse-7";
const DAY: i64 = 86_400;

fn renewing(request: &SignInRequest, new: &str) -> SignInRequest {
    SignInRequest { new_password: Some(new.to_owned()), ..request.clone() }
}

#[tokio::test]
async fn a_password_that_must_be_changed_is_good_for_nothing_else() {
    let people = People::start().await;
    people.hire("bob", true).await;
    let before = people.world.commits();
    let error = refused(people.sign_in(&person("bob")).await);
    assert_eq!((error.code.as_str(), error.grpc), ("PasswordResetRequired", 9));
    for new in [PASSWORD, "short"] {
        let error = refused(people.sign_in(&renewing(&person("bob"), new)).await);
        assert_eq!(error.code, "PasswordPolicyViolation");
        assert_eq!(error.violations[0].0, "new_password");
    }
    // Whoever does not know the password is not told that it must be changed.
    people.refused(&with(&person("bob"), "Wrong-horse-7")).await;
    people.refused(&renewing(&with(&person("bob"), "Wrong-horse-7"), NEW)).await;
    assert_eq!(people.world.commits(), before, "a refusal wrote");
    let session = people.sign_in(&renewing(&person("bob"), NEW)).await.unwrap();
    assert_eq!(who(&session).await.unwrap(), people.world.arn("user/bob"));
    people.refused(&person("bob")).await;
    assert!(people.can(&with(&person("bob"), NEW)).await);
}

#[tokio::test]
async fn a_password_that_need_not_be_changed_is_not() {
    let people = People::start().await;
    let error = refused(people.sign_in(&renewing(&alice(), NEW)).await);
    assert_eq!(error.code, "InvalidParameterCombination");
    assert!(people.can(&alice()).await);
}

#[tokio::test]
async fn an_administrator_asks_for_a_change() {
    let people = People::start().await;
    let update = UpdateLoginProfileRequest {
        user_name: "alice".to_owned(),
        password: None,
        password_reset_required: Some(true),
    };
    people.world.root().call(&update).await.unwrap();
    assert_eq!(refused(people.sign_in(&alice()).await).code, "PasswordResetRequired");
    assert!(people.can(&renewing(&alice(), NEW)).await);
    assert!(people.can(&with(&alice(), NEW)).await);
}

#[tokio::test]
async fn whoever_must_change_a_password_may_unless_a_policy_denies_it() {
    let people = People::start().await;
    let (device, _) = equipped(&people).await;
    let must = UpdateLoginProfileRequest {
        user_name: "alice".to_owned(),
        password: None,
        password_reset_required: Some(true),
    };
    people.world.root().call(&must).await.unwrap();
    let mut statement = deny("iam:ChangePassword", "*");
    let put = |statement: &serde_json::Value| PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "denied".to_owned(),
        policy_document: document(statement),
    };
    people.world.root().call(&put(&statement)).await.unwrap();
    let before = people.world.commits();
    let good = next_code(&people, &device);
    let error = refused(people.sign_in(&renewing(&code(&alice(), &good), NEW)).await);
    assert_eq!(error.code, "AccessDenied");
    assert!(error.message.contains("iam:ChangePassword") && error.message.contains("explicit deny"));
    assert_eq!(people.world.commits(), before, "a refusal wrote");
    // Without MFA alone: what the code of this very sign-in shows counts.
    statement["Condition"] = json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } });
    people.world.root().call(&put(&statement)).await.unwrap();
    assert!(people.can(&renewing(&code(&alice(), &good), NEW)).await);
}

#[tokio::test]
async fn a_session_does_not_outlive_a_hard_expiry_by_changing_the_password_and_a_key_does() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    let policy = UpdateAccountPasswordPolicyRequest {
        max_password_age: Some(30),
        hard_expiry: Some(true),
        allow_users_to_change_password: Some(true),
        ..Default::default()
    };
    people.world.root().call(&policy).await.unwrap();
    people.clock.advance(30 * DAY - 60);
    let session = people.sign_in(&code(&alice(), &next_code(&people, &device))).await.unwrap();
    people.clock.advance(3600);
    let change = ChangePasswordRequest { old_password: PASSWORD.to_owned(), new_password: NEW.to_owned() };
    for client in [&*session, &session.bearer] {
        let error = refused(client.call(&change).await);
        assert_eq!(error.code, "AccessDenied");
        assert!(error.message.contains("expired"), "{}", error.message);
    }
    key.call(&change).await.unwrap();
    assert!(people.can(&with(&code(&alice(), &next_code(&people, &device)), NEW)).await);
}

#[tokio::test]
async fn an_earlier_password_is_refused_by_whichever_way_it_comes_back() {
    let people = People::start().await;
    let policy = UpdateAccountPasswordPolicyRequest {
        allow_users_to_change_password: Some(true),
        password_reuse_prevention: Some(24),
        ..Default::default()
    };
    people.world.root().call(&policy).await.unwrap();
    let update = |password: &str, reset: bool| UpdateLoginProfileRequest {
        user_name: "alice".to_owned(),
        password: Some(password.to_owned()),
        password_reset_required: Some(reset),
    };
    people.world.root().call(&update(NEW, false)).await.unwrap();
    let session = people.sign_in(&with(&alice(), NEW)).await.unwrap();
    people.world.root().call(&update("Third-horse-7", true)).await.unwrap();
    let before = people.world.commits();
    for earlier in [PASSWORD, NEW, "Third-horse-7"] {
        let change = ChangePasswordRequest {
            old_password: "Third-horse-7".to_owned(),
            new_password: earlier.to_owned(),
        };
        let by_change = refused(session.call(&change).await);
        let by_sign_in = refused(people.sign_in(&renewing(&with(&alice(), "Third-horse-7"), earlier)).await);
        for error in [by_change, by_sign_in] {
            assert_eq!(error.code, "PasswordPolicyViolation");
            assert_eq!(error.violations[0].0, "new_password");
        }
        let by_update = refused(people.world.root().call(&update(earlier, false)).await);
        assert_eq!(by_update.code, "PasswordPolicyViolation");
    }
    assert_eq!(people.world.commits(), before, "a refusal wrote");
}

#[tokio::test]
async fn an_expired_password_must_be_changed_unless_the_policy_forbids_it() {
    for hard_expiry in [false, true] {
        let people = People::start().await;
        let policy = UpdateAccountPasswordPolicyRequest {
            max_password_age: Some(30),
            hard_expiry: Some(hard_expiry),
            ..Default::default()
        };
        people.world.root().call(&policy).await.unwrap();
        people.clock.advance(30 * DAY - 1);
        assert!(people.can(&alice()).await);
        people.clock.advance(1);
        let error = refused(people.sign_in(&alice()).await);
        if hard_expiry {
            assert_eq!(error.code, "AccessDenied");
            assert!(error.message.contains("expired"), "{}", error.message);
            assert_eq!(refused(people.sign_in(&renewing(&alice(), NEW)).await).code, "AccessDenied");
        } else {
            assert_eq!(error.code, "PasswordResetRequired");
            assert!(people.can(&renewing(&alice(), NEW)).await);
            assert!(people.can(&with(&alice(), NEW)).await, "its age counts from now");
        }
        people.refused(&with(&alice(), "Wrong-horse-7")).await;
    }
}

#[tokio::test]
async fn a_session_goes_on_when_the_password_is_changed_and_ends_when_it_is_taken_away() {
    let people = People::start().await;
    people
        .world
        .root()
        .call(&UpdateAccountPasswordPolicyRequest {
            allow_users_to_change_password: Some(true),
            ..Default::default()
        })
        .await
        .unwrap();
    let session = people.sign_in(&alice()).await.unwrap();
    let change = ChangePasswordRequest { old_password: PASSWORD.to_owned(), new_password: NEW.to_owned() };
    session.call(&change).await.unwrap();
    assert!(who(&session).await.is_ok());
    let delete = DeleteLoginProfileRequest { user_name: Some("alice".to_owned()) };
    people.world.root().call(&delete).await.unwrap();
    for client in [&*session, &session.bearer] {
        assert_eq!(who(client).await, Err("InvalidClientTokenId".to_owned()));
    }
    people.refused(&with(&alice(), NEW)).await;
    // Another password makes nothing of it alive again.
    let profile = reeve_proto::iam::v1::CreateLoginProfileRequest {
        user_name: Some("alice".to_owned()),
        password: "Third-horse-7".to_owned(),
        ..Default::default()
    };
    people.world.root().call(&profile).await.unwrap();
    assert_eq!(who(&session).await, Err("InvalidClientTokenId".to_owned()));
}

#[tokio::test]
async fn a_password_is_hashed_anew_when_hashes_come_to_cost_something_else() {
    let people = People::configured(|config| config.engine = EngineName::Sled).await;
    // More, and then less again: whoever is there costs what whoever is not there does.
    let mut people = people;
    for memory_kibibytes in [8_192, 7_168] {
        people = people.restarted_with(|config| config.passwords.memory_kibibytes = memory_kibibytes).await;
        let before = people.world.commits();
        people.refused(&with(&alice(), "Wrong-horse-7")).await;
        assert_eq!(people.world.commits(), before);
        assert!(people.can(&alice()).await);
        assert_eq!(people.world.commits(), before + 1);
        assert!(people.can(&alice()).await);
        assert_eq!(people.world.commits(), before + 1, "it was hashed anew already");
        let hashed = people.world.hashed();
        people.refused(&with(&alice(), "Wrong-horse-7")).await;
        assert_eq!(people.world.hashed() - hashed, u64::from(memory_kibibytes) * 5);
    }
}
