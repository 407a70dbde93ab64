//! Policy documents on their way in: what AWS refuses is refused in its words, and what is stored is minified.

use reeve_proto::iam::v1::{
    CreatePolicyRequest, CreatePolicyVersionRequest, GetPolicyVersionRequest, PutUserPolicyRequest,
};
use serde_json::{Value, json};

use super::is_refused_unwritten;
use crate::world::{World, allow, document};

/// Every way in refuses the document alike, and nothing is written.
async fn is_malformed(world: &World, text: &str, part: &str) {
    let create = CreatePolicyRequest {
        policy_name: "new".to_owned(),
        policy_document: text.to_owned(),
        ..Default::default()
    };
    is_refused_unwritten(world, &create, "MalformedPolicyDocument", part).await;
    let version = CreatePolicyVersionRequest {
        policy_arn: world.arn("policy/present"),
        policy_document: text.to_owned(),
        set_as_default: None,
    };
    is_refused_unwritten(world, &version, "MalformedPolicyDocument", part).await;
    let inline = PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "new".to_owned(),
        policy_document: text.to_owned(),
    };
    is_refused_unwritten(world, &inline, "MalformedPolicyDocument", part).await;
}

async fn world() -> World {
    let world = World::start().await;
    world.user("alice").await;
    world.policy("present", &allow("s3:GetObject", "*")).await;
    world
}

#[tokio::test]
async fn what_is_no_document_is_refused() {
    let world = world().await;
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let nested = format!(r#"{{"Version":"2012-10-17","Statement":{deep}}}"#);
    for text in ["{}", "[]", "null", "{", "no JSON", &deep, &nested, r#"{"Version":"2012-10-17"}"#] {
        is_malformed(&world, text, "Syntax errors in policy.").await;
    }
    is_malformed(&world, r#"{"Version":"2020-01-01","Statement":[]}"#, "").await;
}

#[tokio::test]
async fn what_a_statement_lacks_or_has_too_much_is_named() {
    let world = world().await;
    let with = |name: &str, value: Value| {
        let mut statement = allow("s3:GetObject", "*");
        statement[name] = value;
        document(&statement)
    };
    let without = |name: &str| {
        let mut statement = allow("s3:GetObject", "*");
        statement.as_object_mut().unwrap().remove(name);
        document(&statement)
    };
    for (text, part) in [
        (without("Action"), "Policy statement must contain actions."),
        (without("Resource"), "Policy statement must contain resources."),
        (without("Effect"), "Syntax errors in policy."),
        (with("Effect", json!("Perhaps")), "Syntax errors in policy."),
        (with("Effect", json!("allow")), "The policy failed legacy parsing"),
        (with("Principal", json!("*")), "Policy document should not specify a principal."),
        (with("Action", json!("GetObject")), "must be prefaced by a vendor"),
        (with("Action", json!("s3:Get:Object")), "can contain only one colon"),
        (with("Resource", json!("bucket")), "must be in ARN format or \"*\"."),
        (with("Sid", json!("not a sid")), "Statement IDs (SID) must be alpha-numeric."),
        (with("Surprise", json!("x")), "Syntax errors in policy."),
        (with("Condition", json!({ "StringSortOf": { "aws:username": "a" } })), ""),
    ] {
        is_malformed(&world, &text, part).await;
    }
    let twice = json!([with_sid("one"), with_sid("one")]);
    is_malformed(&world, &document(&twice), "Statement IDs (SID) in a single policy must be unique.").await;
}

fn with_sid(sid: &str) -> Value {
    let mut statement = allow("s3:GetObject", "*");
    statement["Sid"] = json!(sid);
    statement
}

#[tokio::test]
async fn a_managed_policy_is_of_the_newest_version() {
    let world = world().await;
    for version in [None, Some("2008-10-17")] {
        let mut old = json!({ "Statement": allow("s3:GetObject", "*") });
        if let Some(version) = version {
            old["Version"] = json!(version);
        }
        let request = CreatePolicyRequest {
            policy_name: "old".to_owned(),
            policy_document: old.to_string(),
            ..Default::default()
        };
        let because = "Policy document must be version 2012-10-17 or greater.";
        is_refused_unwritten(&world, &request, "MalformedPolicyDocument", because).await;
        // An inline policy may be old.
        let inline = PutUserPolicyRequest {
            user_name: "alice".to_owned(),
            policy_name: "old".to_owned(),
            policy_document: old.to_string(),
        };
        world.root().call(&inline).await.unwrap();
    }
}

#[tokio::test]
async fn whitespace_is_neither_stored_nor_counted() {
    let world = world().await;
    let resource = |length: usize| format!("arn:aws:s3:::{}", "a".repeat(length));
    let spaced = |length: usize| {
        let text = document(&allow("s3:GetObject", resource(length)));
        text.replace(':', " :\n\t ")
            .replace("arn :\n\t aws :\n\t s3 :\n\t  :\n\t  :\n\t ", "arn:aws:s3:::")
            .replace("s3 :\n\t Get", "s3:Get")
    };
    let overhead = document(&allow("s3:GetObject", resource(0))).len();
    let fits = spaced(6144 - overhead);
    assert!(fits.len() > 6144);
    let request = |name: &str, policy_document: String| CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document,
        ..Default::default()
    };
    world.root().call(&request("fits", fits)).await.unwrap();
    let get = GetPolicyVersionRequest { policy_arn: world.arn("policy/fits"), version_id: "v1".to_owned() };
    let stored = world.root().call(&get).await.unwrap().policy_version.unwrap().document.unwrap();
    assert_eq!(stored.len(), 6144);
    let over = request("over", spaced(6144 - overhead + 1));
    let because = "Cannot exceed quota for PolicySize: 6144";
    is_refused_unwritten(&world, &over, "LimitExceeded", because).await;
}
