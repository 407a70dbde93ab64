//! One event a call, whatever becomes of it: what a relying service asked and was told, and calls that nobody waits for.

mod stuck;

use std::sync::Arc;

use reeve_proto::authorization::v1::{AuthorizeRequest, BatchAuthorizeRequest, Question};
use reeve_proto::iam::v1::{CreateUserRequest, GetUserRequest};
use reeve_proto::sts::v1::GetCallerIdentityRequest;
use serde_json::{Value, json};

use crate::authorization::{OBJECT, about, about_session, about_user, on};
use crate::sts::{assume, request};
use crate::transport::wire::{Wire, bytes, frame};
use crate::world::{World, allow, code, trust};
use stuck::Stuck;

fn is_of(action: &str) -> impl Fn(&Value) -> bool {
    move |event| event["action"] == action
}

#[tokio::test]
async fn the_event_of_a_question_says_what_was_asked_and_answered() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("s3:GetObject", OBJECT)).await;
    let ask = AuthorizeRequest { question: Some(about_user(&alice)) };
    assert!(world.root().call(&ask).await.unwrap().decision.unwrap().allowed);
    let event = world.audited(is_of("reeve:Authorize")).await;
    assert_eq!(event["resource"], OBJECT);
    assert_eq!(
        event["asked"],
        json!([{ "principal": alice.record.arn, "action": "s3:GetObject", "resource": OBJECT,
            "decision": "allowed", "layer": "identity" }])
    );
    assert_eq!(event["decision"], "allowed", "the asking itself");
}

#[tokio::test]
async fn the_event_of_a_batch_says_it_of_every_question() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("s3:GetObject", OBJECT)).await;
    let role = world.role("r", &trust(alice.record.arn.as_str())).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    let other = "arn:aws:s3:::bucket/\"other\"\\";
    let bad = Question { session_token: Some("AAAA".to_owned()), ..about_session(&session) };
    let questions = vec![
        about_user(&alice),
        on(about_user(&alice), other),
        about_session(&session),
        bad,
        about(&world.arn("user/nobody")),
    ];
    world.root().call(&BatchAuthorizeRequest { questions }).await.unwrap();
    let event = world.audited(is_of("reeve:BatchAuthorize")).await;
    let asked: Vec<[&str; 4]> = event["asked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asked| {
            ["principal", "resource", "decision", "error"]
                .map(|name| asked[name].as_str().unwrap_or_default())
        })
        .collect();
    let nobody = world.arn("user/nobody");
    assert_eq!(
        asked,
        [
            [alice.record.arn.as_str(), OBJECT, "allowed", ""],
            [&alice.record.arn, other, "implicitDeny", ""],
            [&session.user.arn, OBJECT, "implicitDeny", ""],
            ["", OBJECT, "implicitDeny", "InvalidClientTokenId"],
            [&nobody, OBJECT, "implicitDeny", "NoSuchEntity"],
        ]
    );
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_audited_with_what_it_asked() {
    let world = World::start().await;
    let question =
        Question { relying_service: Some("nowhere".to_owned()), ..about(&world.arn("user/alice")) };
    let ask = AuthorizeRequest { question: Some(question) };
    assert_eq!(code(world.root().call(&ask).await), "NoSuchEntity");
    let event = world.audited(is_of("reeve:Authorize")).await;
    assert_eq!(event["error"], "NoSuchEntity");
    assert_eq!(
        event["asked"],
        json!([{ "principal": world.arn("user/alice"), "action": "s3:GetObject", "resource": OBJECT,
            "error": "NoSuchEntity" }])
    );
}

#[tokio::test]
async fn no_other_call_is_said_to_have_asked() {
    let world = World::start().await;
    world.root().call(&GetCallerIdentityRequest {}).await.unwrap();
    let event = world.audited(is_of("sts:GetCallerIdentity")).await;
    assert!(event.get("asked").is_none());
}

/// A world whose store can be made to hang.
async fn hanging() -> (World, Arc<Stuck>) {
    let mut engine = None;
    let change = async |environment: &mut reeve_chassis::Environment| {
        let stuck = Arc::new(Stuck::over(Arc::clone(&environment.engine)));
        environment.engine = Arc::clone(&stuck) as _;
        engine = Some(stuck);
    };
    let world = World::made(|_| {}, change).await;
    (world, engine.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_client_goes_away_is_audited_as_cancelled() {
    let (world, engine) = hanging().await;
    let wire = Wire::connect(&world.endpoint()).await;
    // Its key is known by now, so what hangs is the call itself.
    world.root().call(&GetCallerIdentityRequest {}).await.unwrap();
    let get = GetUserRequest { user_name: Some("nobody".to_owned()) };
    let get = wire.outgoing(&get).signed(&world.root_credentials(), "iam");
    engine.stick();
    let body = bytes(frame(&get.message));
    let (calling, called) = (wire.clone(), get.clone());
    let call = tokio::spawn(async move { calling.try_send(&called, body).await.is_ok() });
    engine.reached().await;
    // The client resets the stream.
    call.abort();
    let event = world.audited(is_of("iam:GetUser")).await;
    assert_eq!(event["error"], "RequestCanceled");
    assert_eq!(event["access_key_id"], world.root_credentials().access_key_id);
    engine.free();
    assert_eq!(wire.send(&get).await.code(), "NoSuchEntity");
    let answered =
        world.audited(|event| is_of("iam:GetUser")(event) && event["error"] == "NoSuchEntity").await;
    assert_ne!(answered["request_id"], event["request_id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_its_deadline_ends_is_audited_with_what_was_known_of_it() {
    let (world, engine) = hanging().await;
    engine.stick();
    let wire = Wire::connect(&world.endpoint()).await;
    let get = wire.outgoing(&GetUserRequest::default()).with("grpc-timeout", "100m");
    let answer = wire.send(&get.signed(&world.root_credentials(), "iam")).await;
    assert_eq!((answer.code().as_str(), answer.grpc()), ("RequestTimeout", 4));
    let event = world.audited(is_of("iam:GetUser")).await;
    assert_eq!(event["error"], "RequestTimeout");
    assert_eq!(event["access_key_id"], world.root_credentials().access_key_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_its_deadline_cuts_off_is_audited_though_nobody_knows_whether_it_was_made() {
    let (world, engine) = hanging().await;
    engine.stick_commits();
    let wire = Wire::connect(&world.endpoint()).await;
    let create = CreateUserRequest { user_name: "perhaps".to_owned(), ..Default::default() };
    let create = wire.outgoing(&create).with("grpc-timeout", "300m");
    let answer = wire.send(&create.signed(&world.root_credentials(), "iam")).await;
    assert_eq!((answer.code().as_str(), answer.grpc()), ("RequestTimeout", 4));
    let event = world.audited(is_of("iam:CreateUser")).await;
    assert_eq!(event["error"], "RequestTimeout");
    assert_eq!(event["resource"], world.arn("user/perhaps"));
}
