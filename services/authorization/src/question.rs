//! A relying service's question: what it may say, and about whom it asks.

use reeve_chassis::{Call, Identity, bearer, session};
use reeve_directory::Error;
use reeve_directory::record::RelyingServiceRecord;
use reeve_directory::resource::relying_service_arn;
use reeve_directory::tag::{DUPLICATE_KEYS, repeated_key};
use reeve_evaluator::{Arn, ArnError, Context, Kind, Policy, PolicySet, Value, wildcard_match};
use reeve_proto::authorization::v1::{ContextEntry, Question};
use reeve_proto::error::v1::ErrorReason;

use crate::Authorization;

/// The beginnings of condition keys that describe the caller, the moment or the resource's owner: Reeve knows them, and
/// takes them from nobody. Compared without case.
const OWN_KEYS: &[&str] = &[
    "aws:principal",
    "aws:userid",
    "aws:username",
    "aws:multifactorauth",
    "aws:tokenissuetime",
    "aws:sourceidentity",
    "aws:federatedprovider",
    "aws:viaawsservice",
    "aws:calledvia",
    "aws:assumedroot",
    "aws:ec2instancesource",
    "aws:signinsessionarn",
    "aws:currenttime",
    "aws:epochtime",
    "aws:resourceaccount",
    "aws:resourcetag/",
    "sts:",
    "saml:",
];

/// What stands in place of a resource where an operation has none.
const NO_RESOURCE: &str = "*";

/// What is wrong with a question.
#[derive(Debug)]
pub(crate) struct Fault {
    reason: ErrorReason,
    member: &'static str,
    message: String,
}

impl Fault {
    /// A member's value is refused.
    pub(crate) fn value(member: &'static str, message: impl Into<String>) -> Self {
        Self { reason: ErrorReason::InvalidParameterValue, member, message: message.into() }
    }

    fn combination(member: &'static str, message: impl Into<String>) -> Self {
        Self { reason: ErrorReason::InvalidParameterCombination, ..Self::value(member, message) }
    }

    /// The error of a question that stands at `field` of its request.
    pub(crate) fn at(self, field: &str) -> Error {
        Error::new(self.reason, &self.message)
            .with_violation(format!("{field}.{}", self.member), self.message)
    }
}

/// About whom a question asks.
#[derive(Clone, Copy)]
enum Who<'q> {
    Session {
        token: &'q str,
        access_key_id: Option<&'q str>,
    },
    Bearer {
        token: &'q str,
    },
    Principal {
        arn: &'q str,
    },
    /// Whoever signed the request that the question is about.
    Signer,
}

/// A question whose members go together.
pub(crate) struct Asked<'q> {
    who: Who<'q>,
    pub(crate) question: &'q Question,
    /// Who owns the resource, as its ARN or else the service says.
    owner: Option<&'q str>,
}

impl<'q> Asked<'q> {
    pub(crate) fn parse(question: &'q Question) -> Result<Self, Fault> {
        Self::about(who(question)?, question)
    }

    /// A question about whoever signed the request that comes with it, who is not named besides.
    pub(crate) fn of_signer(question: &'q Question) -> Result<Self, Fault> {
        let named = [
            ("session_token", question.session_token.is_some()),
            ("access_key_id", question.access_key_id.is_some()),
            ("bearer_token", question.bearer_token.is_some()),
            ("principal_arn", question.principal_arn.is_some()),
        ];
        if let Some((member, _)) = named.iter().find(|(_, is_named)| *is_named) {
            return Err(Fault::combination(member, "Who is asked about is whoever signed the request."));
        }
        Self::about(Who::Signer, question)
    }

    fn about(who: Who<'q>, question: &'q Question) -> Result<Self, Fault> {
        let Ok(named) = account_named(&question.resource) else {
            let message = format!("{} is neither an ARN nor *.", question.resource);
            return Err(Fault::value("resource", message));
        };
        if repeated_key(question.resource_tags.iter().map(|tag| tag.key.as_str())).is_some() {
            return Err(Fault::value("resource_tags", DUPLICATE_KEYS));
        }
        check_context(&question.context)?;
        Ok(Self { who, question, owner: named.or(question.resource_account.as_deref()) })
    }

    /// Whether a session is asked about, with its tags and policies.
    pub(crate) fn is_session(&self) -> bool {
        matches!(self.who, Who::Session { .. } | Who::Bearer { .. } | Who::Signer)
    }

    /// What the service says of the resource and the request.
    pub(crate) fn describe(&self, context: &mut Context<'q>) {
        for entry in &self.question.context {
            let key = entry.context_key_name.as_str();
            match entry.context_key_values.as_slice() {
                [value] if !entry.multivalued => context.insert(key, value.as_str()),
                values => context.insert(key, Value::Strings(values)),
            };
        }
        for tag in &self.question.resource_tags {
            context.insert_tag("aws:ResourceTag/", &tag.key, tag.value.as_str());
        }
        if let Some(account) = self.owner {
            context.insert("aws:ResourceAccount", account);
        }
    }
}

/// About whom the question asks: its members must go together.
fn who(question: &Question) -> Result<Who<'_>, Fault> {
    let access_key_id = question.access_key_id.as_deref();
    let who = match (&question.session_token, &question.bearer_token, &question.principal_arn) {
        (Some(token), None, None) => return Ok(Who::Session { token, access_key_id }),
        (None, Some(token), None) => Who::Bearer { token },
        (None, None, Some(arn)) => Who::Principal { arn },
        _ => {
            let message =
                "Exactly one of a session token, a bearer token and a principal ARN says who is asked about.";
            return Err(Fault::combination("principal_arn", message));
        }
    };
    if access_key_id.is_some() {
        return Err(Fault::combination("access_key_id", "An access key id goes with a session token."));
    }
    if matches!(who, Who::Bearer { .. }) && question.relying_service.is_none() {
        let message = "A bearer token goes with the relying service that it was issued for.";
        return Err(Fault::combination("bearer_token", message));
    }
    Ok(who)
}

/// The account that a resource's ARN names. `*` stands for no resource: it is what an operation like `s3:ListAllMyBuckets`
/// is asked about, which acts on none.
fn account_named(resource: &str) -> Result<Option<&str>, ArnError> {
    if resource == NO_RESOURCE {
        return Ok(None);
    }
    Ok(Some(Arn::parse(resource)?.account).filter(|account| !account.is_empty()))
}

fn check_context(entries: &[ContextEntry]) -> Result<(), Fault> {
    let mut seen = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = entry.context_key_name.to_lowercase();
        if OWN_KEYS.iter().any(|own| name.starts_with(own)) {
            let message =
                format!("The condition key {} is not a relying service's to set.", entry.context_key_name);
            return Err(Fault::value("context", message));
        }
        if !entry.multivalued && entry.context_key_values.len() != 1 {
            let message = format!("The condition key {} holds one value.", entry.context_key_name);
            return Err(Fault::value("context", message));
        }
        if seen.contains(&name) {
            let message = format!("The condition key {} is given twice.", entry.context_key_name);
            return Err(Fault::value("context", message));
        }
        seen.push(name);
    }
    Ok(())
}

/// Whom a question is about.
pub(crate) enum Subject {
    /// Somebody who is there.
    Known(Box<Identity>),
    /// Nobody: the session has ended, the token is none, the principal does not exist.
    Nobody { code: &'static str, message: String, arn: String },
}

/// Finds whom the question is about, as things are now. `audience` is the relying service that asks.
pub(crate) async fn subject(
    call: &mut Call<'_>,
    asked: &Asked<'_>,
    audience: Option<&str>,
) -> Result<Subject, Error> {
    let (found, arn) = match asked.who {
        Who::Signer => return Err(Error::internal_failure("a signer is found by the signature")),
        Who::Session { token, access_key_id } => {
            (session::of_token(call.environment, call.transaction, token, access_key_id, call.now).await, "")
        }
        Who::Bearer { token } => {
            let (token, audience) = (token.as_bytes(), audience.unwrap_or_default());
            (bearer::identify(call.environment, call.transaction, token, audience, call.now).await, "")
        }
        Who::Principal { arn } => (session::of_arn(call.environment, call.transaction, arn).await, arn),
    };
    match found {
        Ok(identity) => Ok(Subject::Known(Box::new(identity))),
        Err(error) => match error.reason {
            ErrorReason::ExpiredToken | ErrorReason::InvalidClientTokenId | ErrorReason::NoSuchEntity => {
                Ok(Subject::Nobody {
                    code: error.reason.answer().code,
                    message: error.message,
                    arn: arn.to_owned(),
                })
            }
            _ => Err(error),
        },
    }
}

impl Authorization {
    /// The resource's policy, compiled.
    pub(crate) fn resource_policy(
        &self,
        question: &Question,
        field: &str,
    ) -> Result<Option<PolicySet>, Error> {
        let Some(document) = &question.resource_policy else { return Ok(None) };
        if let Some(policies) = self.resource_policies.get(document) {
            return Ok(Some(policies));
        }
        let policy = Policy::compile(document, Kind::Resource).map_err(|error| {
            Error::from(error).violation_renamed("policy_document", &format!("{field}.resource_policy"))
        })?;
        let policies = PolicySet::new([policy.named("resource policy")]);
        self.resource_policies.insert(document.clone(), policies.clone());
        Ok(Some(policies))
    }

    /// The ARN of the service that names itself; it asks about its own resources alone.
    pub(crate) async fn audience(
        &self,
        call: &mut Call<'_>,
        question: &Question,
        field: &str,
    ) -> Result<Option<String>, Error> {
        let Some(name) = &question.relying_service else { return Ok(None) };
        let service = self.relying_service(call, name, question, field).await?;
        let partition = &call.environment.settings.partition;
        Ok(Some(relying_service_arn(partition, call.caller.account(), &service.name)))
    }

    /// The registered service that asks, if what it asks about is its own: a resource by its ARN, an operation without one
    /// by its action.
    pub(crate) async fn relying_service(
        &self,
        call: &mut Call<'_>,
        name: &str,
        question: &Question,
        field: &str,
    ) -> Result<RelyingServiceRecord, Error> {
        let service = call.directory().relying_services().get(name).await?;
        let is_own =
            service.resource_patterns.iter().any(|pattern| wildcard_match(pattern, &question.resource));
        if is_own
            || question.resource == NO_RESOURCE && is_action_of(&service.scope_service, &question.action)
        {
            return Ok(service);
        }
        let message = format!("{} is not a resource of the relying service {name}.", question.resource);
        Err(Fault::value("resource", message).at(field))
    }
}

fn is_action_of(service: &str, action: &str) -> bool {
    action.split_once(':').is_some_and(|(prefix, _)| prefix.eq_ignore_ascii_case(service))
}
