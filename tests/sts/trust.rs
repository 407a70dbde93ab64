//! Who may assume a role: the trust policy, and when the caller's own policies must agree. (Source: the IAM User Guide,
//! policy evaluation for role trust policies.)

use reeve_proto::iam::v1::{
    AccessKey, CreateAccessKeyRequest, CreateUserRequest, DeleteAccessKeyRequest, DeleteUserRequest,
    UpdateAssumeRolePolicyRequest,
};
use serde_json::json;

use super::{allowed, assume, neighbour, request, request_for, trust_with, within};
use crate::world::{
    ACCOUNT, OTHER_ACCOUNT, User, World, allow, code, credentials, deny, document, refused, trust,
};

#[tokio::test]
async fn a_trust_policy_that_names_the_user_is_enough() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let mallory = world.user("mallory").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    assert_eq!(session.user.arn, format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/session"));
    assert_eq!(session.user.assumed_role_id, format!("{}:session", role.role_id));
    assert!(!allowed(assume(&mallory, &request(&role)).await));
    // Somebody else's trust is not made good by one's own policy.
    world.allow(&mallory, &allow("sts:*", "*")).await;
    assert!(!allowed(assume(&mallory, &request(&role)).await));
}

#[tokio::test]
async fn a_trust_policy_that_names_the_account_needs_the_caller_s_own_policy() {
    let world = World::start().await;
    for (number, who) in [ACCOUNT.to_owned(), format!("arn:aws:iam::{ACCOUNT}:root")].iter().enumerate() {
        let role = world.role(&format!("r{number}"), &trust(who.as_str())).await;
        let alice = world.user(&format!("alice{number}")).await;
        assert!(!allowed(assume(&alice, &request(&role)).await), "{who}");
        world.allow(&alice, &allow("sts:AssumeRole", format!("{}x", role.arn))).await;
        assert!(!allowed(assume(&alice, &request(&role)).await), "{who}: another role's permission");
        world.allow(&alice, &allow("sts:AssumeRole", role.arn.as_str())).await;
        assert!(allowed(assume(&alice, &request(&role)).await), "{who}");
    }
}

/// "For IAM users and role principals within your account, no other permissions are required." (Source: "Principal" in
/// the IAM User Guide.)
#[tokio::test]
async fn a_trust_policy_that_names_everyone_is_enough_in_its_account() {
    let world = World::start().await;
    let role = world.role("r", &trust("*")).await;
    let alice = world.user("alice").await;
    assert!(allowed(assume(&alice, &request(&role)).await));
    world.allow(&alice, &deny("sts:*", "*")).await;
    assert!(!allowed(assume(&alice, &request(&role)).await));
}

#[tokio::test]
async fn an_explicit_deny_binds_whoever_is_trusted() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    world.allow(&alice, &deny("sts:AssumeRole", role.arn.as_str())).await;
    let error = refused(assume(&alice, &request(&role)).await);
    assert_eq!(error.code, "AccessDenied");
    assert!(error.message.contains("explicit deny in an identity-based policy"), "{}", error.message);

    let bob = world.user("bob").await;
    let statement = |effect: &str| json!({ "Effect": effect, "Principal": { "AWS": world.arn("user/bob") }, "Action": "sts:AssumeRole" });
    let both = json!({ "Version": "2012-10-17", "Statement": [statement("Allow"), statement("Deny")] });
    let role = world.role("denying", &both).await;
    world.allow(&bob, &allow("*", "*")).await;
    assert!(!allowed(assume(&bob, &request(&role)).await));
}

#[tokio::test]
async fn the_caller_s_boundary_must_allow() {
    let world = World::start().await;
    let tight = world.policy("tight", &allow("s3:*", "*")).await;
    let wide = world.policy("wide", &allow("sts:*", "*")).await;
    let role = world.role("r", &trust(ACCOUNT)).await;
    for (name, boundary, expected) in [("tight", &tight, false), ("wide", &wide, true)] {
        let create = CreateUserRequest {
            user_name: name.to_owned(),
            permissions_boundary: Some(boundary.clone()),
            ..Default::default()
        };
        let user = User::of(&world, &create).await;
        let direct = world.role(&format!("direct-{name}"), &trust(world.arn(&format!("user/{name}")))).await;
        assert_eq!(allowed(assume(&user, &request(&direct)).await), expected, "{name}, named");
        world.allow(&user, &allow("sts:AssumeRole", "*")).await;
        assert_eq!(allowed(assume(&user, &request(&role)).await), expected, "{name}, by the account");
    }
}

#[tokio::test]
async fn across_accounts_both_sides_must_allow() {
    let (world, next_door) = neighbour::start().await;
    let may = Some(allow("sts:AssumeRole", "*"));
    let (carol, with) = neighbour::user(&next_door, "carol", may).await;
    let (dave, without) = neighbour::user(&next_door, "dave", None).await;
    let named = world.role("named", &trust(json!([carol.arn, dave.arn]))).await;
    let account = world.role("account", &trust(neighbour::NEIGHBOUR)).await;
    let own = world.role("own", &trust(ACCOUNT)).await;
    for (client, role, expected) in [
        (&with, &named, true),
        (&without, &named, false),
        (&with, &account, true),
        (&without, &account, false),
        (&with, &own, false),
    ] {
        assert_eq!(allowed(assume(client, &request(role)).await), expected, "{}", role.arn);
    }
    // And the other way: one's own root trusts nobody for a neighbour's role.
    let theirs = neighbour::role(&next_door, "theirs", &trust(neighbour::NEIGHBOUR)).await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    assert!(!allowed(assume(&alice, &request(&theirs)).await));
}

#[tokio::test]
async fn a_role_that_does_not_exist_answers_as_one_that_does_not_trust() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    world.user("bob").await;
    let role = world.role("Admin", &trust(world.arn("user/bob"))).await;
    let there = refused(assume(&alice, &request(&role)).await);
    let missing = refused(assume(&alice, &request_for(&world.arn("role/Nobody"))).await);
    assert_eq!((there.code.as_str(), missing.code.as_str()), ("AccessDenied", "AccessDenied"));
    assert_eq!(there.message, missing.message.replace("Nobody", "Admin"), "neither tells which it is");
    assert!(!allowed(assume(&alice, &request_for(&format!("arn:aws:iam::{OTHER_ACCOUNT}:role/r"))).await));
}

#[tokio::test]
async fn what_is_no_arn_of_a_role_is_invalid() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.allow(&alice, &allow("*", "*")).await;
    world.role("a-role-with-a-name-as-long-as-an-arn", &trust(world.arn("user/alice"))).await;
    for wrong in ["a-role-with-a-name-as-long-as-an-arn", &world.arn("role/r").replace("arn:", "ARN:")] {
        let error = refused(assume(&alice, &request_for(wrong)).await);
        assert_eq!((error.code.as_str(), error.message), ("ValidationError", format!("{wrong} is invalid")));
    }
}

#[tokio::test]
async fn a_role_s_arn_matches_exactly() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.role("Admin", &trust(world.arn("user/alice"))).await;
    for other in ["role/admin", "role/path/Admin", "role/Admin/", "role//Admin", "role/Admin*", "role/*"] {
        let code = code(assume(&alice, &request_for(&world.arn(other))).await);
        assert!(["AccessDenied", "ValidationError"].contains(&code.as_str()), "{other}: {code:?}");
    }
    for malformed in [
        "",
        "role/Admin",
        "arn:aws:iam::1:role/Admin",
        "arn:aws:iam::123456789012:user/alice",
        "arn:other:iam::123456789012:role/Admin",
    ] {
        let error = refused(assume(&alice, &request_for(malformed)).await);
        assert_eq!(error.code, "ValidationError", "{malformed}");
        assert!(
            error.violations.iter().any(|(field, _)| field.contains("role_arn")),
            "{malformed}: {error:?}"
        );
    }
}

#[tokio::test]
async fn root_assumes_no_role() {
    let world = World::start().await;
    let role = world.role("r", &trust(ACCOUNT)).await;
    let error = refused(assume(world.root(), &request(&role)).await);
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("AccessDenied", "Roles may not be assumed by root accounts.")
    );
}

#[tokio::test]
async fn an_external_id_is_demanded_to_the_letter() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let condition = json!({ "StringEquals": { "sts:ExternalId": "Secret-42" } });
    let role = world.role("r", &trust_with(&world.arn("user/alice"), "sts:AssumeRole", condition)).await;
    for (given, expected) in [
        (None, false),
        (Some("secret-42"), false),
        (Some("Secret-42x"), false),
        (Some("Secret-4"), false),
        (Some("Secret-42"), true),
    ] {
        let request = reeve_proto::sts::v1::AssumeRoleRequest {
            external_id: given.map(str::to_owned),
            ..request(&role)
        };
        assert_eq!(allowed(assume(&alice, &request).await), expected, "{given:?}");
    }
    let star =
        reeve_proto::sts::v1::AssumeRoleRequest { external_id: Some("*".to_owned()), ..request(&role) };
    assert_eq!(code(assume(&alice, &star).await), "ValidationError");
}

#[tokio::test]
async fn a_condition_on_the_session_s_name_sees_the_name() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let condition = json!({ "StringLike": { "sts:RoleSessionName": "${aws:username}" } });
    let role = world.role("r", &trust_with(&world.arn("user/alice"), "sts:AssumeRole", condition)).await;
    for (name, expected) in [("alice", true), ("Alice", false), ("alicex", false)] {
        let request =
            reeve_proto::sts::v1::AssumeRoleRequest { role_session_name: name.to_owned(), ..request(&role) };
        assert_eq!(allowed(assume(&alice, &request).await), expected, "{name}");
    }
    for widening in ["*", "a?ice", "${aws:username}", "a/b", "a:b", "a b", ""] {
        let request = reeve_proto::sts::v1::AssumeRoleRequest {
            role_session_name: widening.to_owned(),
            ..request(&role)
        };
        assert_eq!(code(assume(&alice, &request).await), "ValidationError", "{widening}");
    }
}

#[tokio::test]
async fn multi_factor_authentication_is_not_had_by_saying_so() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let who = world.arn("user/alice");
    let with = |operator: &str, value: &str| {
        trust_with(&who, "sts:AssumeRole", json!({ operator: { "aws:MultiFactorAuthPresent": value } }))
    };
    // A long-term key carries the key in neither form.
    for (number, (operator, value, expected)) in [
        ("Bool", "true", false),
        ("Bool", "false", false),
        ("BoolIfExists", "true", true),
        ("Null", "true", true),
    ]
    .into_iter()
    .enumerate()
    {
        let role = world.role(&format!("r{number}"), &with(operator, value)).await;
        assert_eq!(allowed(assume(&alice, &request(&role)).await), expected, "{operator} {value}");
    }
    let role = world.role("mfa", &with("Bool", "true")).await;
    for code in ["000000", "123456"] {
        let request = reeve_proto::sts::v1::AssumeRoleRequest {
            serial_number: Some(world.arn("mfa/alice")),
            token_code: Some(code.to_owned()),
            ..request(&role)
        };
        assert!(!allowed(assume(&alice, &request).await), "a code of no device");
    }
}

#[tokio::test]
async fn a_name_taken_again_is_not_trusted() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let session = assume(&alice, &request(&role)).await.unwrap();
    recreate(&world, &alice.key).await;
    let again =
        world.root().call(&CreateAccessKeyRequest { user_name: Some("alice".to_owned()) }).await.unwrap();
    let again = world.client(credentials(&again.access_key.unwrap()));
    assert!(!allowed(assume(&again, &request(&role)).await));
    assert_eq!(
        super::who(&session).await,
        Err("InvalidClientTokenId".to_owned()),
        "the session is the old one's"
    );
    // Written again, the policy means the new one.
    let update = UpdateAssumeRolePolicyRequest {
        role_name: "r".to_owned(),
        policy_document: trust(world.arn("user/alice")).to_string(),
    };
    world.root().call(&update).await.unwrap();
    assert!(allowed(assume(&again, &request(&role)).await));
}

async fn recreate(world: &World, key: &AccessKey) {
    let delete = DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: key.access_key_id.clone(),
    };
    world.root().call(&delete).await.unwrap();
    world.root().call(&DeleteUserRequest { user_name: "alice".to_owned() }).await.unwrap();
    let create = CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() };
    world.root().call(&create).await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_trust_policy_takes_effect_on_the_very_next_call() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.user("bob").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    for who in ["user/bob", "user/alice", "user/bob", "user/alice"] {
        let update = UpdateAssumeRolePolicyRequest {
            role_name: "r".to_owned(),
            policy_document: trust(world.arn(who)).to_string(),
        };
        world.root().call(&update).await.unwrap();
        assert_eq!(allowed(assume(&alice, &request(&role)).await), who == "user/alice");
    }
}

#[tokio::test]
async fn a_refusal_writes_nothing_and_neither_does_a_session() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trust(world.arn("user/alice"))).await;
    let before = world.commits();
    let policy = document(&allow("s3:*", "*"));
    assume(&alice, &within(&role, Some(policy), &[])).await.unwrap();
    assert!(!allowed(assume(&alice, &request_for(&world.arn("role/none"))).await));
    refused(assume(&alice, &within(&role, Some("{".to_owned()), &[])).await);
    assert_eq!(world.commits(), before);
}
