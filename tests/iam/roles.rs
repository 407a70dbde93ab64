//! Roles, their trust policies apart.

use reeve_proto::iam::v1::{
    AttachRolePolicyRequest, CreateRoleRequest, DeleteRolePolicyRequest, DeleteRoleRequest,
    DetachRolePolicyRequest, GetRoleRequest, ListRolesRequest, PutRolePolicyRequest, Role,
    UpdateRoleDescriptionRequest, UpdateRoleRequest,
};

use super::{is_refused, is_refused_unwritten, tag};
use crate::world::{ACCOUNT, World, allow, document, refused, trust};

fn create(name: &str) -> CreateRoleRequest {
    CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: trust(ACCOUNT).to_string(),
        ..Default::default()
    }
}

fn delete(name: &str) -> DeleteRoleRequest {
    DeleteRoleRequest { role_name: name.to_owned() }
}

fn get(name: &str) -> GetRoleRequest {
    GetRoleRequest { role_name: name.to_owned() }
}

#[tokio::test]
async fn a_role_is_created_shown_listed_and_deleted() {
    let world = World::start().await;
    let request = CreateRoleRequest {
        path: Some("/app/".to_owned()),
        description: Some("reads".to_owned()),
        max_session_duration: Some(7200),
        tags: vec![tag("team", "red")],
        ..create("Reader")
    };
    let role = world.root().call(&request).await.unwrap().role.unwrap();
    assert_eq!(role.arn, world.arn("role/app/Reader"));
    assert!(role.role_id.starts_with("AROA") && role.role_id.len() == 21, "{}", role.role_id);
    assert_eq!(role.max_session_duration, Some(7200));
    assert_eq!((role.description.as_deref(), role.tags.len()), (Some("reads"), 1));
    assert_eq!(world.root().call(&get("reader")).await.unwrap().role.unwrap(), role);
    let listed = world.root().call(&ListRolesRequest::default()).await.unwrap();
    assert_eq!(listed.roles, [Role { tags: Vec::new(), ..role }], "AWS lists roles without their tags");
    world.root().call(&delete("READER")).await.unwrap();
    let gone = world.root().call(&get("Reader")).await;
    is_refused(gone, "NoSuchEntity", "The role with name Reader cannot be found.");
}

#[tokio::test]
async fn what_is_not_said_has_awss_defaults() {
    let world = World::start().await;
    let role = world.root().call(&create("reader")).await.unwrap().role.unwrap();
    assert_eq!((role.path.as_str(), role.max_session_duration, role.description), ("/", Some(3600), None));
}

#[tokio::test]
async fn names_are_unique_without_case() {
    let world = World::start().await;
    world.root().call(&create("reader")).await.unwrap();
    let again = create("Reader");
    is_refused_unwritten(&world, &again, "EntityAlreadyExists", "Role with name Reader already exists.")
        .await;
}

#[tokio::test]
async fn an_account_holds_so_many_roles() {
    let world = World::configured(|config| config.quotas.roles_per_account_max = 1).await;
    world.root().call(&create("a")).await.unwrap();
    let second = create("b");
    is_refused_unwritten(&world, &second, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1")
        .await;
    world.root().call(&delete("a")).await.unwrap();
    world.root().call(&create("b")).await.unwrap();
}

#[tokio::test]
async fn a_role_is_deleted_only_when_nothing_hangs_on_it() {
    let world = World::start().await;
    let root = world.root();
    root.call(&create("reader")).await.unwrap();
    let policy_arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    let (role_name, policy_name) = (|| "reader".to_owned(), || "inline".to_owned());
    let policy_document = document(&allow("s3:*", "*"));
    let put = PutRolePolicyRequest { role_name: role_name(), policy_name: policy_name(), policy_document };
    root.call(&put).await.unwrap();
    root.call(&AttachRolePolicyRequest { role_name: role_name(), policy_arn: policy_arn.clone() })
        .await
        .unwrap();
    let conflict = async |message: &str| {
        is_refused_unwritten(&world, &delete("reader"), "DeleteConflict", message).await;
    };
    conflict("Cannot delete entity, must detach all policies first.").await;
    root.call(&DetachRolePolicyRequest { role_name: role_name(), policy_arn }).await.unwrap();
    conflict("Cannot delete entity, must delete policies first.").await;
    root.call(&DeleteRolePolicyRequest { role_name: role_name(), policy_name: policy_name() }).await.unwrap();
    root.call(&delete("reader")).await.unwrap();
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_deleted() {
    let world = World::start().await;
    let missing = "The role with name nothing cannot be found.";
    is_refused(world.root().call(&delete("nothing")).await, "NoSuchEntity", missing);
}

#[tokio::test]
async fn a_role_says_of_itself_what_it_was_last_told() {
    let world = World::start().await;
    let root = world.root();
    let described = CreateRoleRequest { description: Some("reads".to_owned()), ..create("reader") };
    root.call(&described).await.unwrap();
    let update = |description: Option<&str>, max_session_duration| UpdateRoleRequest {
        role_name: "reader".to_owned(),
        description: description.map(str::to_owned),
        max_session_duration,
    };
    let shown = async || {
        let role = root.call(&get("reader")).await.unwrap().role.unwrap();
        (role.description.unwrap_or_default(), role.max_session_duration.unwrap())
    };
    root.call(&update(None, Some(7200))).await.unwrap();
    assert_eq!(shown().await, ("reads".to_owned(), 7200));
    root.call(&update(Some("writes"), None)).await.unwrap();
    assert_eq!(
        shown().await,
        ("writes".to_owned(), 3600),
        "AWS: the default is applied when it is not given"
    );
    root.call(&update(Some("writes"), Some(7200))).await.unwrap();
    let describe = |description: Option<&str>| UpdateRoleDescriptionRequest {
        role_name: "reader".to_owned(),
        description: description.map(str::to_owned),
    };
    let role = root.call(&describe(Some("sleeps"))).await.unwrap().role.unwrap();
    assert_eq!((role.description.as_deref(), role.max_session_duration), (Some("sleeps"), Some(7200)));
    root.call(&describe(Some(""))).await.unwrap();
    assert_eq!(shown().await, (String::new(), 7200));
    let missing = refused(root.call(&describe(None)).await);
    assert_eq!((missing.code.as_str(), missing.violations.len()), ("ValidationError", 1));
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_updated() {
    let world = World::start().await;
    let missing = "The role with name nothing cannot be found.";
    let update = UpdateRoleRequest { role_name: "nothing".to_owned(), ..Default::default() };
    is_refused_unwritten(&world, &update, "NoSuchEntity", missing).await;
    let describe =
        UpdateRoleDescriptionRequest { role_name: "nothing".to_owned(), description: Some(String::new()) };
    is_refused_unwritten(&world, &describe, "NoSuchEntity", missing).await;
}
