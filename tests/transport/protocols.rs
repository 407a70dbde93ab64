//! What gRPC is: a `POST` over HTTP/2 with messages of protobuf, to a method's path and nothing more.

use http::Method;
use reeve_proto::sts::v1::GetCallerIdentityRequest;

use super::wire::{Outgoing, Wire};
use crate::world::World;

#[tokio::test]
async fn what_is_not_grpc_is_told_so_by_http() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let good = wire.outgoing(&GetCallerIdentityRequest {}).signed(&world.root_credentials(), "sts");
    for kind in ["text/html", "application/grpcs", "application/grpc+json", "application/octet-stream", ""] {
        let answer = wire.send(&good.clone().with("content-type", kind)).await;
        assert_eq!((answer.http.as_u16(), answer.grpc()), (415, -1), "{kind}: {answer:?}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
        let answer = wire.send_by(&method, &good).await;
        assert_eq!((answer.http.as_u16(), answer.grpc()), (405, -1), "{method}: {answer:?}");
    }
    for kind in ["application/grpc", "application/grpc+proto", "application/grpc; x=y"] {
        assert_eq!(wire.send(&good.clone().with("content-type", kind)).await.grpc(), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_query_is_part_of_no_method() {
    let world = World::start().await;
    let wire = Wire::connect(&world.endpoint()).await;
    let good = wire.outgoing(&GetCallerIdentityRequest {});
    for query in ["?", "?x", "?X-Amz-Algorithm=AWS4-HMAC-SHA256", "?Action=GetCallerIdentity"] {
        let queried = Outgoing { path: format!("{}{query}", good.path), ..good.clone() };
        let answer = wire.send(&queried.signed(&world.root_credentials(), "sts")).await;
        assert_eq!((answer.code().as_str(), answer.grpc()), ("InvalidAction", 12), "{query}: {answer:?}");
    }
}
