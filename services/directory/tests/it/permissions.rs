//! Compiled permissions are never stale: whatever changes what a principal may do shows at the next look-up.

use std::sync::Arc;

use reeve_directory::entity::Kind;
use reeve_directory::permissions::PrincipalKind;
use reeve_directory::record::InlinePolicyRecord;
use reeve_directory::{Directory, Permissions, PermissionsCache, Result, tables};
use reeve_evaluator::{Context, Effect, Policies, Principal, Request, decide};

use crate::world::{ACCOUNT, World, allow, policy_arn, trusting};

/// A user in a group, each with an inline and a managed policy.
async fn furnished() -> (World, String) {
    let world = World::new().await;
    let id = world.user("alice").await.user_id;
    world.group("g").await;
    for name in ["own", "shared", "spare"] {
        world.policy(name).await;
    }
    let document = allow("s3:*");
    world
        .run(async |d| {
            d.memberships().add("g", "alice").await?;
            d.attachments().attach(Kind::Group, "g", &policy_arn("shared")).await?;
            d.inline_policies().put(Kind::Group, "g", "group-inline", &document).await
        })
        .await
        .unwrap();
    world
        .run(async |d| {
            d.attachments().attach(Kind::User, "alice", &policy_arn("own")).await?;
            d.inline_policies().put(Kind::User, "alice", "inline", &document).await
        })
        .await
        .unwrap();
    (world, id)
}

async fn look_up(world: &World, cache: &PermissionsCache, id: &str) -> Option<Arc<Permissions>> {
    let mut transaction = world.begin();
    let found = cache.user(&mut transaction, ACCOUNT, id).await.unwrap();
    transaction.finish().await.unwrap();
    found
}

fn names(permissions: &Permissions) -> Vec<&str> {
    let names = permissions.identity.policies().iter();
    names.map(|policy| policy.name().rsplit('/').next().unwrap()).collect()
}

#[tokio::test]
async fn everything_that_hangs_on_a_user_is_there() {
    let (world, id) = furnished().await;
    let permissions = look_up(&world, &world.cache(), &id).await.unwrap();
    assert_eq!(names(&permissions), ["inline", "own", "group-inline", "shared"]);
    assert_eq!(permissions.principal.kind, PrincipalKind::User);
    assert_eq!(permissions.principal.arn, format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    assert!(permissions.boundary.is_none() && permissions.role.is_none());
}

#[tokio::test]
async fn a_look_up_that_hits_builds_nothing() {
    let (world, id) = furnished().await;
    let cache = world.cache();
    let first = look_up(&world, &cache, &id).await.unwrap();
    assert!(Arc::ptr_eq(&first, &look_up(&world, &cache, &id).await.unwrap()));
    world.user("somebody-else").await;
    world.group("another").await;
    assert!(Arc::ptr_eq(&first, &look_up(&world, &cache, &id).await.unwrap()), "changes elsewhere keep it");
}

#[tokio::test]
async fn every_change_shows_at_the_next_look_up() {
    let (world, id) = furnished().await;
    let cache = world.cache();
    let expect = async |expected: &[&str]| {
        let permissions = look_up(&world, &cache, &id).await.unwrap();
        assert_eq!(names(&permissions), expected);
    };
    let change = async |body: &dyn Fn() -> Change| body().make(&world).await;
    expect(&["inline", "own", "group-inline", "shared"]).await;
    change(&|| Change::Detach(Kind::User, "own")).await;
    expect(&["inline", "group-inline", "shared"]).await;
    change(&|| Change::Attach(Kind::Group, "spare")).await;
    expect(&["inline", "group-inline", "shared", "spare"]).await;
    change(&|| Change::Detach(Kind::Group, "shared")).await;
    expect(&["inline", "group-inline", "spare"]).await;
    change(&|| Change::DeleteInline(Kind::Group, "group-inline")).await;
    expect(&["inline", "spare"]).await;
    change(&|| Change::DeleteInline(Kind::User, "inline")).await;
    expect(&["spare"]).await;
    change(&|| Change::Leave).await;
    expect(&[]).await;
    change(&|| Change::Join).await;
    expect(&["spare"]).await;
}

enum Change {
    Attach(Kind, &'static str),
    Detach(Kind, &'static str),
    DeleteInline(Kind, &'static str),
    Join,
    Leave,
}

impl Change {
    async fn make(&self, world: &World) {
        world.run(async |d| self.within(d).await).await.unwrap();
    }

    async fn within(&self, directory: &mut Directory<'_>) -> Result<()> {
        let name = |kind: &Kind| if *kind == Kind::User { "alice" } else { "g" };
        match self {
            Self::Attach(kind, policy) => {
                directory.attachments().attach(*kind, name(kind), &policy_arn(policy)).await
            }
            Self::Detach(kind, policy) => {
                directory.attachments().detach(*kind, name(kind), &policy_arn(policy)).await
            }
            Self::DeleteInline(kind, policy) => {
                directory.inline_policies().delete(*kind, name(kind), policy).await
            }
            Self::Join => directory.memberships().add("g", "alice").await,
            Self::Leave => directory.memberships().remove("g", "alice").await,
        }
    }
}

#[tokio::test]
async fn the_default_version_shows_for_every_holder() {
    let (world, id) = furnished().await;
    let cache = world.cache();
    let hash = async || {
        let permissions = look_up(&world, &cache, &id).await.unwrap();
        permissions.identity.policies().last().unwrap().content_hash()
    };
    let arn = policy_arn("shared");
    let before = hash().await;
    let document = allow("s3:PutObject");
    world.run(async |d| d.policy_versions().create(&arn, &document, false).await).await.unwrap();
    assert_eq!(hash().await, before);
    world.run(async |d| d.policy_versions().set_default(&arn, "v2").await).await.unwrap();
    assert_ne!(hash().await, before);
    world.run(async |d| d.policy_versions().set_default(&arn, "v1").await).await.unwrap();
    assert_eq!(hash().await, before);
}

#[tokio::test]
async fn boundary_name_and_deletion_show() {
    let (world, id) = furnished().await;
    let cache = world.cache();
    assert!(look_up(&world, &cache, &id).await.unwrap().boundary.is_none());
    world.run(async |d| d.boundaries().set(Kind::User, "alice", &policy_arn("spare")).await).await.unwrap();
    assert!(look_up(&world, &cache, &id).await.unwrap().boundary.is_some());
    world.run(async |d| d.boundaries().clear(Kind::User, "alice").await).await.unwrap();
    assert!(look_up(&world, &cache, &id).await.unwrap().boundary.is_none());

    world.run(async |d| d.users().update("alice", Some("carol"), Some("/x/")).await).await.unwrap();
    let permissions = look_up(&world, &cache, &id).await.unwrap();
    assert_eq!(permissions.principal.arn, format!("arn:aws:iam::{ACCOUNT}:user/x/carol"));

    world
        .run(async |d| {
            d.memberships().remove("g", "carol").await?;
            Ok(())
        })
        .await
        .unwrap();
    world
        .run(async |d| {
            d.attachments().detach(Kind::User, "carol", &policy_arn("own")).await?;
            d.inline_policies().delete(Kind::User, "carol", "inline").await
        })
        .await
        .unwrap();
    world.run(async |d| d.users().delete("carol").await).await.unwrap();
    assert!(look_up(&world, &cache, &id).await.is_none());
}

#[tokio::test]
async fn whoever_decided_is_told_of_a_change_before_answering() {
    let (world, id) = furnished().await;
    let cache = world.cache();
    let mut deciding = world.begin();
    cache.user(&mut deciding, ACCOUNT, &id).await.unwrap().unwrap();
    Change::Detach(Kind::Group, "shared").make(&world).await;
    assert!(deciding.finish().await.unwrap_err().is_conflict());

    let mut deciding = world.begin();
    assert!(cache.user(&mut deciding, ACCOUNT, "AIDANOBODY").await.unwrap().is_none());
    world.user("unrelated").await;
    deciding.finish().await.unwrap();
}

#[tokio::test]
async fn roles_are_found_by_id_and_by_arn() {
    let world = World::new().await;
    let cache = world.cache();
    let role = world.role("R", &trusting("*")).await.unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/R");
    let find = async |arn: &str| {
        let mut transaction = world.begin();
        let found = cache.by_arn(&mut transaction, arn).await.unwrap();
        transaction.finish().await.unwrap();
        found
    };
    let by_arn = find(&arn).await.unwrap();
    assert_eq!(by_arn.principal.id, role.role_id);
    assert_eq!(by_arn.role.as_ref().unwrap().max_session_duration_seconds, 3600);
    let mut transaction = world.begin();
    let by_id = cache.role(&mut transaction, ACCOUNT, &role.role_id).await.unwrap().unwrap();
    assert_eq!(by_id.principal, by_arn.principal);
    for other in ["r", "x/R"] {
        assert!(find(&format!("arn:aws:iam::{ACCOUNT}:role/{other}")).await.is_none());
    }
    assert!(find("arn:aws:s3:::bucket").await.is_none());

    let trust = by_arn.role.as_ref().unwrap().trust.policies()[0].content_hash();
    world.run(async |d| d.roles().set_trust_policy("R", &trusting(ACCOUNT)).await).await.unwrap();
    let changed = find(&arn).await.unwrap();
    assert_ne!(changed.role.as_ref().unwrap().trust.policies()[0].content_hash(), trust);
    world.run(async |d| d.roles().delete("R").await).await.unwrap();
    assert!(find(&arn).await.is_none());
    world.role("R", &trusting("*")).await.unwrap();
    assert_ne!(find(&arn).await.unwrap().principal.id, role.role_id);
}

#[tokio::test]
async fn a_deleted_managed_policy_is_none_for_sessions() {
    let world = World::new().await;
    let cache = world.cache();
    world.policy("p").await;
    let arn = policy_arn("p");
    let find = async || {
        let mut transaction = world.begin();
        let found = cache.managed(&mut transaction, &arn).await.unwrap();
        transaction.finish().await.unwrap();
        found
    };
    assert_eq!(find().await.unwrap().name(), arn);
    assert_eq!(find().await.unwrap().name(), arn);
    world.run(async |d| d.policies().delete(&arn).await).await.unwrap();
    assert!(find().await.is_none());
    world.policy("p").await;
    assert!(find().await.is_some());
}

fn assumable(role: &Permissions, user_arn: &str, user_id: &str) -> Effect {
    let context = Context::new();
    let principal = Principal::User { arn: user_arn, id: user_id };
    let request = Request::new(principal, "sts:AssumeRole", &role.principal.arn, &context);
    let trust = role.role.as_ref().unwrap().trust.clone();
    decide(&Policies { resource: Some(trust), ..Policies::default() }, &request).effect
}

#[tokio::test]
async fn a_recreated_user_is_not_trusted_and_a_renamed_one_is() {
    let world = World::new().await;
    let cache = world.cache();
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    let alice = world.user("alice").await.user_id;
    let role = world.role("r", &trusting(&arn)).await.unwrap().role_id;
    let mut transaction = world.begin();
    let role = cache.role(&mut transaction, ACCOUNT, &role).await.unwrap().unwrap();
    assert_eq!(assumable(&role, &arn, &alice), Effect::Allowed);
    let renamed = format!("arn:aws:iam::{ACCOUNT}:user/x/carol");
    assert_eq!(assumable(&role, &renamed, &alice), Effect::Allowed);
    assert_eq!(assumable(&role, &arn, "AIDAAAAAAAAAAAAAAAAAA"), Effect::ImplicitDeny);
}

#[tokio::test]
async fn a_stored_document_that_no_longer_compiles_denies_everything() {
    let world = World::new().await;
    let cache = world.cache();
    let user = world.user("alice").await;
    let document = allow("s3:*");
    world.run(async |d| d.inline_policies().put(Kind::User, "alice", "good", &document).await).await.unwrap();
    let allowed = async || {
        let permissions = look_up(&world, &cache, &user.user_id).await.unwrap();
        let context = Context::new();
        let principal = Principal::User { arn: &permissions.principal.arn, id: &user.user_id };
        let request = Request::new(principal, "s3:GetObject", "arn:aws:s3:::b/k", &context).owned_by(ACCOUNT);
        let identity = permissions.identity.clone();
        decide(&Policies { identity, ..Policies::default() }, &request).effect
    };
    assert_eq!(allowed().await, Effect::Allowed);
    world
        .run(async |d| {
            let record = InlinePolicyRecord { policy_name: "bad".to_owned(), document: "{".to_owned() };
            let key = (ACCOUNT.to_owned(), user.user_id.clone(), "bad".to_owned());
            tables::INLINE_POLICIES.put(d.transaction, &key, &record).await?;
            d.users().update("alice", None, None).await.map(drop)
        })
        .await
        .unwrap();
    assert_eq!(allowed().await, Effect::ExplicitDeny);
}

#[tokio::test]
async fn a_users_id_is_no_roles_id() {
    let (world, id) = furnished().await;
    let cache = world.cache();
    look_up(&world, &cache, &id).await.unwrap();
    let mut transaction = world.begin();
    assert!(cache.role(&mut transaction, ACCOUNT, &id).await.unwrap().is_none());
    assert!(look_up(&world, &cache, &id).await.is_some());
}
