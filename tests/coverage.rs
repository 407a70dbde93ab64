//! Every operation there is, called by those who may not and by those who may, and with every member at fault. What is
//! called is made from the declarations: an operation that is added is covered from the start.

pub(crate) mod sample;

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor};
use reeve_chassis::client::{CallError, Client, Credentials};
use reeve_proto::iam::v1::{PutRolePolicyRequest, PutUserPolicyRequest};
use reeve_proto::{Access, Gate, OPERATIONS, Spec};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use self::sample::{Declarations, NAME, Path};
use crate::world::{ACCOUNT, User, World, allow, code, document, refused, trust};

/// Operations that any credentials may call: AWS lets no policy refuse the two, and nobody is kept from signing out. Whatever
/// else there is belongs behind a policy.
const OPEN_TO_ANY_CREDENTIALS: &[&str] = &["reeve:SignOut", "sts:GetCallerIdentity", "sts:GetSessionToken"];

/// Operations that need no credentials, because they prove by themselves who calls. Each is a door of its own, with the code by
/// which it refuses who proves nothing.
const OPEN_TO_ANYBODY: &[(&str, &str)] =
    &[("reeve:SignIn", "AccessDenied"), ("sts:AssumeRoleWithWebIdentity", "InvalidIdentityToken")];

/// The operations that need credentials.
fn guarded() -> impl Iterator<Item = &'static &'static Spec> {
    OPERATIONS.iter().filter(|spec| spec.gate != Gate::Open)
}

async fn call(client: &Client, spec: &Spec, request: &DynamicMessage) -> Result<(), CallError> {
    client.call_bytes(spec.prefix, spec.grpc_path, request.encode_to_vec().into()).await.map(|_| ())
}

/// A request of the operation with everything that it needs.
pub(crate) fn minimal(declared: &Declarations, spec: &Spec) -> DynamicMessage {
    declared.minimal(&declared.message(spec.request))
}

/// A world that holds everything that samples speak of, and that no operation empties: who has policies stays.
pub(crate) async fn furnished() -> World {
    let world = World::start().await;
    world.group(NAME).await;
    world.policy(NAME, &allow("s3:GetObject", "*")).await;
    let user = world.user(NAME).await;
    world.allow(&user, &allow("s3:GetObject", "*")).await;
    world.role(NAME, &trust(ACCOUNT)).await;
    let request = PutRolePolicyRequest {
        role_name: NAME.to_owned(),
        policy_name: "kept".to_owned(),
        policy_document: document(&allow("s3:GetObject", "*")),
    };
    world.root().call(&request).await.unwrap();
    world
}

/// Gives `user` exactly these actions, on everything.
pub(crate) async fn allow_exactly(world: &World, user: &User, actions: &[&str]) {
    say_exactly(world, user, &allow(actions.to_vec(), "*")).await;
}

/// Leaves `user` with this statement and no other.
async fn say_exactly(world: &World, user: &User, statement: &Value) {
    let request = PutUserPolicyRequest {
        user_name: user.record.user_name.clone(),
        policy_name: "exactly".to_owned(),
        policy_document: document(statement),
    };
    world.root().call(&request).await.unwrap();
}

#[tokio::test]
async fn an_unsigned_call_is_refused() {
    let (world, declared) = (World::start().await, Declarations::read());
    let nobody = world.unsigned().await;
    for spec in guarded() {
        let error = refused(call(&nobody, spec, &minimal(&declared, spec)).await);
        assert_eq!(error.code, "MissingAuthenticationToken", "{}", spec.action);
    }
}

#[tokio::test]
async fn what_needs_no_credentials_is_known_and_looks_at_none() {
    let (world, declared) = (World::start().await, Declarations::read());
    let open: Vec<&Spec> = OPERATIONS.iter().copied().filter(|spec| spec.gate == Gate::Open).collect();
    let known: Vec<&str> = OPEN_TO_ANYBODY.iter().map(|(action, _)| *action).collect();
    assert_eq!(open.iter().map(|spec| spec.action).collect::<Vec<_>>(), known);
    let wrong = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: Zeroizing::new("wrong".repeat(8)),
        session_token: Some("wrong".to_owned()),
    };
    let before = world.commits();
    for (spec, (_, code)) in open.into_iter().zip(OPEN_TO_ANYBODY) {
        let callers = [world.unsigned().await, world.root().clone(), world.client(wrong.clone())];
        let mut told = Vec::new();
        for client in &callers {
            let error = refused(call(client, spec, &minimal(&declared, spec)).await);
            told.push((error.code, error.message));
        }
        assert_eq!(told[0].0, *code, "{}", spec.action);
        assert!(told.iter().all(|other| *other == told[0]), "{}: {told:?}", spec.action);
    }
    assert_eq!(world.commits(), before, "a refusal wrote");
}

#[tokio::test]
async fn a_call_signed_with_a_wrong_secret_is_refused() {
    let (world, declared) = (World::start().await, Declarations::read());
    let known = world.user("alice").await.credentials();
    let wrong = Credentials { secret_access_key: Zeroizing::new("wrong".repeat(8)), ..known };
    let impostor = world.client(wrong);
    for spec in guarded() {
        let error = refused(call(&impostor, spec, &minimal(&declared, spec)).await);
        assert_eq!(error.code, "SignatureDoesNotMatch", "{}", spec.action);
    }
}

#[tokio::test]
async fn a_call_signed_with_an_unknown_key_is_refused() {
    let (world, declared) = (World::start().await, Declarations::read());
    let known = world.user("alice").await.credentials();
    let stranger = world.client(Credentials { access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..known });
    for spec in guarded() {
        let error = refused(call(&stranger, spec, &minimal(&declared, spec)).await);
        assert_eq!(error.code, "InvalidClientTokenId", "{}", spec.action);
    }
}

#[tokio::test]
async fn whoever_is_allowed_nothing_is_denied_everything() {
    let (world, declared) = (furnished().await, Declarations::read());
    let nobody = world.user("nobody").await;
    let before = world.commits();
    let mut open = BTreeSet::new();
    for spec in guarded() {
        let answer = call(&nobody, spec, &minimal(&declared, spec)).await;
        match spec.gate {
            Gate::Policy => {
                let error = refused(answer);
                let because = format!("is not authorized to perform: {} on resource: ", spec.action);
                assert_eq!(error.code, "AccessDenied", "{}: {}", spec.action, error.message);
                assert!(error.message.contains(&because), "{}: {}", spec.action, error.message);
            }
            Gate::Open => panic!("{} needs no credentials", spec.action),
            Gate::Authenticated => {
                assert_ne!(code(answer), "AccessDenied", "{}", spec.action);
                open.insert(spec.action);
            }
        }
    }
    assert_eq!(open, OPEN_TO_ANY_CREDENTIALS.iter().copied().collect(), "what else is open?");
    assert_eq!(world.commits(), before, "a refusal wrote");
}

#[tokio::test]
async fn whoever_is_allowed_an_operation_is_not_denied_it() {
    let (world, declared) = (furnished().await, Declarations::read());
    let user = world.user("somebody").await;
    for spec in guarded() {
        allow_exactly(&world, &user, &[spec.action]).await;
        let answer = call(&user, spec, &minimal(&declared, spec)).await;
        assert_ne!(code(answer), "AccessDenied", "{}", spec.action);
    }
}

#[tokio::test]
async fn what_is_given_besides_needs_its_own_permission() {
    let (world, declared) = (furnished().await, Declarations::read());
    let user = world.user("somebody").await;
    for spec in OPERATIONS {
        for also in spec.also {
            let message = declared.message(spec.request);
            let path = at(&declared, spec, also.when);
            let mut request = declared.minimal(&message);
            let last = path.last().unwrap();
            declared.fill(declared.reach(&mut request, &path), last);
            allow_exactly(&world, &user, &[spec.action]).await;
            let error = refused(call(&user, spec, &request).await);
            assert_eq!(error.code, "AccessDenied", "{} with {}", spec.action, sample::name(&path));
            assert!(error.message.contains(also.action), "{}: {}", spec.action, error.message);
            allow_exactly(&world, &user, &[spec.action, also.action]).await;
            let answer = call(&user, spec, &request).await;
            assert_ne!(code(answer), "AccessDenied", "{} with {}", spec.action, sample::name(&path));
        }
    }
}

#[tokio::test]
async fn a_condition_on_a_member_holds() {
    let (world, declared) = (furnished().await, Declarations::read());
    let user = world.user("somebody").await;
    let mut tried = 0;
    for spec in OPERATIONS {
        let message = declared.message(spec.request);
        for field in message.fields() {
            let Some((operator, key, value, other)) = declared.condition(&field) else { continue };
            let mut request = declared.minimal(&message);
            declared.fill(&mut request, &field);
            let actions: Vec<&str> =
                std::iter::once(spec.action).chain(spec.also.iter().map(|also| also.action)).collect();
            for (wanted, is_denied) in [(value, false), (other, true)] {
                let mut statement = allow(actions.clone(), "*");
                statement["Condition"] = json!({ operator: { &key: wanted } });
                say_exactly(&world, &user, &statement).await;
                let answer = code(call(&user, spec, &request).await);
                assert_eq!(answer == "AccessDenied", is_denied, "{} when {key} is {wanted}", spec.action);
            }
            tried += 1;
        }
    }
    assert!(tried >= 14, "only {tried} keys were tried");
}

/// The path that a declaration gives as indices of fields.
fn at(declared: &Declarations, spec: &Spec, indices: &[usize]) -> Path {
    let mut message = declared.message(spec.request);
    let mut path = Vec::new();
    for index in indices {
        let field: FieldDescriptor = message.fields().nth(*index).unwrap();
        if let prost_reflect::Kind::Message(inner) = field.kind() {
            message = inner;
        }
        path.push(field);
    }
    path
}

#[tokio::test]
async fn a_required_member_that_is_missing_is_named() {
    let (world, declared) = (World::start().await, Declarations::read());
    let before = world.commits();
    for spec in OPERATIONS {
        let message = declared.message(spec.request);
        for path in declared.members(&message) {
            let last = path.last().unwrap();
            if declared.is_required(last) {
                let mut request = declared.minimal(&message);
                declared.reach(&mut request, &path).clear_field(last);
                is_at_fault(&world, spec, &request, &path).await;
            }
        }
    }
    assert_eq!(world.commits(), before, "a refusal wrote");
}

#[tokio::test]
async fn a_member_past_its_limits_is_named() {
    let (world, declared) = (World::start().await, Declarations::read());
    let before = world.commits();
    let mut tried = 0;
    for spec in OPERATIONS {
        let message = declared.message(spec.request);
        for path in declared.members(&message) {
            let last = path.last().unwrap();
            for value in declared.values_past_limits(last) {
                let mut request = declared.minimal(&message);
                declared.reach(&mut request, &path).set_field(last, value);
                is_at_fault(&world, spec, &request, &path).await;
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "only {tried} values were tried");
    assert_eq!(world.commits(), before, "a refusal wrote");
}

/// Even root is told so: members are checked before anything else looks at them.
async fn is_at_fault(world: &World, spec: &Spec, request: &DynamicMessage, path: &[FieldDescriptor]) {
    let name = sample::name(path);
    let error = refused(call(world.root(), spec, request).await);
    assert_eq!(error.code, "ValidationError", "{} {name}: {}", spec.action, error.message);
    let fields: Vec<&str> = error.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert!(fields.contains(&name.as_str()), "{} {name}: {fields:?}", spec.action);
}

#[tokio::test]
async fn reading_writes_nothing() {
    let (world, declared) = (furnished().await, Declarations::read());
    let before = world.commits();
    for spec in OPERATIONS.iter().filter(|spec| matches!(spec.access, Access::List | Access::Read)) {
        // Whether there is something to be read does not matter.
        let _ = code(call(world.root(), spec, &minimal(&declared, spec)).await);
        assert_eq!(world.commits(), before, "{}", spec.action);
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_are_refused() {
    let world = World::start().await;
    let before = world.commits();
    for spec in OPERATIONS {
        let garbage = bytes::Bytes::from_static(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let error = refused(world.root().call_bytes(spec.prefix, spec.grpc_path, garbage).await);
        assert_eq!(error.code, "ValidationError", "{}", spec.action);
    }
    assert_eq!(world.commits(), before);
}

#[tokio::test]
async fn a_signature_for_another_service_is_refused() {
    let (world, declared) = (World::start().await, Declarations::read());
    for spec in guarded() {
        let request = minimal(&declared, spec).encode_to_vec();
        for other in ["iam", "sts", "reeve", "s3"].into_iter().filter(|other| *other != spec.prefix) {
            let answer = world.root().call_bytes(other, spec.grpc_path, request.clone().into()).await;
            assert_eq!(refused(answer).code, "SignatureDoesNotMatch", "{} as {other}", spec.action);
        }
    }
}
