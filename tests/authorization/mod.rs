//! The question that other services ask: may this principal do this here? Who may ask it, what may be said with it, and
//! that the answer is of now.

mod asking;
mod batch;
mod context;
mod decisions;
mod freshness;
mod relying;
mod resource_policies;
mod signed_requests;
mod signer;
mod signing_key;

use reeve_chassis::client::{CallError, Client};
use reeve_proto::authorization::v1::{AuthorizeRequest, ContextEntry, Decision, Question};
use reeve_proto::iam::v1::Tag;

use crate::sts::Session;
use crate::world::{ACCOUNT, User, World};

/// What is asked about where it does not matter.
pub(crate) const OBJECT: &str = "arn:aws:s3:::bucket/object";
pub(crate) const READ: &str = "s3:GetObject";

/// May whoever `arn` names read the object?
pub(crate) fn about(arn: &str) -> Question {
    Question {
        action: READ.to_owned(),
        resource: OBJECT.to_owned(),
        resource_account: Some(ACCOUNT.to_owned()),
        principal_arn: Some(arn.to_owned()),
        ..Default::default()
    }
}

/// May the holder of the session read the object?
pub(crate) fn about_session(session: &Session) -> Question {
    Question {
        principal_arn: None,
        session_token: Some(session.token().to_owned()),
        access_key_id: Some(session.credentials.access_key_id.clone()),
        ..about("")
    }
}

/// The same about something else.
pub(crate) fn on(question: Question, resource: &str) -> Question {
    Question { resource: resource.to_owned(), ..question }
}

/// A condition key of one value.
pub(crate) fn entry(name: &str, value: &str) -> ContextEntry {
    ContextEntry {
        context_key_name: name.to_owned(),
        context_key_values: vec![value.to_owned()],
        multivalued: false,
    }
}

/// A condition key of several values.
pub(crate) fn entries(name: &str, values: &[&str]) -> ContextEntry {
    ContextEntry {
        context_key_name: name.to_owned(),
        context_key_values: values.iter().map(|value| (*value).to_owned()).collect(),
        multivalued: true,
    }
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

/// Asks.
pub(crate) async fn ask(client: &Client, question: Question) -> Result<Decision, CallError> {
    let request = AuthorizeRequest { question: Some(question) };
    client.call(&request).await.map(|answer| answer.decision.unwrap())
}

/// Whether root is told that it is allowed.
pub(crate) async fn allowed(world: &World, question: Question) -> bool {
    ask(world.root(), question).await.unwrap().allowed
}

/// A question about a user, by ARN.
pub(crate) fn about_user(user: &User) -> Question {
    about(&user.record.arn)
}
