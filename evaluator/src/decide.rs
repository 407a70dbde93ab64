//! The order of evaluation: an explicit deny anywhere, then what each layer has to allow.
//!
//! Follows "Policy evaluation logic" and "How permissions boundaries and session policies interact with
//! resource-based policies" of AWS's IAM User Guide.

use crate::arn::owner_and_name;
use crate::decision::{
    ACTION_CHARACTERS_MAX, Decision, Effect, Invalid, LEVEL_UNNAMED, Layer, Matched, StatementRef,
};
use crate::index::END;
use crate::policies::{Policies, PolicySet};
use crate::principal::Grants;
use crate::request::{Principal, Request};
use crate::statement::Ask;

/// Decides `request` under `policies`. It allocates nothing and reads nothing but its arguments.
pub fn decide(policies: &Policies, request: &Request<'_>) -> Decision {
    let mut action = [END; ACTION_CHARACTERS_MAX + 1];
    let sides = match check(request) {
        Ok(sides) => sides,
        Err(invalid) => return Decision::refused(invalid),
    };
    let Some(action) = fold_action(request.action, &mut action) else {
        return Decision::refused(Invalid::Action);
    };
    let mut tally =
        Tally { ask: ask(policies, request, action), name: sides.name, allowed: Matched::default() };
    match tally.decide(policies, request, sides) {
        Ok(layer) => tally.decision(Effect::Allowed, layer),
        Err(Denial::Implicit(layer)) => tally.decision(Effect::ImplicitDeny, layer),
        Err(Denial::Explicit(layer, denied)) => {
            Decision { effect: Effect::ExplicitDeny, layer, invalid: None, matched: denied }
        }
    }
}

/// What is known of the two sides once the request is known to be valid.
#[derive(Clone, Copy)]
struct Sides<'a> {
    /// The resource's name, which is its ARN's last field.
    name: &'a str,
    /// The principal and the resource belong to one account.
    same_account: bool,
    /// The principal belongs to some account.
    has_account: bool,
    /// The principal may do everything in its account that no other layer forbids.
    is_root: bool,
}

fn check<'a>(request: &Request<'a>) -> Result<Sides<'a>, Invalid> {
    let (owner, name) = match owner_and_name(request.resource) {
        Some((account, name)) => (request.owned(account)?, name),
        None if request.resource == "*" => (request.owned("")?, ""),
        None => return Err(Invalid::Resource),
    };
    let account = request.principal.account();
    let without =
        matches!(request.principal, Principal::Anonymous | Principal::Service(_) | Principal::Federated(_));
    if account.is_none() && !without {
        return Err(Invalid::Principal);
    }
    let is_root = match request.principal {
        Principal::Root { .. } => true,
        Principal::FederatedUser { user_arn, .. } => user_arn.ends_with(":root"),
        _ => false,
    };
    Ok(Sides { name, same_account: account == Some(owner), has_account: account.is_some(), is_root })
}

/// The action in lower case, with its end mark, in `buffer`; none when it is not of an action's form.
fn fold_action<'b>(action: &str, buffer: &'b mut [u8; ACTION_CHARACTERS_MAX + 1]) -> Option<&'b [u8]> {
    let colon = action.bytes().position(|byte| byte == b':')?;
    if colon == 0 || colon + 1 == action.len() || action.len() > ACTION_CHARACTERS_MAX {
        return None;
    }
    let folded = buffer.get_mut(..action.len())?;
    folded.copy_from_slice(action.as_bytes());
    folded.make_ascii_lowercase();
    // The end mark after it is there already.
    if folded.contains(&END) { None } else { buffer.get(..=action.len()) }
}

/// The request as statements look at it; `action` ends with the end mark, which is not part of it.
pub(crate) fn ask<'a>(policies: &Policies, request: &'a Request<'a>, action: &'a [u8]) -> Ask<'a> {
    Ask {
        action: action.strip_suffix(&[END]).unwrap_or(action),
        action_end: action,
        resource: request.resource,
        principal: &request.principal,
        bounded: policies.boundary.is_some(),
        context: request.context,
    }
}

enum Denial {
    Implicit(Layer),
    Explicit(Layer, Matched),
}

/// A decision in the making.
struct Tally<'a> {
    ask: Ask<'a>,
    /// The resource's name, by which statements are found.
    name: &'a str,
    /// The statements that allowed in their layers, so far.
    allowed: Matched,
}

impl Tally<'_> {
    fn decision(&self, effect: Effect, layer: Layer) -> Decision {
        Decision { effect, layer, invalid: None, matched: self.allowed }
    }

    /// The layer that allows the request.
    fn decide(
        &mut self,
        policies: &Policies,
        request: &Request<'_>,
        sides: Sides<'_>,
    ) -> Result<Layer, Denial> {
        let standing = request.standing;
        let unbound = standing.service_linked_role;
        let mut controlled = Ok(());
        if !(unbound || standing.resource_in_management_account) {
            // Every level of resource control holds a full allow, so only its denies count.
            self.levels(&policies.resource_control, Layer::ResourceControl)?;
        }
        if sides.has_account && !(unbound || standing.principal_in_management_account) {
            let open = self.levels(&policies.service_control, Layer::ServiceControl)?;
            controlled = if open { Ok(()) } else { Err(Denial::Implicit(Layer::ServiceControl)) };
        }
        let trust = self.ask.is_about_trust(policies);
        let resource_layer = if trust { Layer::Trust } else { Layer::Resource };
        let resource = self.optional(policies.resource.as_ref(), resource_layer)?.unwrap_or(Grants::NONE);
        if !sides.has_account {
            // Services, the anonymous and the federated have no policies of their own.
            return if resource.any() { Ok(resource_layer) } else { Err(Denial::Implicit(resource_layer)) };
        }
        let identity = sides.is_root || self.layer(&policies.identity, Layer::Identity, 0)?.any();
        let boundary = policies.boundary.as_ref().filter(|_| !sides.is_root);
        let boundary = self.optional(boundary, Layer::Boundary)?.is_none_or(Grants::any);
        let sessionless = !matches!(request.principal, Principal::FederatedUser { .. });
        let session =
            self.optional(policies.session.as_ref(), Layer::Session)?.map_or(sessionless, Grants::any);
        controlled?;
        let needed = trust || !sides.same_account || standing.resource_policy_required;
        if needed && !resource.any() {
            return Err(Denial::Implicit(resource_layer));
        }
        let own = Own { identity, boundary, session };
        own.decide(Direct::of(resource, sides.same_account, trust), resource_layer).map_err(Denial::Implicit)
    }

    /// Asks every level of control policies; whether each of them allows the request.
    fn levels(&mut self, levels: &[PolicySet], layer: Layer) -> Result<bool, Denial> {
        let mut open = true;
        for (at, set) in levels.iter().enumerate() {
            let level = u16::try_from(at).unwrap_or(LEVEL_UNNAMED);
            open &= self.layer(set, layer, level)?.any();
        }
        Ok(open)
    }

    fn optional(&mut self, set: Option<&PolicySet>, layer: Layer) -> Result<Option<Grants>, Denial> {
        set.map(|set| self.layer(set, layer, 0)).transpose()
    }

    /// Asks one layer: how it allows the request, or that it denies it.
    fn layer(&mut self, set: &PolicySet, layer: Layer, level: u16) -> Result<Grants, Denial> {
        let (ask, allowed) = (&self.ask, &mut self.allowed);
        let mut grants = Grants::NONE;
        let mut denied: Option<Matched> = None;
        set.find(ask.action_end, self.name, |statement, posting| {
            let found = statement.applies(ask, posting);
            if !found.any() {
                return;
            }
            let place = StatementRef { layer, level, entry: posting.entry };
            if statement.deny {
                denied.get_or_insert_default().push(place);
            } else {
                grants = grants.union(found);
                allowed.push(place);
            }
        });
        match denied {
            Some(denied) => Err(Denial::Explicit(layer, denied)),
            None => Ok(grants),
        }
    }
}

/// What a resource policy's grant is worth by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direct {
    /// Nothing: the principal's own policies must allow too.
    Not,
    /// It stands in for the identity policies, within the boundary and the session policies.
    Bounded,
    /// It stands by itself.
    Unbounded,
}

impl Direct {
    /// Only within one account. Naming the user or the session grants directly, and so does naming everyone;
    /// naming the role, or the user behind a federated session, grants within what bounds that one. Whatever a
    /// trust policy grants stays within the caller's boundary and session policies.
    fn of(grants: Grants, same_account: bool, trust: bool) -> Self {
        if !same_account {
            Self::Not
        } else if !trust && (grants.has(Grants::NAMED) || grants.has(Grants::EVERYONE)) {
            Self::Unbounded
        } else if [Grants::NAMED, Grants::BEHIND, Grants::EVERYONE].iter().any(|grant| grants.has(*grant)) {
            Self::Bounded
        } else {
            Self::Not
        }
    }
}

/// Whether each of the principal's own layers allows the request.
struct Own {
    identity: bool,
    boundary: bool,
    session: bool,
}

impl Own {
    fn decide(&self, direct: Direct, resource_layer: Layer) -> Result<Layer, Layer> {
        if !self.identity && direct == Direct::Not {
            return Err(Layer::Identity);
        }
        if !self.boundary && direct != Direct::Unbounded {
            return Err(Layer::Boundary);
        }
        if !self.session && direct != Direct::Unbounded {
            return Err(Layer::Session);
        }
        let own = self.identity && self.boundary && self.session;
        Ok(if own { Layer::Identity } else { resource_layer })
    }
}
