//! What the asking service may say of the request, and that it can say nothing of the caller.

use serde_json::{Value, json};

use super::{Question, about_user, allowed, ask, entries, entry, on, tag};
use crate::world::{User, World, allow, refused};

/// A world in which alice's one statement is on `condition`.
async fn conditioned(effect: &str, condition: &Value) -> (World, User) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let statement = json!({ "Effect": effect, "Action": "s3:*", "Resource": "*", "Condition": condition });
    let statements = if effect == "Deny" { json!([allow("s3:*", "*"), statement]) } else { statement };
    world.allow(&alice, &statements).await;
    (world, alice)
}

#[tokio::test]
async fn keys_that_describe_the_caller_are_refused() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    for key in [
        "aws:PrincipalArn",
        "aws:principalarn",
        "AWS:PRINCIPALTAG/team",
        "aws:PrincipalTag/team",
        "aws:PrincipalAccount",
        "aws:PrincipalOrgID",
        "aws:PrincipalIsAWSService",
        "aws:userid",
        "aws:username",
        "aws:MultiFactorAuthPresent",
        "aws:MultiFactorAuthAge",
        "aws:TokenIssueTime",
        "aws:SourceIdentity",
        "aws:FederatedProvider",
        "aws:ViaAWSService",
        "aws:CalledVia",
        "aws:CalledViaFirst",
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:ResourceAccount",
        "aws:ResourceTag/team",
        "sts:ExternalId",
        "sts:RoleSessionName",
        "saml:sub",
    ] {
        let question = Question { context: vec![entry(key, "x")], ..about_user(&alice) };
        let error = refused(ask(world.root(), question).await);
        assert_eq!(error.code, "InvalidParameterValue", "{key}");
        assert_eq!(error.violations[0].0, "question.context", "{key}");
    }
    for bad in [
        vec![entry("s3:prefix", "a"), entry("S3:Prefix", "b")],
        vec![entries("s3:prefix", &["a", "b"]), entry("s3:prefix", "b")],
        vec![reeve_proto::authorization::v1::ContextEntry {
            multivalued: false,
            ..entries("s3:prefix", &["a", "b"])
        }],
        vec![reeve_proto::authorization::v1::ContextEntry {
            multivalued: false,
            ..entries("s3:prefix", &[])
        }],
    ] {
        let error = refused(ask(world.root(), Question { context: bad.clone(), ..about_user(&alice) }).await);
        assert_eq!(error.code, "InvalidParameterValue", "{bad:?}");
    }
    let many = (0..101).map(|number| entry(&format!("s3:key{number}"), "x")).collect();
    let error = refused(ask(world.root(), Question { context: many, ..about_user(&alice) }).await);
    assert_eq!(error.code, "ValidationError");
}

#[tokio::test]
async fn request_keys_are_the_service_s_to_say() {
    let ip = json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } });
    let (world, alice) = conditioned("Allow", &ip).await;
    for (address, expected) in
        [("10.1.2.3", true), ("11.1.2.3", false), ("10.1.2.3.evil", false), ("", false)]
    {
        let question = Question { context: vec![entry("aws:SourceIp", address)], ..about_user(&alice) };
        assert_eq!(allowed(&world, question).await, expected, "{address}");
    }
    assert!(
        !allowed(&world, about_user(&alice)).await,
        "the asking service's own address is not the caller's"
    );
}

#[tokio::test]
async fn set_operators_see_every_value_and_plain_ones_allow_on_none() {
    let values = |values: &[&str]| vec![entries("s3:RequestObjectTagKeys", values)];
    let key = "s3:RequestObjectTagKeys";
    for (operator, given, expected) in [
        ("ForAllValues:StringEquals", values(&["a"]), true),
        ("ForAllValues:StringEquals", values(&["a", "b"]), true),
        ("ForAllValues:StringEquals", values(&["a", "c"]), false),
        ("ForAllValues:StringEquals", vec![], true),
        ("ForAnyValue:StringEquals", values(&["c", "a"]), true),
        ("ForAnyValue:StringEquals", values(&["c"]), false),
        ("ForAnyValue:StringEquals", vec![], false),
        ("ForAllValues:StringNotEquals", values(&["c"]), true),
        ("ForAllValues:StringNotEquals", values(&["c", "a"]), false),
        ("ForAllValues:StringNotEquals", vec![], true),
        ("ForAnyValue:StringNotEquals", values(&["a", "c"]), true),
        ("ForAnyValue:StringNotEquals", values(&["a", "b"]), false),
        ("StringEquals", values(&["a", "b"]), false),
        ("StringEquals", values(&["a"]), false),
        ("StringNotEquals", values(&["c", "d"]), false),
        ("StringEqualsIfExists", vec![], true),
        ("StringNotEquals", vec![], true),
        ("StringEquals", vec![], false),
    ] {
        let (world, alice) = conditioned("Allow", &json!({ operator: { key: ["a", "b"] } })).await;
        let question = Question { context: given.clone(), ..about_user(&alice) };
        assert_eq!(allowed(&world, question).await, expected, "Allow {operator} {given:?}");
    }
    for (operator, given, denied) in [
        ("StringEquals", values(&["a", "c"]), true),
        ("StringEquals", values(&["c", "d"]), false),
        ("StringEquals", vec![], false),
        ("StringNotEquals", vec![], true),
        ("Null", values(&["a"]), false),
    ] {
        let value = if operator == "Null" { json!("true") } else { json!(["a", "b"]) };
        let (world, alice) = conditioned("Deny", &json!({ operator: { key: value } })).await;
        let question = Question { context: given.clone(), ..about_user(&alice) };
        assert_eq!(allowed(&world, question).await, !denied, "Deny {operator} {given:?}");
    }
}

#[tokio::test]
async fn a_value_widens_no_pattern_and_is_not_expanded_again() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("s3:GetObject", "arn:aws:s3:::bucket/${s3:prefix}/x")).await;
    for (value, object, expected) in [
        ("home", "home/x", true),
        ("*", "home/x", false),
        ("*", "*/x", true),
        ("h?me", "home/x", false),
        ("${aws:username}", "alice/x", false),
        ("${*}", "*/x", false),
        ("home/../other", "other/x", false),
        ("HOME", "home/x", false),
        ("", "home/x", false),
    ] {
        let question = Question {
            context: vec![entry("s3:prefix", value)],
            ..on(about_user(&alice), &format!("arn:aws:s3:::bucket/{object}"))
        };
        assert_eq!(allowed(&world, question).await, expected, "{value} {object}");
    }
    let without = on(about_user(&alice), "arn:aws:s3:::bucket//x");
    assert!(!allowed(&world, without).await, "a missing value is not an empty one");
}

#[tokio::test]
async fn a_resource_s_tags_are_what_the_service_says_of_it() {
    let condition = json!({ "StringEquals": { "aws:ResourceTag/Team": "red" } });
    let (world, alice) = conditioned("Allow", &condition).await;
    for (tags, expected) in [
        (vec![tag("team", "red")], true),
        (vec![tag("TEAM", "red")], true),
        (vec![tag("team", "Red")], false),
        (vec![tag("team", "")], false),
        (vec![tag("other", "red")], false),
        (vec![], false),
    ] {
        let question = Question { resource_tags: tags.clone(), ..about_user(&alice) };
        assert_eq!(allowed(&world, question).await, expected, "{tags:?}");
    }
}

#[tokio::test]
async fn a_multi_factor_age_cannot_be_had_by_asking() {
    let condition = json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "300" } });
    let (world, alice) = conditioned("Allow", &condition).await;
    assert!(!allowed(&world, about_user(&alice)).await);
    let lenient = json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } });
    let (world, alice) = conditioned("Deny", &lenient).await;
    assert!(!allowed(&world, about_user(&alice)).await, "a Deny with IfExists binds a long-term key");
}
