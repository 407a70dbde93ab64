//! How long a session lasts, and that it ends.

use std::sync::Arc;

use reeve_chassis::clock::{Clock as _, ManualClock, SystemClock};
use reeve_proto::authorization::v1::{AuthorizeRequest, Question};
use reeve_proto::iam::v1::CreateRoleRequest;
use reeve_proto::sts::v1::AssumeRoleRequest;

use super::{assume, request, who};
use crate::world::{World, code, refused, trust};

#[tokio::test]
async fn a_session_lasts_as_long_as_asked_and_no_longer_than_the_role_says() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let create = CreateRoleRequest {
        role_name: "r".to_owned(),
        assume_role_policy_document: trust(world.arn("user/alice")).to_string(),
        max_session_duration: Some(7200),
        ..Default::default()
    };
    let role = world.root().call(&create).await.unwrap().role.unwrap();
    for (asked, expected) in [
        (None, Ok(3600)),
        (Some(900), Ok(900)),
        (Some(7200), Ok(7200)),
        (Some(7201), Err(())),
        (Some(899), Err(())),
        (Some(43_201), Err(())),
        (Some(0), Err(())),
        (Some(-1), Err(())),
        (Some(i32::MAX), Err(())),
    ] {
        let begun = SystemClock.now().seconds();
        let wanted = AssumeRoleRequest { duration_seconds: asked, ..request(&role) };
        match (assume(&alice, &wanted).await, expected) {
            (Ok(session), Ok(seconds)) => {
                let ends = session.expiration - begun;
                assert!((seconds..seconds + 10).contains(&ends), "{asked:?}: {ends}");
            }
            (Err(error), Err(())) => {
                assert_eq!(error.code, "ValidationError", "{asked:?}");
                assert_eq!(error.violations[0].0, "duration_seconds", "{asked:?}");
            }
            (result, _) => panic!("{asked:?}: {:?}", result.err()),
        }
    }
}

#[tokio::test]
async fn an_expired_token_opens_nothing() {
    // The server's clock is behind by less than a signature may be off, and then ahead by a little.
    let clock = Arc::new(ManualClock::at(SystemClock.now().seconds() - 840));
    let own = Arc::clone(&clock);
    let world = World::made(|_| {}, async move |environment| environment.clock = own).await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let shortest = AssumeRoleRequest { duration_seconds: Some(900), ..request(&role) };
    let session = assume(&alice, &shortest).await.unwrap();
    let longer = assume(&alice, &request(&role)).await.unwrap();
    clock.advance(899);
    assert!(who(&session).await.is_ok());
    clock.advance(1);
    let error = refused(session.call(&reeve_proto::sts::v1::GetCallerIdentityRequest {}).await);
    assert_eq!(error.code, "ExpiredToken");
    assert_eq!(error.message, "The security token included in the request is expired");
    assert!(who(&longer).await.is_ok());
    assert_eq!(code(assume(&session, &request(&role)).await), "ExpiredToken");

    // A relying service is told the same, as a denial.
    let question = Question {
        action: "s3:GetObject".to_owned(),
        resource: super::BUCKET.to_owned(),
        resource_account: Some(crate::world::ACCOUNT.to_owned()),
        session_token: Some(session.token().to_owned()),
        ..Default::default()
    };
    let answer = world.root().call(&AuthorizeRequest { question: Some(question) }).await.unwrap();
    let decision = answer.decision.unwrap();
    assert_eq!((decision.allowed, decision.error_code.as_str()), (false, "ExpiredToken"));
    assert_eq!(decision.eval_decision, "implicitDeny");
}
