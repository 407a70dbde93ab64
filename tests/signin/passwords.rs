//! Passwords that must be changed first, and when they are hashed anew.

use reeve_proto::iam::v1::{
    ChangePasswordRequest, DeleteLoginProfileRequest, UpdateAccountPasswordPolicyRequest,
    UpdateLoginProfileRequest,
};
use reeve_proto::signin::v1::SignInRequest;
use reeve_server::config::EngineName;

use super::{PASSWORD, People, alice, person, with};
use crate::sts::who;
use crate::world::refused;

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
async fn a_password_is_hashed_anew_when_hashes_come_to_cost_more() {
    let people = People::configured(|config| config.engine = EngineName::Sled).await;
    let people = people.restarted_with(|config| config.passwords.memory_kibibytes = 8_192).await;
    let before = people.world.commits();
    people.refused(&with(&alice(), "Wrong-horse-7")).await;
    assert_eq!(people.world.commits(), before);
    assert!(people.can(&alice()).await);
    assert_eq!(people.world.commits(), before + 1);
    assert!(people.can(&alice()).await);
    assert_eq!(people.world.commits(), before + 1, "it was hashed anew already");
}
