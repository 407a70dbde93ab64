//! From where passwords and bearer tokens are taken: over TLS, from this very machine, and otherwise only where the operator
//! says so.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};
use reeve_directory::Settings;
use reeve_directory::record::ClusterRecord;
use reeve_proto::Operation;
use reeve_proto::authorization::v1::{AuthorizeRequest, Question};
use reeve_proto::iam::v1::{
    ChangePasswordRequest, CreateLoginProfileRequest, CreateUserRequest, UpdateLoginProfileRequest,
};
use reeve_proto::signin::v1::{SignInRequest, SignInResponse, SignOutRequest, SignOutResponse};
use reeve_storage::Memory;
use tokio::time::Instant;

use super::*;
use crate::clock::ManualClock;
use crate::pipeline::{Framed, Pipeline};
use crate::route::{Handle, Routes};
use crate::seal::Keyring;
use crate::{Call, SystemRandom};

const ELSEWHERE: &str = "192.0.2.7";

/// Answers whoever gets that far.
struct Anybody;

impl Handle<SignInRequest> for Anybody {
    async fn handle(&self, _: &mut Call<'_>, _: &SignInRequest) -> Result<SignInResponse, Error> {
        Ok(SignInResponse::default())
    }
}

impl Handle<SignOutRequest> for Anybody {
    async fn handle(&self, _: &mut Call<'_>, _: &SignOutRequest) -> Result<SignOutResponse, Error> {
        Ok(SignOutResponse::default())
    }
}

fn environment(plaintext_off_loopback: bool) -> Environment {
    let keyring = Keyring::generate(b"a cluster", &mut SystemRandom::new()).unwrap();
    let cluster = ClusterRecord { management_account_id: "111122223333".to_owned(), ..Default::default() };
    let clock = Arc::new(ManualClock::at(0));
    let engine = Arc::new(Memory::new());
    let made = Environment::new(engine, clock, keyring, cluster, Settings::default());
    let mut environment = made.unwrap();
    environment.plaintext_off_loopback = plaintext_off_loopback;
    environment
}

/// What a call of `operation` ends with that comes from `source_ip`: AWS's code, or nothing.
async fn ended<O: Operation>(
    operation: &O,
    headers: HeaderMap,
    (source_ip, secure): (&str, bool),
    plaintext_off_loopback: bool,
) -> &'static str
where
    Anybody: Handle<O>,
{
    let pipeline = Pipeline::new(Arc::new(environment(plaintext_off_loopback)));
    let mut routes = Routes::new();
    routes.add::<O, _>(&Arc::new(Anybody));
    let route = Arc::clone(routes.get(O::SPEC.grpc_path).unwrap());
    let incoming = Incoming {
        method: Method::POST,
        target: PathAndQuery::from_static(O::SPEC.grpc_path),
        headers,
        authority: None,
        payload: Bytes::from(operation.encode_to_vec()),
        awaited: false,
        encoding: Box::new(Framed),
        source_ip: source_ip.into(),
        secure,
        deadline: Instant::now() + Duration::from_secs(60),
    };
    let outcome = pipeline.run(&route, &incoming).await;
    outcome.result.err().map_or("", |error| error.reason.answer().code)
}

/// Each way to come in, and whether secrets are taken from it without the operator's word.
const WAYS: [(&str, bool, bool); 8] = [
    ("127.0.0.1", false, true),
    ("127.8.8.8", false, true),
    ("::1", false, true),
    ("::ffff:127.0.0.1", false, true),
    (ELSEWHERE, true, true),
    (ELSEWHERE, false, false),
    ("2001:db8::1", false, false),
    ("no address", false, false),
];

#[tokio::test]
async fn a_password_is_taken_from_where_nobody_reads_along() {
    let sign_in = SignInRequest {
        account: "111122223333".to_owned(),
        password: "Correct-horse-7".to_owned(),
        ..SignInRequest::default()
    };
    for (source_ip, secure, is_taken) in WAYS {
        let way = (source_ip, secure);
        let code = if is_taken { "" } else { "AccessDenied" };
        assert_eq!(ended(&sign_in, HeaderMap::new(), way, false).await, code, "{way:?}");
        assert_eq!(ended(&sign_in, HeaderMap::new(), way, true).await, "", "{way:?}");
    }
}

#[tokio::test]
async fn a_bearer_token_is_looked_at_only_where_nobody_reads_along() {
    let token = HeaderValue::from_static("Bearer AAAA");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, token)]);
    for (source_ip, secure, is_taken) in WAYS {
        let way = (source_ip, secure);
        let code = if is_taken { "InvalidClientTokenId" } else { "AccessDenied" };
        assert_eq!(ended(&SignOutRequest {}, headers.clone(), way, false).await, code, "{way:?}");
        let code = ended(&SignOutRequest {}, headers.clone(), way, true).await;
        assert_eq!(code, "InvalidClientTokenId", "{way:?}");
    }
}

#[test]
fn every_request_with_a_secret_in_it_is_one() {
    let text = || "Correct-horse-7".to_owned();
    let question = |bearer_token: Option<String>| AuthorizeRequest {
        question: Some(Question { bearer_token, ..Question::default() }),
    };
    let with: [&dyn Fields; 4] = [
        &CreateLoginProfileRequest { password: text(), ..Default::default() },
        &UpdateLoginProfileRequest { password: Some(text()), ..Default::default() },
        &ChangePasswordRequest { new_password: text(), ..Default::default() },
        &question(Some(text())),
    ];
    assert!(with.into_iter().all(members::holds_secret));
    let without: [&dyn Fields; 4] = [
        &CreateUserRequest { user_name: text(), ..Default::default() },
        &UpdateLoginProfileRequest { user_name: text(), ..Default::default() },
        &SignOutRequest {},
        &question(None),
    ];
    assert!(!without.into_iter().any(members::holds_secret));
}
