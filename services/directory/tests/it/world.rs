//! A store with one account, and the loop that a pipeline runs around every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reeve_directory::group::NewGroup;
use reeve_directory::policy::NewPolicy;
use reeve_directory::record::{GroupRecord, PolicyRecord, RoleRecord, UserRecord};
use reeve_directory::role::NewRole;
use reeve_directory::user::NewUser;
use reeve_directory::{Directory, Error, PermissionsCache, Random, Result, Settings};
use reeve_proto::error::v1::ErrorReason;
use reeve_storage::{Engine, Memory, Transaction};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER_ACCOUNT: &str = "444455556666";
pub(crate) const NOW: i64 = 1_700_000_000;
const RERUNS_MAX: usize = 10_000;

pub(crate) struct World {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) settings: Settings,
    seed: AtomicU64,
}

/// Numbers that never repeat in a world.
pub(crate) struct Draws(u64);

impl Random for Draws {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[1];
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self::empty();
        for account in [ACCOUNT, OTHER_ACCOUNT] {
            world.run(async |directory| directory.accounts().create(account).await).await.unwrap();
        }
        world
    }

    pub(crate) fn empty() -> Self {
        Self { engine: Arc::new(Memory::new()), settings: Settings::default(), seed: AtomicU64::new(1) }
    }

    pub(crate) fn begin(&self) -> Transaction {
        Transaction::begin(self.engine.clone())
    }

    pub(crate) fn cache(&self) -> PermissionsCache {
        PermissionsCache::new(self.engine.clone(), &self.settings.partition, 100)
    }

    /// Runs `body` in `transaction`, without committing.
    pub(crate) async fn within<T>(
        &self,
        transaction: &mut Transaction,
        account: &str,
        body: impl AsyncFnOnce(&mut Directory<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut random = Draws(self.seed.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed));
        let mut directory =
            Directory { transaction, account, settings: &self.settings, now: NOW, random: &mut random };
        body(&mut directory).await
    }

    /// Runs `body` and commits, again after each conflict; a refusal is proved too.
    pub(crate) async fn run_in<T>(
        &self,
        account: &str,
        body: impl AsyncFn(&mut Directory<'_>) -> Result<T>,
    ) -> Result<T> {
        for _ in 0..RERUNS_MAX {
            let mut transaction = self.begin();
            let answer = self.within(&mut transaction, account, &body).await;
            let finished = match &answer {
                Ok(_) => transaction.finish().await,
                Err(error) if error.is_conflict() => continue,
                Err(_) => transaction.finish_without_writes().await,
            };
            match finished {
                Ok(_) => return answer,
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        panic!("conflicts without end");
    }

    pub(crate) async fn run<T>(&self, body: impl AsyncFn(&mut Directory<'_>) -> Result<T>) -> Result<T> {
        self.run_in(ACCOUNT, body).await
    }

    pub(crate) async fn user(&self, name: &str) -> UserRecord {
        let new = NewUser { name: name.to_owned(), ..NewUser::default() };
        self.run(async |directory| directory.users().create(new.clone()).await).await.unwrap()
    }

    pub(crate) async fn group(&self, name: &str) -> GroupRecord {
        let new = NewGroup { name: name.to_owned(), path: None };
        self.run(async |directory| directory.groups().create(new.clone()).await).await.unwrap()
    }

    pub(crate) async fn role(&self, name: &str, trust_policy: &str) -> Result<RoleRecord> {
        let new =
            NewRole { name: name.to_owned(), trust_policy: trust_policy.to_owned(), ..NewRole::default() };
        self.run(async |directory| directory.roles().create(new.clone()).await).await
    }

    pub(crate) async fn policy(&self, name: &str) -> PolicyRecord {
        let new =
            NewPolicy { name: name.to_owned(), document: allow("s3:GetObject"), ..NewPolicy::default() };
        self.run(async |directory| directory.policies().create(new.clone()).await).await.unwrap()
    }
}

/// A document that allows one action.
pub(crate) fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    )
}

/// A trust policy that trusts one principal.
pub(crate) fn trusting(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

pub(crate) fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

/// Checks that a call was refused for this reason in these words.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T>, reason: ErrorReason, message: &str) {
    let error: Error = answer.expect_err("the call should have been refused");
    assert_eq!((error.reason, error.message.as_str()), (reason, message));
}
