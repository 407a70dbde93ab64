//! Bearer tokens: for one audience each, with everything that their parent may, and never more or longer.

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::authorization::v1::{
    AuthorizeRequest, Decision, DeregisterRelyingServiceRequest, Question, RegisterRelyingServiceRequest,
};
use reeve_proto::iam::v1::{DeleteAccessKeyRequest, GetUserRequest, ListUsersRequest};
use reeve_proto::sts::v1::{
    GetServiceBearerTokenRequest, GetServiceBearerTokenResponse, GetSessionTokenRequest,
};
use serde_json::json;

use super::{BUCKET, assume, request, tagged, who, within};
use crate::world::{ACCOUNT, OTHER_ACCOUNT, World, allow, code, document, refused, trust};

async fn token(client: &Client) -> GetServiceBearerTokenResponse {
    client.call(&GetServiceBearerTokenRequest::default()).await.unwrap()
}

/// Somebody who presents a token of `client`'s.
async fn bearer(client: &Client) -> Client {
    client.bearing(&token(client).await.bearer_token)
}

fn for_service(audience: &str) -> GetServiceBearerTokenRequest {
    GetServiceBearerTokenRequest { audience: Some(audience.to_owned()), ..Default::default() }
}

async fn register(world: &World, name: &str) -> String {
    let request = RegisterRelyingServiceRequest {
        name: name.to_owned(),
        hosts: vec!["store.example".to_owned()],
        scope_service: "s3".to_owned(),
        resource_patterns: vec!["arn:aws:s3:::*".to_owned()],
    };
    world.root().call(&request).await.unwrap().relying_service.unwrap().arn
}

async fn ask(world: &World, service: &str, token: &str) -> Decision {
    let question = Question {
        action: "s3:GetObject".to_owned(),
        resource: BUCKET.to_owned(),
        resource_account: Some(ACCOUNT.to_owned()),
        bearer_token: Some(token.to_owned()),
        relying_service: Some(service.to_owned()),
        ..Default::default()
    };
    let request = AuthorizeRequest { question: Some(question) };
    world.root().call(&request).await.unwrap().decision.unwrap()
}

#[tokio::test]
async fn its_holder_is_who_asked_for_it() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow(["sts:GetServiceBearerToken", "iam:GetUser"], "*")).await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    world.allow_role(&role, &allow("sts:GetServiceBearerToken", "*")).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    for client in [world.root(), &alice, &session] {
        assert_eq!(who(&bearer(client).await).await, who(client).await);
    }
    let found = bearer(&alice).await.call(&GetUserRequest::default()).await.unwrap().user.unwrap();
    assert_eq!(found.user_id, alice.record.user_id);
    assert_eq!(code(bearer(&alice).await.call(&ListUsersRequest::default()).await), "AccessDenied");
}

#[tokio::test]
async fn it_is_a_permission() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let error = refused(alice.call(&GetServiceBearerTokenRequest::default()).await);
    assert!(error.message.contains("sts:GetServiceBearerToken"), "{}", error.message);
    register(&world, "store").await;
    let mut statement = allow("sts:GetServiceBearerToken", "*");
    statement["Condition"] = json!({ "StringEquals": { "sts:AWSServiceName": "store" } });
    world.allow(&alice, &statement).await;
    assert_eq!(code(alice.call(&for_service("store")).await), "");
    assert_eq!(code(alice.call(&GetServiceBearerTokenRequest::default()).await), "AccessDenied");
}

#[tokio::test]
async fn it_begets_no_credentials() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let bearer = bearer(&alice).await;
    let error = refused(bearer.call(&GetServiceBearerTokenRequest::default()).await);
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("AccessDenied", "Cannot call GetServiceBearerToken with a bearer token")
    );
    assert_eq!(code(bearer.call(&GetSessionTokenRequest::default()).await), "AccessDenied");
    assert_eq!(code(bearer.call(&request(&role)).await), "AccessDenied");
}

#[tokio::test]
async fn it_ends_with_its_parent_and_not_later() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("sts:GetServiceBearerToken", "*")).await;
    let request = GetSessionTokenRequest { duration_seconds: Some(900), ..Default::default() };
    let given = alice.call(&request).await.unwrap().credentials.unwrap();
    let until = given.expiration.unwrap().seconds;
    let session = alice.signed(Credentials {
        access_key_id: given.access_key_id,
        secret_access_key: given.secret_access_key.into(),
        session_token: Some(given.session_token),
    });
    let long = GetServiceBearerTokenRequest { duration_seconds: Some(43_200), ..Default::default() };
    let of_session = session.call(&long).await.unwrap();
    assert_eq!(of_session.expiration.unwrap().seconds, until);
    let of_key = alice.call(&long).await.unwrap();
    assert!(of_key.expiration.unwrap().seconds >= until - 900 + 43_200);
    let bearers = [session.bearing(&of_session.bearer_token), alice.bearing(&of_key.bearer_token)];
    for bearer in &bearers {
        assert!(who(bearer).await.is_ok());
    }
    let delete = DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: alice.key.access_key_id.clone(),
    };
    world.root().call(&delete).await.unwrap();
    for bearer in &bearers {
        assert_eq!(who(bearer).await, Err("InvalidClientTokenId".to_owned()));
    }
}

#[tokio::test]
async fn it_carries_tags_and_session_policies() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    register(&world, "store").await;
    let mut statement = allow("s3:*", "*");
    statement["Condition"] = json!({ "StringEquals": { "aws:PrincipalTag/team": "blue" } });
    world.allow_role(&role, &json!([statement, allow("sts:GetServiceBearerToken", "*")])).await;
    let everything = Some(document(&allow("*", "*")));
    let nothing = Some(document(&allow(["sts:*", "s3:PutObject"], "*")));
    for (team, policy, expected) in
        [("blue", None, true), ("red", None, false), ("blue", everything, true), ("blue", nothing, false)]
    {
        let wanted = reeve_proto::sts::v1::AssumeRoleRequest {
            tags: tagged(&role, &[("team", team)], &[]).tags,
            ..within(&role, policy, &[])
        };
        let session = assume(&alice, &wanted).await.unwrap();
        let token = session.call(&for_service("store")).await.unwrap().bearer_token;
        let decision = ask(&world, "store", &token).await;
        assert_eq!(decision.allowed, expected, "{team}: {}", decision.message);
        assert!(decision.session_evaluated);
    }
}

#[tokio::test]
async fn it_is_for_one_audience() {
    let world = World::start().await;
    let (store, queue) = (register(&world, "store").await, register(&world, "queue").await);
    let for_reeve = token(world.root()).await;
    assert_eq!(for_reeve.audience, "reeve");
    let by_name = world.root().call(&for_service("Store")).await.unwrap();
    let by_arn = world.root().call(&for_service(&store)).await.unwrap();
    assert_eq!((by_name.audience.as_str(), by_arn.audience.as_str()), (store.as_str(), store.as_str()));
    for token in [&by_name.bearer_token, &by_arn.bearer_token] {
        assert!(ask(&world, "store", token).await.allowed);
        let elsewhere = ask(&world, "queue", token).await;
        assert_eq!((elsewhere.allowed, elsewhere.error_code.as_str()), (false, "InvalidClientTokenId"));
        // Nor at Reeve's own door.
        assert_eq!(who(&world.root().bearing(token)).await, Err("InvalidClientTokenId".to_owned()));
    }
    let elsewhere = ask(&world, "queue", &for_reeve.bearer_token).await;
    assert_eq!((elsewhere.allowed, elsewhere.error_code.as_str()), (false, "InvalidClientTokenId"));
    assert!(queue.ends_with("relying-service/queue"));
    // A service that is not registered, or not here, is no audience.
    let other = format!("arn:aws:reeve::{OTHER_ACCOUNT}:relying-service/store");
    for missing in ["nobody", other.as_str(), "reeve", "arn:aws:s3:::store"] {
        assert_eq!(code(world.root().call(&for_service(missing)).await), "NoSuchEntity", "{missing}");
    }
    let deregister = DeregisterRelyingServiceRequest { name: "store".to_owned() };
    world.root().call(&deregister).await.unwrap();
    assert_eq!(code(world.root().call(&for_service("store")).await), "NoSuchEntity");
}

#[tokio::test]
async fn a_question_names_one_principal() {
    let world = World::start().await;
    register(&world, "store").await;
    let token = world.root().call(&for_service("store")).await.unwrap().bearer_token;
    let question = Question {
        action: "s3:GetObject".to_owned(),
        resource: BUCKET.to_owned(),
        resource_account: Some(ACCOUNT.to_owned()),
        bearer_token: Some(token),
        relying_service: Some("store".to_owned()),
        ..Default::default()
    };
    for wrong in [
        Question { relying_service: None, ..question.clone() },
        Question { session_token: Some("x".to_owned()), ..question.clone() },
        Question { principal_arn: Some(world.arn("root")), ..question.clone() },
        Question { access_key_id: Some("ASIAIOSFODNN7EXAMPLE".to_owned()), ..question.clone() },
    ] {
        let answer = world.root().call(&AuthorizeRequest { question: Some(wrong) }).await;
        assert_eq!(code(answer), "InvalidParameterCombination");
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused() {
    let world = World::start().await;
    let given = token(world.root()).await.bearer_token;
    let (head, tail) = given.split_at(given.len() / 2);
    for altered in [
        String::new(),
        "x".to_owned(),
        format!("{given}AAAA"),
        format!("{tail}{head}"),
        "A".repeat(4608),
        "A".repeat(10_000),
    ] {
        let told = who(&world.root().bearing(&altered)).await;
        assert_eq!(told, Err("InvalidClientTokenId".to_owned()), "{altered:.40}");
    }
    let there = World::start().await;
    assert_eq!(who(&there.root().bearing(&given)).await, Err("InvalidClientTokenId".to_owned()));
    // Neither kind of token is taken for the other.
    let session = world.root().call(&GetSessionTokenRequest::default()).await.unwrap().credentials.unwrap();
    let told = who(&world.root().bearing(&session.session_token)).await;
    assert_eq!(told, Err("InvalidClientTokenId".to_owned()));
    let mixed = Credentials {
        access_key_id: session.access_key_id,
        secret_access_key: session.secret_access_key.into(),
        session_token: Some(given),
    };
    assert_eq!(who(&world.root().signed(mixed)).await, Err("InvalidClientTokenId".to_owned()));
}
