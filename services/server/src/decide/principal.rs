//! Who a line asks about. An ARN says what kind of principal it names; of a session it says the role's name, and the
//! role's path only where the line gives it.

use std::borrow::Cow;

use reeve_evaluator::{Arn, Principal, Standing, is_account_id};

use super::line::{Asker, Question};

/// The path under which roles lie that belong to a service.
const SERVICE_LINKED: &str = "role/aws-service-role/";

/// The principal of a question.
pub(crate) enum Who<'q> {
    Anonymous,
    Service(&'q str),
    Root(&'q str),
    User(&'q str),
    /// A session of a role; its ARN is empty when only the role is named.
    Session {
        role: Cow<'q, str>,
        session: &'q str,
    },
    FederatedUser(&'q str),
}

impl<'q> Who<'q> {
    pub(crate) fn of(question: &'q Question<'_>) -> Result<Self, String> {
        let role = question.role.as_deref();
        let who = match &question.principal {
            Asker::Service(name) if name.is_empty() => {
                return Err("principal: the service has no name".to_owned());
            }
            Asker::Service(name) => Self::Service(name),
            Asker::Text(text) if text == "*" => Self::Anonymous,
            Asker::Text(text) => Self::of_arn(text, role)?,
        };
        if role.is_some() && !matches!(who, Self::Session { .. }) {
            return Err("role: only a session has one".to_owned());
        }
        Ok(who)
    }

    fn of_arn(text: &'q str, role: Option<&'q str>) -> Result<Self, String> {
        let refused = || {
            format!(
                "principal: {text} is not the ARN of a user, a role, a session of one, a federated user or a root"
            )
        };
        let arn = Arn::parse(text).map_err(|error| format!("principal: {error}"))?;
        if !is_account_id(arn.account) || !arn.region.is_empty() {
            return Err(refused());
        }
        let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        match (arn.service, kind) {
            ("iam", "root") if name.is_empty() => Ok(Self::Root(arn.account)),
            ("iam", "user") if is_name(name) => Ok(Self::User(text)),
            ("iam", "role") if is_name(name) => {
                if role.is_some_and(|role| role != text) {
                    return Err(format!("role: the principal is {text} itself"));
                }
                Ok(Self::Session { role: Cow::Borrowed(text), session: "" })
            }
            ("sts", "federated-user") if is_name(name) => Ok(Self::FederatedUser(text)),
            ("sts", "assumed-role") => {
                let (role_name, session) = name.split_once('/').ok_or_else(refused)?;
                if role_name.is_empty() || session.is_empty() || session.contains('/') {
                    return Err(refused());
                }
                Ok(Self::Session { role: role_of(&arn, role_name, role)?, session: text })
            }
            _ => Err(refused()),
        }
    }

    /// As the evaluator names it.
    pub(crate) fn principal(&self) -> Principal<'_> {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::Service(name) => Principal::Service(name),
            Self::Root(account) => Principal::Root { account },
            Self::User(arn) => Principal::User { arn, id: "" },
            Self::Session { role, session } => {
                Principal::RoleSession { role_arn: role, role_id: "", session_arn: session }
            }
            Self::FederatedUser(arn) => Principal::FederatedUser { arn, user_arn: "", user_id: "" },
        }
    }

    /// What the ARNs say about the two sides.
    pub(crate) fn standing(&self, question: &Question<'_>) -> Standing {
        let service_linked = match self {
            Self::Session { role, .. } => {
                Arn::parse(role).is_ok_and(|arn| arn.resource.starts_with(SERVICE_LINKED))
            }
            _ => false,
        };
        Standing { service_linked_role: service_linked, ..Standing::of(&question.resource) }
    }
}

/// The role behind a session: the one that is given, which must be its own, or the one of that name without a path.
fn role_of<'q>(session: &Arn<'_>, name: &str, given: Option<&'q str>) -> Result<Cow<'q, str>, String> {
    let Some(role) = given else {
        return Ok(Cow::Owned(format!("arn:{}:iam::{}:role/{name}", session.partition, session.account)));
    };
    let arn = Arn::parse(role).map_err(|error| format!("role: {error}"))?;
    let path = arn.resource.strip_prefix("role/").filter(|_| arn.service == "iam" && arn.region.is_empty());
    let own = path.is_some_and(|path| path.rsplit('/').next() == Some(name))
        && (arn.account, arn.partition) == (session.account, session.partition);
    if own { Ok(Cow::Borrowed(role)) } else { Err(format!("role: {role} is not the role of the session")) }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.ends_with('/') && !name.contains(['*', '?'])
}
