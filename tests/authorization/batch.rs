//! Many questions at once: each is asked for by itself, and one that fails does not take the others with it.

use reeve_chassis::client::{CallError, Client};
use reeve_proto::authorization::v1::{BatchAuthorizeRequest, Decision};
use serde_json::json;

use super::{OBJECT, Question, about, about_session, about_user, on};
use crate::sts::{assume, request};
use crate::world::{World, allow, code, refused, trust};

async fn ask(client: &Client, questions: &[Question]) -> Result<Vec<Decision>, CallError> {
    let request = BatchAuthorizeRequest { questions: questions.to_vec() };
    client.call(&request).await.map(|answer| answer.decisions)
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_questions() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("s3:*", "arn:aws:s3:::bucket/even*")).await;
    let questions: Vec<Question> = (0..100)
        .map(|number| {
            let name = if number % 2 == 0 { "even" } else { "odd" };
            on(about_user(&alice), &format!("arn:aws:s3:::bucket/{name}{number}"))
        })
        .collect();
    let decisions = ask(world.root(), &questions).await.unwrap();
    assert_eq!(decisions.len(), 100);
    for (number, decision) in decisions.iter().enumerate() {
        assert_eq!(decision.allowed, number % 2 == 0, "{number}");
        assert!(decision.message.contains(&questions[number].resource));
    }
    for count in [0, 101] {
        assert_eq!(code(ask(world.root(), &vec![questions[0].clone(); count]).await), "ValidationError");
    }
}

/// Two bytes a question, hundreds in memory: who may ask at all must not spend the server's.
#[tokio::test]
async fn a_request_of_nothing_but_empty_questions_is_not_even_read() {
    let world = World::start().await;
    let error = refused(ask(world.root(), &vec![Question::default(); 1_000_000]).await);
    assert_eq!(error.code, "RequestEntityTooLarge", "{}", error.message);
}

#[tokio::test]
async fn one_bad_token_does_not_sink_the_others() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    world.allow_role(&role, &allow("s3:*", "*")).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    let good = about_session(&session);
    let bad = Question { session_token: Some("AAAA".to_owned()), ..good.clone() };
    let nobody = about(&world.arn("user/nobody"));
    let decisions = ask(world.root(), &[good.clone(), bad, nobody, good]).await.unwrap();
    let told: Vec<(bool, &str)> = decisions.iter().map(|d| (d.allowed, d.error_code.as_str())).collect();
    assert_eq!(told, [(true, ""), (false, "InvalidClientTokenId"), (false, "NoSuchEntity"), (true, "")]);
}

#[tokio::test]
async fn the_permission_is_needed_for_each() {
    let world = World::start().await;
    let asker = world.user("asker").await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    world.allow(&asker, &allow("reeve:Authorize", "*")).await;
    let mine = about_session(&session);
    let other = on(mine.clone(), "arn:aws:s3:::other/object");
    assert_eq!(
        code(ask(&asker, std::slice::from_ref(&mine)).await),
        "AccessDenied",
        "batches are their own action"
    );
    world.allow(&asker, &allow("reeve:BatchAuthorize", "arn:aws:s3:::bucket/*")).await;
    assert_eq!(ask(&asker, &[mine.clone(), mine.clone()]).await.unwrap().len(), 2);
    for questions in [[mine.clone(), other.clone()], [other, mine.clone()]] {
        let error = refused(ask(&asker, &questions).await);
        assert_eq!(error.code, "AccessDenied");
        assert!(error.message.contains("arn:aws:s3:::other/object"), "{}", error.message);
    }
    // By ARN: for those that are asked by ARN, and no others.
    let by_arn = about_user(&alice);
    assert_eq!(code(ask(&asker, &[mine.clone(), by_arn.clone()]).await), "AccessDenied");
    world.allow(&asker, &allow("reeve:AuthorizePrincipal", OBJECT)).await;
    assert_eq!(ask(&asker, &[mine, by_arn]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_question_that_cannot_be_meant_is_named_by_its_place() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let good = about_user(&alice);
    for (bad, code, field) in [
        (on(good.clone(), "nowhere"), "InvalidParameterValue", "questions[1].resource"),
        (
            Question { resource_account: None, ..good.clone() },
            "InvalidParameterValue",
            "questions[1].resource_account",
        ),
        (
            Question { context: vec![super::entry("aws:userid", "x")], ..good.clone() },
            "InvalidParameterValue",
            "questions[1].context",
        ),
        (
            Question { resource_policy: Some("{".to_owned()), ..good.clone() },
            "MalformedPolicyDocument",
            "questions[1].resource_policy",
        ),
    ] {
        let error = refused(ask(world.root(), &[good.clone(), bad]).await);
        assert_eq!(error.code, code, "{field}");
        assert!(error.violations.iter().any(|(named, _)| named == field), "{field}: {:?}", error.violations);
    }
}

#[tokio::test]
async fn a_batch_writes_nothing() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow(json!(["s3:*"]), "*")).await;
    let before = world.commits();
    ask(world.root(), &[about_user(&alice), about_user(&alice)]).await.unwrap();
    assert_eq!(world.commits(), before);
}
