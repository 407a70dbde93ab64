//! Lists of what Reeve does not keep: empty, for whoever may ask and about whoever is there.

use reeve_proto::iam::v1::{
    ListInstanceProfilesForRoleRequest, ListServiceSpecificCredentialsRequest,
    ListSigningCertificatesRequest, ListSshPublicKeysRequest,
};

use super::is_refused;
use crate::world::{ACCOUNT, World, allow, code, trust};

#[tokio::test]
async fn lists_of_what_is_not_kept_are_empty() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.role("reader", &trust(ACCOUNT)).await;
    let root = world.root();
    let role_name = "reader".to_owned();
    let profiles = root.call(&ListInstanceProfilesForRoleRequest { role_name, ..Default::default() }).await;
    assert_eq!(profiles.unwrap(), Default::default());
    world.allow(&alice, &allow("iam:List*", world.arn("user/alice"))).await;
    for user_name in [None, Some("alice".to_owned())] {
        let keys = ListSshPublicKeysRequest { user_name: user_name.clone(), ..Default::default() };
        assert_eq!(alice.call(&keys).await.unwrap(), Default::default());
        let certificates =
            ListSigningCertificatesRequest { user_name: user_name.clone(), ..Default::default() };
        assert_eq!(alice.call(&certificates).await.unwrap(), Default::default());
        let credentials = ListServiceSpecificCredentialsRequest { user_name, ..Default::default() };
        assert_eq!(alice.call(&credentials).await.unwrap(), Default::default());
    }
    let of_all = ListServiceSpecificCredentialsRequest { all_users: Some(true), ..Default::default() };
    assert_eq!(root.call(&of_all).await.unwrap(), Default::default());
}

#[tokio::test]
async fn whom_they_would_hang_on_must_be_there() {
    let world = World::start().await;
    let missing = "The role with name nothing cannot be found.";
    let role_name = "nothing".to_owned();
    let profiles = ListInstanceProfilesForRoleRequest { role_name, ..Default::default() };
    is_refused(world.root().call(&profiles).await, "NoSuchEntity", missing);
    let missing = "The user with name nobody cannot be found.";
    let user_name = Some("nobody".to_owned());
    let keys = ListSshPublicKeysRequest { user_name, ..Default::default() };
    is_refused(world.root().call(&keys).await, "NoSuchEntity", missing);
    let marker = Some("anything".to_owned());
    let page = ListSshPublicKeysRequest { marker, ..Default::default() };
    assert_eq!(code(world.root().call(&page).await), "ValidationError");
}
