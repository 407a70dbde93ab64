//! A user with an access key, who can be asked to call.

use std::ops::Deref;

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::iam::v1::{AccessKey, CreateAccessKeyRequest, CreateUserRequest, User as UserRecord};
use zeroize::Zeroizing;

use super::World;

/// A user who calls: it is its own client.
pub(crate) struct User {
    /// What CreateUser answered.
    pub(crate) record: UserRecord,
    /// What CreateAccessKey answered.
    pub(crate) key: AccessKey,
    client: Client,
}

impl User {
    /// A new user, on the root's connection.
    pub(crate) async fn create(world: &World, name: &str) -> Self {
        let request = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
        Self::of(world, &request).await
    }

    /// A new user as `request` says, with a key.
    pub(crate) async fn of(world: &World, request: &CreateUserRequest) -> Self {
        let record = world.root().call(request).await.unwrap().user.unwrap();
        let request = CreateAccessKeyRequest { user_name: Some(record.user_name.clone()) };
        let key = world.root().call(&request).await.unwrap().access_key.unwrap();
        let client = world.client(credentials(&key));
        Self { record, key, client }
    }

    /// A user who is there already, with its key and a client that signs with it.
    pub(crate) fn known(record: UserRecord, key: AccessKey, client: Client) -> Self {
        Self { record, key, client }
    }

    /// What it signs with.
    pub(crate) fn credentials(&self) -> Credentials {
        credentials(&self.key)
    }
}

impl Deref for User {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// What an access key signs with.
pub(crate) fn credentials(key: &AccessKey) -> Credentials {
    Credentials {
        access_key_id: key.access_key_id.clone(),
        secret_access_key: Zeroizing::new(key.secret_access_key.clone()),
        session_token: None,
    }
}
