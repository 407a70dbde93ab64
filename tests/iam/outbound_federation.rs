//! The account as an issuer of tokens for others: enabled once at a time, under one issuer for ever.

use reeve_proto::iam::v1::{
    DisableOutboundWebIdentityFederationRequest, EnableOutboundWebIdentityFederationRequest,
    GetOutboundWebIdentityFederationInfoRequest,
};

use super::is_refused_unwritten;
use crate::sts::neighbour;
use crate::sts::verifier::{document, fetch};
use crate::world::{ACCOUNT, World, code};

const ENABLE: EnableOutboundWebIdentityFederationRequest = EnableOutboundWebIdentityFederationRequest {};
const INFO: GetOutboundWebIdentityFederationInfoRequest = GetOutboundWebIdentityFederationInfoRequest {};
const DISABLE: DisableOutboundWebIdentityFederationRequest = DisableOutboundWebIdentityFederationRequest {};

#[tokio::test]
async fn an_account_is_enabled_once_and_keeps_its_issuer() {
    let world = World::start().await;
    let not_enabled = "Outbound web identity federation is not enabled";
    is_refused_unwritten(&world, &INFO, "FeatureDisabled", not_enabled).await;
    is_refused_unwritten(&world, &DISABLE, "FeatureDisabled", not_enabled).await;
    let issuer = world.root().call(&ENABLE).await.unwrap().issuer_identifier;
    let (url, id) = issuer.rsplit_once('/').unwrap();
    assert_eq!(url, world.endpoint());
    assert!(id.len() == 32 && !id.contains(ACCOUNT), "{id} tells nothing of the account");
    is_refused_unwritten(&world, &ENABLE, "FeatureEnabled", "is already enabled").await;
    let told = world.root().call(&INFO).await.unwrap();
    assert_eq!((told.issuer_identifier, told.jwt_vending_enabled), (issuer.clone(), true));
    world.root().call(&DISABLE).await.unwrap();
    is_refused_unwritten(&world, &INFO, "FeatureDisabled", not_enabled).await;
    is_refused_unwritten(&world, &DISABLE, "FeatureDisabled", not_enabled).await;
    assert_eq!(world.root().call(&ENABLE).await.unwrap().issuer_identifier, issuer);
}

#[tokio::test]
async fn each_account_is_an_issuer_of_its_own() {
    let (world, other_root) = neighbour::start().await;
    let issuer = world.root().call(&ENABLE).await.unwrap().issuer_identifier;
    assert_eq!(code(other_root.call(&INFO).await), "FeatureDisabled");
    let other = other_root.call(&ENABLE).await.unwrap().issuer_identifier;
    assert_ne!(issuer, other);
    for issuer in [&issuer, &other] {
        let configuration = document(&format!("{issuer}/.well-known/openid-configuration")).await;
        assert_eq!(configuration["issuer"], issuer.as_str());
    }
    world.root().call(&DISABLE).await.unwrap();
    assert_eq!(other_root.call(&INFO).await.unwrap().issuer_identifier, other);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_enable_it_at_once_one_does() {
    let world = World::start().await;
    let calls = (0..16).map(|_| {
        let root = world.root().clone();
        tokio::spawn(async move { code(root.call(&ENABLE).await) })
    });
    let mut told = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        told.push(call.await.unwrap());
    }
    told.sort();
    assert_eq!(told[0], "");
    assert!(told[1..].iter().all(|code| code == "FeatureEnabled"), "{told:?}");
    let issuer = world.root().call(&INFO).await.unwrap().issuer_identifier;
    let keys = document(&format!("{issuer}/.well-known/jwks.json")).await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "one key an algorithm");
}

#[tokio::test]
async fn where_nobody_says_how_the_server_is_found_there_is_no_issuer() {
    let world = World::configured(|config| {
        config.listen = "0.0.0.0:0".parse().unwrap();
        config.plaintext_off_loopback = true;
    })
    .await;
    is_refused_unwritten(&world, &ENABLE, "InvalidInput", "issuer_url").await;
    let world = world.restarted_with(|config| config.issuer_url = "https://id.example.com".to_owned()).await;
    let issuer = world.root().call(&ENABLE).await.unwrap().issuer_identifier;
    let id = issuer.strip_prefix("https://id.example.com/").unwrap();
    let reply = fetch("GET", &format!("{}/{id}/.well-known/openid-configuration", world.endpoint())).await;
    assert_eq!(reply.status, 200);
}
