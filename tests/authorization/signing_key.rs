//! The day's signing key of whoever signed, which a service is given over TLS for bodies that are signed in chunks.

use reeve_chassis::client::{Client, Credentials};
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::authorization::v1::{
    AuthorizeSignedRequestRequest, Question, RegisterRelyingServiceRequest, SigningKey,
};
use reeve_proto::iam::v1::{CreateAccessKeyRequest, CreateUserRequest, PutUserPolicyRequest};
use ring::hmac;

use super::signer::{HOST, Plan};
use super::{OBJECT, READ};
use crate::transport::tls;
use crate::world::{ACCOUNT, allow, credentials, document};

/// A user of this name that may do so.
async fn user(root: &Client, name: &str, action: &str) -> Credentials {
    let create = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
    root.call(&create).await.unwrap();
    let put = PutUserPolicyRequest {
        user_name: name.to_owned(),
        policy_name: "may".to_owned(),
        policy_document: document(&allow(action, "*")),
    };
    root.call(&put).await.unwrap();
    let key = CreateAccessKeyRequest { user_name: Some(name.to_owned()) };
    credentials(&root.call(&key).await.unwrap().access_key.unwrap())
}

/// What AWS's description makes of the secret.
fn derived(credentials: &Credentials, scope: &SigningKey) -> Vec<u8> {
    let mut key = format!("AWS4{}", credentials.secret_access_key.as_str()).into_bytes();
    for part in [&scope.date, &scope.region, &scope.service, "aws4_request"] {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    key
}

#[tokio::test]
async fn a_signing_key_is_given_over_tls_of_whoever_may() {
    let secure = tls::start().await;
    let root = secure.root().await;
    let registration = RegisterRelyingServiceRequest {
        name: "store".to_owned(),
        hosts: vec![HOST.to_owned()],
        scope_service: "s3".to_owned(),
        resource_patterns: vec!["arn:aws:s3:::bucket*".to_owned()],
    };
    root.call(&registration).await.unwrap();
    let (alice, bob) = (user(&root, "alice", READ).await, user(&root, "bob", "s3:PutObject").await);
    let service = root.signed(user(&root, "service", "reeve:AuthorizeSignedRequest").await);
    let keeper = root.signed(user(&root, "keeper", "reeve:*").await);
    let asked = |signer: &Credentials| AuthorizeSignedRequestRequest {
        signed_request: Some(Plan::get("/bucket/object", SystemClock.now().seconds()).signed(signer)),
        question: Some(Question {
            action: READ.to_owned(),
            resource: OBJECT.to_owned(),
            resource_account: Some(ACCOUNT.to_owned()),
            relying_service: Some("store".to_owned()),
            ..Default::default()
        }),
        with_signing_key: Some(true),
    };
    let error = service.call(&asked(&alice)).await.unwrap_err();
    assert!(error.code == "AccessDenied" && error.message.contains("reeve:GetSigningKey"), "{error}");

    let key = keeper.call(&asked(&alice)).await.unwrap().signing_key.unwrap();
    assert_eq!((key.region.as_str(), key.service.as_str(), key.date.len()), ("eu-west-1", "s3", 8));
    assert_eq!(key.key, derived(&alice, &key));
    assert!(!format!("{key:?}").contains(&format!("{:?}", key.key)), "it is not shown");
    // Of whom the decision refuses there is none.
    let answer = keeper.call(&asked(&bob)).await.unwrap();
    assert!(!answer.decision.unwrap().allowed && answer.signer.is_some() && answer.signing_key.is_none());
}
