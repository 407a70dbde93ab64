//! Many calls at once, on both engines: a name has one owner, a quota is never passed, and calls that only get in each
//! other's way all succeed.

use std::collections::BTreeMap;

use reeve_chassis::client::{CallError, Client};
use reeve_proto::Operation;
use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachUserPolicyRequest, CreateAccessKeyRequest, CreateGroupRequest,
    CreateUserRequest, GetGroupRequest, ListAttachedUserPoliciesRequest, ListGroupsRequest, ListUsersRequest,
    UpdateUserRequest,
};

use crate::world::{World, allow};

/// Calls at the same time.
const CALLS: usize = 64;

/// Makes all calls at once; how often each code was answered, the empty one for success.
async fn at_once<O: Operation>(
    client: &Client,
    requests: impl Iterator<Item = O>,
) -> BTreeMap<String, usize> {
    let calls: Vec<_> = requests
        .map(|request| {
            let client = client.clone();
            tokio::spawn(async move { client.call(&request).await.map(|_| ()) })
        })
        .collect();
    let mut codes = BTreeMap::new();
    for call in calls {
        let answer: Result<(), CallError> = call.await.unwrap();
        *codes.entry(answer.err().map(|error| error.code).unwrap_or_default()).or_default() += 1;
    }
    codes
}

fn codes<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.map(|(code, count)| (code.to_owned(), count)).into()
}

async fn one_name_is_given_once(world: &World) {
    // The same name to users in as many spellings as there are calls.
    let spellings = (0..CALLS).map(|number| {
        let spelled = |(at, c): (usize, char)| if number >> at & 1 == 1 { c.to_ascii_uppercase() } else { c };
        CreateUserRequest {
            user_name: "wanted".chars().enumerate().map(spelled).collect(),
            ..Default::default()
        }
    });
    let answers = at_once(world.root(), spellings).await;
    assert_eq!(answers, codes([("", 1), ("EntityAlreadyExists", CALLS - 1)]));
    assert_eq!(world.root().call(&ListUsersRequest::default()).await.unwrap().users.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_name_is_given_once_in_memory() {
    one_name_is_given_once(&World::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_name_is_given_once_on_disk() {
    let world = World::on_disk().await;
    one_name_is_given_once(&world).await;
    let world = world.restarted().await;
    assert_eq!(world.root().call(&ListUsersRequest::default()).await.unwrap().users.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_quota_is_used_up_and_never_passed() {
    for on_disk in [false, true] {
        let world = World::configured(|config| {
            config.quotas.groups_per_account_max = 10;
            if on_disk {
                config.engine = reeve_server::config::EngineName::Sled;
            }
        })
        .await;
        let requests = (0..CALLS)
            .map(|number| CreateGroupRequest { group_name: format!("group-{number}"), ..Default::default() });
        let answers = at_once(world.root(), requests).await;
        assert_eq!(answers, codes([("", 10), ("LimitExceeded", CALLS - 10)]));
        assert_eq!(world.root().call(&ListGroupsRequest::default()).await.unwrap().groups.len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_users_join_one_group_at_once() {
    let world = World::start().await;
    world.group("crowd").await;
    let requests = (0..CALLS)
        .map(|number| CreateUserRequest { user_name: format!("user-{number}"), ..Default::default() });
    assert_eq!(at_once(world.root(), requests).await, codes([("", CALLS)]));
    let requests = (0..CALLS).map(|number| AddUserToGroupRequest {
        group_name: "crowd".to_owned(),
        user_name: format!("user-{number}"),
    });
    assert_eq!(at_once(world.root(), requests).await, codes([("", CALLS)]));
    let group = GetGroupRequest { group_name: "crowd".to_owned(), ..Default::default() };
    assert_eq!(world.root().call(&group).await.unwrap().users.len(), CALLS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_change_one_user_are_run_again_until_all_have() {
    let world = World::start().await;
    world.user("alice").await;
    let mut arns = Vec::new();
    for number in 0..10 {
        arns.push(world.policy(&format!("policy-{number}"), &allow("s3:*", "*")).await);
    }
    let requests = arns
        .into_iter()
        .map(|policy_arn| AttachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn });
    assert_eq!(at_once(world.root(), requests).await, codes([("", 10)]));
    let list = ListAttachedUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
    assert_eq!(world.root().call(&list).await.unwrap().attached_policies.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_change_one_record_are_run_again_on_disk_too() {
    let world = World::on_disk().await;
    world.user("alice").await;
    let requests = (0..CALLS).map(|number| UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_path: Some(format!("/path-{number}/")),
        new_user_name: None,
    });
    assert_eq!(at_once(world.root(), requests).await, codes([("", CALLS)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_never_has_a_third_key() {
    let world = World::start().await;
    world.user("alice").await;
    let requests = (0..16).map(|_| CreateAccessKeyRequest { user_name: Some("alice".to_owned()) });
    assert_eq!(at_once(world.root(), requests).await, codes([("", 1), ("LimitExceeded", 15)]));
}
