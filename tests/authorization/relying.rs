//! The services that rely on Reeve: how they are registered, and what one that names itself may ask about.

use reeve_proto::authorization::v1::{
    DeregisterRelyingServiceRequest, GetRelyingServiceRequest, ListRelyingServicesRequest,
    RegisterRelyingServiceRequest,
};

use super::{Question, about_user, ask, on};
use crate::world::{ACCOUNT, World, allow, code, refused};

fn store() -> RegisterRelyingServiceRequest {
    RegisterRelyingServiceRequest {
        name: "Store".to_owned(),
        hosts: vec!["s3.example.com".to_owned(), "*.s3.example.com".to_owned()],
        scope_service: "s3".to_owned(),
        resource_patterns: vec!["arn:aws:s3:::public-*".to_owned(), "arn:aws:s3:::team/?/x".to_owned()],
    }
}

#[tokio::test]
async fn a_service_is_registered_shown_listed_and_deregistered() {
    let world = World::start().await;
    let root = world.root();
    let registered = root.call(&store()).await.unwrap().relying_service.unwrap();
    assert_eq!(registered.hosts, store().hosts);
    assert_eq!(registered.scope_service, "s3");
    assert!(registered.arn.contains(ACCOUNT) && registered.arn.ends_with("/Store"), "{}", registered.arn);
    let get = GetRelyingServiceRequest { name: "store".to_owned() };
    assert_eq!(root.call(&get).await.unwrap().relying_service.unwrap(), registered);
    let listed = root.call(&ListRelyingServicesRequest::default()).await.unwrap();
    assert_eq!(listed.relying_services, [registered]);
    let same = RegisterRelyingServiceRequest { name: "STORE".to_owned(), ..store() };
    assert_eq!(code(root.call(&same).await), "EntityAlreadyExists");
    root.call(&DeregisterRelyingServiceRequest { name: "Store".to_owned() }).await.unwrap();
    assert_eq!(code(root.call(&get).await), "NoSuchEntity");
}

#[tokio::test]
async fn what_a_service_can_never_be_is_refused_and_nothing_is_written() {
    let world = World::start().await;
    let before = world.commits();
    for (request, field) in [
        (RegisterRelyingServiceRequest { scope_service: "iam".to_owned(), ..store() }, "scope_service"),
        (RegisterRelyingServiceRequest { scope_service: "sts".to_owned(), ..store() }, "scope_service"),
        (RegisterRelyingServiceRequest { scope_service: "reeve".to_owned(), ..store() }, "scope_service"),
        (RegisterRelyingServiceRequest { scope_service: "IAM".to_owned(), ..store() }, "scope_service"),
        (RegisterRelyingServiceRequest { scope_service: String::new(), ..store() }, "scope_service"),
        (RegisterRelyingServiceRequest { hosts: vec![], ..store() }, "hosts"),
        (RegisterRelyingServiceRequest { hosts: vec!["a b".to_owned()], ..store() }, "hosts"),
        (RegisterRelyingServiceRequest { hosts: vec!["*".to_owned()], ..store() }, "hosts"),
        (RegisterRelyingServiceRequest { hosts: vec!["*.*:443".to_owned()], ..store() }, "hosts"),
        (RegisterRelyingServiceRequest { resource_patterns: vec![], ..store() }, "resource_patterns"),
        (
            RegisterRelyingServiceRequest { resource_patterns: vec!["bucket".to_owned()], ..store() },
            "resource_patterns",
        ),
        (RegisterRelyingServiceRequest { name: "a/b".to_owned(), ..store() }, "name"),
    ] {
        let error = refused(world.root().call(&request).await);
        assert!(
            ["ValidationError", "InvalidParameterValue", "InvalidInput"].contains(&error.code.as_str()),
            "{request:?}: {error}"
        );
        assert!(
            error.violations.iter().any(|(named, _)| named.contains(field)),
            "{field}: {:?}",
            error.violations
        );
    }
    assert_eq!(world.commits(), before);
}

#[tokio::test]
async fn a_service_that_names_itself_asks_about_its_own_alone() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("s3:*", "*")).await;
    world.root().call(&store()).await.unwrap();
    for (resource, expected) in [
        ("arn:aws:s3:::public-a/b/c", true),
        ("arn:aws:s3:::team/a/x", true),
        ("arn:aws:s3:::team/ab/x", false),
        ("arn:aws:s3:::private/x", false),
        ("arn:aws:s3:::Public-a", false),
        ("arn:aws:s3:::x/arn:aws:s3:::public-a", false),
    ] {
        let question =
            Question { relying_service: Some("Store".to_owned()), ..on(about_user(&alice), resource) };
        match ask(world.root(), question).await {
            Ok(decision) => assert!(expected && decision.allowed, "{resource}"),
            Err(error) => {
                assert!(!expected, "{resource}: {error}");
                assert_eq!(
                    (error.code.as_str(), error.violations[0].0.as_str()),
                    ("InvalidParameterValue", "question.resource")
                );
            }
        }
    }
    world.root().call(&DeregisterRelyingServiceRequest { name: "Store".to_owned() }).await.unwrap();
    let question = Question {
        relying_service: Some("Store".to_owned()),
        ..on(about_user(&alice), "arn:aws:s3:::public-a")
    };
    assert_eq!(code(ask(world.root(), question).await), "NoSuchEntity");
}

#[tokio::test]
async fn a_service_asks_about_its_own_operations_that_have_no_resource() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    world.root().call(&store()).await.unwrap();
    for (action, expected) in [
        ("s3:ListAllMyBuckets", ""),
        ("S3:ListAllMyBuckets", ""),
        ("ec2:DescribeInstances", "InvalidParameterValue"),
    ] {
        let question = Question {
            action: action.to_owned(),
            relying_service: Some("Store".to_owned()),
            ..on(about_user(&alice), "*")
        };
        assert_eq!(code(ask(world.root(), question).await), expected, "{action}");
    }
}

#[tokio::test]
async fn registering_is_a_permission() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    assert_eq!(code(alice.call(&store()).await), "AccessDenied");
    world.allow(&alice, &allow("reeve:RegisterRelyingService", "*")).await;
    assert_eq!(code(alice.call(&store()).await), "");
    assert_eq!(
        code(alice.call(&DeregisterRelyingServiceRequest { name: "Store".to_owned() }).await),
        "AccessDenied"
    );
}
