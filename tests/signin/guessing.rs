//! What guessing costs whoever guesses: a wait that doubles, and nothing to learn. Nobody else notices.

use reeve_proto::signin::v1::{ClearSignInLocksRequest, ListSignInLocksRequest};

use super::{People, alice, person, with};
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
            "ServiceUnavailable" => shed += 1,
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
    let session = people.sign_in(&alice()).await;
    assert!(session.is_err());
    let clear = ClearSignInLocksRequest { user_name: "Alice".to_owned() };
    people.world.root().call(&clear).await.unwrap();
    assert!(people.can(&alice()).await);
    let bob = people.world.user("bob").await;
    assert_eq!(code(bob.call(&list).await), "AccessDenied");
    assert_eq!(code(bob.call(&clear).await), "AccessDenied");
}
