//! Transactions against each other: quotas hold, and nothing is ever left hanging on what was deleted.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use reeve_directory::Owner;
use reeve_directory::access_key::NewAccessKey;
use reeve_directory::entity::Kind;
use reeve_directory::mfa_device::NewMfaDevice;
use reeve_directory::user::NewUser;
use reeve_directory::{Directory, Result, tables};

use crate::world::{ACCOUNT, World, allow, policy_arn};

/// What two calls may do at once to the one user `u`, group `g` and policy `p`.
#[derive(Debug, Clone, Copy)]
enum Step {
    CreateUser,
    DeleteUser,
    CreateGroup,
    DeleteGroup,
    CreatePolicy,
    DeletePolicy,
    Join,
    Leave,
    Attach(Kind),
    Detach(Kind),
    PutInline,
    DeleteInline,
    CreateKey(u8),
    DeleteKey(u8),
    SetPassword,
    DeletePassword,
    CreateDevice(u8),
    EnableDevice(u8),
    DeactivateDevice(u8),
    DeleteDevice(u8),
    Bound,
    Unbound,
    Rename,
    NewVersion,
    OldVersion,
}

const STEPS: &[Step] = &[
    Step::CreateUser,
    Step::DeleteUser,
    Step::CreateGroup,
    Step::DeleteGroup,
    Step::CreatePolicy,
    Step::DeletePolicy,
    Step::Join,
    Step::Leave,
    Step::Attach(Kind::User),
    Step::Attach(Kind::Group),
    Step::Detach(Kind::User),
    Step::Detach(Kind::Group),
    Step::PutInline,
    Step::DeleteInline,
    Step::CreateKey(1),
    Step::CreateKey(2),
    Step::CreateKey(3),
    Step::DeleteKey(1),
    Step::DeleteKey(2),
    Step::DeleteKey(3),
    Step::SetPassword,
    Step::DeletePassword,
    Step::CreateDevice(1),
    Step::CreateDevice(2),
    Step::EnableDevice(1),
    Step::EnableDevice(2),
    Step::DeactivateDevice(1),
    Step::DeactivateDevice(2),
    Step::DeleteDevice(1),
    Step::DeleteDevice(2),
    Step::Bound,
    Step::Unbound,
    Step::Rename,
    Step::NewVersion,
    Step::OldVersion,
];

impl Step {
    async fn take(self, d: &mut Directory<'_>) -> Result<()> {
        let arn = policy_arn("p");
        let holder = |kind| if kind == Kind::User { "u" } else { "g" };
        let owner = Owner::User("u");
        match self {
            Self::CreateUser => {
                let new = NewUser { name: "u".to_owned(), ..NewUser::default() };
                d.users().create(new).await.map(drop)
            }
            Self::DeleteUser => d.users().delete("u").await,
            Self::CreateGroup => {
                let new = reeve_directory::group::NewGroup { name: "g".to_owned(), path: None };
                d.groups().create(new).await.map(drop)
            }
            Self::DeleteGroup => d.groups().delete("g").await,
            Self::CreatePolicy => {
                let (name, document) = ("p".to_owned(), allow("s3:*"));
                let new = reeve_directory::policy::NewPolicy { name, document, ..Default::default() };
                d.policies().create(new).await.map(drop)
            }
            Self::DeletePolicy => d.policies().delete(&arn).await,
            Self::Join => d.memberships().add("g", "u").await,
            Self::Leave => d.memberships().remove("g", "u").await,
            Self::Attach(kind) => d.attachments().attach(kind, holder(kind), &arn).await,
            Self::Detach(kind) => d.attachments().detach(kind, holder(kind), &arn).await,
            Self::PutInline => d.inline_policies().put(Kind::User, "u", "i", &allow("s3:*")).await,
            Self::DeleteInline => d.inline_policies().delete(Kind::User, "u", "i").await,
            Self::CreateKey(number) => {
                let access_key_id = format!("AKIA{number}");
                let new = NewAccessKey { access_key_id, sealed_secret: vec![] };
                d.access_keys().create(owner, new).await.map(drop)
            }
            Self::DeleteKey(number) => d.access_keys().delete(owner, &format!("AKIA{number}")).await,
            Self::SetPassword => {
                let owner = d.owner(owner).await?;
                d.login_profiles().set(owner.id(), vec![7; 150], false).await.map(drop)
            }
            Self::DeletePassword => {
                let owner = d.owner(owner).await?;
                d.login_profiles().delete(&owner).await
            }
            Self::CreateDevice(number) => d.mfa_devices().create(device(number), vec![7; 90]).await.map(drop),
            Self::EnableDevice(number) => {
                let owner = d.owner(owner).await?;
                let device = d.mfa_devices().free(&serial_number(number)).await?;
                d.mfa_devices().enable(&owner, device).await
            }
            Self::DeactivateDevice(number) => {
                let owner = d.owner(owner).await?;
                d.mfa_devices().deactivate(&owner, &serial_number(number)).await
            }
            Self::DeleteDevice(number) => d.mfa_devices().delete(&serial_number(number)).await,
            Self::Bound => d.boundaries().set(Kind::User, "u", &arn).await,
            Self::Unbound => d.boundaries().clear(Kind::User, "u").await,
            Self::Rename => d.users().update("u", Some("U"), Some("/x/")).await.map(drop),
            Self::NewVersion => d.policy_versions().create(&arn, &allow("s3:*"), true).await.map(drop),
            Self::OldVersion => d.policy_versions().delete(&arn, "v1").await,
        }
    }
}

fn device(number: u8) -> NewMfaDevice {
    NewMfaDevice { name: format!("Device-{number}"), ..NewMfaDevice::default() }
}

fn serial_number(number: u8) -> String {
    format!("arn:aws:iam::{ACCOUNT}:mfa/Device-{number}")
}

/// Nobody who is gone can sign in, and a device and its user agree.
async fn sign_in_is_sound(world: &World) {
    let mut t = world.begin();
    let account = (ACCOUNT.to_owned(),);
    let users = tables::USERS.scan(&mut t, &account, None, 99).await.unwrap();
    let users: HashSet<String> = users.into_iter().map(|(key, _)| key.1).collect();
    for ((_, user), _) in tables::LOGIN_PROFILES.scan(&mut t, &account, None, 99).await.unwrap() {
        assert!(users.contains(&user), "a password of nobody");
    }
    for ((_, user), history) in tables::PASSWORD_HISTORIES.scan(&mut t, &account, None, 99).await.unwrap() {
        assert!(users.contains(&user), "passwords of nobody");
        assert!(history.sealed_hashes.len() <= 23);
    }
    let devices = tables::MFA_DEVICES.scan(&mut t, &account, None, 99).await.unwrap();
    let mut owned: Vec<(String, String)> = devices
        .iter()
        .filter(|(_, device)| !device.principal_id.is_empty())
        .map(|(key, device)| (device.principal_id.clone(), key.1.clone()))
        .collect();
    owned.sort();
    let marks = tables::PRINCIPAL_MFA_DEVICES.scan(&mut t, &account, None, 99).await.unwrap();
    let marks: Vec<(String, String)> = marks.into_iter().map(|((_, user, place), _)| (user, place)).collect();
    assert_eq!(owned, marks);
    assert!(marks.iter().all(|(user, _)| users.contains(user)), "a device of nobody");
    assert_eq!(tables::MFA_DEVICES_COUNT.get(&mut t, &account).await.unwrap(), devices.len() as i64);
}

/// Nothing hangs on what is not there, both sides of each relation agree, and counters count.
async fn is_sound(world: &World) {
    let mut t = world.begin();
    let account = (ACCOUNT.to_owned(),);
    let ids = async |t: &mut reeve_storage::Transaction| {
        let users = tables::USERS.scan(t, &account, None, 99).await.unwrap();
        let groups = tables::GROUPS.scan(t, &account, None, 99).await.unwrap();
        let policies = tables::POLICIES.scan(t, &account, None, 99).await.unwrap();
        let users: HashSet<String> = users.into_iter().map(|(key, _)| key.1).collect();
        let groups: HashSet<String> = groups.into_iter().map(|(key, _)| key.1).collect();
        let policies: HashSet<String> = policies.into_iter().map(|(key, _)| key.1).collect();
        (users, groups, policies)
    };
    let (users, groups, policies) = ids(&mut t).await;
    let pairs = async |t: &mut reeve_storage::Transaction, table: &reeve_storage::Table<_, _>| {
        let found = table.scan(t, &account, None, 99).await.unwrap();
        found
            .into_iter()
            .map(|((_, one, other), _): ((String, String, String), _)| (one, other))
            .collect::<Vec<_>>()
    };
    let flipped = |pairs: Vec<(String, String)>| {
        let mut pairs: Vec<_> = pairs.into_iter().map(|(one, other)| (other, one)).collect();
        pairs.sort();
        pairs
    };

    let memberships = pairs(&mut t, &tables::USER_GROUPS).await;
    assert_eq!(memberships, flipped(pairs(&mut t, &tables::GROUP_USERS).await));
    let attachments = pairs(&mut t, &tables::ATTACHMENTS).await;
    assert_eq!(attachments, flipped(pairs(&mut t, &tables::POLICY_HOLDERS).await));
    assert!(memberships.iter().all(|(user, group)| users.contains(user) && groups.contains(group)));
    for (holder, policy) in &attachments {
        assert!(users.contains(holder) || groups.contains(holder), "an attachment of nobody");
        assert!(policies.contains(policy), "an attachment of nothing");
    }
    for ((_, holder, _), _) in tables::INLINE_POLICIES.scan(&mut t, &account, None, 99).await.unwrap() {
        assert!(users.contains(&holder), "an inline policy of nobody");
    }
    let keys = pairs(&mut t, &tables::PRINCIPAL_ACCESS_KEYS).await;
    assert!(keys.len() <= 2 && keys.iter().all(|(user, _)| users.contains(user)));
    assert_eq!(keys.len(), tables::ACCESS_KEYS.scan(&mut t, &(), None, 99).await.unwrap().len());

    for group in &groups {
        let count =
            tables::GROUP_USERS_COUNT.get(&mut t, &(ACCOUNT.to_owned(), group.clone())).await.unwrap();
        assert_eq!(count, memberships.iter().filter(|(_, held)| held == group).count() as i64);
    }
    let bounds = tables::USERS.scan(&mut t, &account, None, 99).await.unwrap();
    let bounds: Vec<String> = bounds.into_iter().map(|(_, user)| user.boundary_policy_id).collect();
    assert!(bounds.iter().all(|id| id.is_empty() || policies.contains(id)), "a boundary that is gone");
    for policy in &policies {
        let key = (ACCOUNT.to_owned(), policy.clone());
        let holders = tables::POLICY_HOLDERS_COUNT.get(&mut t, &key).await.unwrap();
        assert_eq!(holders, attachments.iter().filter(|(_, held)| held == policy).count() as i64);
        let bounded = tables::POLICY_BOUNDARIES_COUNT.get(&mut t, &key).await.unwrap();
        assert_eq!(bounded, bounds.iter().filter(|id| *id == policy).count() as i64);
    }
    for ((_, policy, _), _) in tables::POLICY_VERSIONS.scan(&mut t, &account, None, 99).await.unwrap() {
        assert!(policies.contains(&policy), "a version of nothing");
    }
    assert_eq!(tables::USERS_COUNT.get(&mut t, &account).await.unwrap(), users.len() as i64);
    assert_eq!(tables::USER_NAMES.scan(&mut t, &account, None, 99).await.unwrap().len(), users.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn interleaved_calls_leave_nothing_hanging(
        steps in prop::collection::vec((prop::sample::select(STEPS), prop::sample::select(STEPS)), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            for step in [Step::CreateUser, Step::CreateGroup, Step::CreatePolicy] {
                world.run(async |d| step.take(d).await).await.unwrap();
            }
            for (slow, quick) in steps {
                // The slow one has read everything when the quick one runs from begin to end.
                let mut transaction = world.begin();
                let slow_answer = world.within(&mut transaction, ACCOUNT, async |d| slow.take(d).await).await;
                let _ = world.run(async |d| quick.take(d).await).await;
                if slow_answer.is_ok() {
                    let _ = transaction.finish().await;
                }
                is_sound(&world).await;
                sign_in_is_sound(&world).await;
            }
        });
    }
}

#[test]
fn threads_racing_to_the_quota_stop_at_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut world = runtime().block_on(World::new());
    world.settings.quotas.users_per_account_max = 20;
    let world = Arc::new(world);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let world = world.clone();
            std::thread::spawn(move || {
                let create = async |number: usize| {
                    let new = NewUser { name: format!("u{thread}-{number}"), ..NewUser::default() };
                    world.run(async |d| d.users().create(new.clone()).await).await.is_ok()
                };
                runtime().block_on(async {
                    let mut created = 0;
                    for number in 0..20 {
                        created += usize::from(create(number).await);
                    }
                    created
                })
            })
        })
        .collect();
    let created: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(created, 20);
    runtime().block_on(is_sound_of(&world, 20));
}

async fn is_sound_of(world: &World, users: usize) {
    let page = world.run(async |d| d.users().list("/", None, 100).await).await.unwrap();
    assert_eq!(page.items.len(), users);
}

#[tokio::test]
async fn a_race_to_the_last_place_is_told_by_the_commit() {
    let mut world = World::new().await;
    world.settings.quotas.users_per_account_max = 1;
    let mut slow = world.begin();
    let new = |name: &str| NewUser { name: name.to_owned(), ..NewUser::default() };
    world.within(&mut slow, ACCOUNT, async |d| d.users().create(new("a")).await).await.unwrap();
    world.user("b").await;
    let error = reeve_directory::Error::from(slow.finish().await.unwrap_err());
    assert_eq!(error.message, "Cannot exceed quota for UsersPerAccount");
}

#[tokio::test]
async fn many_users_join_one_group_without_conflict() {
    let world = World::new().await;
    world.group("g").await;
    world.policy("p").await;
    for user in ["a", "b"] {
        world.user(user).await;
    }
    let (mut one, mut other) = (world.begin(), world.begin());
    for (transaction, user) in [(&mut one, "a"), (&mut other, "b")] {
        world
            .within(transaction, ACCOUNT, async |d| {
                d.memberships().add("g", user).await?;
                d.attachments().attach(Kind::User, user, &policy_arn("p")).await
            })
            .await
            .unwrap();
    }
    one.finish().await.unwrap();
    other.finish().await.unwrap();
}
