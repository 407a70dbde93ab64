//! The layers of policies that one question is put to.

use std::sync::Arc;

use crate::decision::Layer;
use crate::document::{Kind, Policy};
use crate::index::{Index, Posting};
use crate::statement::Statement;

/// One layer: the statements of any number of policies under one index. Cloning it is cheap.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    inner: Option<Arc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    policies: Box<[Policy]>,
    /// For each statement of the layer, its policy and its place in it.
    entries: Box<[(u32, u32)]>,
    index: Index,
}

impl PolicySet {
    /// A layer of these policies, which keep their order.
    #[must_use]
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        let policies: Box<[Policy]> = policies.into_iter().collect();
        if policies.is_empty() {
            return Self::default();
        }
        let mut entries = Vec::new();
        for (policy, at) in policies.iter().zip(0_u32..) {
            entries.extend((0_u32..).zip(policy.statements()).map(|(statement, _)| (at, statement)));
        }
        let index = Index::new(&policies);
        Self { inner: Some(Arc::new(Inner { policies, entries: entries.into(), index })) }
    }

    /// Whether the layer has no policy; such a layer allows nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_none()
    }

    /// The policies of the layer.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        self.inner.as_ref().map_or(&[], |inner| &inner.policies)
    }

    pub(crate) fn is_trust(&self) -> bool {
        self.policies().iter().any(|policy| policy.kind() == Kind::Trust)
    }

    /// Calls `visit` with every statement that may apply to an action (in lower case, with its end mark) and to a
    /// resource of this name.
    pub(crate) fn find(&self, action: &[u8], name: &str, mut visit: impl FnMut(&Statement, Posting)) {
        let Some(inner) = &self.inner else { return };
        inner.index.find(action, name.as_bytes(), |posting| {
            if let Some((_, statement, _)) = inner.entry(posting.entry) {
                visit(statement, posting);
            }
        });
    }

    /// Every statement, with its policy's name and its place in it.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (&str, usize, &Statement)> {
        let policies = self.policies().iter();
        policies.flat_map(|policy| {
            policy.statements().iter().enumerate().map(|(at, statement)| (policy.name(), at, statement))
        })
    }

    pub(crate) fn statement_name(&self, entry: u32) -> Option<(&str, Option<&str>, usize)> {
        let (policy, statement, index) = self.inner.as_ref()?.entry(entry)?;
        Some((policy.name(), statement.sid.as_deref(), index))
    }
}

impl Inner {
    fn entry(&self, entry: u32) -> Option<(&Policy, &Statement, usize)> {
        let &(policy, at) = self.entries.get(entry as usize)?;
        let policy = self.policies.get(policy as usize)?;
        Some((policy, policy.statements().get(at as usize)?, at as usize))
    }
}

impl FromIterator<Policy> for PolicySet {
    fn from_iter<I: IntoIterator<Item = Policy>>(policies: I) -> Self {
        Self::new(policies)
    }
}

/// The layers that apply to one question. Cloning them is cheap.
///
/// `None` means that the layer does not apply; an empty set means that it applies and allows nothing.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// The user's own policies and its groups', or the role's: inline and managed.
    pub identity: PolicySet,
    /// The permissions boundary.
    pub boundary: Option<PolicySet>,
    /// The session policies, inline and managed together; they allow what any of them allows.
    pub session: Option<PolicySet>,
    /// The resource's policy, or the role's trust policy ([`Kind::Trust`]).
    pub resource: Option<PolicySet>,
    /// The service control policies that bind the principal's account, one set for each level of its organization, the root first.
    /// No level at all means that no organization binds the account; an empty level denies everything.
    pub service_control: Arc<[PolicySet]>,
    /// The resource control policies that bind the resource's account, likewise; every level implicitly holds a full allow.
    pub resource_control: Arc<[PolicySet]>,
}

impl Policies {
    pub(crate) fn layer(&self, layer: Layer, level: usize) -> Option<&PolicySet> {
        match layer {
            Layer::Request => None,
            Layer::ResourceControl => self.resource_control.get(level),
            Layer::ServiceControl => self.service_control.get(level),
            Layer::Resource | Layer::Trust => self.resource.as_ref(),
            Layer::Identity => Some(&self.identity),
            Layer::Boundary => self.boundary.as_ref(),
            Layer::Session => self.session.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_without_a_policy_is_empty() {
        assert!(PolicySet::default().is_empty() && PolicySet::new([]).is_empty());
        assert!(PolicySet::default().policies().is_empty() && !PolicySet::default().is_trust());
        for (kind, trust) in [(Kind::Trust, true), (Kind::Resource, false), (Kind::Identity, false)] {
            let set: PolicySet = [Policy::unreadable(kind)].into_iter().collect();
            assert!(!set.is_empty() && set.policies().len() == 1);
            assert_eq!(set.is_trust(), trust, "{kind:?}");
        }
    }
}
