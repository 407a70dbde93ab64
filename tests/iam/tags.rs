//! Tags of users, roles and managed policies: what they are, who may change them, and that a change is seen by the very
//! next call.

use reeve_proto::iam::v1::{
    CreateRoleRequest, CreateUserRequest, GetPolicyRequest, GetRoleRequest, GetUserRequest,
    ListPolicyTagsRequest, ListRoleTagsRequest, ListUserTagsRequest, Tag, TagPolicyRequest, TagRoleRequest,
    TagUserRequest, UntagPolicyRequest, UntagRoleRequest, UntagUserRequest,
};
use serde_json::json;

use super::{is_refused, is_refused_unwritten, tag};
use crate::world::{ACCOUNT, World, allow, code, refused, trust};

fn name() -> String {
    "alice".to_owned()
}

fn tag_user(tags: Vec<Tag>) -> TagUserRequest {
    TagUserRequest { user_name: name(), tags }
}

fn untag_user(keys: &[&str]) -> UntagUserRequest {
    UntagUserRequest { user_name: name(), tag_keys: keys.iter().map(|key| (*key).to_owned()).collect() }
}

async fn tags_of_alice(world: &World) -> Vec<Tag> {
    let request = ListUserTagsRequest { user_name: name(), ..Default::default() };
    world.root().call(&request).await.unwrap().tags
}

#[tokio::test]
async fn tags_are_added_replaced_listed_by_key_and_taken_away() {
    let world = World::start().await;
    world.user("alice").await;
    world.root().call(&tag_user(vec![tag("team", "red"), tag("cost", "1")])).await.unwrap();
    assert_eq!(tags_of_alice(&world).await, [tag("cost", "1"), tag("team", "red")]);
    // The key is the same without case, and stands as it was given last.
    world.root().call(&tag_user(vec![tag("Team", "blue")])).await.unwrap();
    assert_eq!(tags_of_alice(&world).await, [tag("Team", "blue"), tag("cost", "1")]);
    let user = world.root().call(&GetUserRequest { user_name: Some(name()) }).await.unwrap().user.unwrap();
    assert_eq!(user.tags, [tag("cost", "1"), tag("Team", "blue")]);
    world.root().call(&untag_user(&["TEAM", "nothing"])).await.unwrap();
    assert_eq!(tags_of_alice(&world).await, [tag("cost", "1")]);
}

#[tokio::test]
async fn roles_and_policies_carry_tags_alike() {
    let world = World::start().await;
    world.role("alice", &trust(ACCOUNT)).await;
    let policy_arn = world.policy("reader", &allow("s3:GetObject", "*")).await;
    let root = world.root();
    let tags = || vec![tag("team", "red"), tag("cost", "1")];
    let keys = || vec!["cost".to_owned()];
    root.call(&TagRoleRequest { role_name: name(), tags: tags() }).await.unwrap();
    root.call(&UntagRoleRequest { role_name: name(), tag_keys: keys() }).await.unwrap();
    root.call(&TagPolicyRequest { policy_arn: policy_arn.clone(), tags: tags() }).await.unwrap();
    root.call(&UntagPolicyRequest { policy_arn: policy_arn.clone(), tag_keys: keys() }).await.unwrap();

    let listed = root.call(&ListRoleTagsRequest { role_name: name(), ..Default::default() }).await.unwrap();
    assert_eq!(listed.tags, [tag("team", "red")]);
    let role = root.call(&GetRoleRequest { role_name: name() }).await.unwrap().role.unwrap();
    assert_eq!(role.tags, [tag("team", "red")]);
    let request = ListPolicyTagsRequest { policy_arn: policy_arn.clone(), ..Default::default() };
    assert_eq!(root.call(&request).await.unwrap().tags, [tag("team", "red")]);
    let policy = root.call(&GetPolicyRequest { policy_arn }).await.unwrap().policy.unwrap();
    assert_eq!(policy.tags, [tag("team", "red")]);
    assert_eq!(policy.update_date, policy.create_date, "a tag is no new version");
}

#[tokio::test]
async fn tags_come_page_by_page() {
    let world = World::start().await;
    world.user("alice").await;
    // Long keys that differ at their ends alone, and take four bytes a character.
    let mut keys: Vec<String> = (0..5).map(|number| format!("{}{number}", "\u{20000}".repeat(120))).collect();
    keys.extend(["a".to_owned(), "b".to_owned()]);
    keys.sort();
    let tags = keys.iter().map(|key| tag(key, "")).collect();
    world.root().call(&tag_user(tags)).await.unwrap();
    let mut seen = Vec::new();
    let mut request = ListUserTagsRequest { user_name: name(), max_items: Some(2), ..Default::default() };
    loop {
        let page = world.root().call(&request).await.unwrap();
        assert!(page.tags.len() <= 2);
        assert_eq!(page.is_truncated, page.marker.is_some());
        seen.extend(page.tags.into_iter().map(|tag| tag.key));
        request.marker = page.marker;
        if request.marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, keys);
}

#[tokio::test]
async fn what_does_not_exist_has_no_tags() {
    let world = World::start().await;
    let missing = "The user with name alice cannot be found.";
    is_refused(world.root().call(&tag_user(vec![tag("a", "b")])).await, "NoSuchEntity", missing);
    is_refused(world.root().call(&untag_user(&["a"])).await, "NoSuchEntity", missing);
    let list = ListUserTagsRequest { user_name: name(), ..Default::default() };
    is_refused(world.root().call(&list).await, "NoSuchEntity", missing);
    let policy_arn = world.arn("policy/nothing");
    let because = format!("Policy {policy_arn} was not found.");
    let tags = vec![tag("a", "b")];
    is_refused(world.root().call(&TagPolicyRequest { policy_arn, tags }).await, "NoSuchEntity", &because);
}

#[tokio::test]
async fn tags_that_cannot_stand_together_are_refused() {
    let world = World::start().await;
    world.user("alice").await;
    let duplicate = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    let twice = tag_user(vec![tag("team", "red"), tag("Team", "blue")]);
    is_refused_unwritten(&world, &twice, "InvalidInput", duplicate).await;
    for key in ["aws:team", "AWS:team"] {
        is_refused_unwritten(&world, &tag_user(vec![tag(key, "red")]), "InvalidInput", "system use").await;
    }
    let no_tags = refused(world.root().call(&tag_user(Vec::new())).await);
    let expected = "1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member must not be null";
    assert_eq!((no_tags.code.as_str(), no_tags.message.as_str()), ("ValidationError", expected));
}

#[tokio::test]
async fn so_many_tags_and_no_more() {
    let world = World::start().await;
    world.user("alice").await;
    let fifty = (0..50).map(|number| tag(&number.to_string(), "")).collect();
    world.root().call(&tag_user(fifty)).await.unwrap();
    let more = tag_user(vec![tag("more", "")]);
    is_refused_unwritten(&world, &more, "LimitExceeded", "Cannot exceed quota for TagsPerEntity: 50").await;
    // In place of one that is there already it fits.
    world.root().call(&tag_user(vec![tag("7", "other")])).await.unwrap();
    assert_eq!(tags_of_alice(&world).await.len(), 50);
}

#[tokio::test]
async fn which_tags_are_set_and_taken_can_be_limited() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    world.user("alice").await;
    let mut set = allow("iam:TagUser", "*");
    set["Condition"] = json!({
        "StringEquals": { "aws:RequestTag/team": ["red", "blue"] },
        "ForAllValues:StringEquals": { "aws:TagKeys": "team" },
    });
    let mut take = allow("iam:UntagUser", "*");
    take["Condition"] = json!({ "ForAllValues:StringEquals": { "aws:TagKeys": "cost" } });
    world.allow(&admin, &json!([set, take])).await;
    for (tags, expected) in [
        (vec![tag("team", "red")], ""),
        (vec![tag("team", "green")], "AccessDenied"),
        (vec![tag("team", "red"), tag("cost", "1")], "AccessDenied"),
    ] {
        assert_eq!(code(admin.call(&tag_user(tags)).await), expected);
    }
    assert_eq!(code(admin.call(&untag_user(&["cost"])).await), "");
    assert_eq!(code(admin.call(&untag_user(&["cost", "team"])).await), "AccessDenied");
}

#[tokio::test]
async fn whose_tags_are_changed_can_be_limited_by_the_tags_they_have() {
    let world = World::start().await;
    let admin = world.user("admin").await;
    let mut own = allow(json!(["iam:TagUser", "iam:UntagUser"]), "*");
    own["Condition"] = json!({ "StringEquals": { "iam:ResourceTag/team": "red" } });
    world.allow(&admin, &own).await;
    let create =
        CreateUserRequest { user_name: name(), tags: vec![tag("team", "blue")], ..Default::default() };
    world.root().call(&create).await.unwrap();
    // What the call would make of it is not what it is.
    let take_over = tag_user(vec![tag("team", "red")]);
    assert_eq!(code(admin.call(&take_over).await), "AccessDenied");
    world.root().call(&take_over).await.unwrap();
    assert_eq!(code(admin.call(&untag_user(&["team"])).await), "");
    assert_eq!(code(admin.call(&untag_user(&["team"])).await), "AccessDenied");
}

#[tokio::test]
async fn a_tag_of_the_caller_counts_from_the_very_next_call() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let mut own = allow("iam:GetUser", "*");
    own["Condition"] = json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } });
    world.allow(&alice, &own).await;
    for _ in 0..3 {
        assert_eq!(code(alice.call(&GetUserRequest::default()).await), "AccessDenied");
        world.root().call(&tag_user(vec![tag("team", "red")])).await.unwrap();
        assert_eq!(code(alice.call(&GetUserRequest::default()).await), "");
        world.root().call(&untag_user(&["Team"])).await.unwrap();
    }
}

#[tokio::test]
async fn a_tag_of_a_role_counts_for_its_living_sessions() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let request = CreateRoleRequest {
        role_name: "reader".to_owned(),
        assume_role_policy_document: trust(alice.record.arn.clone()).to_string(),
        ..Default::default()
    };
    let role = world.root().call(&request).await.unwrap().role.unwrap();
    let mut own = allow("iam:GetUser", "*");
    own["Condition"] = json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } });
    world.allow_role(&role, &own).await;
    let session = world.assume(&alice, &role).await;
    let get = GetUserRequest { user_name: Some(name()) };
    assert_eq!(code(session.call(&get).await), "AccessDenied");
    let tag_role = TagRoleRequest { role_name: "reader".to_owned(), tags: vec![tag("team", "red")] };
    world.root().call(&tag_role).await.unwrap();
    assert_eq!(code(session.call(&get).await), "");
}
