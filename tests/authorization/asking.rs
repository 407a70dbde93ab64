//! Who may ask: asking is a permission on the ARN asked about, asking by ARN another; neither is the permission itself.

use reeve_proto::sts::v1::GetCallerIdentityRequest;
use serde_json::json;

use super::{OBJECT, Question, about, about_session, about_user, ask, on};
use crate::sts::{assume, neighbour, request};
use crate::world::{ACCOUNT, World, allow, code, refused, trust};

#[tokio::test]
async fn the_permission_is_on_the_arn_asked_about() {
    let world = World::start().await;
    let asker = world.user("asker").await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    assert_eq!(code(ask(&asker, about_session(&session)).await), "AccessDenied");
    // What one may do oneself is nobody's leave to ask.
    world.allow(&asker, &allow("s3:*", "*")).await;
    assert_eq!(code(ask(&asker, about_session(&session)).await), "AccessDenied");
    world.allow(&asker, &allow("reeve:Authorize", "arn:aws:s3:::bucket/*")).await;
    assert!(!ask(&asker, about_session(&session)).await.unwrap().allowed, "the answer is about the session");
    let other = on(about_session(&session), "arn:aws:s3:::other/object");
    let error = refused(ask(&asker, other).await);
    assert_eq!(error.code, "AccessDenied");
    assert!(
        error.message.contains("reeve:Authorize on resource: arn:aws:s3:::other/object"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn asking_by_arn_is_a_permission_of_its_own() {
    let world = World::start().await;
    let asker = world.user("asker").await;
    let alice = world.user("alice").await;
    world.allow(&asker, &allow("reeve:Authorize", "*")).await;
    let error = refused(ask(&asker, about_user(&alice)).await);
    assert_eq!(error.code, "AccessDenied");
    assert!(error.message.contains("reeve:AuthorizePrincipal"), "{}", error.message);
    assert_eq!(code(ask(&asker, about(&asker.record.arn)).await), "AccessDenied", "about oneself too");
    world.allow(&asker, &allow("reeve:AuthorizePrincipal", OBJECT)).await;
    assert!(ask(&asker, about_user(&alice)).await.is_ok());
    let elsewhere = on(about_user(&alice), "arn:aws:s3:::bucket/other");
    assert_eq!(code(ask(&asker, elsewhere).await), "AccessDenied");
}

#[tokio::test]
async fn a_refusal_tells_nothing_of_the_principal_asked_about() {
    let world = World::start().await;
    let asker = world.user("asker").await;
    let alice = world.user("alice").await;
    let there = refused(ask(&asker, about_user(&alice)).await);
    let missing = refused(ask(&asker, about(&world.arn("user/nobody"))).await);
    assert_eq!((there.code, there.message), (missing.code, missing.message));
}

#[tokio::test]
async fn another_account_s_resource_is_the_management_account_s_to_ask_about() {
    let (world, next_door) = neighbour::start().await;
    let asker = world.user("asker").await;
    world.allow(&asker, &allow(json!(["reeve:Authorize", "reeve:AuthorizePrincipal"]), "*")).await;
    let (carol, of_carol) =
        neighbour::user(&next_door, "carol", Some(allow(json!(["s3:*", "reeve:*"]), "*"))).await;
    let theirs = Question { resource_account: Some(neighbour::NEIGHBOUR.to_owned()), ..about(&carol.arn) };
    assert!(
        ask(&asker, theirs.clone()).await.unwrap().allowed,
        "a relying service of the management account"
    );
    assert!(ask(&of_carol, theirs).await.unwrap().allowed, "their own");
    let ours = about(&carol.arn);
    assert_eq!(ours.resource_account.as_deref(), Some(ACCOUNT));
    assert_eq!(
        code(ask(&of_carol, ours).await),
        "AccessDenied",
        "a neighbour's permissions end at the fence"
    );
}

#[tokio::test]
async fn asking_writes_nothing() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    let before = world.commits();
    for _ in 0..3 {
        ask(world.root(), about_user(&alice)).await.unwrap();
        ask(world.root(), about_session(&session)).await.unwrap();
        refused(ask(&alice, about_user(&alice)).await);
        session.call(&GetCallerIdentityRequest {}).await.unwrap();
    }
    assert_eq!(world.commits(), before);
}
