//! When passwords were last used: told at once, and written without a write for each sign-in.

use std::sync::Arc;

use reeve_chassis::PasswordUses;
use reeve_proto::iam::v1::{GetUserRequest, ListUsersRequest};
use reeve_server::config::EngineName;

use crate::world::{ACCOUNT, World};

/// The last use of a user's password, as both operations tell it.
async fn told(world: &World, name: &str) -> Option<i64> {
    let get = GetUserRequest { user_name: Some(name.to_owned()) };
    let user = world.root().call(&get).await.unwrap().user.unwrap();
    let listed = world.root().call(&ListUsersRequest::default()).await.unwrap().users;
    let listed = listed.into_iter().find(|user| user.user_name == name).unwrap();
    assert_eq!(listed.password_last_used, user.password_last_used);
    user.password_last_used.map(|time| time.seconds)
}

#[tokio::test]
async fn a_use_is_told_at_once_and_outlives_the_server() {
    let mut uses: Arc<PasswordUses> = Arc::default();
    let world = World::made(
        |config| config.engine = EngineName::Sled,
        async |environment| uses = Arc::clone(&environment.password_uses),
    )
    .await;
    let alice = world.user("alice").await.record.user_id;
    assert_eq!(told(&world, "alice").await, None);
    let before = world.commits();
    for second in 0..600 {
        uses.note(ACCOUNT, &alice, 1_000 + second);
    }
    assert_eq!(told(&world, "alice").await, Some(1_300), "the first use of each five minutes");
    assert_eq!(world.commits(), before, "nothing was written");
    let world = world.restarted().await;
    assert_eq!(told(&world, "alice").await, Some(1_300), "it was written when the server stopped");
}

#[tokio::test]
async fn uses_of_many_are_written_together() {
    let world = World::start().await;
    let uses = PasswordUses::default();
    for number in 0..50 {
        let user = world.user(&format!("user-{number}")).await;
        uses.note(ACCOUNT, &user.record.user_id, 1_000 + number);
    }
    uses.note(ACCOUNT, "AIDAWHOISGONE", 1_000);
    let before = world.commits();
    uses.write(world.engine(), 2_000).await.unwrap();
    assert_eq!(world.commits(), before + 1);
    assert_eq!(told(&world, "user-7").await, Some(1_007));
    uses.write(world.engine(), 2_000).await.unwrap();
    assert_eq!(world.commits(), before + 1, "nothing is left to write");
}
