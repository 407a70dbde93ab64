//! The member at fault is named as the request's proto names it, whichever layer finds the fault.

use reeve_chassis::client::CallError;
use reeve_proto::authorization::v1::{AuthorizeRequest, BatchAuthorizeRequest, Question};
use reeve_proto::iam::v1::{
    AttachUserPolicyRequest, CreatePolicyRequest, CreateRoleRequest, CreateUserRequest, PutUserPolicyRequest,
    UpdateAssumeRolePolicyRequest,
};
use reeve_proto::sts::v1::AssumeRoleRequest;

use super::tag;
use crate::authorization::about_user;
use crate::sts::{assume, request};
use crate::world::{ACCOUNT, World, refused, trust};

fn names<T>(answer: Result<T, CallError>, field: &str) {
    let error = refused(answer);
    let fields: Vec<&str> = error.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, [field], "{}: {}", error.code, error.message);
}

fn create() -> CreateUserRequest {
    CreateUserRequest { user_name: "bob".to_owned(), ..Default::default() }
}

#[tokio::test]
async fn tags_at_fault_are_named() {
    let world = World::start().await;
    let twice = CreateUserRequest { tags: vec![tag("team", "a"), tag("TEAM", "b")], ..create() };
    names(world.root().call(&twice).await, "tags");
    let reserved = CreateUserRequest { tags: vec![tag("aws:team", "a")], ..create() };
    names(world.root().call(&reserved).await, "tags");
}

#[tokio::test]
async fn documents_at_fault_are_named() {
    let world = World::start().await;
    world.user("alice").await;
    world.role("reader", &trust(ACCOUNT)).await;
    let text = || "{}".to_owned();
    let role = CreateRoleRequest {
        role_name: "r".to_owned(),
        assume_role_policy_document: text(),
        ..Default::default()
    };
    names(world.root().call(&role).await, "assume_role_policy_document");
    let update = UpdateAssumeRolePolicyRequest { role_name: "reader".to_owned(), policy_document: text() };
    names(world.root().call(&update).await, "policy_document");
    let policy =
        CreatePolicyRequest { policy_name: "p".to_owned(), policy_document: text(), ..Default::default() };
    names(world.root().call(&policy).await, "policy_document");
    let inline = PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "p".to_owned(),
        policy_document: text(),
    };
    names(world.root().call(&inline).await, "policy_document");
}

#[tokio::test]
async fn documents_of_sessions_and_questions_are_named_by_their_own_members() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("reader", &trust(world.arn("user/alice"))).await;
    let session = AssumeRoleRequest { policy: Some("{}".to_owned()), ..request(&role) };
    names(assume(&alice, &session).await, "policy");
    let bad = || Question { resource_policy: Some("{}".to_owned()), ..about_user(&alice) };
    let one = AuthorizeRequest { question: Some(bad()) };
    names(world.root().call(&one).await, "question.resource_policy");
    let second = BatchAuthorizeRequest { questions: vec![about_user(&alice), bad()] };
    names(world.root().call(&second).await, "questions[1].resource_policy");
}

#[tokio::test]
async fn principals_at_fault_are_named() {
    let world = World::start().await;
    let role = CreateRoleRequest {
        role_name: "r".to_owned(),
        assume_role_policy_document: trust(world.arn("user/nobody")).to_string(),
        ..Default::default()
    };
    names(world.root().call(&role).await, "assume_role_policy_document");
}

#[tokio::test]
async fn arns_at_fault_are_named() {
    let world = World::start().await;
    world.user("alice").await;
    let no_arn = || "this is not an ARN at all".to_owned();
    let attach = AttachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: no_arn() };
    names(world.root().call(&attach).await, "policy_arn");
    let bounded = CreateUserRequest { permissions_boundary: Some(no_arn()), ..create() };
    names(world.root().call(&bounded).await, "permissions_boundary");
}
