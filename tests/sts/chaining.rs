//! A session that assumes a further role: what it needs, what it passes on, and how long the next one lasts.

use reeve_proto::sts::v1::AssumeRoleRequest;
use serde_json::json;

use super::{BUCKET, Session, allowed, assume, may, request, tag, tagged, trust_with, within};
use crate::world::{ACCOUNT, World, allow, code, document, refused, trust};

/// A world in which alice may become `first`, and `first`'s sessions, by name, `second`.
async fn chain(second_actions: &[&str]) -> (World, crate::world::User, [reeve_proto::iam::v1::Role; 2]) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let first = world.role("first", &trust(world.arn("user/alice"))).await;
    let second = world.role("second", &trust_with(&first.arn, json!(second_actions), json!({}))).await;
    (world, alice, [first, second])
}

#[tokio::test]
async fn a_trust_policy_that_names_the_role_is_enough_for_its_sessions() {
    let (world, alice, [first, second]) = chain(&["sts:AssumeRole"]).await;
    let session = assume(&alice, &request(&first)).await.unwrap();
    let next = assume(&session, &request(&second)).await.unwrap();
    assert_eq!(
        super::who(&next).await.unwrap(),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/second/session")
    );
    // Alice herself is not trusted, and neither is a session of another role.
    assert!(!allowed(assume(&alice, &request(&second)).await));
    let other = world.role("other", &trust(world.arn("user/alice"))).await;
    let other = assume(&alice, &request(&other)).await.unwrap();
    assert!(!allowed(assume(&other, &request(&second)).await));
}

#[tokio::test]
async fn a_trust_policy_can_name_one_session() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let first = world.role("first", &trust(world.arn("user/alice"))).await;
    let named = format!("arn:aws:sts::{ACCOUNT}:assumed-role/first/chosen");
    let second = world.role("second", &trust(named)).await;
    for (name, expected) in [("chosen", true), ("other", false), ("chosen2", false)] {
        let wanted = AssumeRoleRequest { role_session_name: name.to_owned(), ..request(&first) };
        let session = assume(&alice, &wanted).await.unwrap();
        assert_eq!(allowed(assume(&session, &request(&second)).await), expected, "{name}");
    }
}

#[tokio::test]
async fn the_session_policy_must_allow_the_next_step() {
    let (_world, alice, [first, second]) = chain(&["sts:AssumeRole"]).await;
    for (action, expected) in [("s3:*", false), ("sts:AssumeRole", true)] {
        let policy = Some(document(&allow(action, "*")));
        let session = assume(&alice, &within(&first, policy, &[])).await.unwrap();
        assert_eq!(allowed(assume(&session, &request(&second)).await), expected, "{action}");
    }
}

#[tokio::test]
async fn a_chained_session_lasts_an_hour_at_most() {
    let (world, alice, [first, _]) = chain(&["sts:AssumeRole"]).await;
    let create = reeve_proto::iam::v1::CreateRoleRequest {
        role_name: "long".to_owned(),
        assume_role_policy_document: trust(json!([first.arn, world.arn("user/alice")])).to_string(),
        max_session_duration: Some(43_200),
        ..Default::default()
    };
    let long = world.root().call(&create).await.unwrap().role.unwrap();
    let session = assume(&alice, &request(&first)).await.unwrap();
    let lasting = |seconds| AssumeRoleRequest { duration_seconds: Some(seconds), ..request(&long) };
    assert!(allowed(assume(&session, &lasting(3600)).await));
    let error = refused(assume(&session, &lasting(3601)).await);
    assert_eq!(error.code, "ValidationError");
    assert!(error.message.contains("1 hour session limit"), "{}", error.message);
    assert_eq!(error.violations[0].0, "duration_seconds");
    assert!(allowed(assume(&alice, &lasting(43_200)).await), "it is the chaining that limits");
}

#[tokio::test]
async fn transitive_tags_are_passed_on_and_no_others() {
    let (world, alice, [first, second]) = chain(&["sts:AssumeRole", "sts:TagSession"]).await;
    world.allow_role(&first, &allow("sts:TagSession", "*")).await;
    let by_tag = |key: &str, value: &str| {
        json!({
            "Effect": "Allow", "Action": format!("s3:Get{key}"), "Resource": "*",
            "Condition": { "StringEquals": { format!("aws:PrincipalTag/{key}"): value } },
        })
    };
    world.allow_role(&second, &json!([by_tag("team", "red"), by_tag("cost", "7")])).await;
    let session =
        assume(&alice, &tagged(&first, &[("Team", "red"), ("Cost", "7")], &["team"])).await.unwrap();
    let next = assume(&session, &request(&second)).await.unwrap();
    assert!(may(&world, &next, "s3:Getteam", BUCKET).await);
    assert!(!may(&world, &next, "s3:Getcost", BUCKET).await, "it was not transitive");

    // Once transitive, always: through the second session to a third, with nothing said on the way.
    let third = world.role("third", &trust(second.arn.as_str())).await;
    world.allow_role(&second, &allow("sts:TagSession", "*")).await;
    world.allow_role(&third, &by_tag("team", "red")).await;
    let last = assume(&next, &request(&third)).await.unwrap();
    assert!(may(&world, &last, "s3:Getteam", BUCKET).await);
}

#[tokio::test]
async fn what_is_passed_on_cannot_be_overridden() {
    let (world, alice, [first, second]) = chain(&["sts:AssumeRole", "sts:TagSession"]).await;
    world.allow_role(&first, &allow("sts:TagSession", "*")).await;
    let session = assume(&alice, &tagged(&first, &[("team", "red")], &["team"])).await.unwrap();
    for key in ["team", "TEAM"] {
        for value in ["blue", "red"] {
            let error = refused(assume(&session, &tagged(&second, &[(key, value)], &[])).await);
            assert_eq!(error.code, "InvalidParameterValue", "{key}={value}");
            assert_eq!(error.violations[0].0, "tags");
        }
    }
    assert!(allowed(assume(&session, &tagged(&second, &[("cost", "7")], &["cost"])).await));
}

#[tokio::test]
async fn what_is_passed_on_needs_the_permission_on_both_sides() {
    for (trusted, held, expected) in [
        (&["sts:AssumeRole"][..], Some("sts:TagSession"), false),
        (&["sts:AssumeRole", "sts:TagSession"], None, false),
        (&["sts:AssumeRole", "sts:TagSession"], Some("sts:TagSession"), true),
    ] {
        let (world, alice, [first, second]) = chain(trusted).await;
        if let Some(action) = held {
            world.allow_role(&first, &allow(action, "*")).await;
        }
        let session = assume(&alice, &tagged(&first, &[("team", "red")], &["team"])).await.unwrap();
        assert_eq!(allowed(assume(&session, &request(&second)).await), expected, "{trusted:?}, {held:?}");
        // Nothing passed on, nothing needed.
        let bare = assume(&alice, &tagged(&first, &[("team", "red")], &[])).await.unwrap();
        assert!(allowed(assume(&bare, &request(&second)).await), "{trusted:?}, {held:?}");
    }
}

#[tokio::test]
async fn a_role_s_own_tags_are_not_passed_on() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let create = reeve_proto::iam::v1::CreateRoleRequest {
        role_name: "first".to_owned(),
        assume_role_policy_document: trust(world.arn("user/alice")).to_string(),
        tags: vec![tag("team", "red")],
        ..Default::default()
    };
    let first = world.root().call(&create).await.unwrap().role.unwrap();
    let second = world.role("second", &trust_with(&first.arn, "sts:AssumeRole", json!({}))).await;
    let red = json!({
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
        "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red" } },
    });
    world.allow_role(&first, &red).await;
    world.allow_role(&second, &red).await;
    let session = assume(&alice, &request(&first)).await.unwrap();
    assert!(may(&world, &session, "s3:GetObject", BUCKET).await);
    let next = assume(&session, &request(&second)).await.unwrap();
    assert!(!may(&world, &next, "s3:GetObject", BUCKET).await);
}

#[tokio::test]
async fn a_source_identity_stays_for_good() {
    let both = ["sts:AssumeRole", "sts:SetSourceIdentity"];
    let (world, alice, [first, second]) = chain(&both).await;
    let named =
        |role, name: &str| AssumeRoleRequest { source_identity: Some(name.to_owned()), ..request(role) };
    let session = assume(&alice, &named(&first, "alice")).await.unwrap();
    assert_eq!(session.source_identity.as_deref(), Some("alice"));
    assert!(!allowed(assume(&session, &request(&second)).await), "the calling role needs the permission too");
    world.allow_role(&first, &allow("sts:SetSourceIdentity", "*")).await;
    let next = assume(&session, &request(&second)).await.unwrap();
    assert_eq!(next.source_identity.as_deref(), Some("alice"));
    assert!(allowed(assume(&session, &named(&second, "alice")).await), "the same is no change");
    let changed = code(assume(&session, &named(&second, "mallory")).await);
    assert!(["ValidationError", "AccessDenied"].contains(&changed.as_str()), "{changed}");

    let condition = json!({ "StringEquals": { "aws:SourceIdentity": "alice" } });
    let statement =
        json!({ "Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Condition": condition });
    world.allow_role(&second, &statement).await;
    assert!(may(&world, &next, "s3:GetObject", BUCKET).await);
    let without = assume(&alice, &request(&first)).await.unwrap();
    let without: Session = assume(&without, &request(&second)).await.unwrap();
    assert!(!may(&world, &without, "s3:GetObject", BUCKET).await);
}

#[tokio::test]
async fn a_source_identity_needs_its_own_permission() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let who = world.arn("user/alice");
    let plain = world.role("plain", &trust_with(&who, "sts:AssumeRole", json!({}))).await;
    let named = AssumeRoleRequest { source_identity: Some("alice".to_owned()), ..request(&plain) };
    assert!(allowed(assume(&alice, &request(&plain)).await));
    assert!(!allowed(assume(&alice, &named).await));
    let condition = json!({ "StringEquals": { "sts:SourceIdentity": "${aws:username}" } });
    let own = world
        .role("own", &trust_with(&who, json!(["sts:AssumeRole", "sts:SetSourceIdentity"]), condition))
        .await;
    for (name, expected) in [("alice", true), ("bob", false)] {
        let named = AssumeRoleRequest { source_identity: Some(name.to_owned()), ..request(&own) };
        assert_eq!(allowed(assume(&alice, &named).await), expected, "{name}");
    }
    assert!(!allowed(assume(&alice, &request(&own)).await), "the condition wants one");
}
