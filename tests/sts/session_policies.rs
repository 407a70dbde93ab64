//! Session policies: they take away and never give, and what of them does not fit is refused before it is needed.

use reeve_proto::iam::v1::{CreatePolicyVersionRequest, DeletePolicyRequest};
use serde_json::json;

use super::{BUCKET, assume, may, request, tag, tagged, within};
use crate::world::{World, allow, code, deny, document, refused, trust};

const READ: &str = "s3:GetObject";
const WRITE: &str = "s3:PutObject";

async fn world() -> (World, crate::world::User, reeve_proto::iam::v1::Role) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    world.allow_role(&role, &allow(json!([READ, WRITE]), format!("{BUCKET}/*"))).await;
    (world, alice, role)
}

#[tokio::test]
async fn a_session_may_do_what_both_its_role_and_its_policies_allow() {
    let (world, alice, role) = world().await;
    let read = world.policy("read", &allow(READ, "*")).await;
    let write = world.policy("write", &allow(WRITE, "*")).await;
    let everything = Some(document(&allow("*", "*")));
    let nothing_denied = Some(document(&json!([allow("*", "*"), deny(WRITE, "*")])));
    for (policy, arns, reads, writes) in [
        (None, &[][..], true, true),
        (everything, &[], true, true),
        (Some(document(&allow(READ, "*"))), &[], true, false),
        (None, &[read.as_str()], true, false),
        (None, &[read.as_str(), write.as_str()], true, true),
        (Some(document(&allow(READ, "*"))), &[write.as_str()], true, true),
        (nothing_denied, &[write.as_str()], true, false),
        (Some(document(&allow(READ, "arn:aws:s3:::other/*"))), &[], false, false),
    ] {
        let session = assume(&alice, &within(&role, policy.clone(), arns)).await.unwrap();
        let object = format!("{BUCKET}/x");
        assert_eq!(may(&world, &session, READ, &object).await, reads, "{policy:?} {arns:?}");
        assert_eq!(may(&world, &session, WRITE, &object).await, writes, "{policy:?} {arns:?}");
        assert!(
            !may(&world, &session, "s3:DeleteObject", &object).await,
            "no policy gives what the role lacks"
        );
        assert!(!may(&world, &session, READ, "arn:aws:s3:::other/x").await);
    }
}

#[tokio::test]
async fn a_managed_one_is_read_live_and_allows_nothing_once_deleted() {
    let (world, alice, role) = world().await;
    let arn = world.policy("read", &allow(READ, "*")).await;
    let session = assume(&alice, &within(&role, None, &[&arn])).await.unwrap();
    let object = format!("{BUCKET}/x");
    assert!(may(&world, &session, READ, &object).await);
    let version = CreatePolicyVersionRequest {
        policy_arn: arn.clone(),
        policy_document: document(&allow(WRITE, "*")),
        set_as_default: Some(true),
    };
    world.root().call(&version).await.unwrap();
    assert!(!may(&world, &session, READ, &object).await);
    assert!(may(&world, &session, WRITE, &object).await);
    world
        .root()
        .call(&reeve_proto::iam::v1::DeletePolicyVersionRequest {
            policy_arn: arn.clone(),
            version_id: "v1".to_owned(),
        })
        .await
        .unwrap();
    world.root().call(&DeletePolicyRequest { policy_arn: arn.clone() }).await.unwrap();
    assert!(!may(&world, &session, READ, &object).await);
    assert!(!may(&world, &session, WRITE, &object).await, "a deleted one is not no policy at all");
    assert_eq!(code(assume(&alice, &within(&role, None, &[&arn])).await), "ValidationError");
    // Made again under its name it is another policy, but the name is what the session holds.
    let same = world.policy("read", &allow(READ, "*")).await;
    assert_eq!(same, arn);
}

#[tokio::test]
async fn a_malformed_one_is_refused_when_the_session_is_asked_for() {
    let (world, alice, role) = world().await;
    let with_principal = json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" });
    let unknown = json!({
        "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": { "StringEqualsAlmost": { "a:b": "c" } },
    });
    for policy in [
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        document(&with_principal),
        document(&unknown),
        document(&json!({ "Effect": "Perhaps", "Action": "*", "Resource": "*" })),
        document(&json!({ "Effect": "Allow", "Action": "*" })),
        format!("{}1{}", "[".repeat(1023), "]".repeat(1023)),
    ] {
        let error = refused(assume(&alice, &within(&role, Some(policy.clone()), &[])).await);
        assert_eq!(error.code, "MalformedPolicyDocument", "{policy}");
        assert!(error.violations.iter().any(|(field, _)| field.contains("olicy")), "{:?}", error.violations);
    }
    for arn in [
        "arn:aws:iam::123456789012:policy/none",
        "arn:aws:iam::999988887777:policy/none",
        "arn:aws:iam::123456789012:role/r-and-more",
        "not an arn at all, but long",
    ] {
        let error = refused(assume(&alice, &within(&role, None, &[arn])).await);
        assert_eq!(error.code, "ValidationError", "{arn}");
        assert!(error.violations[0].0.starts_with("policy_arns"), "{:?}", error.violations);
    }
    let eleven = vec!["arn:aws:iam::123456789012:policy/read"; 11];
    assert_eq!(code(assume(&alice, &within(&role, None, &eleven)).await), "ValidationError");
    drop(world);
}

#[tokio::test]
async fn what_does_not_fit_into_the_token_is_refused_with_the_share_it_takes() {
    let (_world, alice, role) = world().await;
    let (mut fitted, mut sizes) = (0, Vec::new());
    let mut wanted = within(&role, Some(long_policy(2048)), &[]);
    for number in 0.. {
        match assume(&alice, &wanted).await {
            Ok(session) => {
                assert!(session.token().len() <= 4096, "{}", session.token().len());
                assert!((1..=100).contains(&session.packed_policy_size));
                sizes.push(session.packed_policy_size);
                fitted += 1;
                wanted.tags.push(tag(&format!("{number:0>16}"), &"v".repeat(64)));
            }
            Err(error) => {
                assert_eq!(error.code, "PackedPolicyTooLarge");
                let share = error.message.split('%').next().unwrap().rsplit(' ').next().unwrap();
                assert!(share.parse::<u32>().unwrap() > 100, "{}", error.message);
                break;
            }
        }
    }
    assert!(fitted > 3 && sizes.is_sorted(), "{sizes:?}");
    let tags: Vec<(String, String)> =
        (0..50).map(|number| (format!("{number:0>128}"), "v".repeat(256))).collect();
    let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(code(assume(&alice, &tagged(&role, &tags, &[])).await), "PackedPolicyTooLarge");
    assert!(assume(&alice, &request(&role)).await.is_ok());
}

/// A policy whose text has so many characters.
fn long_policy(characters: usize) -> String {
    let policy = |padding: usize| document(&allow(READ, format!("{BUCKET}/{}", "x".repeat(padding))));
    policy(characters - policy(0).chars().count())
}

#[tokio::test]
async fn its_plain_text_has_2048_characters_at_most() {
    let (_world, alice, role) = world().await;
    assert!(assume(&alice, &within(&role, Some(long_policy(2048)), &[])).await.is_ok());
    for characters in [2049, 50_000, 1_000_000] {
        let error = refused(assume(&alice, &within(&role, Some(long_policy(characters)), &[])).await);
        assert_eq!(error.code, "ValidationError");
        assert_eq!(error.violations[0].0, "policy");
    }
}
