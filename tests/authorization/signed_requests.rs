//! Requests that a relying service forwards: who signed them and whether they may; and everything that is altered on the
//! way, meant for somebody else, too old, or of somebody who is gone.

use reeve_chassis::client::{CallError, Client};
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_proto::authorization::v1::{
    AuthorizeSignedRequestRequest, AuthorizeSignedRequestResponse, HttpHeader, Question,
    RegisterRelyingServiceRequest, SignedRequest,
};
use reeve_proto::iam::v1::{DeleteAccessKeyRequest, UpdateAccessKeyRequest};
use serde_json::json;

use super::signer::{HOST, Plan};
use super::{OBJECT, READ, entry};
use crate::sts::{assume, request};
use crate::world::{ACCOUNT, User, World, allow, refused, trust};

const MISMATCH: &str = "SignatureDoesNotMatch";
const INCOMPLETE: &str = "IncompleteSignature";

/// A world with a registered object store, the service that asks for it, and alice, who may read the object.
struct Store {
    world: World,
    service: User,
    alice: User,
}

impl Store {
    async fn start() -> Self {
        let world = World::start().await;
        let registration = RegisterRelyingServiceRequest {
            name: "store".to_owned(),
            hosts: vec![HOST.to_owned(), "*.buckets.example.com".to_owned()],
            scope_service: "s3".to_owned(),
            resource_patterns: vec!["arn:aws:s3:::bucket*".to_owned()],
        };
        world.root().call(&registration).await.unwrap();
        let queue = RegisterRelyingServiceRequest {
            name: "queue".to_owned(),
            scope_service: "sqs".to_owned(),
            ..registration
        };
        world.root().call(&queue).await.unwrap();
        let (service, alice) = (world.user("service").await, world.user("alice").await);
        world.allow(&service, &allow("reeve:AuthorizeSignedRequest", "arn:aws:s3:::*")).await;
        world.allow(&alice, &allow(READ, OBJECT)).await;
        Self { world, service, alice }
    }

    fn plan<'a>(&self) -> Plan<'a> {
        Plan::get("/bucket/object", now())
    }

    async fn ask(&self, signed: SignedRequest) -> AuthorizeSignedRequestResponse {
        ask(&self.service, asked(signed)).await.unwrap()
    }

    /// The code of the denial, and that nobody is said to have signed.
    async fn denied(&self, signed: SignedRequest) -> String {
        let answer = self.ask(signed).await;
        let decision = answer.decision.unwrap();
        assert!(!decision.allowed && answer.signer.is_none() && answer.signing_key.is_none());
        decision.error_code
    }
}

fn now() -> i64 {
    SystemClock.now().seconds()
}

fn asked(signed: SignedRequest) -> AuthorizeSignedRequestRequest {
    let question = Question {
        action: READ.to_owned(),
        resource: OBJECT.to_owned(),
        resource_account: Some(ACCOUNT.to_owned()),
        relying_service: Some("store".to_owned()),
        ..Default::default()
    };
    AuthorizeSignedRequestRequest {
        signed_request: Some(signed),
        question: Some(question),
        with_signing_key: None,
    }
}

async fn ask(
    client: &Client,
    request: AuthorizeSignedRequestRequest,
) -> Result<AuthorizeSignedRequestResponse, CallError> {
    client.call(&request).await
}

fn header<'s>(signed: &'s mut SignedRequest, name: &str) -> &'s mut String {
    &mut signed.headers.iter_mut().find(|header| header.name == name).unwrap().value
}

#[tokio::test]
async fn who_signed_and_whether_they_may_is_told() {
    let store = Store::start().await;
    let answer = store.ask(store.plan().signed(&store.alice.credentials())).await;
    let (decision, signer) = (answer.decision.unwrap(), answer.signer.unwrap());
    assert!(decision.allowed && decision.error_code.is_empty() && decision.session_evaluated, "{decision:?}");
    assert_eq!((signer.arn, signer.account.as_str()), (store.alice.record.arn.clone(), ACCOUNT));
    assert_eq!(signer.user_id, store.alice.record.user_id);
    assert_eq!(signer.access_key_id, store.alice.key.access_key_id);
    assert!(answer.signing_key.is_none(), "nobody asked for it");

    // Somebody who may not is told apart from somebody who did not sign.
    let bob = store.world.user("bob").await;
    let answer = store.ask(store.plan().signed(&bob.credentials())).await;
    let decision = answer.decision.unwrap();
    assert!(!decision.allowed && decision.error_code.is_empty(), "{decision:?}");
    assert_eq!(answer.signer.unwrap().arn, bob.record.arn);
    assert!(decision.message.contains("is not authorized to perform: s3:GetObject"), "{}", decision.message);
}

#[tokio::test]
async fn a_session_signs_with_its_tags_and_policies() {
    let store = Store::start().await;
    let role = store.world.role("reader", &trust(store.alice.record.arn.clone())).await;
    let mut same_team = allow(READ, "*");
    same_team["Condition"] = json!({ "StringEquals": { "s3:Team": "${aws:PrincipalTag/team}" } });
    store.world.allow_role(&role, &same_team).await;
    let mut wanted = request(&role);
    wanted.tags = vec![super::tag("team", "red")];
    let session = assume(&store.alice, &wanted).await.unwrap();
    for signed in [
        store.plan().signed(&session.credentials),
        Plan { payload_hash: "UNSIGNED-PAYLOAD", ..store.plan() }.presigned(&session.credentials, 300),
    ] {
        for (team, allowed) in [("red", true), ("blue", false)] {
            let mut request = asked(signed.clone());
            request.question.as_mut().unwrap().context = vec![entry("s3:Team", team)];
            let answer = ask(&store.service, request).await.unwrap();
            assert_eq!(answer.decision.unwrap().allowed, allowed, "{team}");
            assert_eq!(answer.signer.unwrap().arn, session.user.arn);
        }
    }
    // The token of another, and one with a letter altered, are nobody's.
    let other = assume(&store.alice, &wanted).await.unwrap();
    let mut signed = store.plan().signed(&session.credentials);
    other.token().clone_into(header(&mut signed, "x-amz-security-token"));
    assert_eq!(store.denied(signed).await, "InvalidClientTokenId");
    let mut signed = store.plan().signed(&session.credentials);
    let token = header(&mut signed, "x-amz-security-token");
    let letter = if token.ends_with('A') { "B" } else { "A" };
    token.replace_range(token.len() - 1.., letter);
    assert_eq!(store.denied(signed).await, "InvalidClientTokenId");
    let mut signed = store.plan().signed(&session.credentials);
    signed.headers.retain(|header| header.name != "x-amz-security-token");
    assert_eq!(store.denied(signed).await, "InvalidClientTokenId");
}

#[tokio::test]
async fn whatever_is_altered_is_refused() {
    let store = Store::start().await;
    let plan = Plan { query: "list-type=2&prefix=a", headers: &[("x-amz-meta-a", "b")], ..store.plan() };
    let good = plan.signed(&store.alice.credentials());
    assert!(store.ask(good.clone()).await.decision.unwrap().allowed);
    type Alteration = fn(&mut SignedRequest);
    let alterations: &[(&str, Alteration)] = &[
        ("the method", |signed| signed.method = "PUT".to_owned()),
        ("the path", |signed| signed.path = "/bucket/other".to_owned()),
        ("a slash more", |signed| signed.path = "/bucket//object".to_owned()),
        ("a dot segment", |signed| signed.path = "/bucket/./object".to_owned()),
        ("a value of the query", |signed| signed.query = Some("list-type=2&prefix=b".to_owned())),
        ("a pair more", |signed| signed.query = Some("list-type=2&prefix=a&prefix=b".to_owned())),
        ("no query", |signed| signed.query = None),
        ("a signed header", |signed| "c".clone_into(header(signed, "x-amz-meta-a"))),
        ("a header gone", |signed| signed.headers.retain(|header| header.name != "x-amz-meta-a")),
        ("a header more", |signed| {
            signed.headers.push(HttpHeader { name: "x-amz-acl".to_owned(), value: "public".to_owned() });
        }),
        ("a value more", |signed| {
            signed.headers.push(HttpHeader { name: "x-amz-meta-a".to_owned(), value: "c".to_owned() });
        }),
        ("another payload", |signed| signed.payload_hash = "0".repeat(64)),
        ("another payload, stated", |signed| {
            signed.payload_hash = "0".repeat(64);
            "0".repeat(64).clone_into(header(signed, "x-amz-content-sha256"));
        }),
        ("no payload", |signed| {
            "UNSIGNED-PAYLOAD".clone_into(&mut signed.payload_hash);
            "UNSIGNED-PAYLOAD".clone_into(header(signed, "x-amz-content-sha256"));
        }),
        ("another host of the store's", |signed| "a.buckets.example.com".clone_into(header(signed, "host"))),
    ];
    for (what, alter) in alterations {
        let mut signed = good.clone();
        alter(&mut signed);
        assert_eq!(store.denied(signed).await, MISMATCH, "{what}");
    }
    // What is not signed may come and go, and case and order of headers say nothing.
    let mut signed = good.clone();
    signed.headers.push(HttpHeader { name: "User-Agent".to_owned(), value: "any".to_owned() });
    signed.headers.reverse();
    signed.headers.iter_mut().for_each(|header| header.name = header.name.to_uppercase());
    assert!(store.ask(signed).await.decision.unwrap().allowed);
}

#[tokio::test]
async fn a_signature_is_for_a_host_and_a_scope_of_the_service() {
    let store = Store::start().await;
    let alice = store.alice.credentials();
    for host in ["a.buckets.example.com", "A.Buckets.Example.com", HOST] {
        let answer = store.ask(Plan { host, ..store.plan() }.signed(&alice)).await;
        assert!(answer.decision.unwrap().allowed, "{host}");
    }
    for host in [
        "store.example.com",
        "store.example.com:9001",
        "elsewhere.example.com",
        "buckets.example.com",
        "a.buckets.example.com.elsewhere.com",
    ] {
        let signed = Plan { host, ..store.plan() }.signed(&alice);
        assert_eq!(store.denied(signed).await, MISMATCH, "{host}");
    }
    for service in ["iam", "sts", "reeve", "sqs", "S3"] {
        let signed = Plan { service, ..store.plan() }.signed(&alice);
        assert_eq!(store.denied(signed).await, MISMATCH, "{service}");
    }
    let unsigned_host = Plan { signs_host: false, ..store.plan() }.signed(&alice);
    assert_eq!(store.denied(unsigned_host).await, MISMATCH);
    let mut two_hosts = store.plan().signed(&alice);
    two_hosts.headers.push(HttpHeader { name: "host".to_owned(), value: HOST.to_owned() });
    assert_eq!(store.denied(two_hosts).await, INCOMPLETE);
    let mut no_host = store.plan().signed(&alice);
    no_host.headers.retain(|header| header.name != "host");
    assert_eq!(store.denied(no_host).await, INCOMPLETE);
}

#[tokio::test]
async fn who_is_gone_signs_nothing_from_the_very_next_request_on() {
    let store = Store::start().await;
    let signed = store.plan().signed(&store.alice.credentials());
    assert!(store.ask(signed.clone()).await.decision.unwrap().allowed);
    let status = |status: &str| UpdateAccessKeyRequest {
        access_key_id: store.alice.key.access_key_id.clone(),
        status: status.to_owned(),
        user_name: Some("alice".to_owned()),
    };
    store.world.root().call(&status("Inactive")).await.unwrap();
    assert_eq!(store.denied(signed.clone()).await, "InvalidClientTokenId");
    store.world.root().call(&status("Active")).await.unwrap();
    assert!(store.ask(signed.clone()).await.decision.unwrap().allowed);
    let delete = DeleteAccessKeyRequest {
        access_key_id: store.alice.key.access_key_id.clone(),
        user_name: Some("alice".to_owned()),
    };
    store.world.root().call(&delete).await.unwrap();
    assert_eq!(store.denied(signed).await, "InvalidClientTokenId");
}

#[tokio::test]
async fn a_request_is_good_for_its_time() {
    let store = Store::start().await;
    let alice = store.alice.credentials();
    let at = |seconds: i64| Plan { now: now() + seconds, payload_hash: "UNSIGNED-PAYLOAD", ..store.plan() };
    for (signed, expected) in [
        (at(-800).signed(&alice), ""),
        (at(-1000).signed(&alice), MISMATCH),
        (at(1000).signed(&alice), MISMATCH),
        (at(-3000).presigned(&alice, 3600), ""),
        (at(-3700).presigned(&alice, 3600), MISMATCH),
        (at(0).presigned(&alice, 604_801), INCOMPLETE),
    ] {
        let answer = store.ask(signed).await;
        assert_eq!(answer.decision.unwrap().error_code, expected);
    }
    // An hour more is not the holder's to add.
    let mut signed = at(-3700).presigned(&alice, 3600);
    let longer = signed.query.take().map(|query| query.replace("Expires=3600", "Expires=7200"));
    assert_eq!(store.denied(SignedRequest { query: longer, ..signed }).await, MISMATCH);
}

#[tokio::test]
async fn what_is_signed_twice_or_not_at_all_is_refused() {
    let store = Store::start().await;
    let alice = store.alice.credentials();
    let mut unsigned = store.plan().signed(&alice);
    unsigned.headers.retain(|header| header.name != "authorization");
    assert_eq!(store.denied(unsigned).await, "MissingAuthenticationToken");
    let mut both = Plan { payload_hash: "UNSIGNED-PAYLOAD", ..store.plan() }.presigned(&alice, 60);
    let header = Plan { payload_hash: "UNSIGNED-PAYLOAD", ..store.plan() }.signed(&alice);
    both.headers = header.headers;
    assert_eq!(store.denied(both).await, MISMATCH);
}

#[tokio::test]
async fn s3_has_a_canonical_form_of_its_own() {
    let store = Store::start().await;
    let alice = store.alice.credentials();
    // The key is encoded once, and its slashes and dots are its own.
    for (path, canonical_path) in [
        ("/bucket/a%20b", "/bucket/a%20b"),
        ("/bucket//a/../b/", "/bucket//a/../b/"),
        ("/bucket/%C3%A4+b", "/bucket/%C3%A4%2Bb"),
    ] {
        let signed = Plan { path, canonical_path, ..store.plan() }.signed(&alice);
        assert!(store.ask(signed).await.decision.unwrap().allowed, "{path}");
    }
    // Of every other service it is encoded twice, and normalized; and the payload is never left out.
    let queue = async |plan: Plan<'_>| {
        let mut request = asked(Plan { service: "sqs", ..plan }.signed(&alice));
        request.question.as_mut().unwrap().relying_service = Some("queue".to_owned());
        ask(&store.service, request).await.unwrap().decision.unwrap().error_code
    };
    for (path, canonical_path) in [("/a%20b", "/a%2520b"), ("//a/../b/", "/b/")] {
        assert_eq!(queue(Plan { path, canonical_path, ..store.plan() }).await, "", "{path}");
        assert_eq!(queue(Plan { path, canonical_path: path, ..store.plan() }).await, MISMATCH, "{path}");
    }
    assert_eq!(queue(Plan { payload_hash: "UNSIGNED-PAYLOAD", ..store.plan() }).await, MISMATCH);
}

#[tokio::test]
async fn a_service_asks_about_its_own_and_by_its_name() {
    let store = Store::start().await;
    let signed = store.plan().signed(&store.alice.credentials());
    let with = |change: fn(&mut Question)| {
        let mut request = asked(signed.clone());
        change(request.question.as_mut().unwrap());
        request
    };
    let outside = with(|question| question.resource = "arn:aws:s3:::other/object".to_owned());
    let error = refused(ask(&store.service, outside).await);
    assert_eq!(
        (error.code.as_str(), error.violations[0].0.as_str()),
        ("InvalidParameterValue", "question.resource")
    );
    let nameless = with(|question| question.relying_service = None);
    let error = refused(ask(&store.service, nameless).await);
    assert_eq!(
        (error.code.as_str(), error.violations[0].0.as_str()),
        ("ValidationError", "question.relying_service")
    );
    let unknown = with(|question| question.relying_service = Some("nothing".to_owned()));
    assert_eq!(refused(ask(&store.service, unknown).await).code, "NoSuchEntity");
    let named =
        with(|question| question.principal_arn = Some("arn:aws:iam::123456789012:user/bob".to_owned()));
    let error = refused(ask(&store.service, named).await);
    assert_eq!(
        (error.code.as_str(), error.violations[0].0.as_str()),
        ("InvalidParameterCombination", "question.principal_arn")
    );
    // To decide questions is not to be told who signs.
    let other = store.world.user("other").await;
    store.world.allow(&other, &allow("reeve:Authorize", "*")).await;
    assert_eq!(refused(ask(&other, asked(signed.clone())).await).code, "AccessDenied");
    assert_eq!(refused(ask(&store.alice, asked(signed)).await).code, "AccessDenied");
}

#[tokio::test]
async fn a_signing_key_is_never_given_in_the_clear() {
    let store = Store::start().await;
    let with_key = || AuthorizeSignedRequestRequest {
        with_signing_key: Some(true),
        ..asked(store.plan().signed(&store.alice.credentials()))
    };
    let error = refused(ask(&store.service, with_key()).await);
    assert!(error.message.contains("reeve:GetSigningKey"), "{}", error.message);
    store.world.allow(&store.service, &allow("reeve:GetSigningKey", "*")).await;
    let error = refused(ask(&store.service, with_key()).await);
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("AccessDenied", "A signing key is given over TLS alone.")
    );
}
