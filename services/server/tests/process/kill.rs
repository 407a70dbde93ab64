//! `kill -9` in the middle of 64 writers, again and again on one data directory: every write that was acknowledged is
//! there, of no write there is a half, and no revision is used twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use reeve_chassis::client::Client;
use reeve_directory::tables;
use reeve_proto::iam::v1::{
    AddUserToGroupRequest, CreateGroupRequest, CreateUserRequest, GetGroupRequest, GetUserPolicyRequest,
    GetUserRequest, ListGroupsForUserRequest, ListUserPoliciesRequest, ListUsersRequest,
    PutUserPolicyRequest,
};
use reeve_storage::{Engine, Sled, SledConfig, Transaction};
use tokio::sync::mpsc;

use crate::place::{ACCOUNT, Place};

const WRITERS: usize = 64;
/// How many acknowledgements each round waits for before it kills: none is a death right after the start.
const ROUNDS: [usize; 7] = [64, 0, 300, 1, 150, 0, 400];
/// A scan gives no more at once.
const SCAN_ITEMS: usize = 4096;

/// What a writer does to a user, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Created,
    InGroup,
    HasPolicy,
}

/// Users, with the last step that was acknowledged of each.
type Acknowledged = BTreeMap<String, Step>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_writers_lose_nothing_and_leave_no_half() {
    let place = Place::new();
    place.run(place.command().args(["--account", ACCOUNT])).stop();
    let mut acknowledged = Acknowledged::new();
    let mut revisions = BTreeMap::new();
    for (round, wanted) in ROUNDS.into_iter().enumerate() {
        write_and_kill(&place, round, wanted, &mut acknowledged).await;
        let found = verify_store(&place, &mut revisions).await;
        assert!(acknowledged.keys().all(|name| found.contains(name)), "an acknowledged user is gone");
    }
    verify_answers(&place, &acknowledged, revisions.len()).await;
}

/// Lets the writers write until `wanted` writes are acknowledged, and kills.
async fn write_and_kill(place: &Place, round: usize, wanted: usize, acknowledged: &mut Acknowledged) {
    let server = place.run(place.command().env("REEVE_QUOTAS_USERS_PER_ACCOUNT_MAX", "100000"));
    let root = place.root(&server).await;
    for group in (0..4).filter(|_| round == 0) {
        let request = CreateGroupRequest { group_name: format!("g{group}"), ..Default::default() };
        root.call(&request).await.unwrap();
    }
    let (told, mut heard) = mpsc::unbounded_channel();
    for writer in 0..WRITERS {
        tokio::spawn(write(root.clone(), round, writer, told.clone()));
    }
    drop(told);
    for _ in 0..wanted {
        let (name, step) = heard.recv().await.expect("the writers ended by themselves");
        acknowledged.insert(name, step);
    }
    tokio::task::spawn_blocking(move || server.kill()).await.unwrap();
    // What was acknowledged while the kill came counts too.
    while let Some((name, step)) = heard.recv().await {
        acknowledged.insert(name, step);
    }
}

async fn write(root: Client, round: usize, writer: usize, told: mpsc::UnboundedSender<(String, Step)>) {
    for count in 0.. {
        let name = format!("u{round}-{writer}-{count}");
        let create = CreateUserRequest { user_name: name.clone(), ..Default::default() };
        let join = AddUserToGroupRequest { group_name: group_of(&name), user_name: name.clone() };
        let put = PutUserPolicyRequest {
            user_name: name.clone(),
            policy_name: "own".to_owned(),
            policy_document: document_of(&name),
        };
        let tell = |step| told.send((name.clone(), step)).unwrap();
        if root.call(&create).await.map(|_| tell(Step::Created)).is_err()
            || root.call(&join).await.map(|_| tell(Step::InGroup)).is_err()
            || root.call(&put).await.map(|_| tell(Step::HasPolicy)).is_err()
        {
            return;
        }
    }
}

/// Looks at what the kill left, with nobody else in the store: the names of all users.
async fn verify_store(place: &Place, revisions: &mut BTreeMap<u64, String>) -> BTreeSet<String> {
    let engine = opened(place).await;
    let mut transaction = Transaction::begin(Arc::clone(&engine));
    let account = (ACCOUNT.to_owned(),);
    let users = tables::USERS.scan(&mut transaction, &account, None, SCAN_ITEMS).await.unwrap();
    let names = tables::USER_NAMES.scan(&mut transaction, &account, None, SCAN_ITEMS).await.unwrap();
    assert!(users.len() < SCAN_ITEMS);

    let by_id: BTreeMap<&str, &str> =
        users.iter().map(|((_, id), user)| (id.as_str(), user.user_name.as_str())).collect();
    let by_name: BTreeMap<&str, &str> =
        names.iter().map(|((_, name), record)| (record.id.as_str(), name.as_str())).collect();
    assert_eq!(by_id, by_name, "a user without its name, or a name without its user");
    let counted = tables::USERS_COUNT.get(&mut transaction, &account).await.unwrap();
    assert_eq!(usize::try_from(counted).unwrap(), users.len(), "the quota's counter");

    let events = tables::AUDIT.scan(&mut transaction, &(), None, SCAN_ITEMS).await.unwrap();
    if events.len() < SCAN_ITEMS {
        let created = events.iter().filter(|(_, record)| record.event.contains("\"iam:CreateUser\""));
        assert_eq!(created.count(), users.len(), "each user was committed with its event");
    }
    verify_memberships(&mut transaction).await;

    // Every user's name was written once, by the commit that created the user, and keeps that commit's revision.
    let before = revisions.keys().next_back().copied().unwrap_or_default();
    let mut new = 0;
    for (key, _) in &names {
        let entry = engine.get(&tables::USER_NAMES.key(key)).await.unwrap().unwrap();
        let revision = u64::from(entry.revision);
        let known = revisions.insert(revision, key.1.clone());
        assert!(known.as_ref().is_none_or(|known| *known == key.1), "revision {revision} was used twice");
        new += usize::from(known.is_none());
        assert!(known.is_some() || revision > before, "revision {revision} was handed out before");
    }
    assert_eq!(revisions.len(), users.len(), "{new} new");
    assert_eq!(std::fs::read_dir(place.data().join("blobs")).map_or(0, Iterator::count), 0);
    users.into_iter().map(|(_, user)| user.user_name).collect()
}

async fn verify_memberships(transaction: &mut Transaction) {
    let account = (ACCOUNT.to_owned(),);
    let of_users = tables::USER_GROUPS.scan(transaction, &account, None, SCAN_ITEMS).await.unwrap();
    let of_groups = tables::GROUP_USERS.scan(transaction, &account, None, SCAN_ITEMS).await.unwrap();
    let one: BTreeSet<_> = of_users.into_iter().map(|((_, user, group), _)| (group, user)).collect();
    let other: BTreeSet<_> = of_groups.into_iter().map(|((_, group, user), _)| (group, user)).collect();
    assert_eq!(one, other, "a membership that only one side knows of");
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (group, _) in &other {
        *counts.entry(group).or_default() += 1;
    }
    for (group, count) in counts {
        let key = (ACCOUNT.to_owned(), group.to_owned());
        assert_eq!(tables::GROUP_USERS_COUNT.get(transaction, &key).await.unwrap(), count);
    }
}

/// Asks a server that runs on what the kills left, with room for three more users.
async fn verify_answers(place: &Place, acknowledged: &Acknowledged, users: usize) {
    let quota = (users + 3).to_string();
    let server = place.run(place.command().env("REEVE_QUOTAS_USERS_PER_ACCOUNT_MAX", &quota));
    let root = place.root(&server).await;
    let listed = list(&root).await;
    assert_eq!(listed.len(), users);
    for (name, id) in listed.iter().take(50) {
        let user = GetUserRequest { user_name: Some(name.to_uppercase()) };
        let user = root.call(&user).await.unwrap().user.unwrap();
        assert_eq!((&user.user_name, &user.user_id), (name, id), "both look-ups agree");
    }
    // One acknowledged user in four is enough here: the store was looked at as a whole.
    for (name, step) in acknowledged.iter().step_by(4) {
        assert!(listed.contains_key(name), "{name}");
        let groups = ListGroupsForUserRequest { user_name: name.clone(), ..Default::default() };
        let groups: Vec<_> =
            root.call(&groups).await.unwrap().groups.into_iter().map(|g| g.group_name).collect();
        assert!(groups.is_empty() || groups == [group_of(name)]);
        assert!(*step < Step::InGroup || !groups.is_empty(), "{name} is not in its group");
        let policies = ListUserPoliciesRequest { user_name: name.clone(), ..Default::default() };
        let policies = root.call(&policies).await.unwrap().policy_names;
        assert!(*step < Step::HasPolicy || policies == ["own"], "{name} lost its policy");
        for policy in policies {
            let policy = GetUserPolicyRequest { user_name: name.clone(), policy_name: policy };
            assert_eq!(root.call(&policy).await.unwrap().policy_document, document_of(name));
        }
    }
    let members =
        GetGroupRequest { group_name: "g0".to_owned(), max_items: Some(1000), ..Default::default() };
    for user in root.call(&members).await.unwrap().users {
        assert!(listed.contains_key(&user.user_name) && group_of(&user.user_name) == "g0");
    }
    for more in 0..3 {
        let user = CreateUserRequest { user_name: format!("more{more}"), ..Default::default() };
        root.call(&user).await.unwrap_or_else(|error| panic!("the quota's free places are usable: {error}"));
    }
    let user = CreateUserRequest { user_name: "one-too-many".to_owned(), ..Default::default() };
    assert_eq!(root.call(&user).await.unwrap_err().code, "LimitExceeded");
}

/// Every user's name and id, as the listing has them.
async fn list(root: &Client) -> BTreeMap<String, String> {
    let mut listed = BTreeMap::new();
    let mut marker = None;
    loop {
        let request = ListUsersRequest { marker, max_items: Some(1000), ..Default::default() };
        let page = root.call(&request).await.unwrap();
        listed.extend(page.users.into_iter().map(|user| (user.user_name, user.user_id)));
        marker = page.marker;
        if !page.is_truncated {
            return listed;
        }
    }
}

/// The store, once the killed process has let go of it.
async fn opened(place: &Place) -> Arc<dyn Engine> {
    for _ in 0..50 {
        if let Ok(engine) = Sled::open(&SledConfig::new(place.data())) {
            return Arc::new(engine);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the store cannot be opened");
}

fn group_of(name: &str) -> String {
    format!("g{}", name.len() % 4)
}

fn document_of(name: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/{name}/*"}}}}"#
    )
}
