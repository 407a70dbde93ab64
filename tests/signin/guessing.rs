//! What guessing costs whoever guesses: a wait that doubles, and nothing to learn. Nobody else notices.

use std::time::Duration;

use reeve_proto::iam::v1::{ChangePasswordRequest, UpdateAccountPasswordPolicyRequest};
use reeve_proto::signin::v1::{ClearSignInLocksRequest, ListSignInLocksRequest};

use super::second_factor::equipped;
use super::{PASSWORD, People, alice, person, with};
use crate::world::{code, refused};

#[tokio::test]
async fn whoever_guesses_waits_and_cannot_tell() {
    let people = People::start().await;
    for _ in 0..5 {
        people.refused(&with(&alice(), "Wrong-horse-7")).await;
    }
    // The right one is as wrong as the others, and says so in the same words.
    people.refused(&alice()).await;
    people.clock.advance(1);
    assert!(people.can(&alice()).await);
    people.refused(&with(&alice(), "Wrong-horse-7")).await;
    assert!(people.can(&alice()).await, "it begins anew");
}

#[tokio::test]
async fn whoever_is_not_there_is_locked_alike() {
    let people = People::start().await;
    for _ in 0..10 {
        people.refused(&person("nobody")).await;
    }
    assert!(people.can(&alice()).await);
}

#[tokio::test]
async fn guessing_at_full_speed_is_bounded() {
    let people = People::start().await;
    people.hire("bob", false).await;
    let wrong = with(&alice(), "Wrong-horse-7");
    let answers = futures::future::join_all((0..300).map(|_| people.sign_in(&wrong))).await;
    let codes: Vec<String> = answers.into_iter().map(|answer| refused(answer).code).collect();
    // Some were compared, some were not heard, some did not get that far; nobody got in and nothing else happened.
    assert!(codes.iter().all(|code| code == "AccessDenied" || code == "ServiceUnavailable"), "{codes:?}");
    people.clock.advance(3600);
    assert!(people.can(&alice()).await && people.can(&person("bob")).await);
}

#[tokio::test]
async fn a_place_that_guesses_at_a_thousand_names_is_shed() {
    let people = People::start().await;
    let before = people.world.commits();
    let mut shed = 0;
    for number in 0..1000 {
        let error = refused(people.sign_in(&person(&format!("user-{number}"))).await);
        match error.code.as_str() {
            "AccessDenied" => assert!(shed == 0, "{number}"),
            "ServiceUnavailable" => {
                shed += 1;
                assert_eq!((error.grpc, error.retry_after), (14, Some(Duration::from_secs(1))));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(shed, 900);
    assert_eq!(people.world.commits(), before);
}

#[tokio::test]
async fn an_administrator_sees_who_waits_and_ends_it() {
    let people = People::start().await;
    for _ in 0..6 {
        people.refused(&with(&alice(), "Wrong-horse-7")).await;
    }
    people.refused(&person("Correct-horse-8")).await;
    let list = ListSignInLocksRequest {};
    let locks = people.world.root().call(&list).await.unwrap().sign_in_locks;
    assert_eq!(locks.len(), 2);
    let [alices, nobodys] = &locks[..] else { panic!("{locks:?}") };
    assert_eq!((alices.user_name.as_deref(), alices.exists), (Some("alice"), true));
    assert_eq!((alices.source.as_str(), alices.failed_attempts), ("127.0.0.1", 5));
    assert_eq!(alices.locked_until.map(|at| at.seconds), Some(people.now() + 1));
    // What was typed for a name may be a password.
    assert_eq!((nobodys.user_name.as_deref(), nobodys.exists, nobodys.failed_attempts), (None, false, 1));
    assert!(!alices.of_codes && !nobodys.of_codes);
    let session = people.sign_in(&alice()).await;
    assert!(session.is_err());
    let clear = ClearSignInLocksRequest { user_name: "Alice".to_owned() };
    people.world.root().call(&clear).await.unwrap();
    assert!(people.can(&alice()).await);
    let bob = people.world.user("bob").await;
    assert_eq!(code(bob.call(&list).await), "AccessDenied");
    assert_eq!(code(bob.call(&clear).await), "AccessDenied");
}

#[tokio::test]
async fn an_administrator_sees_guesses_at_codes_too_and_ends_the_wait() {
    let people = People::start().await;
    let (device, key) = equipped(&people).await;
    for _ in 0..20 {
        assert_eq!(code(key.call(&device.shown("000000")).await), "AccessDenied");
    }
    let list = ListSignInLocksRequest {};
    let locks = people.world.root().call(&list).await.unwrap().sign_in_locks;
    let [lock] = &locks[..] else { panic!("{locks:?}") };
    assert_eq!((lock.user_name.as_deref(), lock.exists, lock.of_codes), (Some("alice"), true, true));
    assert_eq!((lock.source.as_str(), lock.failed_attempts), ("", 20));
    assert_eq!(lock.locked_until.map(|at| at.seconds), Some(people.now() + 1));
    let good = device.code(people.now() + 30);
    assert_eq!(code(key.call(&device.shown(&good)).await), "AccessDenied");
    let clear = ClearSignInLocksRequest { user_name: "alice".to_owned() };
    people.world.root().call(&clear).await.unwrap();
    key.call(&device.shown(&good)).await.unwrap();
}

#[tokio::test]
async fn guessing_the_old_password_is_guessing() {
    let people = People::start().await;
    let policy = UpdateAccountPasswordPolicyRequest {
        allow_users_to_change_password: Some(true),
        ..Default::default()
    };
    people.world.root().call(&policy).await.unwrap();
    let session = people.sign_in(&alice()).await.unwrap();
    let change = |old: &str| ChangePasswordRequest {
        old_password: old.to_owned(),
        new_password: "Another-horse-7".to_owned(),
    };
    let before = people.world.commits();
    for guess in 0..5 {
        let error = refused(session.call(&change(&format!("Wrong-horse-{guess}"))).await);
        assert_eq!(error.message, "The old password was incorrect.");
    }
    // The right one is as wrong as the others, and costs as much; here and at the door.
    let hashed = people.world.hashed();
    let error = refused(session.call(&change(PASSWORD)).await);
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("AccessDenied", "The old password was incorrect.")
    );
    let cost = people.world.hashed() - hashed;
    people.refused(&alice()).await;
    assert_eq!(people.world.hashed() - hashed, 2 * cost);
    // Who goes on is not heard for ever.
    let mut shed = None;
    for _ in 0..100 {
        let error = refused(session.call(&change("Wrong-horse-7")).await);
        shed = (error.code == "ServiceUnavailable").then_some(error);
    }
    assert!(shed.unwrap().retry_after.is_some());
    assert_eq!(people.world.commits(), before, "a guess wrote");
    people.clock.advance(3600);
    session.call(&change(PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_right_passwords_is_shed_before_it_takes_memory() {
    let people = People::configured(|config| {
        config.passwords.threads = 1;
        config.passwords.queue_max = 1;
    })
    .await;
    let before = people.world.hashed();
    people.sign_in(&alice()).await.unwrap();
    let cost = people.world.hashed() - before;
    let before = people.world.hashed();
    let request = alice();
    let answers = futures::future::join_all((0..60).map(|_| people.sign_in(&request))).await;
    let (welcome, shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(!welcome.is_empty() && !shed.is_empty(), "{} of 60", welcome.len());
    for error in shed.into_iter().map(refused) {
        assert_eq!((error.code.as_str(), error.grpc), ("ServiceUnavailable", 14));
        assert_eq!(error.retry_after, Some(Duration::from_secs(1)));
    }
    assert_eq!(people.world.hashed() - before, cost * welcome.len() as u64, "nothing was done for them");
    assert!(people.can(&alice()).await, "to be shed is no wrong guess");
}
