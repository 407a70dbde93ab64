//! Conditions on what a call brings with it and on what it acts on: they hold on every path, or the call is denied.

use reeve_proto::iam::v1::{
    AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest, CreateRoleRequest,
    CreateUserRequest, DeleteUserRequest, DetachUserPolicyRequest, Tag,
};
use serde_json::{Value, json};

use super::tag;
use crate::world::{ACCOUNT, World, allow, code, deny, trust};

fn when(mut statement: Value, condition: &Value) -> Value {
    statement["Condition"] = condition.clone();
    statement
}

fn create(name: &str, tags: Vec<Tag>) -> CreateUserRequest {
    CreateUserRequest { user_name: name.to_owned(), tags, ..Default::default() }
}

#[tokio::test]
async fn the_policy_that_is_attached_can_be_limited() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    world.group("same").await;
    world.user("same").await;
    world.role("same", &trust(ACCOUNT)).await;
    let allowed = world.policy("allowed", &allow("s3:GetObject", "*")).await;
    let other = world.policy("other", &allow("*", "*")).await;
    let only_this = json!({ "ArnEquals": { "iam:PolicyARN": allowed } });
    let actions = json!(["iam:Attach*Policy", "iam:DetachUserPolicy"]);
    world.allow(&admin, &when(allow(actions, "*"), &only_this)).await;
    let same = || "same".to_owned();
    for (policy_arn, expected) in [(allowed, ""), (other, "AccessDenied")] {
        let user = AttachUserPolicyRequest { user_name: same(), policy_arn: policy_arn.clone() };
        assert_eq!(code(admin.call(&user).await), expected);
        let group = AttachGroupPolicyRequest { group_name: same(), policy_arn: policy_arn.clone() };
        assert_eq!(code(admin.call(&group).await), expected);
        let role = AttachRolePolicyRequest { role_name: same(), policy_arn: policy_arn.clone() };
        assert_eq!(code(admin.call(&role).await), expected);
        let detach = DetachUserPolicyRequest { user_name: same(), policy_arn };
        assert_eq!(code(admin.call(&detach).await), expected);
    }
}

#[tokio::test]
async fn whoever_creates_can_be_made_to_bound() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    let boundary = world.policy("boundary", &allow("s3:*", "*")).await;
    let other = world.policy("other", &allow("*", "*")).await;
    let bounded = json!({ "StringEquals": { "iam:PermissionsBoundary": boundary } });
    world.allow(&admin, &when(allow(json!(["iam:CreateUser", "iam:CreateRole"]), "*"), &bounded)).await;
    for (number, (permissions_boundary, expected)) in
        [(Some(boundary), ""), (Some(other), "AccessDenied"), (None, "AccessDenied")].into_iter().enumerate()
    {
        let user = CreateUserRequest {
            permissions_boundary: permissions_boundary.clone(),
            ..create(&format!("user-{number}"), Vec::new())
        };
        assert_eq!(code(admin.call(&user).await), expected);
        let role = CreateRoleRequest {
            role_name: format!("role-{number}"),
            assume_role_policy_document: trust(ACCOUNT).to_string(),
            permissions_boundary,
            ..Default::default()
        };
        assert_eq!(code(admin.call(&role).await), expected);
    }
}

#[tokio::test]
async fn who_gets_a_policy_can_be_limited_to_whom_a_boundary_bounds() {
    let world = World::start().await;
    let delegate = world.user("delegate").await;
    let boundary = world.policy("boundary", &allow("s3:*", "*")).await;
    let policy_arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    let bounded = json!({ "StringEquals": { "iam:PermissionsBoundary": boundary } });
    world.allow(&delegate, &when(allow("iam:AttachUserPolicy", "*"), &bounded)).await;
    let bounded = CreateUserRequest { permissions_boundary: Some(boundary), ..create("bounded", Vec::new()) };
    world.root().call(&bounded).await.unwrap();
    world.root().call(&create("free", Vec::new())).await.unwrap();
    for (name, expected) in [("bounded", ""), ("free", "AccessDenied")] {
        let attach = AttachUserPolicyRequest { user_name: name.to_owned(), policy_arn: policy_arn.clone() };
        assert_eq!(code(delegate.call(&attach).await), expected, "{name}");
    }
}

#[tokio::test]
async fn the_tags_of_what_is_created_can_be_demanded() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    let red = json!({ "StringEquals": { "aws:RequestTag/team": "red" } });
    world.allow(&admin, &when(allow(json!(["iam:CreateUser", "iam:TagUser"]), "*"), &red)).await;
    for (name, tags, expected) in [
        ("none", vec![], "AccessDenied"),
        ("blue", vec![tag("team", "blue")], "AccessDenied"),
        ("case", vec![tag("team", "Red")], "AccessDenied"),
        ("elsewhere", vec![tag("other", "red")], "AccessDenied"),
        ("red", vec![tag("team", "red")], ""),
        ("key", vec![tag("TEAM", "red")], ""),
    ] {
        assert_eq!(code(admin.call(&create(name, tags)).await), expected, "{name}");
    }
}

#[tokio::test]
async fn the_keys_of_tags_can_be_limited() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    let actions = || json!(["iam:CreateUser", "iam:TagUser"]);
    world.allow(&admin, &allow(actions(), "*")).await;
    let others = json!({ "ForAnyValue:StringNotEquals": { "aws:TagKeys": ["team", "cost"] } });
    world.allow(&admin, &when(deny(actions(), "*"), &others)).await;
    for (name, tags, expected) in [
        ("none", vec![], ""),
        ("both", vec![tag("team", "a"), tag("cost", "b")], ""),
        ("more", vec![tag("team", "a"), tag("owner", "b")], "AccessDenied"),
    ] {
        assert_eq!(code(admin.call(&create(name, tags)).await), expected, "{name}");
    }
}

#[tokio::test]
async fn the_tags_of_what_is_acted_on_can_be_demanded() {
    for key in ["aws:ResourceTag/team", "iam:ResourceTag/team"] {
        let world = World::start().await;
        let admin = world.user("admin").await;
        world
            .allow(&admin, &when(allow("iam:DeleteUser", "*"), &json!({ "StringEquals": { key: "red" } })))
            .await;
        for (name, tags, expected) in [
            ("red", vec![tag("Team", "red")], ""),
            ("blue", vec![tag("team", "blue")], "AccessDenied"),
            ("none", vec![], "AccessDenied"),
        ] {
            world.root().call(&create(name, tags)).await.unwrap();
            let delete = DeleteUserRequest { user_name: name.to_owned() };
            assert_eq!(code(admin.call(&delete).await), expected, "{key} of {name}");
        }
        let missing = DeleteUserRequest { user_name: "nobody".to_owned() };
        assert_eq!(code(admin.call(&missing).await), "AccessDenied", "what is not there has no tags");
    }
}

#[tokio::test]
async fn tags_of_a_request_are_not_tags_of_the_resource() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    let red = json!({ "StringEquals": { "aws:ResourceTag/team": "red" } });
    world.allow(&admin, &when(allow(json!(["iam:CreateUser", "iam:TagUser"]), "*"), &red)).await;
    assert_eq!(code(admin.call(&create("alice", vec![tag("team", "red")])).await), "AccessDenied");
}

#[tokio::test]
async fn a_denial_stands_whatever_is_allowed() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    world.allow(&admin, &allow("*", "*")).await;
    world.allow(&admin, &deny("iam:CreateUser", world.arn("user/protected/*"))).await;
    let under = |path: &str| CreateUserRequest { path: Some(path.to_owned()), ..create("alice", Vec::new()) };
    let error = crate::world::refused(admin.call(&under("/protected/")).await);
    let expected = format!(
        "User: {} is not authorized to perform: iam:CreateUser on resource: {} with an explicit deny in an \
         identity-based policy",
        admin.record.arn,
        world.arn("user/protected/alice")
    );
    assert_eq!((error.code.as_str(), error.message), ("AccessDenied", expected));
    assert_eq!(code(admin.call(&under("/")).await), "");
}
