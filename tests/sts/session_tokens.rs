//! Sessions of users and roots: the principal itself, with temporary credentials.

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::authorization::v1::{AuthorizeRequest, Decision, Question};
use reeve_proto::iam::v1::{
    DeleteAccessKeyRequest, DeleteUserRequest, GetUserRequest, ListUsersRequest, UpdateAccessKeyRequest,
};
use reeve_proto::sts::v1::{
    AssumeRoleRequest, GetAccessKeyInfoRequest, GetCallerIdentityRequest, GetSessionTokenRequest,
    GetSessionTokenResponse,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{BUCKET, allowed, assume, request, tagged, trust_with, who};
use crate::world::{ACCOUNT, User, World, allow, code, refused, trust};

/// A session of `client`'s own; its credentials, and when it ends.
async fn session(client: &Client, request: &GetSessionTokenRequest) -> (Client, Credentials, i64) {
    let GetSessionTokenResponse { credentials } = client.call(request).await.unwrap();
    let given = credentials.unwrap();
    let credentials = Credentials {
        access_key_id: given.access_key_id,
        secret_access_key: Zeroizing::new(given.secret_access_key),
        session_token: Some(given.session_token),
    };
    (client.signed(credentials.clone()), credentials, given.expiration.unwrap().seconds)
}

async fn of(client: &Client) -> Client {
    session(client, &GetSessionTokenRequest::default()).await.0
}

fn lasting(seconds: i32) -> GetSessionTokenRequest {
    GetSessionTokenRequest { duration_seconds: Some(seconds), ..Default::default() }
}

/// What a service is told of the holder of `credentials`.
async fn asked(world: &World, credentials: &Credentials) -> Decision {
    let question = Question {
        action: "s3:GetObject".to_owned(),
        resource: BUCKET.to_owned(),
        resource_account: Some(ACCOUNT.to_owned()),
        session_token: credentials.session_token.clone(),
        access_key_id: Some(credentials.access_key_id.clone()),
        ..Default::default()
    };
    let request = AuthorizeRequest { question: Some(question) };
    world.root().call(&request).await.unwrap().decision.unwrap()
}

#[tokio::test]
async fn its_holder_is_the_user_itself() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    for (caller, user_id, arn) in [
        (&*alice, alice.record.user_id.clone(), alice.record.arn.clone()),
        (world.root(), ACCOUNT.to_owned(), world.arn("root")),
    ] {
        let answer = of(caller).await.call(&GetCallerIdentityRequest {}).await.unwrap();
        assert_eq!((answer.account.as_str(), answer.user_id, answer.arn), (ACCOUNT, user_id, arn));
    }
}

#[tokio::test]
async fn it_may_what_the_user_may_as_it_is_now() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let (_, credentials, _) = session(&alice, &GetSessionTokenRequest::default()).await;
    assert!(!asked(&world, &credentials).await.allowed);
    let mut statement = allow("s3:GetObject", "*");
    statement["Condition"] = json!({
        "StringEquals": {
            "aws:username": "alice",
            "aws:userid": alice.record.user_id,
            "aws:PrincipalType": "User",
            "aws:PrincipalArn": alice.record.arn,
        },
        "Null": { "aws:TokenIssueTime": "false", "aws:MultiFactorAuthAge": "true" },
        "Bool": { "aws:MultiFactorAuthPresent": "false" },
    });
    world.allow(&alice, &statement).await;
    let decision = asked(&world, &credentials).await;
    assert!(decision.allowed && decision.session_evaluated, "{}", decision.message);
    assert_eq!(decision.principal_arn, alice.record.arn);
}

#[tokio::test]
async fn it_lasts_as_long_as_it_was_asked_for() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let begin = session(&alice, &lasting(900)).await.2 - 900;
    assert!(session(&alice, &GetSessionTokenRequest::default()).await.2 - begin >= 43_200);
    assert!(session(&alice, &lasting(129_600)).await.2 - begin >= 129_600);
    for seconds in [899, 129_601] {
        assert_eq!(code(alice.call(&lasting(seconds)).await), "ValidationError");
    }
    // A root gets an hour.
    for wanted in [lasting(129_600), GetSessionTokenRequest::default()] {
        let until = session(world.root(), &wanted).await.2;
        assert!((3600..3700).contains(&(until - begin)));
    }
}

#[tokio::test]
async fn it_calls_neither_iam_nor_more_of_sts_than_aws_lets_it() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    for client in [of(&alice).await, of(world.root()).await] {
        let error = refused(client.call(&ListUsersRequest::default()).await);
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("AccessDenied", "Cannot call ListUsers with session credentials that do not show MFA")
        );
        let error = refused(client.call(&GetSessionTokenRequest::default()).await);
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("AccessDenied", "Cannot call GetSessionToken with session credentials")
        );
        let info = GetAccessKeyInfoRequest { access_key_id: alice.key.access_key_id.clone() };
        assert_eq!(code(client.call(&info).await), "AccessDenied");
        assert!(who(&client).await.is_ok());
    }
    assert!(assume(&of(&alice).await, &request(&role)).await.is_ok());
    // A role's session may call IAM, and STS but for this.
    world.allow_role(&role, &allow("*", "*")).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    assert!(session.call(&GetUserRequest { user_name: Some("alice".to_owned()) }).await.is_ok());
    let error = refused(session.call(&GetSessionTokenRequest::default()).await);
    assert_eq!(error.message, "Cannot call GetSessionToken with session credentials");
}

#[tokio::test]
async fn a_role_is_assumed_from_it_as_by_the_user_for_an_hour_at_most() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let create = reeve_proto::iam::v1::CreateRoleRequest {
        role_name: "long".to_owned(),
        assume_role_policy_document: trust(world.arn("user/alice")).to_string(),
        max_session_duration: Some(43_200),
        ..Default::default()
    };
    let long = world.root().call(&create).await.unwrap().role.unwrap();
    let client = of(&alice).await;
    let for_seconds = |seconds| AssumeRoleRequest { duration_seconds: Some(seconds), ..request(&long) };
    assert!(assume(&client, &for_seconds(3600)).await.is_ok());
    assert_eq!(code(client.call(&for_seconds(3601)).await), "ValidationError");
    // Tags need what they need of the user, and no more.
    let tagged = assume(&client, &tagged(&long, &[("team", "blue")], &["team"])).await.unwrap();
    let who = who(&tagged).await.unwrap();
    assert_eq!(who, format!("arn:aws:sts::{ACCOUNT}:assumed-role/long/session"));
    // A root's session is a root's.
    assert_eq!(code(of(world.root()).await.call(&request(&long)).await), "AccessDenied");
}

#[tokio::test]
async fn conditions_of_a_trust_policy_see_the_session() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let client = of(&alice).await;
    let check = async |condition: Value, by_key: bool, by_session: bool| {
        let trust = trust_with(&alice.record.arn, "sts:AssumeRole", condition.clone());
        let role = world.role(&format!("r{}", world.commits()), &trust).await;
        assert_eq!(allowed(assume(&alice, &request(&role)).await), by_key, "by key: {condition}");
        assert_eq!(allowed(assume(&client, &request(&role)).await), by_session, "by session: {condition}");
    };
    check(json!({ "Null": { "aws:MultiFactorAuthPresent": "true" } }), true, false).await;
    check(json!({ "Bool": { "aws:MultiFactorAuthPresent": "false" } }), false, true).await;
    check(json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "true" } }), true, false).await;
    check(json!({ "Null": { "aws:MultiFactorAuthAge": "true" } }), true, true).await;
    check(json!({ "Null": { "aws:TokenIssueTime": "true" } }), true, false).await;
}

/// Alice, her session, and the session of a role that it made.
struct Chain {
    world: World,
    alice: User,
    session: Client,
    of_role: Client,
}

impl Chain {
    async fn new() -> Self {
        let world = World::start().await;
        let alice = world.user("alice").await;
        let role = world.role("r", &trust(world.arn("user/alice"))).await;
        let session = of(&alice).await;
        let of_role = session.signed(assume(&session, &request(&role)).await.unwrap().credentials);
        let chain = Self { world, alice, session, of_role };
        chain.ended(false).await;
        chain
    }

    async fn ended(&self, ended: bool) {
        let told = if ended { Some("InvalidClientTokenId".to_owned()) } else { None };
        for client in [&self.session, &self.of_role] {
            assert_eq!(who(client).await.err(), told);
        }
    }

    async fn set_key(&self, status: &str) {
        let update = UpdateAccessKeyRequest {
            user_name: Some("alice".to_owned()),
            access_key_id: self.alice.key.access_key_id.clone(),
            status: status.to_owned(),
        };
        self.world.root().call(&update).await.unwrap();
    }
}

#[tokio::test]
async fn the_end_of_the_key_or_the_user_is_its_end() {
    let chain = Chain::new().await;
    chain.set_key("Inactive").await;
    chain.ended(true).await;
    chain.set_key("Active").await;
    chain.ended(false).await;
    let delete = DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: chain.alice.key.access_key_id.clone(),
    };
    chain.world.root().call(&delete).await.unwrap();
    chain.ended(true).await;
    chain.world.root().call(&DeleteUserRequest { user_name: "alice".to_owned() }).await.unwrap();
    chain.ended(true).await;
    chain.world.user("alice").await;
    chain.ended(true).await;
}

#[tokio::test]
async fn a_key_s_id_tells_its_account() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let (_, credentials, _) = session(&alice, &GetSessionTokenRequest::default()).await;
    for (id, account) in [
        (alice.key.access_key_id.as_str(), ACCOUNT),
        (credentials.access_key_id.as_str(), ACCOUNT),
        // Published with the decoding; nobody here.
        ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
    ] {
        let request = GetAccessKeyInfoRequest { access_key_id: id.to_owned() };
        assert_eq!(world.root().call(&request).await.unwrap().account, account);
        assert_eq!(code(alice.call(&request).await), "AccessDenied");
    }
    for id in ["AKIA0000000000000000", "AIDAQNZGKIQY56JQ7WMLA", "ASIAQNZGKIQY56JQ7WMLA"] {
        let request = GetAccessKeyInfoRequest { access_key_id: id.to_owned() };
        assert_eq!(code(world.root().call(&request).await), "ValidationError", "{id}");
    }
}

#[tokio::test]
async fn a_code_without_a_device_is_refused_in_aws_s_words() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let serial = || Some(world.arn("mfa/alice"));
    let code = || Some("123456".to_owned());
    let both =
        "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
    for (serial_number, token_code, message) in [
        (serial(), None, both),
        (None, code(), both),
        (serial(), code(), "MultiFactorAuthentication failed with invalid MFA one time pass code."),
    ] {
        let request = GetSessionTokenRequest { serial_number, token_code, ..Default::default() };
        let error = refused(alice.call(&request).await);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("AccessDenied", message));
    }
}
