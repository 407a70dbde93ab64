//! The one place where it is decided whether a call may go on: what the operation declares, what the request names and
//! what policies say meet here, for every operation and every protocol. Relying services' questions end here too.

mod admission;
mod federated;
mod given;

use reeve_directory::{Directory, Error, password_policy};
use reeve_evaluator::{
    Context, Decision, Effect, Invalid, Layer, Policies, PolicySet, Request, Standing, decide,
};
use reeve_proto::{Fields, Spec};
use reeve_storage::Transaction;

use crate::environment::{Environment, trusting};
use crate::identity::Identity;
use crate::locate::{Located, becomes, locate};
use crate::members;
use crate::pipeline::Trace;
use crate::random::SystemRandom;

pub(crate) use admission::admit;
pub use federated::assume;
use given::Given;

/// What is known of a call besides who makes it and what it asks for.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Unix seconds.
    pub now: i64,
    /// Where the call came from.
    pub source_ip: &'a str,
    /// It came over TLS.
    pub secure: bool,
    /// What the client says it is.
    pub user_agent: Option<&'a str>,
    /// The region that the signature names.
    pub region: &'a str,
}

/// What was found on the way of a call that may go on.
#[derive(Clone, Debug, Default)]
pub struct Authorized {
    /// What it acts on: one for most operations, several for a batch.
    pub located: Vec<Located>,
}

/// A call to be authorized.
pub(crate) struct Question<'a> {
    pub(crate) spec: &'static Spec,
    pub(crate) request: &'a dyn Fields,
    pub(crate) caller: &'a Identity,
    pub(crate) surroundings: Surroundings<'a>,
    /// The caller is made to do it, and needs nobody's leave.
    pub(crate) is_forced: bool,
}

/// Decides whether the call may go on.
///
/// # Errors
/// `AccessDenied`, in AWS's words.
pub(crate) async fn authorize(
    environment: &Environment,
    transaction: &mut Transaction,
    question: &Question<'_>,
    trace: &mut Trace,
) -> Result<Authorized, Error> {
    let located = locate_all(environment, transaction, question).await?;
    let given = Given::of(question);
    let granted = granted(environment, transaction, question).await?;
    for (index, resource) in located.iter().enumerate() {
        if trace.resource.is_empty() {
            trace.resource.clone_from(&resource.arn);
        }
        let mut context = Context::with_capacity(32);
        surround(&mut context, &question.surroundings);
        question.caller.describe(&mut context, question.surroundings.now);
        describe_resource(&mut context, resource);
        // After the resource: the boundary that a call sets is what `iam:PermissionsBoundary` speaks of, not the one it replaces.
        given.describe(&mut context);
        let owner = owner(resource, question.caller);
        let policies = Policies {
            resource: granted.clone().or_else(|| resource_policy(environment, question, resource, owner)),
            ..question.caller.policies()
        };
        for action in actions(question, &given, index) {
            let request = Request {
                principal: question.caller.principal(),
                action,
                resource: &resource.arn,
                resource_account: Some(owner),
                context: &context,
                standing: standing(environment, question.caller, resource),
            };
            let mut decision = decide(&policies, &request);
            if decision.is_allowed() && is_own_to_grant(question, action) {
                let own =
                    Policies { resource: Some(trusting(question.caller.account())?), ..policies.clone() };
                decision = decide(&own, &request);
            }
            (trace.decision, trace.layer) = (effect_name(decision.effect), layer_name(decision.layer));
            if let Some(invalid) = decision.invalid {
                return Err(unaskable(question, invalid, index));
            }
            if !decision.is_allowed() {
                trace.resource.clone_from(&resource.arn);
                return Err(denied(question.caller, &decision, action, &resource.arn));
            }
        }
    }
    Ok(Authorized { located })
}

/// A principal's question, as a relying service puts it.
pub struct Ask<'a> {
    /// Who wants to.
    pub identity: &'a Identity,
    /// What they want to do.
    pub action: &'a str,
    /// What they want to do it to.
    pub resource: &'a str,
    /// Who owns that, where its ARN does not say.
    pub resource_account: Option<&'a str>,
    /// The resource's own policy.
    pub resource_policy: Option<PolicySet>,
    /// The moment, and where the relying service's call came from.
    pub now: i64,
}

impl Ask<'_> {
    /// Decides it. `describe` adds what the relying service says of the resource and the request, before the keys that
    /// describe the principal, which nothing can override. `tell` is given the decision with the layers it was put to.
    pub fn decide<'a, T>(
        &'a self,
        environment: &Environment,
        describe: impl FnOnce(&mut Context<'a>),
        tell: impl FnOnce(&Decision, &Policies) -> T,
    ) -> T {
        let mut context = Context::with_capacity(32);
        describe(&mut context);
        tell_time(&mut context, self.now);
        self.identity.describe(&mut context, self.now);
        let policies = Policies { resource: self.resource_policy.clone(), ..self.identity.policies() };
        let request = Request {
            principal: self.identity.principal(),
            action: self.action,
            resource: self.resource,
            resource_account: self.resource_account,
            context: &context,
            standing: Standing {
                principal_in_management_account: self.identity.account()
                    == environment.cluster.management_account_id,
                ..Standing::of(self.resource)
            },
        };
        tell(&decide(&policies, &request), &policies)
    }
}

/// What a decision comes to, in the words of AWS's denials.
pub fn decision_message(principal: &Identity, decision: &Decision, action: &str, resource: &str) -> String {
    let comes_to =
        if decision.is_allowed() { " is authorized to perform: " } else { " is not authorized to perform: " };
    let clause = decision.clause(action).to_string();
    ["User: ", principal.arn(), comes_to, action, " on resource: ", resource, " ", &clause].concat()
}

/// AWS's names of the effects (those of `SimulatePrincipalPolicy`).
pub fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Allowed => "allowed",
        Effect::ExplicitDeny => "explicitDeny",
        Effect::ImplicitDeny => "implicitDeny",
    }
}

/// The layers' names in answers and audit events.
pub fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Request => "request",
        Layer::ResourceControl => "resource_control",
        Layer::ServiceControl => "service_control",
        Layer::Resource => "resource",
        Layer::Trust => "trust",
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
    }
}

fn denied(caller: &Identity, decision: &Decision, action: &str, resource: &str) -> Error {
    Error::access_denied(decision_message(caller, decision, action, resource))
}

/// Whether the role that the caller is a session of must allow the action itself, whoever else does: what a session
/// passes on to the next needs the permission in both policies. (Source: "Chaining roles with session tags" and
/// "Permissions required to set source identity" of the IAM User Guide.)
fn is_own_to_grant(question: &Question<'_>, action: &str) -> bool {
    question.spec.inherits_session && action != question.spec.action && question.caller.is_role_session()
}

/// What is asked about cannot be: that is no question of permissions.
fn unaskable(question: &Question<'_>, invalid: Invalid, index: usize) -> Error {
    let spec = question.spec;
    let path = match invalid {
        Invalid::ResourceAccountMissing
        | Invalid::ResourceAccountContradicted
        | Invalid::ResourceAccountMalformed => spec.owned_by,
        _ => spec.named_by,
    };
    let message = invalid.to_string();
    Error::invalid_parameter_value(&message)
        .with_violation(members::path_name(question.request, path, index), message)
}

async fn locate_all(
    environment: &Environment,
    transaction: &mut Transaction,
    question: &Question<'_>,
) -> Result<Vec<Located>, Error> {
    let spec = question.spec;
    let mut names = texts(question.request, spec.named_by);
    if names.is_empty() {
        names.push(None);
    }
    let mut owners = texts(question.request, spec.owned_by).into_iter();
    let mut random = SystemRandom::new();
    let mut directory = Directory {
        transaction,
        account: question.caller.account(),
        settings: &environment.settings,
        now: question.surroundings.now,
        random: &mut random,
    };
    let mut located = Vec::with_capacity(names.len());
    for name in names {
        let (permissions, named) = (&environment.permissions, (name, owners.next().flatten()));
        located
            .push(locate(&mut directory, permissions, spec, question.request, question.caller, named).await?);
    }
    let first = |path| texts(question.request, path).first().copied().flatten();
    let change = (first(spec.renamed_by), first(spec.moved_by));
    if let Some(target) = located.first().and_then(|located| becomes(&directory, spec, located, change)) {
        located.push(target);
    }
    Ok(located)
}

/// The operation's own action, and those that what is given asks for besides.
fn actions<'q>(
    question: &'q Question<'_>,
    given: &'q Given<'_>,
    index: usize,
) -> impl Iterator<Item = &'static str> {
    let also = question.spec.also.iter().filter(move |also| {
        is_given(question.request, also.when, index) || given.inherits(question.request, also.when)
    });
    std::iter::once(question.spec.action).chain(also.map(|also| also.action))
}

/// The trust policy of a role that is to be assumed. And of whatever is asked about in another account: what lets the
/// management account's relying services ask about the resources of every account, as its own policies allow.
fn resource_policy(
    environment: &Environment,
    question: &Question<'_>,
    resource: &Located,
    owner: &str,
) -> Option<PolicySet> {
    if question.spec.resource == "any" && owner != question.caller.account() {
        return Some(environment.asking.clone());
    }
    resource.trust.clone()
}

/// What the password policy of the caller's account grants to its users, without a policy of theirs. An explicit denial
/// binds all the same. (Source: `AllowUsersToChangePassword` of PasswordPolicy in the IAM API reference.)
async fn granted(
    environment: &Environment,
    transaction: &mut Transaction,
    question: &Question<'_>,
) -> Result<Option<PolicySet>, Error> {
    if !question.spec.granted_by_password_policy || question.caller.user_name().is_none() {
        return Ok(None);
    }
    if question.is_forced {
        return Ok(Some(environment.changing.clone()));
    }
    let policy = password_policy::find(transaction, question.caller.account()).await?;
    let lets_users_change = policy.is_some_and(|policy| policy.allow_users_to_change);
    Ok(lets_users_change.then(|| environment.changing.clone()))
}

fn texts<'a>(request: &'a dyn Fields, path: &[usize]) -> Vec<Option<&'a str>> {
    let mut texts = Vec::new();
    if !path.is_empty() {
        members::texts(request, path, &mut |text| texts.push(text));
    }
    texts
}

/// Whether the member at `when` is given: in a batch, by the item at `index`.
fn is_given(request: &dyn Fields, when: &[usize], index: usize) -> bool {
    match when {
        [_] => members::is_present(request, when),
        _ => texts(request, when).get(index).copied().flatten().is_some(),
    }
}

/// The owner of what the caller acts on. A listing, and an ARN that names no account, is of the caller's own account:
/// it is Reeve's own resource that is meant, or the relying service's question about one, which is its own permission.
fn owner<'a>(resource: &'a Located, caller: &'a Identity) -> &'a str {
    if !resource.account.is_empty() {
        return &resource.account;
    }
    let named = resource.arn.split(':').nth(4).filter(|account| !account.is_empty());
    named.unwrap_or_else(|| caller.account())
}

fn standing(environment: &Environment, caller: &Identity, resource: &Located) -> Standing {
    standing_of(environment, caller.account(), resource)
}

/// The standing of a call by somebody of `account`, which is empty for those who have none.
fn standing_of(environment: &Environment, account: &str, resource: &Located) -> Standing {
    let management = &environment.cluster.management_account_id;
    Standing {
        principal_in_management_account: account == management,
        resource_in_management_account: resource.account == *management,
        service_linked_role: false,
        resource_policy_required: resource.trust.is_some(),
    }
}

fn tell_time(context: &mut Context<'_>, now: i64) {
    context.insert("aws:CurrentTime", reeve_evaluator::Value::Time(now));
    context.insert("aws:EpochTime", now);
}

fn surround<'a>(context: &mut Context<'a>, surroundings: &Surroundings<'a>) {
    tell_time(context, surroundings.now);
    context.insert("aws:SourceIp", surroundings.source_ip);
    context.insert("aws:SecureTransport", surroundings.secure);
    if let Some(user_agent) = surroundings.user_agent {
        context.insert("aws:UserAgent", user_agent);
    }
    if !surroundings.region.is_empty() {
        context.insert("aws:RequestedRegion", surroundings.region);
    }
}

fn describe_resource<'a>(context: &mut Context<'a>, resource: &'a Located) {
    if !resource.account.is_empty() {
        context.insert("aws:ResourceAccount", resource.account.as_str());
    }
    if !resource.boundary_arn.is_empty() {
        context.insert("iam:PermissionsBoundary", resource.boundary_arn.as_str());
    }
    for tag in &resource.tags {
        context.insert_tag("aws:ResourceTag/", &tag.key, tag.value.as_str());
        context.insert_tag("iam:ResourceTag/", &tag.key, tag.value.as_str());
    }
}
