//! How sessions end that began with a sign-in.

use reeve_proto::iam::v1::{DeleteLoginProfileRequest, DeleteUserRequest};
use reeve_proto::signin::v1::{SignInRequest, SignOutRequest};

use super::{People, alice, person};
use crate::sts::{assume, request, who};
use crate::world::{code, trust};

fn ended() -> Result<String, String> {
    Err("InvalidClientTokenId".to_owned())
}

#[tokio::test]
async fn signing_out_ends_the_session_and_everything_made_with_it() {
    let people = People::start().await;
    let role = people.world.role("r", &trust(people.world.arn("user/alice"))).await;
    let (one, other) = (people.sign_in(&alice()).await.unwrap(), people.sign_in(&alice()).await.unwrap());
    let of_role = assume(&one, &request(&role)).await.unwrap();
    assert!(who(&of_role).await.is_ok());
    one.call(&SignOutRequest {}).await.unwrap();
    for client in [&*one, &one.bearer, &*of_role] {
        assert_eq!(who(client).await, ended());
    }
    assert!(who(&other).await.is_ok() && who(&other.bearer).await.is_ok());
    assert_eq!(code(one.call(&SignOutRequest {}).await), "InvalidClientTokenId");
    // By the bearer token as well.
    other.bearer.call(&SignOutRequest {}).await.unwrap();
    assert_eq!(who(&other).await, ended());
    assert!(people.can(&alice()).await);
}

#[tokio::test]
async fn only_what_began_with_a_sign_in_is_signed_out() {
    let people = People::start().await;
    let session = people.sign_in(&alice()).await.unwrap();
    let role = people.world.role("r", &trust(people.world.arn("user/alice"))).await;
    let of_role = assume(&session, &request(&role)).await.unwrap();
    for client in [people.world.root(), &of_role] {
        assert_eq!(code(client.call(&SignOutRequest {}).await), "ValidationError");
    }
    assert!(who(&session).await.is_ok());
}

#[tokio::test]
async fn what_was_signed_out_is_remembered_no_longer_than_it_would_have_lasted() {
    let people = People::start().await;
    let short = SignInRequest { duration_seconds: Some(900), ..alice() };
    let records = async || {
        let engine = std::sync::Arc::clone(people.world.engine());
        let mut transaction = reeve_storage::Transaction::begin(engine);
        let all = reeve_directory::tables::ENDED_SESSIONS.scan(&mut transaction, &(), None, 1000).await;
        all.unwrap().len()
    };
    for _ in 0..5 {
        people.sign_in(&short).await.unwrap().call(&SignOutRequest {}).await.unwrap();
    }
    assert_eq!(records().await, 5);
    people.clock.advance(901);
    people.sign_in(&alice()).await.unwrap().call(&SignOutRequest {}).await.unwrap();
    assert_eq!(records().await, 1);
}

#[tokio::test]
async fn a_session_ends_with_its_time_and_its_user() {
    let people = People::start().await;
    people.hire("bob", false).await;
    let short = SignInRequest { duration_seconds: Some(900), ..person("bob") };
    let session = people.sign_in(&short).await.unwrap();
    assert_eq!(session.expiration, people.now() + 900);
    people.clock.advance(899);
    assert!(who(&session).await.is_ok() && who(&session.bearer).await.is_ok());
    people.clock.advance(1);
    for client in [&*session, &session.bearer] {
        assert_eq!(who(client).await, Err("ExpiredToken".to_owned()));
    }
    people.clock.advance(-900);
    let session = people.sign_in(&person("bob")).await.unwrap();
    let delete = DeleteLoginProfileRequest { user_name: Some("bob".to_owned()) };
    people.world.root().call(&delete).await.unwrap();
    people.world.root().call(&DeleteUserRequest { user_name: "bob".to_owned() }).await.unwrap();
    assert_eq!(who(&session).await, ended());
    people.hire("bob", false).await;
    assert_eq!(who(&session).await, ended(), "who has the name now is somebody else");
}
