//! Policy documents: their text in, compiled statements out.
//!
//! A document is read once, strictly, and what cannot be evaluated is refused here, with AWS's message,
//! rather than discovered when somebody is waiting for an answer.

mod check;
mod compile;
mod error;
pub(crate) mod json;
mod raw;
pub(crate) mod write;

use std::sync::Arc;

pub(crate) use error::Defect;
pub use error::{DocumentError, Fault};

use crate::statement::Statement;

/// What a document is for, which decides what it must, may and must not contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Attached to a user, a group or a role.
    Identity,
    /// Attached to a resource other than a role.
    Resource,
    /// A role's trust policy.
    Trust,
    /// A permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
}

impl Kind {
    /// The most characters a document of this kind may have, whitespace not counted. Tighter quotas (a managed
    /// policy's 6,144, all inline policies of a user together 2,048) are the business of whoever stores it.
    #[must_use]
    pub const fn characters_max(self) -> usize {
        match self {
            // The inline policies of a role.
            Self::Identity => 10_240,
            // A KMS key's policy; a bucket's is 20 KB.
            Self::Resource => 32_768,
            // 2,048 unless raised.
            Self::Trust => 4_096,
            // Both are managed policies; an inline session policy has 2,048.
            Self::Boundary | Self::Session => 6_144,
            Self::ServiceControl | Self::ResourceControl => 5_120,
        }
    }

    /// Whether statements of this kind say whom they are about.
    pub(crate) const fn has_principal(self) -> bool {
        matches!(self, Self::Resource | Self::Trust | Self::ResourceControl)
    }
}

/// A compiled document. Cloning it is cheap: compiled statements are shared.
#[derive(Clone, Debug)]
pub struct Policy {
    name: Option<Arc<str>>,
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    kind: Kind,
    hash: [u8; 32],
    statements: Box<[Statement]>,
}

impl Policy {
    /// Compiles the JSON `text` of a policy document.
    ///
    /// # Errors
    /// Says in AWS's words what is wrong with the document, and where.
    pub fn compile(text: &str, kind: Kind) -> Result<Self, DocumentError> {
        let old = !matches!(kind, Kind::ServiceControl | Kind::ResourceControl);
        Self::compile_within(text, kind, kind.characters_max(), old)
    }

    /// Compiles a managed policy, which must say that its version is 2012-10-17.
    ///
    /// # Errors
    /// Like [`Policy::compile`].
    pub fn compile_managed(text: &str, kind: Kind) -> Result<Self, DocumentError> {
        Self::compile_within(text, kind, kind.characters_max(), false)
    }

    /// Compiles a managed policy that comes with the product rather than from a customer: no quota binds it, as
    /// none binds those that AWS manages. Some of them have 150,000 characters.
    ///
    /// # Errors
    /// Like [`Policy::compile`].
    pub fn compile_builtin(text: &str, kind: Kind) -> Result<Self, DocumentError> {
        Self::compile_within(text, kind, usize::MAX, false)
    }

    /// What stands in for a document that was accepted once and can no longer be read: one statement that denies
    /// everything to everyone. A layer is then closed rather than open where its Deny statements were lost.
    #[must_use]
    pub fn unreadable(kind: Kind) -> Self {
        let statements = Box::new([Statement::deny_everything(kind.has_principal())]);
        Self { name: None, compiled: Arc::new(Compiled { kind, hash: Self::hash("", kind), statements }) }
    }

    /// The same policy under the name or ARN that decisions show.
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The name given by [`Policy::named`], or empty.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("")
    }

    /// What the document is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.compiled.kind
    }

    /// The SHA-256 of the document's text and kind, by which compiled policies are shared. It resists collisions,
    /// so nobody can craft a document that is mistaken for another.
    #[must_use]
    pub fn content_hash(&self) -> [u8; 32] {
        self.compiled.hash
    }

    /// The hash that the compiled `text` would have, to look in a cache before compiling.
    #[must_use]
    pub fn hash(text: &str, kind: Kind) -> [u8; 32] {
        use sha2::Digest;
        sha2::Sha256::new().chain_update([kind as u8]).chain_update(text).finalize().into()
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.compiled.statements
    }

    fn compile_within(
        text: &str,
        kind: Kind,
        characters_max: usize,
        old: bool,
    ) -> Result<Self, DocumentError> {
        let compiled = compile::compile(text, kind, characters_max, old);
        let statements = compiled.map_err(|defect| defect.locate(text))?;
        Ok(Self {
            name: None,
            compiled: Arc::new(Compiled { kind, hash: Self::hash(text, kind), statements }),
        })
    }
}
