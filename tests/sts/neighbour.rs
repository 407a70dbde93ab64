//! A second account on the same server. There is no operation that makes one yet, so it is made where accounts are kept.

use reeve_chassis::client::{Client, Credentials};
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_chassis::seal::Purpose;
use reeve_chassis::{Environment, SystemRandom, secret_access_key};
use reeve_directory::Owner;
use reeve_directory::access_key::NewAccessKey;
use reeve_directory::{Directory, id};
use reeve_proto::iam::v1::{
    CreateAccessKeyRequest, CreateRoleRequest, CreateUserRequest, PutUserPolicyRequest, Role, User,
};
use reeve_storage::Transaction;
use serde_json::Value;

use crate::world::{World, credentials, document};

/// The account next door.
pub(crate) const NEIGHBOUR: &str = "210987654321";

/// A world with a second account, and that account's root.
pub(crate) async fn start() -> (World, Client) {
    let mut root = None;
    let world = World::made(|_| {}, async |environment| root = Some(create(environment).await)).await;
    let root = world.client(root.unwrap());
    (world, root)
}

/// Creates the account.
pub(crate) async fn create(environment: &Environment) -> Credentials {
    let mut random = SystemRandom::new();
    let access_key_id = id::access_key(NEIGHBOUR, &mut random);
    let secret = secret_access_key(&mut random);
    let (associated, plain) = (access_key_id.as_bytes(), secret.as_bytes());
    let sealed_secret =
        environment.keyring.seal(Purpose::AccessKeySecret, associated, plain, &mut random).unwrap();
    let mut transaction = Transaction::begin(environment.engine.clone());
    let mut directory = Directory {
        transaction: &mut transaction,
        account: NEIGHBOUR,
        settings: &environment.settings,
        now: SystemClock.now().seconds(),
        random: &mut random,
    };
    directory.accounts().create(NEIGHBOUR).await.unwrap();
    let key = NewAccessKey { access_key_id: access_key_id.clone(), sealed_secret };
    directory.access_keys().create(Owner::Root, key).await.unwrap();
    transaction.finish().await.unwrap();
    Credentials { access_key_id, secret_access_key: secret, session_token: None }
}

/// A user of the account whose root is `root`, with a key, and with a policy of `statements` if there are any.
pub(crate) async fn user(root: &Client, name: &str, statements: Option<Value>) -> (User, Client) {
    let request = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
    let user = root.call(&request).await.unwrap().user.unwrap();
    if let Some(statements) = statements {
        let request = PutUserPolicyRequest {
            user_name: name.to_owned(),
            policy_name: "own".to_owned(),
            policy_document: document(&statements),
        };
        root.call(&request).await.unwrap();
    }
    let key = root.call(&CreateAccessKeyRequest { user_name: Some(name.to_owned()) }).await.unwrap();
    (user, root.signed(credentials(&key.access_key.unwrap())))
}

/// A role of the account whose root is `root`.
pub(crate) async fn role(root: &Client, name: &str, trust: &Value) -> Role {
    let request = CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: trust.to_string(),
        ..Default::default()
    };
    root.call(&request).await.unwrap().role.unwrap()
}
