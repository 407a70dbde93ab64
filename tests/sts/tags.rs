//! Session tags: what may be asked for, what conditions see of it, and what a session's holder becomes by them.

use reeve_proto::iam::v1::CreateRoleRequest;
use reeve_proto::sts::v1::AssumeRoleRequest;
use serde_json::{Value, json};

use super::{BUCKET, allowed, assume, may, request, tag, tagged, trust_with};
use crate::world::{ACCOUNT, World, allow, code, refused, trust};

#[tokio::test]
async fn tags_need_a_permission_of_their_own() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let who = world.arn("user/alice");
    let untagged = world.role("untagged", &trust_with(&who, "sts:AssumeRole", json!({}))).await;
    assert!(allowed(assume(&alice, &request(&untagged)).await));
    assert!(!allowed(assume(&alice, &tagged(&untagged, &[("team", "red")], &[])).await));
    // A role that trusts the account: the caller's policy must allow the tagging too.
    let account = world.role("account", &trust(ACCOUNT)).await;
    world.allow(&alice, &allow("sts:AssumeRole", "*")).await;
    assert!(allowed(assume(&alice, &request(&account)).await));
    assert!(!allowed(assume(&alice, &tagged(&account, &[("team", "red")], &[])).await));
    world.allow(&alice, &allow("sts:TagSession", account.arn.as_str())).await;
    assert!(allowed(assume(&alice, &tagged(&account, &[("team", "red")], &[])).await));
}

#[tokio::test]
async fn conditions_see_the_tags_that_are_asked_for() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let red: &[(&str, &str)] = &[("team", "red")];
    let both: &[(&str, &str)] = &[("Team", "red"), ("cost", "7")];
    for (number, (condition, tags, transitive, expected)) in [
        (json!({ "StringEquals": { "aws:RequestTag/team": "red" } }), red, &[][..], true),
        (json!({ "StringEquals": { "aws:RequestTag/TEAM": "red" } }), red, &[], true),
        (json!({ "StringEquals": { "aws:RequestTag/team": "Red" } }), red, &[], false),
        (json!({ "StringEquals": { "aws:RequestTag/team": "red" } }), &[], &[], false),
        (json!({ "StringNotEquals": { "aws:RequestTag/team": "red" } }), &[], &[], true),
        (json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["Team", "team"] } }), red, &[], true),
        (json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["Team", "team"] } }), both, &[], false),
        (json!({ "ForAnyValue:StringEquals": { "aws:TagKeys": "cost" } }), both, &[], true),
        (json!({ "ForAnyValue:StringEquals": { "aws:TagKeys": "cost" } }), &[], &[], false),
        (json!({ "ForAnyValue:StringEquals": { "sts:TransitiveTagKeys": "cost" } }), both, &["cost"], true),
        (json!({ "ForAnyValue:StringEquals": { "sts:TransitiveTagKeys": "cost" } }), both, &["Team"], false),
        (json!({ "Null": { "sts:TransitiveTagKeys": "true" } }), both, &[], true),
        (json!({ "Null": { "sts:TransitiveTagKeys": "true" } }), both, &["cost"], false),
    ]
    .into_iter()
    .enumerate()
    {
        let trusted =
            trust_with(&world.arn("user/alice"), json!(["sts:AssumeRole", "sts:TagSession"]), condition);
        let role = world.role(&format!("r{number}"), &trusted).await;
        let got = allowed(assume(&alice, &tagged(&role, tags, transitive)).await);
        assert_eq!(got, expected, "{trusted} {tags:?} {transitive:?}");
    }
}

#[tokio::test]
async fn tags_that_cannot_be_are_named() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    for (tags, transitive, expected, field) in [
        (&[("team", "a"), ("team", "b")][..], &[][..], "InvalidParameterValue", "tags"),
        (&[("team", "a"), ("TEAM", "b")], &[], "InvalidParameterValue", "tags"),
        (&[("team", "a")], &["cost"], "InvalidParameterValue", "transitive_tag_keys"),
        (&[], &["cost"], "InvalidParameterValue", "transitive_tag_keys"),
        (&[("team", "a")], &["team", "Team"], "InvalidParameterValue", "transitive_tag_keys"),
        (&[("aws:team", "a")], &[], "InvalidParameterValue", "tags"),
        (&[("AWS:team", "a")], &[], "InvalidParameterValue", "tags"),
        (&[("", "a")], &[], "ValidationError", "tags"),
    ] {
        let error = refused(assume(&alice, &tagged(&role, tags, transitive)).await);
        assert_eq!(error.code, expected, "{tags:?} {transitive:?}");
        assert!(error.violations[0].0.starts_with(field), "{tags:?}: {:?}", error.violations);
    }
    let many: Vec<(String, String)> = (0..51).map(|number| (format!("k{number}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert!(allowed(assume(&alice, &tagged(&role, &many[..50], &[])).await));
    assert_eq!(code(assume(&alice, &tagged(&role, &many, &[])).await), "ValidationError");
}

#[tokio::test]
async fn session_tags_override_the_role_s_whatever_their_case() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let create = CreateRoleRequest {
        role_name: "r".to_owned(),
        assume_role_policy_document: trust(world.arn("user/alice")).to_string(),
        tags: vec![tag("Team", "red"), tag("Level", "1")],
        ..Default::default()
    };
    let role = world.root().call(&create).await.unwrap().role.unwrap();
    let on = |key: &str, value: &str| {
        json!({
            "Effect": "Allow", "Action": format!("s3:Get{value}"), "Resource": "*",
            "Condition": { "StringEquals": { format!("aws:PrincipalTag/{key}"): value } },
        })
    };
    world.allow_role(&role, &json!([on("team", "red"), on("team", "blue"), on("level", "1")])).await;
    let plain = assume(&alice, &request(&role)).await.unwrap();
    let blue = assume(&alice, &tagged(&role, &[("tEAM", "blue")], &[])).await.unwrap();
    for (session, action, expected) in [
        (&plain, "s3:Getred", true),
        (&plain, "s3:Getblue", false),
        (&blue, "s3:Getred", false),
        (&blue, "s3:Getblue", true),
        (&blue, "s3:Get1", true),
    ] {
        assert_eq!(may(&world, session, action, BUCKET).await, expected, "{action}");
    }
}

#[tokio::test]
async fn a_tag_s_value_widens_no_pattern() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let home = format!("{BUCKET}/home/${{aws:PrincipalTag/team}}/*");
    world.allow_role(&role, &allow("s3:GetObject", home)).await;
    for widening in ["*", "?", "${aws:username}", "r*d", "$", "{", "\n"] {
        let asked = tagged(&role, &[("team", widening)], &[]);
        assert_eq!(code(assume(&alice, &asked).await), "ValidationError", "{widening}");
    }
    for (value, object, expected) in [
        ("red", "home/red/x", true),
        ("red", "home/blue/x", false),
        ("..", "home/red/x", false),
        ("red/..", "home/blue/x", false),
        ("red/..", "home/red/../x", true),
        ("", "home/red/x", false),
        ("", "home//x", true),
        ("RED", "home/red/x", false),
    ] {
        let session = assume(&alice, &tagged(&role, &[("team", value)], &[])).await.unwrap();
        let got = may(&world, &session, "s3:GetObject", &format!("{BUCKET}/{object}")).await;
        assert_eq!(got, expected, "{value:?} {object}");
    }
    // Without the tag there is no home, and no empty text in its place.
    let session = assume(&alice, &request(&role)).await.unwrap();
    for object in ["home/red/x", "home//x", "home/x"] {
        assert!(!may(&world, &session, "s3:GetObject", &format!("{BUCKET}/{object}")).await, "{object}");
    }
}

#[tokio::test]
async fn a_deny_that_rests_on_a_missing_tag_is_not_dropped() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let own = format!("{BUCKET}/home/${{aws:PrincipalTag/team}}/*");
    let outside: Value = json!({ "Effect": "Deny", "Action": "s3:*", "NotResource": own });
    world.allow_role(&role, &json!([allow("s3:*", "*"), outside])).await;
    let untagged = assume(&alice, &request(&role)).await.unwrap();
    assert!(!may(&world, &untagged, "s3:GetObject", &format!("{BUCKET}/home/red/x")).await);
    let red = assume(&alice, &tagged(&role, &[("team", "red")], &[])).await.unwrap();
    assert!(may(&world, &red, "s3:GetObject", &format!("{BUCKET}/home/red/x")).await);
    assert!(!may(&world, &red, "s3:GetObject", &format!("{BUCKET}/home/blue/x")).await);
}

#[tokio::test]
async fn session_names_and_source_identities_are_held_to_their_characters() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let named = |name: &str| AssumeRoleRequest { role_session_name: name.to_owned(), ..request(&role) };
    for (name, expected) in [
        ("ab", ""),
        ("a=b,c.d@e-f_g+h", ""),
        ("a", "ValidationError"),
        ("sp ace", "ValidationError"),
        ("sl/ash", "ValidationError"),
        ("co:lon", "ValidationError"),
        ("st*r", "ValidationError"),
    ] {
        assert_eq!(code(assume(&alice, &named(name)).await), expected, "{name}");
        let identity = AssumeRoleRequest { source_identity: Some(name.to_owned()), ..request(&role) };
        assert_eq!(code(assume(&alice, &identity).await), expected, "{name}");
    }
    assert_eq!(code(assume(&alice, &named(&"n".repeat(64))).await), "");
    assert_eq!(code(assume(&alice, &named(&"n".repeat(65))).await), "ValidationError");
}
