//! Policies embedded in users, groups and roles.

use reeve_proto::iam::v1::{
    DeleteGroupPolicyRequest, DeleteRolePolicyRequest, DeleteUserPolicyRequest, GetGroupPolicyRequest,
    GetRolePolicyRequest, GetUserPolicyRequest, GetUserRequest, ListGroupPoliciesRequest,
    ListRolePoliciesRequest, ListUserPoliciesRequest, PutGroupPolicyRequest, PutRolePolicyRequest,
    PutUserPolicyRequest,
};

use super::{is_refused, is_refused_unwritten};
use crate::world::{ACCOUNT, World, allow, code, document, trust};

/// A world with a user, a group and a role, all of one name.
async fn furnished() -> World {
    let world = World::start().await;
    world.user("same").await;
    world.group("same").await;
    world.role("same", &trust(ACCOUNT)).await;
    world
}

/// A document of so many characters.
fn of_size(characters: usize) -> String {
    let text = |fill: usize| document(&allow("s3:GetObject", format!("arn:aws:s3:::{}", "a".repeat(fill))));
    text(characters - text(0).len())
}

/// The same tests for each kind of holder.
macro_rules! inline_policies_of {
    ($kind:ident, $name:ident, $put:ident, $get:ident, $delete:ident, $list:ident, $size_max:literal) => {
        mod $kind {
            use super::*;

            const KIND: &str = stringify!($kind);

            fn put(policy_name: &str, policy_document: &str) -> $put {
                let (policy_name, policy_document) = (policy_name.to_owned(), policy_document.to_owned());
                $put { $name: "same".to_owned(), policy_name, policy_document }
            }

            fn get(policy_name: &str) -> $get {
                $get { $name: "SAME".to_owned(), policy_name: policy_name.to_owned() }
            }

            fn delete(policy_name: &str) -> $delete {
                $delete { $name: "same".to_owned(), policy_name: policy_name.to_owned() }
            }

            async fn names(world: &World) -> Vec<String> {
                let request = $list { $name: "same".to_owned(), ..Default::default() };
                let answer = world.root().call(&request).await.unwrap();
                assert!(!answer.is_truncated);
                answer.policy_names
            }

            #[tokio::test]
            async fn a_policy_is_put_got_replaced_listed_and_deleted() {
                let world = furnished().await;
                let (read, write) =
                    (document(&allow("s3:GetObject", "*")), document(&allow("s3:PutObject", "*")));
                world.root().call(&put("Own", &read)).await.unwrap();
                world.root().call(&put("another", &read)).await.unwrap();
                world.root().call(&put("own", &write)).await.unwrap();
                assert_eq!(names(&world).await, ["another", "own"]);
                let got = world.root().call(&get("OWN")).await.unwrap();
                assert_eq!(
                    (got.$name, got.policy_name, got.policy_document),
                    ("same".into(), "own".into(), write)
                );
                world.root().call(&delete("Own")).await.unwrap();
                assert_eq!(names(&world).await, ["another"]);
                let missing = format!("The {KIND} policy with name own cannot be found.");
                is_refused(world.root().call(&get("own")).await, "NoSuchEntity", &missing);
                is_refused(world.root().call(&delete("own")).await, "NoSuchEntity", &missing);
            }

            #[tokio::test]
            async fn only_what_exists_holds_policies() {
                let world = World::start().await;
                let missing = format!("The {KIND} with name same cannot be found.");
                let text = document(&allow("s3:GetObject", "*"));
                is_refused(world.root().call(&put("own", &text)).await, "NoSuchEntity", &missing);
                is_refused(world.root().call(&delete("own")).await, "NoSuchEntity", &missing);
                let list = $list { $name: "same".to_owned(), ..Default::default() };
                is_refused(world.root().call(&list).await, "NoSuchEntity", &missing);
            }

            #[tokio::test]
            async fn all_of_them_together_have_a_size() {
                let world = furnished().await;
                let half = $size_max / 2;
                world.root().call(&put("one", &of_size(half))).await.unwrap();
                world.root().call(&put("two", &of_size(half))).await.unwrap();
                let because = format!("Maximum policy size of {} bytes exceeded for {KIND} same", $size_max);
                let third = put("three", &document(&allow("s3:*", "*")));
                is_refused_unwritten(&world, &third, "LimitExceeded", &because).await;
                let larger = put("two", &of_size(half + 1));
                is_refused_unwritten(&world, &larger, "LimitExceeded", &because).await;
                // What is replaced does not count any more.
                world.root().call(&put("two", &of_size(half))).await.unwrap();
            }

            #[tokio::test]
            async fn what_is_stored_is_minified() {
                let world = furnished().await;
                let text = document(&allow("s3:GetObject", "*"));
                let spaced = text.replace(',', " ,\n\t");
                world.root().call(&put("own", &spaced)).await.unwrap();
                assert_eq!(world.root().call(&get("own")).await.unwrap().policy_document, text);
            }
        }
    };
}

inline_policies_of!(
    user,
    user_name,
    PutUserPolicyRequest,
    GetUserPolicyRequest,
    DeleteUserPolicyRequest,
    ListUserPoliciesRequest,
    2048
);
inline_policies_of!(
    group,
    group_name,
    PutGroupPolicyRequest,
    GetGroupPolicyRequest,
    DeleteGroupPolicyRequest,
    ListGroupPoliciesRequest,
    5120
);
inline_policies_of!(
    role,
    role_name,
    PutRolePolicyRequest,
    GetRolePolicyRequest,
    DeleteRolePolicyRequest,
    ListRolePoliciesRequest,
    10240
);

#[tokio::test]
async fn what_is_embedded_counts_from_the_next_call_on() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let own = GetUserRequest::default();
    let put = |text: String| PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "own".to_owned(),
        policy_document: text,
    };
    assert_eq!(code(alice.call(&own).await), "AccessDenied");
    world.root().call(&put(document(&allow("iam:GetUser", "*")))).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "");
    world.root().call(&put(document(&allow("iam:ListUsers", "*")))).await.unwrap();
    assert_eq!(code(alice.call(&own).await), "AccessDenied");
}
