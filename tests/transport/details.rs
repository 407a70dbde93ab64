//! What an error says besides its code: `google.rpc` details, the request's id, and the revision an answer rests on.

use reeve_chassis::client::Credentials;
use reeve_proto::iam::v1::{CreateUserRequest, GetUserRequest};
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::wire::{Answer, Wire};
use crate::world::{User, World, allow};

async fn world() -> (World, User, Wire) {
    let world = World::start().await;
    let admin = world.user("admin").await;
    world.allow(&admin, &allow("iam:*", "*")).await;
    let wire = Wire::connect(&world.endpoint()).await;
    (world, admin, wire)
}

fn kinds(answer: &Answer) -> Vec<String> {
    let details = answer.details().into_iter();
    let mut kinds: Vec<String> = details
        .map(|any| any.type_url.trim_start_matches("type.googleapis.com/google.rpc.").to_owned())
        .collect();
    kinds.sort();
    kinds
}

fn request_id(answer: &Answer) -> String {
    answer.headers["x-amzn-requestid"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_error_carries_its_reason_and_the_request_s_id() {
    let (_world, admin, wire) = world().await;
    let missing = GetUserRequest { user_name: Some("nobody".to_owned()) };
    let answer = wire.send(&wire.outgoing(&missing).signed(&admin.credentials(), "iam")).await;
    assert_eq!(answer.grpc(), 5);
    assert_eq!(answer.reason(), ("NoSuchEntity".to_owned(), "reeve".to_owned()));
    assert_eq!(kinds(&answer), ["ErrorInfo", "RequestInfo"]);
    let info = answer.details().into_iter().find(|any| any.type_url.ends_with("RequestInfo")).unwrap();
    let id = request_id(&answer);
    assert!(info.value.windows(id.len()).any(|window| window == id.as_bytes()), "the same id in both places");
}

#[tokio::test]
async fn a_refusal_too_says_which_revision_it_rests_on_to_a_caller_who_is_known() {
    let (world, admin, wire) = world().await;
    let revision = |answer: &Answer| answer.headers.get("reeve-revision").cloned();
    let read = wire.outgoing(&GetUserRequest::default()).signed(&admin.credentials(), "iam");
    let read = revision(&wire.send(&read).await).expect("a success has one");
    let missing = GetUserRequest { user_name: Some("nobody".to_owned()) };
    let answer = wire.send(&wire.outgoing(&missing).signed(&admin.credentials(), "iam")).await;
    assert_eq!((answer.code().as_str(), revision(&answer)), ("NoSuchEntity", Some(read.clone())));
    let stranger = world.user("stranger").await;
    let denied = wire.send(&wire.outgoing(&missing).signed(&stranger.credentials(), "iam")).await;
    assert_eq!(denied.code(), "AccessDenied");
    assert!(revision(&denied).is_some_and(|later| later != read), "there is a user more by now");
    // How fast revisions follow one another tells of others' work: nothing that strangers are told.
    let unsigned = wire.send(&wire.outgoing(&missing)).await;
    assert_eq!((unsigned.code().as_str(), revision(&unsigned)), ("MissingAuthenticationToken", None));
}

#[tokio::test]
async fn a_member_at_fault_is_named() {
    let (_world, admin, wire) = world().await;
    let create =
        CreateUserRequest { user_name: "a b".to_owned(), path: Some("x".to_owned()), ..Default::default() };
    let answer = wire.send(&wire.outgoing(&create).signed(&admin.credentials(), "iam")).await;
    assert_eq!((answer.code().as_str(), answer.grpc()), ("ValidationError", 3));
    assert_eq!(kinds(&answer), ["BadRequest", "ErrorInfo", "RequestInfo"]);
    let bad = answer.details().into_iter().find(|any| any.type_url.ends_with("BadRequest")).unwrap();
    for field in ["user_name", "path"] {
        assert!(bad.value.windows(field.len()).any(|window| window == field.as_bytes()), "{field}");
    }
}

#[tokio::test]
async fn every_answer_has_an_id_and_a_success_has_the_revision_it_rests_on() {
    let (_world, admin, wire) = world().await;
    let read = || wire.outgoing(&GetUserRequest::default()).signed(&admin.credentials(), "iam");
    let create = |name: &str| {
        let create = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
        wire.outgoing(&create).signed(&admin.credentials(), "iam")
    };
    let mut ids = std::collections::BTreeSet::new();
    let mut revisions = Vec::new();
    for outgoing in [read(), read(), create("a"), read(), create("b")] {
        let answer = wire.send(&outgoing).await;
        assert_eq!(answer.grpc(), 0, "{answer:?}");
        assert!(ids.insert(request_id(&answer)));
        revisions.push(answer.headers["reeve-revision"].to_str().unwrap().to_owned());
    }
    assert_eq!(revisions[0], revisions[1], "nothing was written between");
    assert_ne!(revisions[1], revisions[2]);
    assert_eq!(revisions[2], revisions[3], "the read saw the write");
    assert_ne!(revisions[3], revisions[4]);
    let unsigned = wire.send(&wire.outgoing(&GetCallerIdentityRequest {})).await;
    assert!(ids.insert(request_id(&unsigned)));
}

#[tokio::test]
async fn a_caller_can_ask_not_to_be_answered_from_before_a_revision() {
    let (_world, admin, wire) = world().await;
    let create = CreateUserRequest { user_name: "a".to_owned(), ..Default::default() };
    let written = wire.send(&wire.outgoing(&create).signed(&admin.credentials(), "iam")).await;
    let revision = written.headers["reeve-revision"].to_str().unwrap();
    let since = |revision: &str| {
        let get = GetUserRequest { user_name: Some("a".to_owned()) };
        wire.outgoing(&get).with("reeve-min-revision", revision).signed(&admin.credentials(), "iam")
    };
    assert_eq!(wire.send(&since(revision)).await.grpc(), 0);
    let half = revision.split_at(revision.len() / 2).0;
    let longer = format!("{revision}A");
    for unknown in ["", "1", half, &longer, &"A".repeat(revision.len())] {
        let answer = wire.send(&since(unknown)).await;
        assert_eq!(answer.code(), "InvalidParameterValue", "{unknown}: {answer:?}");
    }
    // Which of two is meant nobody could say.
    let get = wire.outgoing(&GetUserRequest::default());
    let two = get.with("reeve-min-revision", revision).and("reeve-min-revision", revision.as_bytes());
    let answer = wire.send(&two.signed(&admin.credentials(), "iam")).await;
    assert_eq!(answer.code(), "InvalidParameterValue", "{answer:?}");
}

#[tokio::test]
async fn a_revision_is_not_looked_at_before_it_is_known_who_asks_for_it() {
    let (_world, admin, wire) = world().await;
    let garbage = wire.outgoing(&GetUserRequest::default()).with("reeve-min-revision", "garbage");
    assert_eq!(wire.send(&garbage).await.code(), "MissingAuthenticationToken");
    let forged = Credentials {
        secret_access_key: zeroize::Zeroizing::new("another".to_owned()),
        ..admin.credentials()
    };
    assert_eq!(wire.send(&garbage.signed(&forged, "iam")).await.code(), "SignatureDoesNotMatch");
}
