//! What comes out of a question: the effect, the layer that decided, and the statements that matched.
//!
//! A decision is small and owns nothing on the heap; the names of policies are looked up in the layers that
//! were asked, only by those who want to see them.

use std::fmt;

use crate::policies::Policies;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Go ahead.
    Allowed,
    /// A Deny statement matched; nothing can outweigh it.
    ExplicitDeny,
    /// Nothing that had to allow the request did.
    ImplicitDeny,
}

/// The layer that decided: the one that allowed, or the first in the order of evaluation that denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The request itself cannot be decided; see [`Decision::invalid`].
    Request,
    /// Resource control policies.
    ResourceControl,
    /// Service control policies.
    ServiceControl,
    /// The resource's policy.
    Resource,
    /// The role's trust policy.
    Trust,
    /// Identity-based policies; also the account root's standing permission.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
}

impl Layer {
    /// The layer in AWS's words, as they stand in access-denied messages.
    #[must_use]
    pub fn policy_type(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::ResourceControl => "resource control policy",
            Self::ServiceControl => "service control policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        }
    }
}

/// Why a request cannot be decided. It is then denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Invalid {
    /// The resource's ARN names no account and the caller gave none.
    #[error("the resource's ARN names no account, and no resource account was given")]
    ResourceAccountMissing,
    /// The resource's ARN names one account and the caller another.
    #[error("the resource's ARN and the given resource account contradict each other")]
    ResourceAccountContradicted,
    /// The resource's account is not twelve digits.
    #[error("the resource's account is not an account id")]
    ResourceAccountMalformed,
    /// The action is not `service:Operation`, or is longer than [`ACTION_CHARACTERS_MAX`].
    #[error("the action is not of the form `service:Operation`")]
    Action,
    /// The resource is neither an ARN nor `*`.
    #[error("the resource is neither an ARN nor `*`")]
    Resource,
    /// The principal's ARN names no account.
    #[error("the principal's ARN names no account")]
    Principal,
}

/// The longest action a request may name, in bytes.
pub const ACTION_CHARACTERS_MAX: usize = 256;

/// How many matched statements a decision remembers; the effect never depends on it.
pub const MATCHED_MAX: usize = 8;

/// The outcome of one question.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Decision {
    /// The answer.
    pub effect: Effect,
    /// The deciding layer.
    pub layer: Layer,
    /// Set when the layer is [`Layer::Request`].
    pub invalid: Option<Invalid>,
    pub(crate) matched: Matched,
}

impl Decision {
    /// Whether the request may go ahead.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allowed
    }

    /// The statements that matched, with the names their policies have in `policies`, which must be the layers
    /// that were asked: for a denial by Deny those that denied, otherwise those that allowed in their layers.
    pub fn statements<'p>(&self, policies: &'p Policies) -> impl Iterator<Item = StatementName<'p>> {
        let matched = self.matched;
        (0..usize::from(matched.count)).filter_map(move |at| matched.refs.get(at)?.resolve(policies))
    }

    /// How the decision came about, as AWS words it in access-denied messages: `because no identity-based policy
    /// allows the s3:GetObject action`, `with an explicit deny in a service control policy`.
    #[must_use]
    pub fn clause<'d>(&'d self, action: &'d str) -> impl fmt::Display + 'd {
        Clause { decision: self, action }
    }

    pub(crate) fn refused(reason: Invalid) -> Self {
        Self {
            effect: Effect::ImplicitDeny,
            layer: Layer::Request,
            invalid: Some(reason),
            matched: Matched::default(),
        }
    }
}

/// A statement that matched, as people know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementName<'p> {
    /// The layer it stands in.
    pub layer: Layer,
    /// For control policies, the level of the organization, the root being 0.
    pub level: usize,
    /// The name the policy was given by [`Policy::named`](crate::Policy::named), or empty.
    pub policy: &'p str,
    /// The statement's Sid.
    pub sid: Option<&'p str>,
    /// The statement's position in its document, from 0.
    pub index: usize,
}

/// Stands for the levels of control policies that are too many to be named; no organization has as many.
pub(crate) const LEVEL_UNNAMED: u16 = u16::MAX;

/// Where a statement stands: enough to find it again in the layers that were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatementRef {
    pub(crate) layer: Layer,
    pub(crate) level: u16,
    pub(crate) entry: u32,
}

impl StatementRef {
    fn resolve(self, policies: &Policies) -> Option<StatementName<'_>> {
        if self.level == LEVEL_UNNAMED {
            return None;
        }
        let set = policies.layer(self.layer, usize::from(self.level))?;
        let (policy, sid, index) = set.statement_name(self.entry)?;
        Some(StatementName { layer: self.layer, level: usize::from(self.level), policy, sid, index })
    }
}

/// The statements that matched, as many as fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matched {
    refs: [StatementRef; MATCHED_MAX],
    count: u8,
}

impl Default for Matched {
    fn default() -> Self {
        let nothing = StatementRef { layer: Layer::Request, level: 0, entry: 0 };
        Self { refs: [nothing; MATCHED_MAX], count: 0 }
    }
}

impl Matched {
    /// Adds a statement unless it is there already or there is no more room.
    pub(crate) fn push(&mut self, found: StatementRef) {
        let count = usize::from(self.count);
        if self.refs.iter().take(count).any(|known| *known == found) {
            return;
        }
        if let Some(slot) = self.refs.get_mut(count) {
            *slot = found;
            self.count += 1;
        }
    }
}

struct Clause<'d> {
    decision: &'d Decision,
    action: &'d str,
}

impl fmt::Display for Clause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, action) = (self.decision.layer.policy_type(), self.action);
        match (self.decision.effect, self.decision.invalid) {
            (_, Some(invalid)) => write!(f, "because {invalid}"),
            (Effect::Allowed, None) => {
                write!(f, "because {} {kind} allows the {action} action", article(kind))
            }
            (Effect::ExplicitDeny, None) => write!(f, "with an explicit deny in {} {kind}", article(kind)),
            (Effect::ImplicitDeny, None) => write!(f, "because no {kind} allows the {action} action"),
        }
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('i') { "an" } else { "a" }
}
