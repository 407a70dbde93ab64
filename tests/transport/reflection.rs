//! Reflection and health answer without credentials; reflection unless the operator closes it.

use bytes::Bytes;
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::wire::{Answer, Outgoing, Wire};
use crate::world::World;

/// `ServerReflectionRequest { list_services: "*" }`, the same in both versions.
const LIST_SERVICES: &[u8] = b"\x3a\x01*";

async fn ask(world: &World, path: &str, message: &[u8]) -> Answer {
    let wire = Wire::connect(&world.endpoint()).await;
    let plain = wire.outgoing(&GetCallerIdentityRequest {});
    wire.send(&Outgoing { path: path.to_owned(), message: message.to_vec(), ..plain }).await
}

fn contains(body: &Bytes, text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn reflection_lists_every_service_in_both_versions() {
    let world = World::start().await;
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let answer = ask(&world, &path, LIST_SERVICES).await;
        assert_eq!(answer.grpc(), 0, "{version}: {answer:?}");
        for service in [
            "reeve.iam.v1.UserService",
            "reeve.sts.v1.RoleService",
            "reeve.authorization.v1.AuthorizationService",
            "grpc.health.v1.Health",
        ] {
            assert!(contains(&answer.body, service), "{version}: {service}");
        }
        let symbol = b"\x22\x18reeve.iam.v1.UserService";
        let answer = ask(&world, &path, symbol).await;
        assert!(contains(&answer.body, "CreateUserRequest"), "{version}");
        assert!(
            !contains(&answer.body, "reeve.store.v1"),
            "{version}: what lies in storage is nobody's business"
        );
    }
}

#[tokio::test]
async fn what_lies_in_storage_is_served_by_no_name() {
    let world = World::start().await;
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        // `file_by_filename` and `file_containing_symbol`.
        for (tag, name) in [
            (0x1a, "reeve/store/v1/session.proto"),
            (0x1a, "reeve/store/v1/record.proto"),
            (0x22, "reeve.store.v1.SessionRecord"),
            (0x22, "reeve.store.v1.AccessKeyRecord"),
        ] {
            let query = [&[tag, u8::try_from(name.len()).unwrap()][..], name.as_bytes()].concat();
            let answer = ask(&world, &path, &query).await;
            assert_eq!(answer.grpc(), 5, "{version}: {name}: {answer:?}");
            assert!(!contains(&answer.body, "sealed_secret"), "{version}: {name}");
        }
    }
}

#[tokio::test]
async fn the_operator_can_close_reflection_and_health_still_answers() {
    let world = World::configured(|config| config.reflection = false).await;
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        assert_eq!(ask(&world, &path, LIST_SERVICES).await.grpc(), 12);
    }
    assert_eq!(ask(&world, "/grpc.health.v1.Health/Check", b"").await.grpc(), 0);
}

#[tokio::test]
async fn health_answers_for_the_whole_and_for_each_service() {
    let world = World::start().await;
    let named =
        |service: &str| [&[0x0a, u8::try_from(service.len()).unwrap()][..], service.as_bytes()].concat();
    for service in ["", "reeve.iam.v1.UserService", "reeve.sts.v1.CallerService"] {
        let answer = ask(&world, "/grpc.health.v1.Health/Check", &named(service)).await;
        assert_eq!(answer.grpc(), 0, "{service}");
        assert_eq!(answer.body, [0, 0, 0, 0, 2, 8, 1].as_slice(), "{service}: SERVING");
    }
    assert_eq!(ask(&world, "/grpc.health.v1.Health/Check", &named("no.such.Service")).await.grpc(), 5);
}
