//! A compiled statement and whether it applies to a request.

use crate::condition::Condition;
use crate::context::Context;
use crate::index::Posting;
use crate::pattern::Pattern;
use crate::policies::{Policies, PolicySet};
use crate::principal::{Grants, Principals};
use crate::request::Principal;
use crate::segments::ArnPattern;

/// One statement of a document.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) deny: bool,
    pub(crate) actions: Actions,
    /// None where the statement is about what it is attached to.
    pub(crate) resources: Option<Resources>,
    /// None where the statement is about whom it is attached to.
    pub(crate) principals: Option<Principals>,
    pub(crate) conditions: Box<[Condition]>,
}

/// Action or NotAction; the patterns are in lower case.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[Pattern]>,
}

/// Resource or NotResource.
#[derive(Debug)]
pub(crate) struct Resources {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[ArnPattern]>,
}

/// A request as statements look at it.
pub(crate) struct Ask<'a> {
    /// In lower case.
    pub(crate) action: &'a [u8],
    /// Likewise, with the end mark of the index where it is looked up there.
    pub(crate) action_end: &'a [u8],
    pub(crate) resource: &'a str,
    pub(crate) principal: &'a Principal<'a>,
    /// The principal has a permissions boundary.
    pub(crate) bounded: bool,
    pub(crate) context: &'a Context<'a>,
}

impl Ask<'_> {
    /// Whether the resource is a role that somebody wants to become: its trust policy must then allow it, even
    /// when the caller has brought none.
    pub(crate) fn is_about_trust(&self, policies: &Policies) -> bool {
        let role = || self.resource.splitn(6, ':').nth(5).is_some_and(|name| name.starts_with("role/"));
        let assumed = self.action.starts_with(b"sts:") && self.resource.contains(":iam:") && role();
        assumed || policies.resource.as_ref().is_some_and(PolicySet::is_trust)
    }
}

/// The first element of a statement that a request did not meet.
#[derive(Clone, Copy)]
pub(crate) enum Unmet<'s> {
    Principal,
    Action,
    Resource,
    Condition(&'s Condition),
}

impl Statement {
    /// Denies everything, to everyone where statements have principals.
    pub(crate) fn deny_everything(has_principal: bool) -> Self {
        Self {
            sid: None,
            deny: true,
            actions: Actions { negated: false, patterns: Box::new([Pattern::Prefix("".into())]) },
            resources: None,
            principals: has_principal.then(Principals::everyone),
            conditions: Box::default(),
        }
    }

    /// How the statement grants (or denies) the request; [`Grants::NONE`] when it does not apply. The index has
    /// found it, and may know already that the action or the resource is its own.
    pub(crate) fn applies(&self, ask: &Ask<'_>, found: Posting) -> Grants {
        self.check(ask, found.action_known, found.resource_known).unwrap_or(Grants::NONE)
    }

    /// How the statement grants (or denies) the request, or the first of its elements that was not met.
    pub(crate) fn check(
        &self,
        ask: &Ask<'_>,
        action_known: bool,
        resource_known: bool,
    ) -> Result<Grants, Unmet<'_>> {
        if !action_known && !self.actions.match_action(ask) {
            return Err(Unmet::Action);
        }
        let resource = |resources: &Resources| resources.match_resource(ask, self.deny);
        if !resource_known && !self.resources.as_ref().is_none_or(resource) {
            return Err(Unmet::Resource);
        }
        let grants = match &self.principals {
            None => Grants::NAMED,
            Some(principals) => principals.grants(ask.principal, self.deny, ask.bounded),
        };
        if !grants.any() {
            return Err(Unmet::Principal);
        }
        match self.conditions.iter().find(|condition| !condition.holds(ask.context, self.deny)) {
            Some(condition) => Err(Unmet::Condition(condition)),
            None => Ok(grants),
        }
    }
}

impl Actions {
    fn match_action(&self, ask: &Ask<'_>) -> bool {
        let found = self.patterns.iter().any(|pattern| pattern.matches(ask.action, ask.context));
        found != self.negated
    }
}

impl Resources {
    /// An entry with a variable that has no value matches nothing. Among the exceptions of an Allow that would
    /// allow more than was meant, so such a statement does not apply.
    fn match_resource(&self, ask: &Ask<'_>, deny: bool) -> bool {
        let found = self.patterns.iter().any(|pattern| pattern.matches(ask.resource, ask.context));
        if !self.negated {
            return found;
        }
        !found && (deny || !self.patterns.iter().any(|pattern| pattern.is_null(ask.context)))
    }
}
