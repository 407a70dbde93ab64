//! Managed policies and their versions.

use reeve_proto::iam::v1::{
    AttachUserPolicyRequest, CreatePolicyRequest, CreatePolicyVersionRequest, CreateUserRequest,
    DeletePolicyRequest, DeletePolicyVersionRequest, DetachUserPolicyRequest, GetPolicyRequest,
    GetPolicyVersionRequest, GetUserRequest, ListPoliciesRequest, ListPolicyVersionsRequest, Policy,
    SetDefaultPolicyVersionRequest,
};

use super::{is_refused, is_refused_unwritten, tag};
use crate::world::{World, allow, code, document};

fn create(name: &str) -> CreatePolicyRequest {
    CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: document(&allow("s3:GetObject", "*")),
        ..Default::default()
    }
}

fn delete(policy_arn: &str) -> DeletePolicyRequest {
    DeletePolicyRequest { policy_arn: policy_arn.to_owned() }
}

fn version(policy_arn: &str, action: &str, set_as_default: bool) -> CreatePolicyVersionRequest {
    CreatePolicyVersionRequest {
        policy_arn: policy_arn.to_owned(),
        policy_document: document(&allow(action, "*")),
        set_as_default: Some(set_as_default),
    }
}

async fn get(world: &World, policy_arn: &str) -> Policy {
    world.root().call(&GetPolicyRequest { policy_arn: policy_arn.to_owned() }).await.unwrap().policy.unwrap()
}

async fn versions(world: &World, policy_arn: &str) -> Vec<String> {
    let request = ListPolicyVersionsRequest { policy_arn: policy_arn.to_owned(), ..Default::default() };
    let versions = world.root().call(&request).await.unwrap().versions;
    let named = |version: reeve_proto::iam::v1::PolicyVersion| {
        assert!(version.document.is_none(), "AWS lists versions without their documents");
        let mark = if version.is_default_version == Some(true) { "*" } else { "" };
        version.version_id.unwrap() + mark
    };
    versions.into_iter().map(named).collect()
}

async fn names(world: &World, request: &ListPoliciesRequest) -> Vec<String> {
    let policies = world.root().call(request).await.unwrap().policies;
    policies.into_iter().map(|policy| policy.policy_name.unwrap()).collect()
}

#[tokio::test]
async fn a_policy_is_created_shown_listed_and_deleted() {
    let world = World::start().await;
    let request = CreatePolicyRequest {
        path: Some("/org/".to_owned()),
        description: Some("reads".to_owned()),
        tags: vec![tag("team", "red")],
        ..create("Reader")
    };
    let policy = world.root().call(&request).await.unwrap().policy.unwrap();
    let arn = policy.arn.clone().unwrap();
    assert_eq!(arn, world.arn("policy/org/Reader"));
    let id = policy.policy_id.clone().unwrap();
    assert!(id.starts_with("ANPA") && id.len() == 21, "{id}");
    assert_eq!((policy.default_version_id.as_deref(), policy.attachment_count), (Some("v1"), Some(0)));
    assert_eq!(policy.is_attachable, Some(true));
    assert_eq!(get(&world, &arn).await, policy);
    let listed = world.root().call(&ListPoliciesRequest::default()).await.unwrap().policies;
    let without_details = Policy { tags: Vec::new(), description: None, ..policy };
    assert_eq!(listed, [without_details], "AWS lists policies without tags and description");
    world.root().call(&delete(&arn)).await.unwrap();
    let gone = world.root().call(&GetPolicyRequest { policy_arn: arn.clone() }).await;
    is_refused(gone, "NoSuchEntity", &format!("Policy {arn} was not found."));
}

#[tokio::test]
async fn names_are_unique_without_case_and_paths() {
    let world = World::start().await;
    world.root().call(&create("reader")).await.unwrap();
    let again = CreatePolicyRequest { path: Some("/other/".to_owned()), ..create("Reader") };
    let because = "A policy called Reader already exists. Duplicate names are not allowed.";
    is_refused_unwritten(&world, &again, "EntityAlreadyExists", because).await;
}

#[tokio::test]
async fn an_arn_names_a_policy_exactly() {
    let world = World::start().await;
    let request = CreatePolicyRequest { path: Some("/org/".to_owned()), ..create("Reader") };
    world.root().call(&request).await.unwrap();
    for resource in ["policy/Reader", "policy/org/reader", "policy/Org/Reader", "policy/org/x/Reader"] {
        let arn = world.arn(resource);
        let answer = world.root().call(&GetPolicyRequest { policy_arn: arn.clone() }).await;
        is_refused(answer, "NoSuchEntity", &format!("Policy {arn} was not found."));
    }
    for text in
        ["policy/org/Reader, as it is", "arn:aws:iam::123456789012:user/alice", "arn:aws:s3:::bucket-of-mine"]
    {
        let answer = world.root().call(&GetPolicyRequest { policy_arn: text.to_owned() }).await;
        is_refused(answer, "InvalidInput", &format!("ARN {text} is not valid."));
    }
}

#[tokio::test]
async fn an_account_holds_so_many_policies() {
    let world = World::configured(|config| config.quotas.policies_per_account_max = 1).await;
    let arn = world.policy("a", &allow("s3:*", "*")).await;
    let second = create("b");
    is_refused_unwritten(&world, &second, "LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: 1")
        .await;
    world.root().call(&delete(&arn)).await.unwrap();
    world.root().call(&create("b")).await.unwrap();
}

#[tokio::test]
async fn versions_come_and_go_and_keep_their_numbers() {
    let world = World::start().await;
    let root = world.root();
    let arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    root.call(&version(&arn, "s3:ListBucket", false)).await.unwrap();
    root.call(&version(&arn, "s3:PutObject", true)).await.unwrap();
    assert_eq!(versions(&world, &arn).await, ["v3*", "v2", "v1"]);
    assert_eq!(get(&world, &arn).await.default_version_id.as_deref(), Some("v3"));

    let of = |version_id: &str| (arn.clone(), version_id.to_owned());
    let (policy_arn, version_id) = of("v1");
    root.call(&SetDefaultPolicyVersionRequest { policy_arn, version_id }).await.unwrap();
    let (policy_arn, version_id) = of("v3");
    root.call(&DeletePolicyVersionRequest { policy_arn, version_id }).await.unwrap();
    root.call(&version(&arn, "s3:DeleteObject", false)).await.unwrap();
    assert_eq!(versions(&world, &arn).await, ["v4", "v2", "v1*"], "a number always meant the same document");

    let (policy_arn, version_id) = of("v2");
    let got =
        root.call(&GetPolicyVersionRequest { policy_arn, version_id }).await.unwrap().policy_version.unwrap();
    assert_eq!(got.document.unwrap(), document(&allow("s3:ListBucket", "*")));
    assert_eq!((got.version_id.as_deref(), got.is_default_version), (Some("v2"), Some(false)));
}

#[tokio::test]
async fn there_are_at_most_five_versions_and_the_default_stays() {
    let world = World::start().await;
    let arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    for _ in 0..4 {
        world.root().call(&version(&arn, "s3:GetObject", false)).await.unwrap();
    }
    let because = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                   existing version.";
    let sixth = version(&arn, "s3:GetObject", false);
    is_refused_unwritten(&world, &sixth, "LimitExceeded", because).await;
    let default = DeletePolicyVersionRequest { policy_arn: arn.clone(), version_id: "v1".to_owned() };
    let because = "Cannot delete the default version of a policy.";
    is_refused_unwritten(&world, &default, "DeleteConflict", because).await;
}

#[tokio::test]
async fn a_version_that_is_not_there_is_not_found() {
    let world = World::start().await;
    let arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    for version_id in ["v2", "v4294967296", "v1.a"] {
        let because = format!("Policy {arn} version {version_id} does not exist or is not attachable.");
        let (policy_arn, version_id) = (arn.clone(), version_id.to_owned());
        let get = GetPolicyVersionRequest { policy_arn: policy_arn.clone(), version_id: version_id.clone() };
        is_refused(world.root().call(&get).await, "NoSuchEntity", &because);
        let set =
            SetDefaultPolicyVersionRequest { policy_arn: policy_arn.clone(), version_id: version_id.clone() };
        is_refused(world.root().call(&set).await, "NoSuchEntity", &because);
        let delete = DeletePolicyVersionRequest { policy_arn, version_id };
        is_refused(world.root().call(&delete).await, "NoSuchEntity", &because);
    }
}

#[tokio::test]
async fn a_policy_is_deleted_only_when_nothing_uses_it() {
    let world = World::start().await;
    let root = world.root();
    let arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    world.user("alice").await;
    root.call(&version(&arn, "s3:PutObject", false)).await.unwrap();
    root.call(&AttachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: arn.clone() })
        .await
        .unwrap();
    let conflict = async |message: &str| {
        is_refused_unwritten(&world, &delete(&arn), "DeleteConflict", message).await;
    };
    conflict("Cannot delete a policy attached to entities.").await;
    root.call(&DetachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: arn.clone() })
        .await
        .unwrap();
    conflict("This policy has more than one version.").await;
    let second = DeletePolicyVersionRequest { policy_arn: arn.clone(), version_id: "v2".to_owned() };
    root.call(&second).await.unwrap();
    root.call(&delete(&arn)).await.unwrap();
}

#[tokio::test]
async fn the_default_version_is_in_force_from_the_next_call_on() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let policy_arn = world.policy("self", &allow("iam:GetUser", "*")).await;
    let attach = AttachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: policy_arn.clone() };
    world.root().call(&attach).await.unwrap();
    let own = GetUserRequest::default();
    assert_eq!(code(alice.call(&own).await), "");
    world.root().call(&version(&policy_arn, "s3:GetObject", true)).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "AccessDenied");
    let back = SetDefaultPolicyVersionRequest { policy_arn, version_id: "v1".to_owned() };
    world.root().call(&back).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "");
}

#[tokio::test]
async fn policies_are_listed_by_their_use() {
    let world = World::start().await;
    let attached = world.policy("attached", &allow("s3:*", "*")).await;
    let boundary = world.policy("boundary", &allow("s3:*", "*")).await;
    world.policy("unused", &allow("s3:*", "*")).await;
    let bounded = CreateUserRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: Some(boundary.clone()),
        ..Default::default()
    };
    world.root().call(&bounded).await.unwrap();
    let attach = AttachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: attached.clone() };
    world.root().call(&attach).await.unwrap();

    let all = ListPoliciesRequest::default;
    assert_eq!(names(&world, &all()).await, ["attached", "boundary", "unused"]);
    let only_attached = ListPoliciesRequest { only_attached: Some(true), ..all() };
    assert_eq!(names(&world, &only_attached).await, ["attached", "boundary"]);
    let used_as = |usage: &str| ListPoliciesRequest { policy_usage_filter: Some(usage.to_owned()), ..all() };
    assert_eq!(names(&world, &used_as("PermissionsPolicy")).await, ["attached"]);
    assert_eq!(names(&world, &used_as("PermissionsBoundary")).await, ["boundary"]);
    let scope = |scope: &str| ListPoliciesRequest { scope: Some(scope.to_owned()), ..all() };
    assert_eq!(names(&world, &scope("Local")).await.len(), 3);
    let under = ListPoliciesRequest { path_prefix: Some("/org/".to_owned()), ..all() };
    assert!(names(&world, &under).await.is_empty());

    let (attached, boundary) = (get(&world, &attached).await, get(&world, &boundary).await);
    assert_eq!((attached.attachment_count, attached.permissions_boundary_usage_count), (Some(1), Some(0)));
    assert_eq!((boundary.attachment_count, boundary.permissions_boundary_usage_count), (Some(0), Some(1)));
}
