//! Who and what the demonstration is about: names, policy documents, and the calls that every chapter makes.

use reeve_chassis::client::{CallError, Client, Credentials};
use reeve_proto::authorization::v1::{AuthorizeRequest, Decision, Question};
use reeve_proto::iam::v1::{CreateAccessKeyRequest, CreateUserRequest, PutUserPolicyRequest, Tag};
use reeve_proto::sts::v1::AssumeRoleRequest;
use zeroize::Zeroizing;

use super::DemoError;

/// The administrator.
pub(crate) const ADMIN: &str = "admin";
/// The one who assumes the role.
pub(crate) const USER: &str = "alice";
/// The group she is put into.
pub(crate) const GROUP: &str = "engineers";
/// The role.
pub(crate) const ROLE: &str = "report-reader";
/// The managed policy of the role.
pub(crate) const POLICY: &str = "own-team-objects";
/// What a caller must say to become the role, besides its tags.
pub(crate) const EXTERNAL_ID: &str = "contract-7";
/// The relying service.
pub(crate) const SERVICE: &str = "object-store";
/// What the relying service keeps.
pub(crate) const OBJECTS: &str = "arn:aws:s3:::reports/*";
/// What is read.
pub(crate) const OBJECT: &str = "arn:aws:s3:::reports/2026/q1.csv";

/// Allows everything.
pub(crate) const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
/// Allows looking at groups.
pub(crate) const SEE_GROUPS: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetGroup","Resource":"*"}}"#;
/// Allows reading what belongs to the reader's own team.
pub(crate) const OWN_TEAM: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"OwnTeam","Effect":"Allow","Action":"s3:GetObject",
"Resource":"arn:aws:s3:::reports/*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}}"#;

/// A trust policy: `user` may become the role, with a team and the external id.
pub(crate) fn trust(user: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{user}"}},
"Action":["sts:AssumeRole","sts:TagSession"],
"Condition":{{"StringEquals":{{"sts:ExternalId":"{EXTERNAL_ID}"}},"StringLike":{{"aws:RequestTag/team":"?*"}}}}}}}}"#
    )
}

/// Allows asking about the objects of the relying service.
pub(crate) fn may_ask() -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"reeve:Authorize","Resource":"{OBJECTS}"}}}}"#
    )
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

/// Creates a user with an access key, and with an inline policy if one is given; its ARN, its key's id and a client that
/// signs with it.
pub(crate) async fn create_user(
    admin: &Client,
    name: &str,
    policy: Option<&str>,
) -> Result<(String, String, Client), DemoError> {
    let created = admin.call(&CreateUserRequest { user_name: name.to_owned(), ..Default::default() }).await?;
    if let Some(policy) = policy {
        admin
            .call(&PutUserPolicyRequest {
                user_name: name.to_owned(),
                policy_name: "own".to_owned(),
                policy_document: policy.to_owned(),
            })
            .await?;
    }
    let key = admin.call(&CreateAccessKeyRequest { user_name: Some(name.to_owned()) }).await?;
    let key = key.access_key.ok_or(DemoError::Lacking("access key"))?;
    let credentials = Credentials {
        access_key_id: key.access_key_id.clone(),
        secret_access_key: Zeroizing::new(key.secret_access_key),
        session_token: None,
    };
    let user = created.user.ok_or(DemoError::Lacking("user"))?;
    Ok((user.arn, key.access_key_id, admin.signed(credentials)))
}

/// Asks for a session of the role.
pub(crate) async fn assume(
    caller: &Client,
    role_arn: &str,
    external_id: &str,
    tags: Vec<Tag>,
) -> Result<Credentials, DemoError> {
    let request = AssumeRoleRequest {
        role_arn: role_arn.to_owned(),
        role_session_name: "quarterly".to_owned(),
        external_id: Some(external_id.to_owned()),
        tags,
        ..Default::default()
    };
    let credentials = caller.call(&request).await?.credentials.ok_or(DemoError::Lacking("credentials"))?;
    Ok(Credentials {
        access_key_id: credentials.access_key_id,
        secret_access_key: Zeroizing::new(credentials.secret_access_key),
        session_token: Some(credentials.session_token),
    })
}

/// The relying service asks whether the session may read the object, which belongs to `team`.
pub(crate) async fn may_read(
    service: &Client,
    session: &Credentials,
    account: &str,
    team: &str,
) -> Result<Decision, DemoError> {
    let question = Question {
        action: "s3:GetObject".to_owned(),
        resource: OBJECT.to_owned(),
        session_token: session.session_token.clone(),
        access_key_id: Some(session.access_key_id.clone()),
        resource_account: Some(account.to_owned()),
        resource_tags: vec![tag("team", team)],
        relying_service: Some(SERVICE.to_owned()),
        ..Default::default()
    };
    let answer = service.call(&AuthorizeRequest { question: Some(question) }).await?;
    answer.decision.ok_or(DemoError::Lacking("decision"))
}

/// The answer of the server, where the demonstration expects a refusal; whatever else went wrong stops it.
pub(crate) fn of_server<T>(answer: Result<T, DemoError>) -> Result<Result<T, CallError>, DemoError> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(DemoError::Call(error)) => Ok(Err(error)),
        Err(other) => Err(other),
    }
}
