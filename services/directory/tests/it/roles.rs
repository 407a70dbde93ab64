//! Roles, and the principals that their trust policies name.

use reeve_directory::entity::Kind;
use reeve_directory::resource;
use reeve_directory::role::NewRole;
use reeve_directory::user::NewUser;
use reeve_proto::error::v1::ErrorReason::{
    DeleteConflict, EntityAlreadyExists, LimitExceeded, MalformedPolicyDocument, NoSuchEntity,
};

use crate::world::{ACCOUNT, OTHER_ACCOUNT, World, allow, refused, trusting};

fn user_arn(name: &str) -> String {
    resource::arn("aws", ACCOUNT, resource::Kind::User, "/", name)
}

async fn shown(world: &World, role: &str) -> String {
    world
        .run(async |d| {
            let role = d.roles().get(role).await?;
            d.roles().shown_trust_policy(&role).await
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_trusted_user_is_held_by_id() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let role = world.role("r", &trusting(&user_arn("alice"))).await.unwrap();
    assert_eq!(role.max_session_duration_seconds, 3600);
    assert_eq!(role.trust_policy, trusting(&alice.user_id));
    assert_eq!(shown(&world, "r").await, trusting(&user_arn("alice")));

    world.run(async |d| d.users().update("alice", Some("carol"), None).await).await.unwrap();
    assert_eq!(shown(&world, "R").await, trusting(&user_arn("carol")), "a rename keeps the trust");

    world.run(async |d| d.users().delete("carol").await).await.unwrap();
    world.user("carol").await;
    assert_eq!(shown(&world, "r").await, trusting(&alice.user_id), "a recreated name is not trusted");
}

#[tokio::test]
async fn a_role_may_trust_itself_and_roles_of_other_accounts() {
    let world = World::new().await;
    let other = world
        .run_in(OTHER_ACCOUNT, async |d| {
            let trust_policy = trusting(OTHER_ACCOUNT);
            d.roles().create(NewRole { name: "x".to_owned(), trust_policy, ..NewRole::default() }).await
        })
        .await
        .unwrap();
    let arn = resource::arn("aws", OTHER_ACCOUNT, resource::Kind::Role, "/", "x");
    let role = world.role("r", &trusting(&arn)).await.unwrap();
    assert_eq!(role.trust_policy, trusting(&other.role_id));
    assert_eq!(role.trust_principals[0].account_id, OTHER_ACCOUNT);
    assert_eq!(shown(&world, "r").await, trusting(&arn));

    // What is shown may be written back, ids among it as long as they are somebody's.
    let bound = role.trust_policy.clone();
    world.run(async |d| d.roles().set_trust_policy("r", &bound).await).await.unwrap();
    world.run_in(OTHER_ACCOUNT, async |d| d.roles().delete("x").await).await.unwrap();
    refused(
        world.run(async |d| d.roles().set_trust_policy("r", &bound).await).await,
        MalformedPolicyDocument,
        &format!("Invalid principal in policy: \"AWS\":\"{}\"", other.role_id),
    );
    let own = resource::arn("aws", ACCOUNT, resource::Kind::Role, "/", "r");
    let role = world.run(async |d| d.roles().set_trust_policy("r", &trusting(&own)).await).await.unwrap();
    assert_eq!(role.trust_policy, trusting(&role.role_id));
}

#[tokio::test]
async fn accounts_sessions_and_everybody_stay_as_written() {
    let world = World::new().await;
    let session = resource::role_session_arn("aws", ACCOUNT, "r", "s");
    for (number, principal) in
        [ACCOUNT, &resource::root_arn("aws", OTHER_ACCOUNT), &session, "*"].into_iter().enumerate()
    {
        let role = world.role(&format!("r{number}"), &trusting(principal)).await.unwrap();
        assert_eq!(role.trust_policy, trusting(principal));
        assert!(role.trust_principals.is_empty());
    }
}

#[tokio::test]
async fn principals_that_are_nobody_are_refused() {
    let world = World::new().await;
    let new = NewUser { name: "alice".to_owned(), path: Some("/a/".to_owned()), ..NewUser::default() };
    world.run(async |d| d.users().create(new.clone()).await).await.unwrap();
    for principal in [
        "999999999999",
        "arn:aws:iam::999999999999:root",
        "arn:aws:sts::999999999999:assumed-role/r/s",
        "arn:aws:iam::111122223333:user/bob",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:user/a/Alice",
        "arn:aws:iam::444455556666:user/a/alice",
        "arn:aws:iam::111122223333:role/a/alice",
        "AIDAAAAAAAAAAAAAAAAAA",
    ] {
        let answer = world.role("r", &trusting(principal)).await;
        let error = answer.expect_err(principal);
        assert_eq!(error.reason, MalformedPolicyDocument, "{principal}");
        assert!(error.message.contains(principal), "{}", error.message);
    }
    for principal in ["alice", "arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:group/g"] {
        assert_eq!(world.role("r", &trusting(principal)).await.unwrap_err().reason, MalformedPolicyDocument);
    }
    assert!(world.run(async |d| d.roles().get("r").await).await.is_err());
}

#[tokio::test]
async fn a_trust_policy_cannot_slip_a_name_past_the_binding() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let named = trusting(&user_arn("alice"));
    for spelling in [
        named.replace("Principal", "principal"),
        named.replace("\"AWS\"", "\"aws\""),
        named.replace("Principal", "\\u0050rincipal"),
        named.replace("\"AWS\"", "\"\\u0041WS\""),
        named.replace("Statement", "statement"),
    ] {
        if let Ok(role) = world.role("r", &spelling).await {
            assert!(
                role.trust_policy.contains(&alice.user_id),
                "{spelling} was kept as {}",
                role.trust_policy
            );
            world.run(async |d| d.roles().delete("r").await).await.unwrap();
        }
    }
}

#[tokio::test]
async fn binding_proves_that_the_principal_still_exists() {
    let world = World::new().await;
    world.user("alice").await;
    let trust_policy = trusting(&user_arn("alice"));
    let mut slow = world.begin();
    world
        .within(&mut slow, ACCOUNT, async |d| {
            d.roles().create(NewRole { name: "r".to_owned(), trust_policy, ..NewRole::default() }).await
        })
        .await
        .unwrap();
    world.run(async |d| d.users().delete("alice").await).await.unwrap();
    assert!(slow.finish().await.unwrap_err().is_conflict());
}

#[tokio::test]
async fn sizes_names_and_deletion() {
    let world = World::new().await;
    world.role("r", &trusting(ACCOUNT)).await.unwrap();
    refused(
        world.role("R", &trusting(ACCOUNT)).await,
        EntityAlreadyExists,
        "Role with name R already exists.",
    );
    let many: Vec<String> = (0..200).map(|_| ACCOUNT.to_owned()).collect();
    let long = trusting(&many.join("\",\""))
        .replace("\"AWS\":", "\"AWS\":[")
        .replace("\"},\"Action", "\"]},\"Action");
    refused(world.role("s", &long).await, LimitExceeded, "Cannot exceed quota for ACLSizePerRole: 2048");
    assert_eq!(world.role("s", "{}").await.unwrap_err().reason, MalformedPolicyDocument);
    assert_eq!(world.role("s", &allow("s3:*")).await.unwrap_err().reason, MalformedPolicyDocument);

    let document = allow("s3:*");
    world.run(async |d| d.inline_policies().put(Kind::Role, "r", "i", &document).await).await.unwrap();
    refused(
        world.run(async |d| d.roles().delete("r").await).await,
        DeleteConflict,
        "Cannot delete entity, must delete policies first.",
    );
    world.run(async |d| d.inline_policies().delete(Kind::Role, "r", "i").await).await.unwrap();
    world.run(async |d| d.roles().delete("r").await).await.unwrap();
    refused(
        world.run(async |d| d.roles().get("r").await).await,
        NoSuchEntity,
        "The role with name r cannot be found.",
    );
}
