//! Compiled permissions, shared by all calls. An entry is kept with the reads it was built from; a look-up that finds it proves
//! those reads, by one atomic load when nothing has been written since they were last proved. So the cache is never
//! stale: what was changed shows at the very next call.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use reeve_evaluator::{Kind as DocumentKind, Policy};
use reeve_storage::{Engine, ReadSet, Transaction};

use crate::permissions::{self, Permissions, PrincipalKind};
use crate::resource::{self, Kind, Resource};
use crate::{Error, Result};

/// Principals that are kept when the operator says nothing.
pub const ENTRIES_MAX_DEFAULT: usize = 10_000;
/// Compiled documents that are kept for each principal kept.
const DOCUMENTS_PER_ENTRY: usize = 2;

/// Permissions of users and roles, and managed policies for sessions.
pub struct PermissionsCache {
    engine: Arc<dyn Engine>,
    compiler: Compiler,
    principals: Cache<Key, Entry<Arc<Permissions>>>,
    managed: Cache<Key, Entry<Policy>>,
}

#[derive(Clone)]
struct Entry<T> {
    value: T,
    reads: ReadSet,
}

/// Which entry: by account and unique id, or by ARN with the other part empty.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    account: String,
    id: String,
}

struct KeyRef<'k> {
    account: &'k str,
    id: &'k str,
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.account.hash(state);
        self.id.hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.id == key.id && self.account == key.account
    }
}

impl std::fmt::Debug for PermissionsCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PermissionsCache").field("principals", &self.principals.len()).finish_non_exhaustive()
    }
}

/// What is looked up, so that one path serves all.
#[derive(Clone, Copy)]
enum Wanted<'w> {
    User(&'w str, &'w str),
    Role(&'w str, &'w str),
    Arn(&'w str),
}

impl PermissionsCache {
    /// A cache over `engine`, which must be the one that the transactions are of.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, partition: &str, entries_max: usize) -> Self {
        let compiler = Compiler {
            partition: partition.to_owned(),
            documents: Cache::new(entries_max.saturating_mul(DOCUMENTS_PER_ENTRY)),
        };
        Self { engine, compiler, principals: Cache::new(entries_max), managed: Cache::new(entries_max) }
    }

    /// The permissions of a user; none when there is no such user. The transaction rests on the answer.
    ///
    /// # Errors
    /// A conflict when what it rests on changes at this moment.
    pub async fn user(
        &self,
        transaction: &mut Transaction,
        account: &str,
        user_id: &str,
    ) -> Result<Option<Arc<Permissions>>> {
        self.principal(transaction, Wanted::User(account, user_id)).await
    }

    /// The permissions of a role; none when there is no such role. The transaction rests on the answer.
    ///
    /// # Errors
    /// A conflict when what it rests on changes at this moment.
    pub async fn role(
        &self,
        transaction: &mut Transaction,
        account: &str,
        role_id: &str,
    ) -> Result<Option<Arc<Permissions>>> {
        self.principal(transaction, Wanted::Role(account, role_id)).await
    }

    /// The permissions of the user or role of an ARN; none when there is none. The transaction rests on the answer.
    ///
    /// # Errors
    /// A conflict when what it rests on changes at this moment.
    pub async fn by_arn(&self, transaction: &mut Transaction, arn: &str) -> Result<Option<Arc<Permissions>>> {
        self.principal(transaction, Wanted::Arn(arn)).await
    }

    /// The managed policy of an ARN, compiled as a session policy; none when there is none, which allows nothing. The
    /// transaction rests on the answer.
    ///
    /// # Errors
    /// A conflict when what it rests on changes at this moment.
    pub async fn managed(&self, transaction: &mut Transaction, arn: &str) -> Result<Option<Policy>> {
        let key = KeyRef { account: "", id: arn };
        if let Some(entry) = self.managed.get(&key)
            && transaction.adopt(&entry.reads).await?
        {
            return Ok(Some(entry.value));
        }
        let mut own = Transaction::begin(self.engine.clone());
        let built = Box::pin(permissions::managed(&mut own, &self.compiler, arn)).await?;
        let reads = adopted(transaction, &own).await?;
        match &built {
            Some(policy) => self.managed.insert(key.to_owned(), Entry { value: policy.clone(), reads }),
            None => drop(self.managed.remove(&key)),
        }
        Ok(built)
    }

    async fn principal(
        &self,
        transaction: &mut Transaction,
        wanted: Wanted<'_>,
    ) -> Result<Option<Arc<Permissions>>> {
        let key = wanted.key();
        if let Some(entry) = self.principals.get(&key)
            && wanted.accepts(entry.value.principal.kind)
            && transaction.adopt(&entry.reads).await?
        {
            return Ok(Some(entry.value));
        }
        // Boxed: what only building needs would be part of every call's future, and futures are moved about.
        Box::pin(self.build(transaction, wanted)).await
    }

    /// Built in a transaction of its own, so that the entry rests on these reads and not on the call's others.
    async fn build(
        &self,
        transaction: &mut Transaction,
        wanted: Wanted<'_>,
    ) -> Result<Option<Arc<Permissions>>> {
        let key = wanted.key();
        let mut own = Transaction::begin(self.engine.clone());
        let built = match wanted {
            Wanted::User(account, id) => permissions::of_user(&mut own, &self.compiler, account, id).await?,
            Wanted::Role(account, id) => permissions::of_role(&mut own, &self.compiler, account, id).await?,
            Wanted::Arn(arn) => permissions::of_arn(&mut own, &self.compiler, arn).await?,
        };
        let reads = adopted(transaction, &own).await?;
        let built = built.map(Arc::new);
        match &built {
            Some(permissions) => {
                self.principals.insert(key.to_owned(), Entry { value: permissions.clone(), reads });
            }
            None => drop(self.principals.remove(&key)),
        }
        Ok(built)
    }
}

/// Rests `transaction` on what `own` has read.
async fn adopted(transaction: &mut Transaction, own: &Transaction) -> Result<ReadSet> {
    let reads = own.reads();
    if transaction.adopt(&reads).await? { Ok(reads) } else { Err(Error::conflict()) }
}

impl<'w> Wanted<'w> {
    fn key(self) -> KeyRef<'w> {
        match self {
            Self::User(account, id) | Self::Role(account, id) => KeyRef { account, id },
            Self::Arn(arn) => KeyRef { account: "", id: arn },
        }
    }

    /// A user's id asked for as a role's finds nothing, kept or not.
    fn accepts(self, kind: PrincipalKind) -> bool {
        match self {
            Self::User(..) => kind == PrincipalKind::User,
            Self::Role(..) => kind == PrincipalKind::Role,
            Self::Arn(_) => true,
        }
    }
}

impl KeyRef<'_> {
    fn to_owned(&self) -> Key {
        Key { account: self.account.to_owned(), id: self.id.to_owned() }
    }
}

/// Compiles documents, each once for all who hold it.
pub(crate) struct Compiler {
    partition: String,
    documents: Cache<[u8; 32], Policy>,
}

impl Compiler {
    pub(crate) fn partition(&self) -> &str {
        &self.partition
    }

    pub(crate) fn arn(&self, account: &str, kind: Kind, path: &str, name: &str) -> String {
        resource::arn(&self.partition, account, kind, path, name)
    }

    pub(crate) fn parse<'t>(&self, arn: &'t str) -> Option<Resource<'t>> {
        Resource::parse(&self.partition, arn)
    }

    /// A stored document; one that does not compile any more denies everything.
    pub(crate) fn compile(&self, text: &str, kind: DocumentKind) -> Policy {
        let hash = Policy::hash(text, kind);
        if let Some(policy) = self.documents.get(&hash) {
            return policy;
        }
        let policy = Policy::compile(text, kind).unwrap_or_else(|error| {
            tracing::error!(error = %error.located(), ?kind, "a stored policy does not compile and denies everything");
            Policy::unreadable(kind)
        });
        self.documents.insert(hash, policy.clone());
        policy
    }
}
