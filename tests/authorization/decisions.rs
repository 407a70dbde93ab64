//! What an answer says: the effect, the layer that decided, the statements, and AWS's words.

use serde_json::json;

use super::{OBJECT, READ, about, about_session, about_user, allowed, ask, on, tag};
use crate::sts::{assume, request, tagged, within};
use crate::world::{ACCOUNT, OTHER_ACCOUNT, User, World, allow, code, deny, document, refused, trust};

#[tokio::test]
async fn an_answer_says_what_decided() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let decision = ask(world.root(), about_user(&alice)).await.unwrap();
    assert_eq!(
        (decision.eval_decision.as_str(), decision.allowed, decision.layer.as_str()),
        ("implicitDeny", false, "identity")
    );
    assert_eq!(
        decision.message,
        format!(
            "User: {} is not authorized to perform: {READ} on resource: {OBJECT} because no identity-based policy allows the {READ} action",
            alice.record.arn
        )
    );
    assert!(decision.matched_statements.is_empty() && decision.error_code.is_empty());
    assert_eq!(decision.principal_arn, alice.record.arn);

    world.allow(&alice, &json!([allow("s3:Put*", "*"), { "Sid": "Read", "Effect": "Allow", "Action": READ, "Resource": OBJECT }])).await;
    let decision = ask(world.root(), about_user(&alice)).await.unwrap();
    assert_eq!(
        (decision.eval_decision.as_str(), decision.allowed, decision.layer.as_str()),
        ("allowed", true, "identity")
    );
    let [statement] = &decision.matched_statements[..] else { panic!("{decision:?}") };
    assert_eq!(
        (statement.source_policy_id.as_str(), statement.sid.as_str(), statement.index),
        ("allowed-0", "Read", 1)
    );

    world.allow(&alice, &deny("s3:*", "arn:aws:s3:::bucket/*")).await;
    let decision = ask(world.root(), about_user(&alice)).await.unwrap();
    assert_eq!((decision.eval_decision.as_str(), decision.allowed), ("explicitDeny", false));
    assert!(
        decision.message.contains("with an explicit deny in an identity-based policy"),
        "{}",
        decision.message
    );
    assert_eq!(decision.matched_statements[0].source_policy_id, "allowed-1");
}

#[tokio::test]
async fn a_boundary_and_a_session_policy_take_away() {
    let world = World::start().await;
    let boundary = world.policy("boundary", &allow("s3:Get*", "*")).await;
    let create = reeve_proto::iam::v1::CreateUserRequest {
        user_name: "bounded".to_owned(),
        permissions_boundary: Some(boundary),
        ..Default::default()
    };
    let bounded = User::of(&world, &create).await;
    world.allow(&bounded, &allow("s3:*", "*")).await;
    assert!(allowed(&world, about_user(&bounded)).await);
    let put = super::Question { action: "s3:PutObject".to_owned(), ..about_user(&bounded) };
    let decision = ask(world.root(), put).await.unwrap();
    assert_eq!((decision.eval_decision.as_str(), decision.layer.as_str()), ("implicitDeny", "boundary"));

    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    world.allow_role(&role, &allow("s3:*", "*")).await;
    let policy = Some(document(&allow("s3:Put*", "*")));
    let session = assume(&alice, &within(&role, policy, &[])).await.unwrap();
    let decision = ask(world.root(), about_session(&session)).await.unwrap();
    assert_eq!((decision.eval_decision.as_str(), decision.layer.as_str()), ("implicitDeny", "session"));
}

#[tokio::test]
async fn by_token_the_session_is_evaluated_and_by_arn_it_is_not() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let condition = json!({ "StringEquals": { "aws:PrincipalTag/team": "${aws:ResourceTag/team}" } });
    let statement = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition });
    world.allow_role(&role, &statement).await;
    let session = assume(&alice, &tagged(&role, &[("team", "red")], &[])).await.unwrap();
    for (team, expected) in [(Some("red"), true), (Some("blue"), false), (None, false)] {
        let tags = team.map(|team| tag("team", team)).into_iter().collect();
        let by_token = super::Question { resource_tags: tags, ..about_session(&session) };
        let decision = ask(world.root(), by_token.clone()).await.unwrap();
        assert_eq!((decision.allowed, decision.session_evaluated), (expected, true), "{team:?}");
        assert_eq!(decision.principal_arn, format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/session"));
        let by_arn = super::Question { resource_tags: by_token.resource_tags, ..about(&role.arn) };
        let decision = ask(world.root(), by_arn).await.unwrap();
        assert_eq!(
            (decision.allowed, decision.session_evaluated),
            (false, false),
            "{team:?}: no session, no tags of one"
        );
    }
}

#[tokio::test]
async fn the_resource_s_account_is_never_guessed() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    let unowned = |resource: &str, account: Option<&str>| super::Question {
        resource: resource.to_owned(),
        resource_account: account.map(str::to_owned),
        ..about_user(&alice)
    };
    let queue = format!("arn:aws:sqs:eu:{ACCOUNT}:q");
    for (resource, account) in [(OBJECT, None), (&queue, Some(OTHER_ACCOUNT))] {
        let error = refused(ask(world.root(), unowned(resource, account)).await);
        assert_eq!(error.code, "InvalidParameterValue", "{resource} {account:?}");
        assert_eq!(error.violations[0].0, "question.resource_account", "{resource} {account:?}");
    }
    for malformed in ["", "1", "12345678901a", "1234567890123"] {
        let error = refused(ask(world.root(), unowned(OBJECT, Some(malformed))).await);
        assert_eq!(error.code, "ValidationError", "{malformed:?}");
    }
    assert!(allowed(&world, unowned(&queue, None)).await);
    assert!(allowed(&world, unowned(&queue, Some(ACCOUNT))).await);
}

/// (Source: "IAM JSON policy elements: Resource" of the IAM User Guide; the operations are those of "Actions, resources, and
/// condition keys", whose table names no resource type for them.)
#[tokio::test]
async fn an_operation_without_a_resource_is_asked_about_everything() {
    let world = World::start().await;
    let asked = |user: &User, action: &str| super::Question {
        action: action.to_owned(),
        ..on(about_user(user), "*")
    };
    let alice = world.user("alice").await;
    world
        .allow(&alice, &json!([allow("s3:ListAllMyBuckets", "*"), allow("s3:*", "arn:aws:s3:::bucket/*")]))
        .await;
    for (action, expected) in [
        ("s3:ListAllMyBuckets", true),
        ("s3:GetAccountPublicAccessBlock", false),
        ("ec2:DescribeInstances", false),
    ] {
        let decision = ask(world.root(), asked(&alice, action)).await.unwrap();
        assert_eq!((decision.allowed, decision.layer.as_str()), (expected, "identity"), "{action}");
        assert!(decision.message.contains(" on resource: * "), "{}", decision.message);
    }
    // What is denied on everything but some resources is denied on no resource too.
    let bob = world.user("bob").await;
    let but = json!({ "Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::bucket/*" });
    world.allow(&bob, &json!([allow("*", "*"), but])).await;
    assert_eq!(
        ask(world.root(), asked(&bob, "s3:ListAllMyBuckets")).await.unwrap().eval_decision,
        "explicitDeny"
    );
    assert!(allowed(&world, asked(&bob, "ec2:DescribeInstances")).await);

    let unowned = super::Question { resource_account: None, ..asked(&alice, "s3:ListAllMyBuckets") };
    let error = refused(ask(world.root(), unowned).await);
    assert_eq!(
        (error.code.as_str(), error.violations[0].0.as_str()),
        ("InvalidParameterValue", "question.resource_account")
    );
    let elsewhere = super::Question {
        resource_account: Some(OTHER_ACCOUNT.to_owned()),
        ..asked(&alice, "s3:ListAllMyBuckets")
    };
    assert!(!allowed(&world, elsewhere).await, "in another account it takes a policy of the other side");
}

#[tokio::test]
async fn asking_about_everything_is_a_permission_on_everything() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("s3:*", "*")).await;
    let question =
        super::Question { action: "s3:ListAllMyBuckets".to_owned(), ..on(about_user(&alice), "*") };
    let store = world.user("store").await;
    let asking = json!({ "Effect": "Allow", "Action": ["reeve:Authorize", "reeve:AuthorizePrincipal"], "Resource": "arn:aws:s3:::*" });
    world.allow(&store, &asking).await;
    assert_eq!(code(ask(&store, question.clone()).await), "AccessDenied");
    world.allow(&store, &json!({ "Effect": "Allow", "Action": "reeve:Authorize*", "Resource": "*" })).await;
    assert!(ask(&store, question).await.unwrap().allowed);
}

#[tokio::test]
async fn a_question_that_cannot_be_meant_is_refused_by_member() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    let good = about_user(&alice);
    let by_token = about_session(&session);
    for (question, code, field) in [
        (super::Question { action: "GetObject".to_owned(), ..good.clone() }, "ValidationError", "action"),
        (super::Question { action: "s3:*".to_owned(), ..good.clone() }, "ValidationError", "action"),
        (super::Question { action: String::new(), ..good.clone() }, "ValidationError", "action"),
        (on(good.clone(), "bucket/object"), "InvalidParameterValue", "resource"),
        (on(good.clone(), "**"), "InvalidParameterValue", "resource"),
        (on(good.clone(), ""), "ValidationError", "resource"),
        (
            super::Question { principal_arn: None, ..good.clone() },
            "InvalidParameterCombination",
            "principal_arn",
        ),
        (
            super::Question { principal_arn: Some(role.arn.clone()), ..by_token.clone() },
            "InvalidParameterCombination",
            "principal_arn",
        ),
        (
            super::Question { access_key_id: by_token.access_key_id.clone(), ..good.clone() },
            "InvalidParameterCombination",
            "access_key_id",
        ),
        (
            super::Question { resource_tags: vec![tag("a", "1"), tag("A", "2")], ..good.clone() },
            "InvalidParameterValue",
            "resource_tags",
        ),
        (
            super::Question { resource_policy: Some("{".to_owned()), ..good.clone() },
            "MalformedPolicyDocument",
            "resource_policy",
        ),
        (super::Question { relying_service: Some("none".to_owned()), ..good.clone() }, "NoSuchEntity", ""),
        (about("arn:aws:iam::123456789012:group/staff"), "InvalidParameterValue", "principal_arn"),
    ] {
        let error = refused(ask(world.root(), question.clone()).await);
        assert_eq!(error.code, code, "{question:?}: {error}");
        let fields: Vec<&String> = error.violations.iter().map(|(named, _)| named).collect();
        assert!(field.is_empty() || fields.iter().any(|named| named.contains(field)), "{field}: {fields:?}");
    }
    let empty = reeve_proto::authorization::v1::AuthorizeRequest::default();
    assert_eq!(refused(world.root().call(&empty).await).code, "ValidationError");
}

#[tokio::test]
async fn where_there_is_nobody_the_answer_is_a_denial_that_says_so() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    let other_key =
        super::Question { access_key_id: Some(alice.key.access_key_id.clone()), ..about_session(&session) };
    let no_token = super::Question {
        session_token: Some("AAAA".to_owned()),
        access_key_id: None,
        ..about_session(&session)
    };
    for (question, code) in [
        (about(&world.arn("user/nobody")), "NoSuchEntity"),
        (about(&world.arn("role/nobody")), "NoSuchEntity"),
        (about(&format!("arn:aws:iam::{OTHER_ACCOUNT}:root")), "NoSuchEntity"),
        (about(&world.arn("user/Alice")), "NoSuchEntity"),
        (about(&world.arn("user/path/alice")), "NoSuchEntity"),
        (other_key, "InvalidClientTokenId"),
        (no_token, "InvalidClientTokenId"),
    ] {
        let decision = ask(world.root(), question).await.unwrap();
        assert_eq!((decision.allowed, decision.error_code.as_str()), (false, code), "{decision:?}");
        assert_eq!((decision.eval_decision.as_str(), decision.layer.as_str()), ("implicitDeny", "principal"));
    }
}

#[tokio::test]
async fn root_is_exempt_from_identity_policies_and_from_nothing_else() {
    let world = World::start().await;
    let root = world.arn("root");
    assert!(allowed(&world, about(&root)).await);
    let denied = document(&json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" }));
    assert!(!allowed(&world, super::Question { resource_policy: Some(denied), ..about(&root) }).await);
    let elsewhere = super::Question { resource_account: Some(OTHER_ACCOUNT.to_owned()), ..about(&root) };
    assert!(!allowed(&world, elsewhere).await, "another account's object is not root's");
}

#[tokio::test]
async fn resources_and_actions_compare_as_aws_compares_them() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("S3:getObject", "arn:aws:s3:::Bucket/home/*")).await;
    for (action, resource, expected) in [
        ("s3:GetObject", "arn:aws:s3:::Bucket/home/x", true),
        ("S3:GETOBJECT", "arn:aws:s3:::Bucket/home/x", true),
        ("s3:GetObject", "arn:aws:s3:::bucket/home/x", false),
        ("s3:GetObject", "arn:aws:s3:::Bucket/Home/x", false),
        ("s3:GetObject", "arn:aws:s3:::Bucket/home", false),
        ("s3:GetObject", "arn:aws:s3:::Bucket/home/", true),
        ("s3:GetObject", "arn:aws:s3:::Bucket/home/a:b/../c", true),
        ("s3:GetObjects", "arn:aws:s3:::Bucket/home/x", false),
    ] {
        let question = super::Question { action: action.to_owned(), ..on(about_user(&alice), resource) };
        assert_eq!(allowed(&world, question).await, expected, "{action} {resource}");
    }
}
