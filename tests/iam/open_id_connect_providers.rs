//! OpenID Connect providers: what AWS promises of each operation, and the mapping of claims that Reeve has besides.

use reeve_proto::iam::v1::{
    AddClientIdToOpenIdConnectProviderRequest, ClaimMapping, CreateOpenIdConnectProviderRequest,
    CreateRoleRequest, DeleteOpenIdConnectProviderClaimMappingRequest, DeleteOpenIdConnectProviderRequest,
    GetAccountSummaryRequest, GetOpenIdConnectProviderClaimMappingRequest,
    GetOpenIdConnectProviderClaimMappingResponse, GetOpenIdConnectProviderRequest,
    GetOpenIdConnectProviderResponse, ListOpenIdConnectProviderTagsRequest,
    ListOpenIdConnectProvidersRequest, PutOpenIdConnectProviderClaimMappingRequest,
    RemoveClientIdFromOpenIdConnectProviderRequest, TagOpenIdConnectProviderRequest,
    UntagOpenIdConnectProviderRequest, UpdateAssumeRolePolicyRequest,
    UpdateOpenIdConnectProviderThumbprintRequest,
};
use serde_json::json;

use super::{is_refused, is_refused_unwritten, tag};
use crate::world::{ACCOUNT, OTHER_ACCOUNT, World, allow, code, refused};

const HOST: &str = "oidc.example.com/tenants/one";

fn create(url: &str) -> CreateOpenIdConnectProviderRequest {
    CreateOpenIdConnectProviderRequest {
        url: url.to_owned(),
        client_id_list: vec!["a".to_owned(), "b".to_owned(), "a".to_owned()],
        thumbprint_list: vec!["0123456789abcdef0123456789ABCDEF01234567".to_owned()],
        tags: vec![tag("team", "blue")],
    }
}

fn arn(host: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{host}")
}

/// A world with the provider in it.
async fn provided() -> World {
    let world = World::start().await;
    let created = world.root().call(&create(&format!("https://{HOST}"))).await.unwrap();
    assert_eq!(created.open_id_connect_provider_arn, arn(HOST));
    assert_eq!(created.tags, [tag("team", "blue")]);
    world
}

async fn get(world: &World) -> GetOpenIdConnectProviderResponse {
    let request = GetOpenIdConnectProviderRequest { open_id_connect_provider_arn: arn(HOST) };
    world.root().call(&request).await.unwrap()
}

async fn list(world: &World) -> Vec<String> {
    let answer = world.root().call(&ListOpenIdConnectProvidersRequest {}).await.unwrap();
    answer.open_id_connect_provider_list.into_iter().map(|entry| entry.arn).collect()
}

fn add(client_id: &str) -> AddClientIdToOpenIdConnectProviderRequest {
    AddClientIdToOpenIdConnectProviderRequest {
        open_id_connect_provider_arn: arn(HOST),
        client_id: client_id.to_owned(),
    }
}

#[tokio::test]
async fn a_provider_is_shown_as_it_was_created() {
    let world = provided().await;
    let shown = get(&world).await;
    assert_eq!(shown.url, HOST, "AWS shows it without its scheme");
    assert_eq!(shown.client_id_list, ["a", "b"]);
    assert_eq!(shown.thumbprint_list, ["0123456789abcdef0123456789ABCDEF01234567"]);
    assert_eq!(shown.tags, [tag("team", "blue")]);
    assert!(shown.create_date.unwrap().seconds > 1_700_000_000);
    world.root().call(&create("https://a.example.com/")).await.unwrap();
    assert_eq!(list(&world).await, [arn("a.example.com/"), arn(HOST)]);
    let summary = world.root().call(&GetAccountSummaryRequest {}).await.unwrap().summary_map;
    assert_eq!(summary["Providers"], 2);
}

#[tokio::test]
async fn a_url_is_one_that_tokens_can_name() {
    let world = provided().await;
    for url in [
        "http://oidc.example.com",
        "oidc.example.com",
        "https://",
        "https://oidc.example.com?a=b",
        "https://oidc.example.com#a",
        "https://user@oidc.example.com",
        "https://oidc.example.com/*",
        "https://oidc.example.com/../a",
    ] {
        let words = "Invalid Open ID Connect Provider URL";
        is_refused_unwritten(&world, &create(url), "ValidationError", words).await;
    }
    let again = create(&format!("https://{HOST}"));
    is_refused_unwritten(&world, &again, "EntityAlreadyExists", "already exists").await;
    // With another path, or a slash at its end, it is another issuer.
    for other in ["https://oidc.example.com/tenants", "https://oidc.example.com/tenants/one/"] {
        assert_eq!(code(world.root().call(&create(other)).await), "", "{other}");
    }
}

#[tokio::test]
async fn thumbprints_are_kept_and_counted() {
    let world = provided().await;
    let update = |thumbprints: Vec<String>| UpdateOpenIdConnectProviderThumbprintRequest {
        open_id_connect_provider_arn: arn(HOST),
        thumbprint_list: thumbprints,
    };
    let five = vec!["a".repeat(40); 5];
    world.root().call(&update(five.clone())).await.unwrap();
    assert_eq!(get(&world).await.thumbprint_list, five);
    is_refused_unwritten(&world, &update(vec!["a".repeat(40); 6]), "InvalidInput", "at most 5").await;
    is_refused_unwritten(&world, &update(vec!["g".repeat(40)]), "InvalidInput", "hexadecimal").await;
    let mut new = create("https://b.example.com");
    new.thumbprint_list = vec!["a".repeat(40); 6];
    is_refused_unwritten(&world, &new, "InvalidInput", "at most 5").await;
    let missing = UpdateOpenIdConnectProviderThumbprintRequest {
        open_id_connect_provider_arn: arn("none"),
        thumbprint_list: five,
    };
    is_refused_unwritten(&world, &missing, "NoSuchEntity", "OpenIDConnect Provider not found for arn").await;
}

#[tokio::test]
async fn audiences_come_and_go() {
    let world = provided().await;
    let remove = |client_id: &str| RemoveClientIdFromOpenIdConnectProviderRequest {
        open_id_connect_provider_arn: arn(HOST),
        client_id: client_id.to_owned(),
    };
    for _ in 0..2 {
        world.root().call(&add("c")).await.unwrap();
        assert_eq!(get(&world).await.client_id_list, ["a", "b", "c"], "adding it again is no error");
    }
    for _ in 0..2 {
        world.root().call(&remove("a")).await.unwrap();
        assert_eq!(get(&world).await.client_id_list, ["b", "c"], "removing it again is no error");
    }
    let mut more = add("x");
    more.open_id_connect_provider_arn = arn("none");
    is_refused_unwritten(&world, &more, "NoSuchEntity", "not found").await;
    let mut less = remove("x");
    less.open_id_connect_provider_arn = arn("none");
    is_refused_unwritten(&world, &less, "NoSuchEntity", "not found").await;
}

#[tokio::test]
async fn an_account_has_so_many_providers_and_each_so_many_audiences() {
    let world = provided().await;
    for number in 0..98 {
        world.root().call(&add(&format!("client-{number}"))).await.unwrap();
    }
    let words = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100";
    is_refused_unwritten(&world, &add("one-more"), "LimitExceeded", words).await;
    let mut new = create("https://many.example.com");
    new.client_id_list = (0..101).map(|number| number.to_string()).collect();
    is_refused_unwritten(&world, &new, "LimitExceeded", words).await;
    for number in 1..100 {
        let mut new = create(&format!("https://{number}.example.com"));
        new.tags.clear();
        world.root().call(&new).await.unwrap();
    }
    let words = "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100";
    is_refused_unwritten(&world, &create("https://one-more.example.com"), "LimitExceeded", words).await;
    assert_eq!(list(&world).await.len(), 100);
    let delete = DeleteOpenIdConnectProviderRequest { open_id_connect_provider_arn: arn("7.example.com") };
    world.root().call(&delete).await.unwrap();
    assert_eq!(code(world.root().call(&create("https://one-more.example.com")).await), "");
}

#[tokio::test]
async fn deleting_again_is_no_error_and_what_is_gone_is_not_found() {
    let world = provided().await;
    let delete = DeleteOpenIdConnectProviderRequest { open_id_connect_provider_arn: arn(HOST) };
    world.root().call(&delete).await.unwrap();
    assert!(list(&world).await.is_empty());
    let before = world.commits();
    world.root().call(&delete).await.unwrap();
    assert_eq!(world.commits(), before);
    let request = GetOpenIdConnectProviderRequest { open_id_connect_provider_arn: arn(HOST) };
    let message = format!("OpenIDConnect Provider not found for arn {}", arn(HOST));
    is_refused(world.root().call(&request).await, "NoSuchEntity", &message);
    for odd in [
        "arn:aws:iam::123456789012:role/x",
        "arn:aws:iam::123456789012:oidc-provider/",
        "nonsense-nonsense-nonsense",
    ] {
        let request = GetOpenIdConnectProviderRequest { open_id_connect_provider_arn: odd.to_owned() };
        is_refused_unwritten(&world, &request, "InvalidInput", "Invalid ARN").await;
    }
    let other = format!("arn:aws:iam::{OTHER_ACCOUNT}:oidc-provider/{HOST}");
    let request = GetOpenIdConnectProviderRequest { open_id_connect_provider_arn: other };
    assert_eq!(code(world.root().call(&request).await), "AccessDenied");
}

#[tokio::test]
async fn tags_are_those_of_any_resource() {
    let world = provided().await;
    let tags = vec![tag("Team", "red"), tag("cost", "1")];
    let request = TagOpenIdConnectProviderRequest { open_id_connect_provider_arn: arn(HOST), tags };
    world.root().call(&request).await.unwrap();
    let shown = async || {
        let request = ListOpenIdConnectProviderTagsRequest {
            open_id_connect_provider_arn: arn(HOST),
            ..Default::default()
        };
        world.root().call(&request).await.unwrap().tags
    };
    assert_eq!(shown().await, [tag("Team", "red"), tag("cost", "1")]);
    let request = UntagOpenIdConnectProviderRequest {
        open_id_connect_provider_arn: arn(HOST),
        tag_keys: vec!["TEAM".to_owned()],
    };
    world.root().call(&request).await.unwrap();
    assert_eq!(shown().await, [tag("cost", "1")]);
    // Policies see them.
    let user = world.user("alice").await;
    let mut statement = allow("iam:GetOpenIDConnectProvider", arn("*"));
    statement["Condition"] = json!({ "StringEquals": { "aws:ResourceTag/cost": "1" } });
    world.allow(&user, &statement).await;
    let request = GetOpenIdConnectProviderRequest { open_id_connect_provider_arn: arn(HOST) };
    assert_eq!(code(user.call(&request).await), "");
    world.root().call(&create("https://b.example.com")).await.unwrap();
    let request = GetOpenIdConnectProviderRequest { open_id_connect_provider_arn: arn("b.example.com") };
    assert_eq!(code(user.call(&request).await), "AccessDenied");
}

#[tokio::test]
async fn claims_are_mapped_as_a_whole() {
    let world = provided().await;
    let mapping = |claim: &str, tag_key: Option<&str>, transitive| ClaimMapping {
        claim: claim.to_owned(),
        tag_key: tag_key.map(str::to_owned),
        transitive,
    };
    let put =
        |claim_mappings: Vec<ClaimMapping>, name: Option<&str>| PutOpenIdConnectProviderClaimMappingRequest {
            open_id_connect_provider_arn: arn(HOST),
            claim_mappings,
            role_session_name_claim: name.map(str::to_owned),
        };
    let shown = async || {
        let request = GetOpenIdConnectProviderClaimMappingRequest { open_id_connect_provider_arn: arn(HOST) };
        world.root().call(&request).await.unwrap()
    };
    assert_eq!(shown().await, GetOpenIdConnectProviderClaimMappingResponse::default());
    let mappings = vec![mapping("/a/b", Some("team"), true), mapping("groups", None, false)];
    world.root().call(&put(mappings.clone(), Some("email"))).await.unwrap();
    let told = shown().await;
    assert_eq!((told.claim_mappings, told.role_session_name_claim.as_deref()), (mappings, Some("email")));
    for refused in [
        vec![mapping("a", Some("t"), false), mapping("b", Some("T"), false)],
        vec![mapping("a", Some("aws:t"), false)],
        vec![mapping("a", None, true)],
    ] {
        is_refused_unwritten(&world, &put(refused, None), "InvalidInput", "").await;
    }
    world.root().call(&put(Vec::new(), Some("sub"))).await.unwrap();
    assert_eq!(shown().await.claim_mappings, []);
    let delete = DeleteOpenIdConnectProviderClaimMappingRequest { open_id_connect_provider_arn: arn(HOST) };
    world.root().call(&delete).await.unwrap();
    assert_eq!(shown().await, GetOpenIdConnectProviderClaimMappingResponse::default());
    let missing =
        DeleteOpenIdConnectProviderClaimMappingRequest { open_id_connect_provider_arn: arn("none") };
    is_refused_unwritten(&world, &missing, "NoSuchEntity", "not found").await;
}

#[tokio::test]
async fn a_shared_issuer_is_trusted_only_for_a_customer_of_its() {
    let world = World::start().await;
    let github = arn("token.actions.githubusercontent.com");
    let trust = |condition: serde_json::Value| {
        json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow",
            "Principal": { "Federated": github }, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition } })
        .to_string()
    };
    let named = |condition| CreateRoleRequest {
        role_name: "ci".to_owned(),
        assume_role_policy_document: trust(condition),
        ..Default::default()
    };
    let audience =
        json!({ "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" } });
    let words = "token.actions.githubusercontent.com:sub";
    is_refused_unwritten(&world, &named(audience.clone()), "MalformedPolicyDocument", words).await;
    let subject = json!({ "StringLike": { "token.actions.githubusercontent.com:sub": "repo:acme/*" } });
    assert_eq!(code(world.root().call(&named(subject)).await), "");
    let update =
        UpdateAssumeRolePolicyRequest { role_name: "ci".to_owned(), policy_document: trust(audience) };
    let error = refused(world.root().call(&update).await);
    assert_eq!(error.code, "MalformedPolicyDocument");
    assert_eq!(error.violations[0].0, "policy_document");
}
