//! The Query door as AWS's clients meet it, and as those who mean it no good do.

use reeve_chassis::clock::{Clock as _, SystemClock};

use super::http::{Sent, encoded};
use crate::world::{User, World, allow, trust};

const IDENTITY: &[(&str, &str)] = &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
const USERS: &[(&str, &str)] = &[("Action", "ListUsers"), ("Version", "2010-05-08")];

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn world() -> (World, User) {
    let world = World::start().await;
    let admin = world.user("admin").await;
    world.allow(&admin, &allow("*", "*")).await;
    (world, admin)
}

fn now() -> i64 {
    SystemClock.now().seconds()
}

fn form(world: &World, of: &[(&str, &str)]) -> Sent {
    Sent::form(&world.endpoint(), &pairs(of))
}

fn get(world: &World, of: &[(&str, &str)]) -> Sent {
    Sent::get(&world.endpoint(), &pairs(of))
}

#[tokio::test]
async fn over_http_2_the_door_is_the_same() {
    let (world, admin) = world().await;
    let credentials = admin.credentials();
    let signed = form(&world, IDENTITY).signed(&credentials, "sts");
    let presigned = get(&world, IDENTITY).presigned_at(&credentials, "sts", now(), "60");
    for sent in [&signed, &presigned] {
        let reply = sent.send_over_http_2().await;
        assert_eq!((reply.status, reply.element("Arn")), (200, &*world.arn("user/admin")), "{reply:?}");
        assert_eq!(reply.headers["content-type"], "text/xml");
    }
    let mut spoilt = signed.clone();
    spoilt.body.extend(b"&Passed=over");
    for (sent, code) in [
        (spoilt, "SignatureDoesNotMatch"),
        (form(&world, IDENTITY), "MissingAuthenticationToken"),
        (form(&world, &[("Action", "Nothing"), ("Version", "2011-06-15")]), "InvalidAction"),
    ] {
        let (before, now) = (sent.send().await, sent.send_over_http_2().await);
        assert_eq!((now.status, now.code()), (before.status, code), "{now:?}");
    }
    let json = Sent::json(&world.endpoint(), "/reeve.iam.v1.UserService/GetUser", "{}");
    let reply = json.signed(&credentials, "iam").send_over_http_2().await;
    assert!(reply.status == 200 && reply.body.contains(&world.arn("user/admin")), "{reply:?}");
}

#[tokio::test]
async fn a_user_is_created_and_found_and_a_role_assumed() {
    let (world, admin) = world().await;
    let credentials = admin.credentials();
    let create = [
        ("Action", "CreateUser"),
        ("Version", "2010-05-08"),
        ("UserName", "bob"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "blue + green"),
        ("Unknown.member.1", "passed over"),
    ];
    let reply = form(&world, &create).signed(&credentials, "iam").send().await;
    assert_eq!((reply.status, reply.element("Arn")), (200, world.arn("user/bob").as_str()), "{reply:?}");
    assert!(reply.body.contains("<Tags><member><Key>team</Key><Value>blue + green</Value></member></Tags>"));
    let reply = form(&world, &create).signed(&credentials, "iam").send().await;
    assert_eq!((reply.status, reply.code()), (409, "EntityAlreadyExists"));
    assert!(reply.headers.contains_key("reeve-revision"), "a refusal rests on a revision too");
    assert_eq!(reply.element("Message"), "User with name bob already exists.");
    let role = world.role("r", &trust(world.arn("user/admin"))).await;
    let assume = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", role.arn.as_str()),
        ("RoleSessionName", "me"),
    ];
    let reply = form(&world, &assume).signed(&credentials, "sts").send().await;
    let session = reeve_chassis::client::Credentials {
        access_key_id: reply.element("AccessKeyId").to_owned(),
        secret_access_key: zeroize::Zeroizing::new(reply.element("SecretAccessKey").to_owned()),
        session_token: Some(reply.element("SessionToken").to_owned()),
    };
    let expected = format!("arn:aws:sts::{}:assumed-role/r/me", crate::world::ACCOUNT);
    for reply in [
        form(&world, IDENTITY).signed(&session, "sts").send().await,
        get(&world, IDENTITY).signed(&session, "sts").send().await,
        get(&world, IDENTITY).presigned_at(&session, "sts", now(), "900").send().await,
        form(&world, IDENTITY).presigned_at(&session, "sts", now(), "900").send().await,
    ] {
        assert_eq!(reply.element("Arn"), expected, "{reply:?}");
    }
}

#[tokio::test]
async fn what_names_no_operation_is_told_so() {
    let (world, admin) = world().await;
    for (of, status, code) in [
        (&[][..], 400, "MissingAction"),
        (&[("Version", "2010-05-08")], 400, "MissingAction"),
        (&[("Action", "Nope"), ("Version", "2010-05-08")], 400, "InvalidAction"),
        (&[("Action", "ListUsers"), ("Version", "2011-06-15")], 400, "InvalidAction"),
        (&[("Action", "ListUsers")], 400, "InvalidAction"),
        (&[("Action", "Authorize"), ("Version", "2010-05-08")], 400, "InvalidAction"),
        (USERS, 403, "MissingAuthenticationToken"),
    ] {
        let reply = form(&world, of).send().await;
        assert_eq!((reply.status, reply.code()), (status, code), "{of:?}: {reply:?}");
        assert!(reply.headers.contains_key("x-amzn-requestid"));
    }
    let mut other = form(&world, USERS).signed(&admin.credentials(), "iam");
    for (method, path, content_type, status) in [
        ("PUT", "/", "application/x-www-form-urlencoded", 405),
        ("HEAD", "/", "application/x-www-form-urlencoded", 405),
        ("POST", "/", "text/plain", 415),
        ("POST", "/nowhere", "application/x-www-form-urlencoded", 404),
    ] {
        other.method = method;
        other.path = path.to_owned();
        other.set("content-type", content_type);
        assert_eq!(other.send().await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn a_form_that_is_none_is_refused() {
    let (world, admin) = world().await;
    for body in
        [&b"Action=ListUsers&Version=2010-05-08&UserName=%"[..], b"%zz", b"Action=%ff", b"\xff\xfe", b"a=%4"]
    {
        let mut sent = form(&world, &[]);
        sent.body = body.to_vec();
        let reply = sent.signed(&admin.credentials(), "iam").send().await;
        assert_eq!((reply.status, reply.code()), (400, "MalformedQueryString"), "{body:?}");
    }
    let reply = form(&world, &[USERS[0], USERS[1], ("MaxItems", "many")])
        .signed(&admin.credentials(), "iam")
        .send()
        .await;
    assert_eq!((reply.status, reply.code()), (400, "MalformedInput"));
    // Who is not known learns nothing of what was wrong with a value.
    let reply = form(&world, &[USERS[0], USERS[1], ("MaxItems", "many")]).send().await;
    assert_eq!(reply.code(), "MissingAuthenticationToken");
    let many: Vec<(String, String)> = (0..10_000)
        .flat_map(|at| {
            [
                (format!("Tags.member.{at}.Key"), format!("k{at}")),
                (format!("Tags.member.{at}.Value"), "v".to_owned()),
            ]
        })
        .chain(pairs(&[("Action", "CreateUser"), ("Version", "2010-05-08"), ("UserName", "many")]))
        .collect();
    let reply = Sent::form(&world.endpoint(), &many).signed(&admin.credentials(), "iam").send().await;
    assert_eq!((reply.status, reply.code()), (400, "ValidationError"));
    let flood: Vec<(String, String)> = (0..40_000).map(|at| (format!("a{at}"), String::new())).collect();
    let reply = Sent::form(&world.endpoint(), &flood).signed(&admin.credentials(), "iam").send().await;
    assert_eq!((reply.status, reply.code()), (400, "MalformedQueryString"));
}

#[tokio::test]
async fn a_signature_stands_in_one_place_and_covers_what_it_says() {
    let (world, admin) = world().await;
    let credentials = admin.credentials();
    let signed = form(&world, USERS).signed(&credentials, "iam");
    assert_eq!(signed.send().await.status, 200);
    let address = signed.host.clone();
    let mismatch = "SignatureDoesNotMatch";
    let mut moved = signed.clone();
    moved.host = "elsewhere:7443".to_owned();
    assert_eq!(moved.send_to(&address).await.code(), mismatch, "another host");
    let mut body = signed.clone();
    body.body.extend(b"&PathPrefix=%2F");
    assert_eq!(body.send().await.code(), mismatch, "another body");
    let mut query = signed.clone();
    query.query = pairs(&[("PathPrefix", "/")]);
    assert_eq!(query.send().await.code(), mismatch, "another query");
    let mut method = get(&world, USERS).signed(&credentials, "iam");
    method.method = "POST";
    assert_eq!(method.send().await.code(), mismatch, "another method");
    for header in ["x-amz-anything", "reeve-anything", "x-amz-security-token"] {
        assert_eq!(signed.clone().with(header, "x").send().await.code(), mismatch, "{header}");
    }
    let hash = "0".repeat(64);
    let stated = form(&world, USERS).with("x-amz-content-sha256", &hash).signed(&credentials, "iam");
    assert_eq!(stated.send().await.code(), mismatch, "a hash of something else");
    let unsigned =
        form(&world, USERS).with("x-amz-content-sha256", "UNSIGNED-PAYLOAD").signed(&credentials, "iam");
    assert_eq!(unsigned.send().await.code(), mismatch, "UNSIGNED-PAYLOAD");
    let both = get(&world, USERS).presigned_at(&credentials, "iam", now(), "60").signed(&credentials, "iam");
    assert_eq!(both.send().await.code(), mismatch, "in both places");
    assert_eq!(
        form(&world, USERS).signed(&credentials, "sts").send().await.code(),
        mismatch,
        "another service"
    );
    assert_eq!(form(&world, USERS).signed_at(&credentials, "iam", now() - 901).send().await.code(), mismatch);
    // What AWS accepts beside its own header for the date.
    let dated = form(&world, USERS).signed(&credentials, "iam").with("date", "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(dated.send().await.status, 200);
}

#[tokio::test]
async fn a_presigned_url_holds_until_it_expires_and_for_nothing_else() {
    let (world, admin) = world().await;
    let credentials = admin.credentials();
    let presigned =
        |at: i64, expires: &str| get(&world, IDENTITY).presigned_at(&credentials, "sts", at, expires);
    let (mismatch, incomplete) = ("SignatureDoesNotMatch", "IncompleteSignature");
    for (at, expires, code) in [
        (now(), "60", ""),
        (now() - 3600, "3700", ""),
        (now() - 600_000, "604800", ""),
        (now() - 3600, "3500", mismatch),
        (now() - 604_900, "604800", mismatch),
        (now() + 1000, "604800", mismatch),
        (now(), "604801", incomplete),
        (now(), "-1", incomplete),
        (now(), "soon", incomplete),
        (now(), "", incomplete),
    ] {
        assert_eq!(presigned(at, expires).send().await.code(), code, "{at} for {expires}");
    }
    let good = presigned(now(), "60");
    for (at, (name, value)) in good.query.iter().enumerate() {
        let mut changed = good.clone();
        changed.query[at].1 = format!("{value}0");
        assert_ne!(changed.send().await.status, 200, "{name} changed");
        let mut without = good.clone();
        without.query.remove(at);
        assert_ne!(without.send().await.status, 200, "{name} taken away");
        let mut twice = good.clone();
        twice.query.push((name.clone(), value.clone()));
        assert_ne!(twice.send().await.status, 200, "{name} twice");
    }
    let mut body = good.clone();
    body.body = encoded(&pairs(USERS)).into_bytes();
    body.set("content-type", "application/x-www-form-urlencoded");
    assert_eq!(body.send().await.code(), mismatch, "a body that was not signed");
}

#[tokio::test]
async fn nothing_that_is_sent_becomes_a_header_of_the_answer() {
    let (world, admin) = world().await;
    let injected = "x\r\nX-Injected: yes\r\n\r\n<b>";
    for of in [
        [("Action", injected), ("Version", "2010-05-08"), ("UserName", "x")],
        [("Action", "GetUser"), ("Version", injected), ("UserName", "x")],
        [("Action", "GetUser"), ("Version", "2010-05-08"), ("UserName", injected)],
    ] {
        let reply = form(&world, &of).signed(&admin.credentials(), "iam").send().await;
        assert!(reply.status == 400 && !reply.headers.contains_key("x-injected"), "{reply:?}");
        assert!(!reply.body.contains("<b>"), "{reply:?}");
        super::xml::leaves(&reply.body);
    }
}

#[tokio::test]
async fn where_a_call_comes_from_is_known_at_this_door_too() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let mut statement = allow("iam:ListUsers", "*");
    statement["Condition"] = serde_json::json!({
        "IpAddress": { "aws:SourceIp": "127.0.0.0/8" },
        "StringEquals": { "aws:UserAgent": "door/1", "aws:RequestedRegion": "us-east-1" },
        "Bool": { "aws:SecureTransport": "false" },
    });
    world.allow(&alice, &statement).await;
    let signed = form(&world, USERS).with("user-agent", "door/1").signed(&alice.credentials(), "iam");
    assert_eq!(signed.send().await.status, 200);
    let other = signed.with("user-agent", "door/2").send().await;
    assert_eq!((other.status, other.code()), (403, "AccessDenied"));
    // What is no revision of this cluster's is refused, as at every door.
    let waiting =
        form(&world, USERS).with("reeve-min-revision", "nonsense").signed(&alice.credentials(), "iam");
    assert_eq!(waiting.send().await.code(), "InvalidParameterValue");
}

#[tokio::test]
async fn a_document_is_percent_encoded() {
    let (world, admin) = world().await;
    world.role("r", &trust(world.arn("user/admin"))).await;
    let get = [("Action", "GetRole"), ("Version", "2010-05-08"), ("RoleName", "r")];
    let reply = form(&world, &get).signed(&admin.credentials(), "iam").send().await;
    let document = reply.element("AssumeRolePolicyDocument");
    assert!(document.contains("%22Version%22%3A%222012-10-17%22"), "{document}");
    assert!(
        document.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)),
        "{document}"
    );
}

/// Every policy document that a response can hold is percent-encoded, as botocore and its kin expect it.
#[test]
fn documents_in_responses_are_declared_as_such() {
    let pool = prost_reflect::DescriptorPool::decode(reeve_proto::DESCRIPTOR).unwrap();
    let mut found = 0;
    for spec in reeve_proto::OPERATIONS.iter().filter(|spec| super::form::version(spec).is_some()) {
        let mut messages = vec![pool.get_message_by_name(spec.response).unwrap()];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(message) = messages.pop() {
            if !seen.insert(message.full_name().to_owned()) {
                continue;
            }
            for field in message.fields() {
                if let prost_reflect::Kind::Message(inner) = field.kind() {
                    messages.push(inner);
                }
                let is_document = ["PolicyDocument", "Document", "AssumeRolePolicyDocument"];
                let is_document = is_document.contains(&super::form::name(&field).as_str());
                let declared = super::form::option(&field, "url_encoded").as_bool().unwrap();
                assert_eq!(declared, is_document, "{}", field.full_name());
                found += usize::from(is_document);
            }
        }
    }
    assert!(found >= 5, "only {found} documents");
}
