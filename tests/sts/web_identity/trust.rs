//! What a role's trust policy sees of a token, what the session carries, and how long it lives.

use reeve_proto::iam::v1::{
    ClaimMapping, DeleteOpenIdConnectProviderClaimMappingRequest,
    PutOpenIdConnectProviderClaimMappingRequest, RemoveClientIdFromOpenIdConnectProviderRequest,
};
use reeve_proto::sts::v1::{AssumeRoleWithWebIdentityRequest, PolicyDescriptorType};
use serde_json::{Value, json};

use super::{CLIENT, Federation, provide, provider_arn, trusting};
use crate::door::http::Sent;
use crate::sts::{BUCKET, allowed, assume, may, request, who};
use crate::world::{ACCOUNT, Issuer, SigningKey, allow, code, refused};

/// Where a provider's mapping is said.
async fn map(federation: &Federation, mappings: &[(&str, &str, bool)], session_name: Option<&str>) {
    let mapping = |(claim, tag_key, transitive): &(&str, &str, bool)| ClaimMapping {
        claim: (*claim).to_owned(),
        tag_key: Some((*tag_key).to_owned()).filter(|key| !key.is_empty()),
        transitive: *transitive,
    };
    let put = PutOpenIdConnectProviderClaimMappingRequest {
        open_id_connect_provider_arn: federation.provider_arn(),
        claim_mappings: mappings.iter().map(mapping).collect(),
        role_session_name_claim: session_name.map(str::to_owned),
    };
    federation.world.root().call(&put).await.unwrap();
}

#[tokio::test]
async fn a_token_is_traded_for_a_session_and_nothing_is_written() {
    let federation = Federation::start().await;
    let before = federation.world.commits();
    let answer = federation.answer(federation.token(json!({}))).await.unwrap();
    assert_eq!(answer.subject_from_web_identity_token, "user-1");
    assert_eq!(
        (answer.provider.as_str(), answer.audience.as_str()),
        (federation.issuer.url.as_str(), CLIENT)
    );
    assert_eq!(answer.source_identity, None);
    let user = answer.assumed_role_user.clone().unwrap();
    let expected = format!("arn:aws:sts::{ACCOUNT}:assumed-role/federated/session");
    assert_eq!(user.arn, expected);
    assert_eq!(user.assumed_role_id, format!("{}:session", federation.role.role_id));
    assert_eq!(answer.credentials.as_ref().unwrap().expiration.unwrap().seconds, federation.now() + 3600);
    let session = federation.session_of(answer);
    assert_eq!(who(&session).await, Ok(expected));
    assert_eq!(federation.world.commits(), before, "issuing wrote");
    let event = federation.world.audited(|event| event["action"] == "sts:AssumeRoleWithWebIdentity").await;
    assert_eq!(event["principal"], format!("{}:{CLIENT}:user-1", federation.provider_arn()));
    assert_eq!(event["resource"], federation.role.arn.as_str());
    assert_eq!((&event["decision"], &event["layer"]), (&json!("allowed"), &json!("trust")));
}

#[tokio::test]
async fn every_algorithm_that_there_is_is_taken() {
    let mut federation = Federation::start().await;
    for algorithm in ["RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"] {
        federation.key = SigningKey::new(algorithm, algorithm);
        federation.issuer.publish(&[&federation.key]);
        federation.clock.advance(super::INTERVAL);
        assert_eq!(code(federation.session(json!({})).await), "", "{algorithm}");
    }
}

#[tokio::test]
async fn aws_s_own_protocol_and_json_take_a_token_without_a_signature() {
    let federation = Federation::start().await;
    let endpoint = federation.world.endpoint();
    let token = federation.token(json!({ "padding": "x".repeat(8 * 1024) }));
    let form: Vec<(String, String)> = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", &federation.role.arn),
        ("RoleSessionName", "session"),
        ("WebIdentityToken", &token),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let reply = Sent::form(&endpoint, &form).send().await;
    assert_eq!((reply.status, reply.code()), (200, ""), "{reply:?}");
    assert_eq!(reply.element("SubjectFromWebIdentityToken"), "user-1");
    assert_eq!(reply.element("Provider"), federation.issuer.url);
    let body =
        json!({ "roleArn": federation.role.arn, "roleSessionName": "session", "webIdentityToken": token });
    let path = "/reeve.sts.v1.WebIdentityService/AssumeRoleWithWebIdentity";
    let reply = Sent::json(&endpoint, path, &body.to_string()).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    // Expired, it is told so in AWS's way.
    let old = federation.token(json!({ "exp": federation.now() }));
    let mut spoilt = form.clone();
    spoilt[4].1 = old;
    let reply = Sent::form(&endpoint, &spoilt).send().await;
    assert_eq!((reply.status, reply.code()), (400, "ExpiredTokenException"), "{reply:?}");
    assert!(!reply.headers.contains_key("reeve-revision"), "strangers learn nothing of others' work");
}

#[tokio::test]
async fn the_trust_policy_sees_who_it_is() {
    let federation = Federation::start().await;
    let key = |name: &str| format!("{}:{name}", federation.issuer.name());
    let more = json!({ "amr": ["pwd", "mfa"], "azp": CLIENT, "aud": ["x", CLIENT] });
    for (operator, name, wanted, other) in [
        ("StringEquals", key("sub"), json!("user-1"), json!("user-2")),
        ("StringLike", key("sub"), json!("user-*"), json!("USER-*")),
        ("StringEquals", key("aud"), json!(CLIENT), json!("x")),
        ("StringEquals", key("azp"), json!(CLIENT), json!("x")),
        ("ForAnyValue:StringEquals", key("oaud"), json!("x"), json!("y")),
        ("ForAnyValue:StringEquals", key("amr"), json!("mfa"), json!("otp")),
        ("StringEquals", "sts:RoleSessionName".to_owned(), json!("session"), json!("another")),
        ("StringEquals", "aws:FederatedProvider".to_owned(), json!(federation.provider_arn()), json!("x")),
        ("StringEquals", "aws:ResourceAccount".to_owned(), json!(ACCOUNT), json!("1")),
    ] {
        federation.trust_when(json!({ operator: { &name: wanted } })).await;
        assert!(allowed(federation.session(more.clone()).await), "{name} is {wanted}");
        federation.trust_when(json!({ operator: { &name: other } })).await;
        assert!(!allowed(federation.session(more.clone()).await), "{name} is {other}");
    }
    // Of a token that does not say it there is no key.
    for name in ["azp", "amr", "oaud", "email"] {
        federation.trust_when(json!({ "Null": { key(name): "false" } })).await;
        assert!(!allowed(federation.session(json!({ "email": "a@b.c" })).await), "{name}");
    }
}

#[tokio::test]
async fn whom_the_role_does_not_trust_learns_nothing_of_it() {
    let federation = Federation::start().await;
    let denied = |result| {
        let error = refused(result);
        assert_eq!(error.code, "AccessDenied");
        error.message
    };
    federation.trust_when(json!({ "StringEquals": { "aws:SourceIp": "10.0.0.1" } })).await;
    let untrusted = denied(federation.answer(federation.token(json!({}))).await);
    let missing = AssumeRoleWithWebIdentityRequest {
        role_arn: federation.world.arn("role/none"),
        ..federation.request(federation.token(json!({})))
    };
    let before = federation.world.commits();
    assert_eq!(denied(federation.nobody.call(&missing).await), untrusted);
    assert_eq!(untrusted, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    assert_eq!(federation.world.commits(), before);
    // A role that trusts the account, or another provider, does not trust this one.
    for principal in [json!({ "AWS": ACCOUNT }), json!({ "Federated": provider_arn("oidc.example.com") })] {
        let trust = json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": principal, "Action": "sts:*" } });
        federation.trust(&trust).await;
        assert_eq!(denied(federation.answer(federation.token(json!({}))).await), untrusted, "{trust}");
    }
    let odd = AssumeRoleWithWebIdentityRequest {
        role_arn: federation.world.arn("user/alice"),
        ..federation.request(federation.token(json!({})))
    };
    assert_eq!(code(federation.nobody.call(&odd).await), "ValidationError");
}

/// The two ways in which a token brings tags.
fn tag_claim(tags: Value, transitive: &[&str]) -> Value {
    json!({ "https://aws.amazon.com/tags": { "principal_tags": tags, "transitive_tag_keys": transitive } })
}

#[tokio::test]
async fn tags_of_the_token_are_the_session_s_and_go_on() {
    let federation = Federation::start().await;
    let world = &federation.world;
    let by_team = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": { "StringEquals": { "aws:PrincipalTag/team": "blue" } } });
    world.allow_role(&federation.role, &by_team).await;
    let session =
        federation.session(tag_claim(json!({ "team": ["blue"], "cost": "7" }), &["team"])).await.unwrap();
    assert!(may(world, &session, "s3:GetObject", BUCKET).await);
    let other = federation.session(tag_claim(json!({ "team": ["red"] }), &[])).await.unwrap();
    assert!(!may(world, &other, "s3:GetObject", BUCKET).await);
    // The next role sees what is passed on, and nothing else.
    let hop = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow",
        "Principal": { "AWS": federation.role.arn }, "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": { "StringEquals": { "aws:RequestTag/team": "blue" }, "Null": { "aws:RequestTag/cost": "true" } } } });
    let second = world.role("second", &hop).await;
    world.allow_role(&second, &by_team).await;
    world.allow_role(&federation.role, &allow(vec!["sts:AssumeRole", "sts:TagSession"], "*")).await;
    let next = assume(&session, &request(&second)).await.unwrap();
    assert!(may(world, &next, "s3:GetObject", BUCKET).await);
    assert!(!allowed(assume(&other, &request(&second)).await), "its tag is not passed on");
}

#[tokio::test]
async fn tags_and_a_source_identity_need_their_permissions() {
    let federation = Federation::start().await;
    let bare = |actions: Value| {
        json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow",
        "Principal": { "Federated": federation.provider_arn() }, "Action": actions } })
    };
    let source = json!({ "https://aws.amazon.com/source_identity": "dana" });
    let tags = tag_claim(json!({ "team": ["blue"] }), &[]);
    federation.trust(&bare(json!("sts:AssumeRoleWithWebIdentity"))).await;
    assert!(allowed(federation.session(json!({})).await));
    for (more, action) in [(&tags, "sts:TagSession"), (&source, "sts:SetSourceIdentity")] {
        let error = refused(federation.session(more.clone()).await);
        assert_eq!(
            (error.code.as_str(), error.message),
            ("AccessDenied", format!("Not authorized to perform {action}"))
        );
    }
    federation
        .trust(&bare(json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"])))
        .await;
    assert!(allowed(federation.session(tags.clone()).await));
    let session = federation.session(source.clone()).await.unwrap();
    assert_eq!(session.source_identity.as_deref(), Some("dana"));
    federation
        .trust_when(json!({ "StringEquals": { "sts:SourceIdentity": "dana", "aws:RequestTag/team": "blue" },
        "ForAllValues:StringEquals": { "aws:TagKeys": "team", "sts:TransitiveTagKeys": "team" } }))
        .await;
    let both = tag_claim(json!({ "team": ["blue"] }), &["team"]);
    let mut all = both.clone();
    all.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
    assert!(allowed(federation.session(all).await));
    assert!(!allowed(federation.session(both).await), "no source identity");
    // What cannot be is the token's fault, once the role trusts it.
    federation.trust_when(json!({})).await;
    let odd = tag_claim(json!({ "team": ["blue"] }), &["cost"]);
    let error = refused(federation.session(odd).await);
    assert_eq!(error.code, "InvalidIdentityToken");
    assert!(error.message.contains("transitive tag key must be included"), "{}", error.message);
    let reserved = tag_claim(json!({ "aws:team": ["blue"] }), &[]);
    assert_eq!(code(federation.session(reserved).await), "InvalidIdentityToken");
}

#[tokio::test]
async fn a_mapping_makes_tags_keys_and_a_name_of_other_claims() {
    let federation = Federation::start().await;
    let key = |name: &str| format!("{}:{name}", federation.issuer.name());
    map(&federation, &[("/kubernetes.io/namespace", "ns", true), ("groups", "", false)], Some("email")).await;
    let claims = json!({ "kubernetes.io": { "namespace": "shop" }, "groups": ["dev", "ops"], "email": "dana@example.com" });
    federation
        .trust_when(json!({
            "StringEquals": { "aws:RequestTag/ns": "shop", "sts:RoleSessionName": "dana@example.com",
                key("/kubernetes.io/namespace"): "shop" },
            "ForAnyValue:StringEquals": { key("groups"): "ops", "sts:TransitiveTagKeys": "ns" },
        }))
        .await;
    let session = federation.session(claims.clone()).await.unwrap();
    assert!(session.user.arn.ends_with(":assumed-role/federated/dana@example.com"), "{}", session.user.arn);
    let world = &federation.world;
    world
        .allow_role(
            &federation.role,
            &json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": { "StringEquals": { "aws:PrincipalTag/ns": "shop" } } }),
        )
        .await;
    assert!(may(world, &session, "s3:GetObject", BUCKET).await);
    // Without the claim that names it there is no session; without a mapping there are no keys.
    let mut nameless = claims.clone();
    nameless.as_object_mut().unwrap().remove("email");
    let token = federation.token(nameless);
    federation.is_refused(token, "InvalidIdentityToken", "Missing a required claim: email").await;
    let delete = DeleteOpenIdConnectProviderClaimMappingRequest {
        open_id_connect_provider_arn: federation.provider_arn(),
    };
    world.root().call(&delete).await.unwrap();
    assert!(!allowed(federation.session(claims).await));
}

#[tokio::test]
async fn the_session_s_own_policies_see_who_began_it() {
    let federation = Federation::start().await;
    let world = &federation.world;
    let key = |name: &str| format!("{}:{name}", federation.issuer.name());
    world.allow_role(&federation.role, &json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": {
            "StringEquals": { key("sub"): "user-1", key("aud"): CLIENT, "aws:FederatedProvider": federation.provider_arn() },
            "ForAnyValue:StringEquals": { key("amr"): "mfa" },
        } })).await;
    let session = federation.session(json!({ "amr": ["mfa"] })).await.unwrap();
    assert!(may(world, &session, "s3:GetObject", BUCKET).await);
    for more in
        [json!({}), json!({ "sub": "user-2", "amr": ["mfa"] }), json!({ "aud": "client-2", "amr": "mfa" })]
    {
        let session = federation.session(more.clone()).await.unwrap();
        assert!(!may(world, &session, "s3:GetObject", BUCKET).await, "{more}");
    }
}

#[tokio::test]
async fn session_policies_and_duration_are_the_request_s() {
    let federation = Federation::start().await;
    let world = &federation.world;
    world.allow_role(&federation.role, &allow("s3:*", "*")).await;
    let managed = world.policy("list", &allow("s3:ListBucket", "*")).await;
    let ask = async |change: &dyn Fn(&mut AssumeRoleWithWebIdentityRequest)| {
        let mut request = federation.request(federation.token(json!({})));
        change(&mut request);
        federation.nobody.call(&request).await
    };
    let policy = crate::world::document(&allow("s3:GetObject", "*"));
    let both = |request: &mut AssumeRoleWithWebIdentityRequest| {
        request.policy = Some(policy.clone());
        request.policy_arns = vec![PolicyDescriptorType { arn: Some(managed.clone()) }];
        request.duration_seconds = Some(900);
    };
    let answer = ask(&both).await.unwrap();
    let expires = answer.credentials.as_ref().unwrap().expiration.unwrap().seconds;
    assert_eq!(expires, federation.now() + 900);
    let session = federation.session_of(answer);
    for (action, expected) in [("s3:GetObject", true), ("s3:ListBucket", true), ("s3:PutObject", false)] {
        assert_eq!(may(world, &session, action, BUCKET).await, expected, "{action}");
    }
    assert_eq!(code(ask(&|request| request.duration_seconds = Some(3601)).await), "ValidationError");
    assert_eq!(code(ask(&|request| request.policy = Some("{".to_owned())).await), "MalformedPolicyDocument");
    let unknown = world.arn("policy/none");
    let arns = vec![PolicyDescriptorType { arn: Some(unknown) }];
    assert_eq!(code(ask(&|request| request.policy_arns = arns.clone()).await), "ValidationError");
    let provider = Some("www.amazon.com".to_owned());
    assert_eq!(code(ask(&|request| request.provider_id = provider.clone()).await), "ValidationError");
}

#[tokio::test]
async fn what_a_token_brings_has_to_fit() {
    let federation = Federation::start().await;
    let tags: serde_json::Map<String, Value> =
        (0..40).map(|number| (format!("key-{number}"), json!(["x".repeat(200)]))).collect();
    let token = federation.token(tag_claim(Value::Object(tags), &[]));
    federation.is_refused(token, "PackedPolicyTooLarge", "allotted space").await;
}

#[tokio::test]
async fn deleting_the_provider_ends_what_began_with_its_tokens() {
    let federation = Federation::start().await;
    let world = &federation.world;
    let second = world.role("second", &crate::world::trust(federation.role.arn.as_str())).await;
    world.allow_role(&federation.role, &allow("sts:AssumeRole", "*")).await;
    let session = federation.session(json!({})).await.unwrap();
    let next = assume(&session, &request(&second)).await.unwrap();
    assert!(who(&session).await.is_ok() && who(&next).await.is_ok());
    federation.delete_provider().await;
    for ended in [&session, &next] {
        assert_eq!(who(ended).await, Err("InvalidClientTokenId".to_owned()));
    }
    federation
        .is_refused(federation.token(json!({})), "InvalidIdentityToken", "No OpenIDConnect provider found")
        .await;
    // What has the name now is another.
    provide(world, &federation.issuer.url).await;
    assert_eq!(who(&session).await, Err("InvalidClientTokenId".to_owned()));
    assert!(allowed(federation.session(json!({})).await));
}

#[tokio::test]
async fn an_audience_that_goes_lets_nobody_in_any_more_and_ends_nothing() {
    let federation = Federation::start().await;
    let session = federation.session(json!({})).await.unwrap();
    let remove = RemoveClientIdFromOpenIdConnectProviderRequest {
        open_id_connect_provider_arn: federation.provider_arn(),
        client_id: CLIENT.to_owned(),
    };
    federation.world.root().call(&remove).await.unwrap();
    federation
        .is_refused(federation.token(json!({})), "InvalidIdentityToken", "Incorrect token audience")
        .await;
    assert!(who(&session).await.is_ok());
}

#[tokio::test]
async fn an_issuer_may_have_a_path_and_a_slash_at_its_end() {
    for path in ["/tenants/one", "/"] {
        let federation = Federation::of(Issuer::at(path).await, SigningKey::new("a", "EdDSA")).await;
        let sub = format!("{}:sub", federation.issuer.name());
        federation
            .trust(&trusting(federation.issuer.name(), json!({ "StringEquals": { sub: "user-1" } })))
            .await;
        assert!(allowed(federation.session(json!({})).await), "{path}");
        // The issuer is its URL, letter by letter.
        let url = &federation.issuer.url;
        for other in [format!("{url}/"), url.trim_end_matches('/').to_owned(), url.to_uppercase()] {
            if other != *url {
                let token = federation.token(json!({ "iss": other }));
                federation.is_refused(token, "InvalidIdentityToken", "No OpenIDConnect provider found").await;
            }
        }
    }
}
