//! Every operation through every door that it has: the same decision, the same effect, the same error. What is called is made
//! from the declarations, so an operation that is added is compared from the start.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use reeve_chassis::client::{Client, Credentials};
use reeve_proto::{OPERATIONS, Spec};
use zeroize::Zeroizing;

use super::form;
use super::http::{Reply, Sent};
use super::xml;
use crate::coverage::sample::{Declarations, NAME};
use crate::coverage::{allow_exactly, furnished, minimal};
use crate::world::{World, root_credentials};

/// What is another at every call.
const VOLATILE: &[&str] = &[
    "Id",
    "Date",
    "SecretAccessKey",
    "SessionToken",
    "BearerToken",
    "IssuerIdentifier",
    "WebIdentityToken",
    "Expiration",
    "RequestId",
    "Base32StringSeed",
    "QRCodePNG",
];

/// What a call came to, through whichever door.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Came {
    code: String,
    message: String,
    /// The leaves of the response.
    leaves: BTreeSet<(String, String)>,
}

async fn by_grpc(
    client: &Client,
    spec: &Spec,
    response: &MessageDescriptor,
    request: &DynamicMessage,
) -> Came {
    match client.call_bytes(spec.prefix, spec.grpc_path, request.encode_to_vec().into()).await {
        Ok(bytes) => {
            let message = DynamicMessage::decode(response.clone(), bytes).unwrap();
            Came { code: String::new(), message: String::new(), leaves: told(&message) }
        }
        Err(error) => Came { code: error.code, message: error.message, leaves: BTreeSet::new() },
    }
}

async fn by_query(
    endpoint: &str,
    credentials: Option<&Credentials>,
    spec: &Spec,
    request: &DynamicMessage,
) -> Came {
    let sent = Sent::form(endpoint, &form::of(spec, request).unwrap());
    let reply = match credentials {
        Some(credentials) => sent.signed(credentials, spec.prefix).send().await,
        None => sent.send().await,
    };
    assert!(
        reply.headers.contains_key("x-amzn-requestid") && reply.headers.contains_key("date"),
        "{reply:?}"
    );
    assert_eq!(reply.headers["content-type"], "text/xml", "{}", spec.action);
    let mut leaves: BTreeSet<(String, String)> = xml::leaves(&reply.body).into_iter().collect();
    if reply.status == 200 {
        let result = format!("{}Result.", spec.method);
        leaves = leaves
            .into_iter()
            .filter_map(|(path, text)| Some((path.strip_prefix(&result)?.to_owned(), text)))
            .collect();
        Came { code: String::new(), message: String::new(), leaves: settled(leaves) }
    } else {
        refused_in_xml(&reply, spec)
    }
}

async fn by_json(
    endpoint: &str,
    credentials: Option<&Credentials>,
    spec: &Spec,
    declared: &Declarations,
    request: &DynamicMessage,
) -> Came {
    let sent = Sent::json(endpoint, spec.grpc_path, &serde_json::to_string(request).unwrap());
    let reply = match credentials {
        Some(credentials) => sent.signed(credentials, spec.prefix).send().await,
        None => sent.send().await,
    };
    assert!(
        reply.headers.contains_key("x-amzn-requestid") && reply.headers.contains_key("date"),
        "{reply:?}"
    );
    assert_eq!(reply.headers["content-type"], "application/json", "{}", spec.action);
    if reply.status == 200 {
        let mut text = serde_json::Deserializer::from_str(&reply.body);
        let message = DynamicMessage::deserialize(declared.message(spec.response), &mut text).unwrap();
        return Came { code: String::new(), message: String::new(), leaves: told(&message) };
    }
    let told: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert!(told["code"].is_string() && told["details"].is_array(), "{reply:?}");
    Came {
        code: reply.headers["x-amzn-errortype"].to_str().unwrap().to_owned(),
        message: told["message"].as_str().unwrap().to_owned(),
        leaves: BTreeSet::new(),
    }
}

fn refused_in_xml(reply: &Reply, spec: &Spec) -> Came {
    let told: std::collections::BTreeMap<String, String> = xml::leaves(&reply.body).into_iter().collect();
    let told = |path: &str| told.get(path).cloned().unwrap_or_default();
    let kind = if reply.status < 500 { "Sender" } else { "Receiver" };
    assert_eq!(told("Error.Type"), kind, "{}: {reply:?}", spec.action);
    assert_eq!(told("RequestId").as_bytes(), reply.headers["x-amzn-requestid"].as_bytes());
    let reason = crate::tidy::reasons().find(|reason| reason.answer().code == told("Error.Code")).unwrap();
    assert_eq!(reply.status, reason.answer().http, "{}: {reply:?}", spec.action);
    Came { code: told("Error.Code"), message: told("Error.Message"), leaves: BTreeSet::new() }
}

/// The leaves of a response as the Query door writes them.
fn told(message: &DynamicMessage) -> BTreeSet<(String, String)> {
    let mut leaves = Vec::new();
    form::leaves(message, &form::Side::Response, "", &mut leaves);
    settled(leaves.into_iter().collect())
}

/// Without what a message in protobuf does not tell from nothing, and what is another at every call.
fn settled(leaves: BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    let is_volatile = |path: &str| VOLATILE.iter().any(|end| path.ends_with(end));
    by_key(leaves)
        .into_iter()
        .filter(|(_, text)| !["", "false", "0"].contains(&text.as_str()))
        .map(|(path, text)| if is_volatile(&path) { (path, "another".to_owned()) } else { (path, text) })
        .collect()
}

/// A map has no order, so its entries go by their keys and not by their numbers.
fn by_key(leaves: BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    let keys =
        leaves.iter().filter_map(|(path, key)| Some((path.strip_suffix(".key")?.to_owned(), key.clone())));
    let keys: std::collections::BTreeMap<String, String> =
        keys.filter(|(entry, _)| entry.contains(".entry.")).collect();
    let named = |path: String| match path.rsplit_once('.') {
        Some((entry, part)) if keys.contains_key(entry) => {
            let map = entry.rsplit_once('.').map_or(entry, |(map, _)| map);
            format!("{map}[{}].{part}", keys[entry])
        }
        _ => path,
    };
    leaves.into_iter().map(|(path, text)| (named(path), text)).collect()
}

/// Worlds with the same in them, of which each sees its calls by one door.
struct Doors {
    grpc: World,
    query: World,
    json: World,
}

impl Doors {
    async fn start() -> Self {
        Self { grpc: furnished().await, query: furnished().await, json: furnished().await }
    }

    /// Calls at every door that the operation has, and compares what came of it.
    async fn compare(&self, spec: &Spec, request: &DynamicMessage, declared: &Declarations) -> Came {
        let before = self.commits();
        let response = declared.message(spec.response);
        let came = by_grpc(self.grpc.root(), spec, &response, request).await;
        let root = root_credentials(self.json.credentials_file());
        let other = by_json(&self.json.endpoint(), Some(&root), spec, declared, request).await;
        assert_eq!(came, other, "{} in JSON", spec.action);
        let after = self.commits();
        assert_eq!(after[0] - before[0], after[2] - before[2], "{} writes in JSON", spec.action);
        if form::version(spec).is_some() && form::can_say(request) {
            let root = root_credentials(self.query.credentials_file());
            let other = by_query(&self.query.endpoint(), Some(&root), spec, request).await;
            let message = came.message.chars().map(xml::allowed).collect();
            assert_eq!(Came { message, ..came.clone() }, other, "{} as a form", spec.action);
            assert_eq!(
                after[0] - before[0],
                self.commits()[1] - before[1],
                "{} writes as a form",
                spec.action
            );
        }
        came
    }

    fn commits(&self) -> [u64; 3] {
        [&self.grpc, &self.query, &self.json].map(World::commits)
    }
}

/// The operations that AWS has too.
fn of_aws() -> impl Iterator<Item = &'static Spec> {
    OPERATIONS.iter().copied().filter(|spec| form::version(spec).is_some())
}

#[tokio::test]
async fn every_operation_has_the_same_effect_and_answer() {
    let (doors, declared) = (Doors::start().await, Declarations::read());
    let mut answered = 0;
    for spec in OPERATIONS {
        let came = doors.compare(spec, &minimal(&declared, spec), &declared).await;
        answered += usize::from(came.code.is_empty());
        // With every member that it has.
        let mut full = minimal(&declared, spec);
        for field in declared.message(spec.request).fields() {
            declared.fill(&mut full, &field);
        }
        doors.compare(spec, &full, &declared).await;
    }
    assert!(answered > 20, "only {answered} operations were answered");
}

#[tokio::test]
async fn every_member_at_fault_is_told_the_same() {
    let (doors, declared) = (Doors::start().await, Declarations::read());
    let mut tried = 0;
    for spec in OPERATIONS {
        let message = declared.message(spec.request);
        for path in declared.members(&message) {
            let last = path.last().unwrap();
            for value in declared.values_past_limits(last) {
                let mut request = declared.minimal(&message);
                declared.reach(&mut request, &path).set_field(last, value);
                let came = doors.compare(spec, &request, &declared).await;
                assert_eq!(came.code, "ValidationError", "{} {}", spec.action, came.message);
                tried += 1;
            }
        }
    }
    assert!(tried > 250, "only {tried} values were tried");
}

#[tokio::test]
async fn whoever_may_not_is_told_the_same() {
    let (world, declared) = (furnished().await, Declarations::read());
    let nobody = world.user("nobody").await;
    let known = nobody.credentials();
    let wrong = Credentials { secret_access_key: Zeroizing::new("wrong".repeat(8)), ..known.clone() };
    let stranger = Credentials { access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..known.clone() };
    let before = world.commits();
    for spec in OPERATIONS {
        let request = minimal(&declared, spec);
        let response = declared.message(spec.response);
        for credentials in [None, Some(&wrong), Some(&stranger), Some(&known)] {
            let client = match credentials {
                Some(credentials) => world.client(credentials.clone()),
                None => world.unsigned().await,
            };
            let one = by_grpc(&client, spec, &response, &request).await;
            let other = by_json(&world.endpoint(), credentials, spec, &declared, &request).await;
            assert_eq!(one, other, "{} in JSON", spec.action);
            if form::version(spec).is_some() {
                let other = by_query(&world.endpoint(), credentials, spec, &request).await;
                assert_eq!(one, other, "{} as a form", spec.action);
            }
            assert!(!one.code.is_empty() || spec.gate != reeve_proto::Gate::Policy, "{}", spec.action);
        }
    }
    assert_eq!(world.commits(), before, "a refusal wrote");
}

#[tokio::test]
async fn whoever_may_is_let_in_by_every_door() {
    let (world, declared) = (furnished().await, Declarations::read());
    let somebody = world.user("somebody").await;
    for spec in of_aws() {
        allow_exactly(&world, &somebody, &[spec.action]).await;
        let request = minimal(&declared, spec);
        let came = by_query(&world.endpoint(), Some(&somebody.credentials()), spec, &request).await;
        assert_ne!(came.code, "AccessDenied", "{}", spec.action);
        // And by a URL that says so.
        let now = reeve_chassis::clock::Clock::now(&reeve_chassis::clock::SystemClock).seconds();
        let sent = Sent::get(&world.endpoint(), &form::of(spec, &request).unwrap());
        let reply = sent.presigned_at(&somebody.credentials(), spec.prefix, now, "60").send().await;
        assert_ne!(reply.code(), "AccessDenied", "{}", spec.action);
        assert_ne!(reply.code(), "SignatureDoesNotMatch", "{}", spec.action);
    }
}

#[tokio::test]
async fn every_door_leaves_the_same_audit_event() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let world = World::configured(|config| config.audit_log.clone_from(&log)).await;
    let declared = Declarations::read();
    let (admin, nobody) = (world.user(NAME).await, world.user("nobody").await);
    allow_exactly(&world, &admin, &["iam:GetUser", "sts:GetCallerIdentity"]).await;
    let wrong = Credentials { secret_access_key: Zeroizing::new("wrong".to_owned()), ..nobody.credentials() };
    let mut calls = 0;
    let actions = ["iam:GetUser", "sts:GetCallerIdentity"];
    for action in actions {
        let spec = OPERATIONS.iter().copied().find(|spec| spec.action == action).unwrap();
        let (request, response) = (minimal(&declared, spec), declared.message(spec.response));
        for credentials in [Some(admin.credentials()), Some(nobody.credentials()), Some(wrong.clone()), None]
        {
            let client = match &credentials {
                Some(credentials) => world.client(credentials.clone()),
                None => world.unsigned().await,
            };
            by_grpc(&client, spec, &response, &request).await;
            by_query(&world.endpoint(), credentials.as_ref(), spec, &request).await;
            by_json(&world.endpoint(), credentials.as_ref(), spec, &declared, &request).await;
            calls += 1;
        }
    }
    world.stopped().await;
    let text = std::fs::read_to_string(&log).unwrap();
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(|line| {
            let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
            let fields = event.as_object_mut().unwrap();
            assert!(fields.remove("time").is_some() && fields.remove("request_id").is_some());
            event
        })
        // Those of the preparations stand there too.
        .filter(|event| actions.iter().any(|action| event["action"] == *action))
        .collect();
    assert_eq!(events.len(), calls * 3, "{text}");
    for same in events.chunks(3) {
        assert!(same[0] == same[1] && same[1] == same[2], "{same:#?}");
    }
}
