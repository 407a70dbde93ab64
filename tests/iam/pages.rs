//! Listings page by page: every item once, in order, whatever the size of a page; and markers that are good for nothing
//! but the next page of their own listing.

use reeve_chassis::client::CallError;
use reeve_proto::iam::v1::{
    AddUserToGroupRequest, AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest,
    CreateAccessKeyRequest, CreatePolicyVersionRequest, GetGroupRequest, ListAccessKeysRequest,
    ListAttachedGroupPoliciesRequest, ListAttachedRolePoliciesRequest, ListAttachedUserPoliciesRequest,
    ListGroupPoliciesRequest, ListGroupsForUserRequest, ListGroupsRequest, ListPoliciesRequest,
    ListPolicyVersionsRequest, ListRolePoliciesRequest, ListRolesRequest, ListUserPoliciesRequest,
    ListUsersRequest, PutGroupPolicyRequest, PutRolePolicyRequest, PutUserPolicyRequest,
};

use super::is_refused_unwritten;
use crate::world::{ACCOUNT, World, allow, document, refused, trust};

/// How many there are of everything that can be listed; two of access keys.
const ITEMS: usize = 5;

/// A world in which every listing of "same" has several items.
async fn furnished() -> World {
    let world = World::start().await;
    let root = world.root();
    let same = || "same".to_owned();
    let text = document(&allow("s3:GetObject", "*"));
    world.user("same").await;
    world.role("same", &trust(ACCOUNT)).await;
    world.group("same").await;
    root.call(&CreateAccessKeyRequest { user_name: Some(same()) }).await.unwrap();
    for number in 0..ITEMS {
        let name = format!("item-{number}");
        if number > 0 {
            world.user(&name).await;
            world.group(&name).await;
            world.role(&name, &trust(ACCOUNT)).await;
            let more = CreatePolicyVersionRequest {
                policy_arn: world.arn("policy/item-0"),
                policy_document: text.clone(),
                set_as_default: None,
            };
            root.call(&more).await.unwrap();
        } else {
            world.policy(&name, &allow("s3:*", "*")).await;
        }
        let (user, group) = if number > 0 { (name.clone(), name.clone()) } else { (same(), same()) };
        root.call(&AddUserToGroupRequest { group_name: same(), user_name: user }).await.unwrap();
        root.call(&AddUserToGroupRequest { group_name: group, user_name: same() }).await.unwrap();
        if number > 0 {
            world.policy(&name, &allow("s3:*", "*")).await;
        }
        let policy_arn = world.arn(&format!("policy/{name}"));
        root.call(&AttachUserPolicyRequest { user_name: same(), policy_arn: policy_arn.clone() })
            .await
            .unwrap();
        root.call(&AttachGroupPolicyRequest { group_name: same(), policy_arn: policy_arn.clone() })
            .await
            .unwrap();
        root.call(&AttachRolePolicyRequest { role_name: same(), policy_arn }).await.unwrap();
        let (policy_name, policy_document) = (name, text.clone());
        let user = PutUserPolicyRequest {
            user_name: same(),
            policy_name: policy_name.clone(),
            policy_document: policy_document.clone(),
        };
        root.call(&user).await.unwrap();
        let group = PutGroupPolicyRequest {
            group_name: same(),
            policy_name: policy_name.clone(),
            policy_document: policy_document.clone(),
        };
        root.call(&group).await.unwrap();
        root.call(&PutRolePolicyRequest { role_name: same(), policy_name, policy_document }).await.unwrap();
    }
    world
}

/// A page: its items as texts, whether more follow, and from where.
type Page = Result<(Vec<String>, bool, Option<String>), CallError>;

/// Reads the listing in pages of every size, and then as a whole.
async fn is_paged(items: usize, mut page: impl AsyncFnMut(Option<String>, Option<i32>) -> Page) {
    let (whole, more, marker) = page(None, None).await.unwrap();
    assert_eq!((whole.len(), more, marker), (items, false, None));
    for size in 1..=items {
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let (names, more, next) = page(marker, Some(i32::try_from(size).unwrap())).await.unwrap();
            assert!(names.len() == size || !more, "a page that is not the last is full");
            assert_eq!(more, next.is_some());
            assert!(next.as_ref().is_none_or(|marker| marker.len() <= 320), "AWS's limit");
            found.extend(names);
            marker = next;
            if !more {
                break;
            }
        }
        assert_eq!(found, whole, "in pages of {size}");
    }
    let tampered = page(None, Some(1)).await.unwrap().2.unwrap();
    for at in [0, tampered.len() / 2, tampered.len() - 2] {
        let other = if tampered.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut marker = tampered.clone();
        marker.replace_range(at..=at, other);
        let error = refused(page(Some(marker), None).await);
        assert_eq!((error.code.as_str(), error.violations[0].0.as_str()), ("ValidationError", "marker"));
    }
}

macro_rules! page_tests {
    ($($test:ident: $items:expr, $request:ident { $($filter:ident: $value:expr),* }, $list:ident, |$item:ident| $text:expr;)*) => {$(
        #[tokio::test]
        async fn $test() {
            let world = furnished().await;
            is_paged($items, async |marker, max_items| {
                let request = $request { marker, max_items, $($filter: $value),* };
                let answer = world.root().call(&request).await?;
                let items = answer.$list.into_iter().map(|$item| $text).collect();
                Ok((items, answer.is_truncated, answer.marker))
            })
            .await;
        }
    )*};
}

page_tests! {
    users_are_paged: ITEMS, ListUsersRequest { path_prefix: None }, users, |user| user.user_name;
    groups_are_paged: ITEMS, ListGroupsRequest { path_prefix: None }, groups, |group| group.group_name;
    roles_are_paged: ITEMS, ListRolesRequest { path_prefix: None }, roles, |role| role.role_name;
    policies_are_paged: ITEMS, ListPoliciesRequest { scope: None, only_attached: None, path_prefix: None, policy_usage_filter: None }, policies, |policy| policy.policy_name.unwrap();
    versions_are_paged: ITEMS,
        ListPolicyVersionsRequest { policy_arn: "arn:aws:iam::123456789012:policy/item-0".to_owned() },
        versions, |version| version.version_id.unwrap();
    users_of_a_group_are_paged: ITEMS, GetGroupRequest { group_name: "same".to_owned() }, users, |user| user.user_name;
    groups_of_a_user_are_paged: ITEMS, ListGroupsForUserRequest { user_name: "same".to_owned() }, groups,
        |group| group.group_name;
    policies_attached_to_a_user_are_paged: ITEMS, ListAttachedUserPoliciesRequest { user_name: "same".to_owned(), path_prefix: None },
        attached_policies, |policy| policy.policy_name.unwrap();
    policies_attached_to_a_group_are_paged: ITEMS, ListAttachedGroupPoliciesRequest { group_name: "same".to_owned(), path_prefix: None },
        attached_policies, |policy| policy.policy_name.unwrap();
    policies_attached_to_a_role_are_paged: ITEMS, ListAttachedRolePoliciesRequest { role_name: "same".to_owned(), path_prefix: None },
        attached_policies, |policy| policy.policy_name.unwrap();
    policies_of_a_user_are_paged: ITEMS, ListUserPoliciesRequest { user_name: "same".to_owned() }, policy_names, |name| name;
    policies_of_a_group_are_paged: ITEMS, ListGroupPoliciesRequest { group_name: "same".to_owned() }, policy_names,
        |name| name;
    policies_of_a_role_are_paged: ITEMS, ListRolePoliciesRequest { role_name: "same".to_owned() }, policy_names, |name| name;
    access_keys_are_paged: 2, ListAccessKeysRequest { user_name: Some("same".to_owned()) }, access_key_metadata,
        |key| key.access_key_id.unwrap();
}

fn users(path_prefix: Option<&str>, marker: Option<String>) -> ListUsersRequest {
    ListUsersRequest { path_prefix: path_prefix.map(str::to_owned), marker, max_items: None }
}

#[tokio::test]
async fn a_marker_is_good_for_its_own_listing_alone() {
    let world = furnished().await;
    let first = ListUsersRequest { max_items: Some(1), ..Default::default() };
    let marker = world.root().call(&first).await.unwrap().marker;
    let rest = world.root().call(&users(None, marker.clone())).await.unwrap().users;
    assert_eq!(rest.len(), ITEMS - 1);
    let because = "Invalid Marker";
    let other_filter = users(Some("/a/"), marker.clone());
    is_refused_unwritten(&world, &other_filter, "ValidationError", because).await;
    let other_operation = ListRolesRequest { marker: marker.clone(), ..Default::default() };
    is_refused_unwritten(&world, &other_operation, "ValidationError", because).await;
    let of_group = GetGroupRequest { group_name: "same".to_owned(), marker, max_items: None };
    is_refused_unwritten(&world, &of_group, "ValidationError", because).await;
    let invented = users(None, Some("alice".to_owned()));
    is_refused_unwritten(&world, &invented, "ValidationError", because).await;
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_although_that_item_is_gone() {
    let world = World::start().await;
    for name in ["a", "b", "c", "d"] {
        world.group(name).await;
    }
    let names = |answer: &reeve_proto::iam::v1::ListGroupsResponse| {
        answer.groups.iter().map(|group| group.group_name.clone()).collect::<Vec<_>>()
    };
    let first = ListGroupsRequest { max_items: Some(2), ..Default::default() };
    let first = world.root().call(&first).await.unwrap();
    assert_eq!(names(&first), ["a", "b"]);
    let delete = reeve_proto::iam::v1::DeleteGroupRequest { group_name: "b".to_owned() };
    world.root().call(&delete).await.unwrap();
    world.group("aa").await;
    let next = ListGroupsRequest { marker: first.marker, ..Default::default() };
    assert_eq!(names(&world.root().call(&next).await.unwrap()), ["c", "d"]);
}
