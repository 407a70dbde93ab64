//! Temporary credentials: who gets them, what they carry, what they may do, and how they end.

mod bearer_tokens;
mod chaining;
mod duration;
mod identity;
pub(crate) mod neighbour;
mod revocation;
mod session_policies;
mod session_tokens;
mod signature;
mod tags;
mod token;
mod trust;
pub(crate) mod verifier;
mod web_identity;
pub(crate) mod web_identity_tokens;

use reeve_chassis::client::{CallError, Client, Credentials};
use reeve_proto::authorization::v1::{AuthorizeRequest, Question};
use reeve_proto::iam::v1::{Role, Tag};
use reeve_proto::sts::v1::{
    AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, GetCallerIdentityRequest, PolicyDescriptorType,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::world::World;

/// What a bucket's objects are called here.
pub(crate) const BUCKET: &str = "arn:aws:s3:::bucket";

/// A session, who is also its own client.
pub(crate) struct Session {
    pub(crate) credentials: Credentials,
    pub(crate) user: AssumedRoleUser,
    pub(crate) packed_policy_size: i32,
    pub(crate) source_identity: Option<String>,
    pub(crate) expiration: i64,
    client: Client,
}

impl Session {
    /// What AssumeRole answered, on the connection of `client`.
    pub(crate) fn of(client: &Client, answer: AssumeRoleResponse) -> Self {
        let given = answer.credentials.unwrap();
        let credentials = Credentials {
            access_key_id: given.access_key_id,
            secret_access_key: Zeroizing::new(given.secret_access_key),
            session_token: Some(given.session_token),
        };
        Self {
            client: client.signed(credentials.clone()),
            credentials,
            user: answer.assumed_role_user.unwrap(),
            packed_policy_size: answer.packed_policy_size.unwrap(),
            source_identity: answer.source_identity,
            expiration: given.expiration.unwrap().seconds,
        }
    }

    pub(crate) fn token(&self) -> &str {
        self.credentials.session_token.as_deref().unwrap()
    }
}

impl std::ops::Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A session of `role`, called `session`.
pub(crate) fn request(role: &Role) -> AssumeRoleRequest {
    request_for(&role.arn)
}

pub(crate) fn request_for(role_arn: &str) -> AssumeRoleRequest {
    AssumeRoleRequest {
        role_arn: role_arn.to_owned(),
        role_session_name: "session".to_owned(),
        ..Default::default()
    }
}

/// The same with tags, of which those in `transitive` are passed on.
pub(crate) fn tagged(role: &Role, tags: &[(&str, &str)], transitive: &[&str]) -> AssumeRoleRequest {
    AssumeRoleRequest {
        tags: tags.iter().map(|(key, value)| tag(key, value)).collect(),
        transitive_tag_keys: transitive.iter().map(|key| (*key).to_owned()).collect(),
        ..request(role)
    }
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

/// The same with session policies.
pub(crate) fn within(role: &Role, policy: Option<String>, arns: &[&str]) -> AssumeRoleRequest {
    AssumeRoleRequest {
        policy,
        policy_arns: arns.iter().map(|arn| PolicyDescriptorType { arn: Some((*arn).to_owned()) }).collect(),
        ..request(role)
    }
}

/// Assumes a role.
pub(crate) async fn assume(client: &Client, request: &AssumeRoleRequest) -> Result<Session, CallError> {
    client.call(request).await.map(|answer| Session::of(client, answer))
}

/// Whether `client` gets what it asks for; any refusal must be AWS's `AccessDenied`.
#[track_caller]
pub(crate) fn allowed<T>(result: Result<T, CallError>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, "AccessDenied", "{error}");
            false
        }
    }
}

/// A trust policy of one statement, whose members besides effect and principal are `more`.
pub(crate) fn trust_with(who: &str, action: impl Into<Value>, condition: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": { "AWS": who }, "Action": action.into(), "Condition": condition,
    }})
}

/// Whether the holder of `session` may do `action` on `resource`, as a service beside Reeve is told.
pub(crate) async fn may(world: &World, session: &Session, action: &str, resource: &str) -> bool {
    let question = Question {
        action: action.to_owned(),
        resource: resource.to_owned(),
        resource_account: resource.starts_with("arn:aws:s3").then(|| crate::world::ACCOUNT.to_owned()),
        session_token: Some(session.token().to_owned()),
        ..Default::default()
    };
    let answer = world.root().call(&AuthorizeRequest { question: Some(question) }).await.unwrap();
    let decision = answer.decision.unwrap();
    assert_eq!(decision.error_code, "", "{}", decision.message);
    decision.allowed
}

/// Who somebody is; a refusal's code when they are nobody any more.
pub(crate) async fn who(client: &Client) -> Result<String, String> {
    client.call(&GetCallerIdentityRequest {}).await.map(|answer| answer.arn).map_err(|error| error.code)
}
