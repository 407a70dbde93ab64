//! One question: who, what, on what, under which conditions.

use crate::arn::{Arn, account_of, is_account_id};
use crate::context::Context;
use crate::decision::Invalid;

/// Who asks. ARNs are whole; a unique id (`AIDA...`, `AROA...`) may be empty when it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'a> {
    /// Nobody: an unsigned request.
    Anonymous,
    /// A service, by its name: `s3.amazonaws.com`.
    Service(&'a str),
    /// The root user of an account.
    Root {
        /// Twelve digits.
        account: &'a str,
    },
    /// A user.
    User {
        /// `arn:aws:iam::111122223333:user/path/name`.
        arn: &'a str,
        /// `AIDA...`, or empty.
        id: &'a str,
    },
    /// A session of a role.
    RoleSession {
        /// `arn:aws:iam::111122223333:role/path/name`.
        role_arn: &'a str,
        /// `AROA...`, or empty.
        role_id: &'a str,
        /// `arn:aws:sts::111122223333:assumed-role/name/session`.
        session_arn: &'a str,
    },
    /// A federated session, as `GetFederationToken` issues it.
    FederatedUser {
        /// `arn:aws:sts::111122223333:federated-user/name`.
        arn: &'a str,
        /// The ARN of the user behind it, or of the account's root.
        user_arn: &'a str,
        /// The unique id of the user behind it, or empty.
        user_id: &'a str,
    },
    /// Somebody whom an identity provider vouches for, before there is a session: the provider's ARN, or the
    /// host of a well-known one (`accounts.google.com`). For role trust policies.
    Federated(&'a str),
}

impl<'a> Principal<'a> {
    /// The account the principal belongs to; none for the anonymous, services, and identities of a provider.
    #[must_use]
    pub fn account(&self) -> Option<&'a str> {
        match *self {
            Self::Anonymous | Self::Service(_) | Self::Federated(_) => None,
            Self::Root { account } => Some(account),
            Self::User { arn, .. } | Self::FederatedUser { arn, .. } => account_of(arn),
            Self::RoleSession { role_arn, .. } => account_of(role_arn),
        }
    }
}

/// One question to decide.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: Principal<'a>,
    /// What they want to do, `service:Operation`; compared without case.
    pub action: &'a str,
    /// The ARN they want to do it to, or `*` for an operation that names no resource.
    pub resource: &'a str,
    /// The account that owns the resource; required where the ARN does not say (S3, `*`). It is never assumed
    /// to be the caller's.
    pub resource_account: Option<&'a str>,
    /// What conditions and variables may look at.
    pub context: &'a Context<'a>,
    /// What else is known about the two sides.
    pub standing: Standing,
}

/// Facts about the two sides of a request that no policy says. The default is the ordinary case: all false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The principal's account is its organization's management account: service control policies do not bind it.
    pub principal_in_management_account: bool,
    /// The resource's account is its organization's management account: resource control policies do not bind it.
    pub resource_in_management_account: bool,
    /// The principal is a session of a service-linked role, which neither kind of control policy binds.
    pub service_linked_role: bool,
    /// The resource grants nothing unless its own policy does, as KMS keys: even the account's root needs it.
    pub resource_policy_required: bool,
}

impl Standing {
    /// What a resource's ARN says of it: to KMS keys, nobody comes but by their own policy.
    #[must_use]
    pub fn of(resource: &str) -> Self {
        let resource_policy_required =
            Arn::parse(resource).is_ok_and(|arn| arn.service == "kms" && arn.resource.starts_with("key/"));
        Self { resource_policy_required, ..Self::default() }
    }
}

impl<'a> Request<'a> {
    /// A request with the ordinary standing, whose resource names its account.
    #[must_use]
    pub fn new(
        principal: Principal<'a>,
        action: &'a str,
        resource: &'a str,
        context: &'a Context<'a>,
    ) -> Self {
        Self { principal, action, resource, resource_account: None, context, standing: Standing::default() }
    }

    /// The same request on a resource that `account` owns.
    #[must_use]
    pub fn owned_by(self, account: &'a str) -> Self {
        Self { resource_account: Some(account), ..self }
    }

    /// The account that owns the resource.
    ///
    /// # Errors
    /// Neither the ARN nor the caller names it, they contradict each other, or it is no account id.
    pub fn owner(&self) -> Result<&'a str, Invalid> {
        self.owned(account_of(self.resource).unwrap_or(""))
    }

    /// The account that owns a resource whose ARN says `account`.
    pub(crate) fn owned(&self, account: &'a str) -> Result<&'a str, Invalid> {
        // The resources AWS owns (managed policies) belong to the account they are used in.
        let named = Some(account).filter(|account| !account.is_empty() && *account != "aws");
        let owner = match (named, self.resource_account) {
            (Some(named), Some(given)) if named != given => return Err(Invalid::ResourceAccountContradicted),
            (Some(account), _) | (None, Some(account)) => account,
            (None, None) => return Err(Invalid::ResourceAccountMissing),
        };
        if is_account_id(owner) { Ok(owner) } else { Err(Invalid::ResourceAccountMalformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_opened_by_their_own_policy_alone() {
        for (resource, expected) in [
            ("arn:aws:kms:eu-west-1:123456789012:key/1234abcd", true),
            ("arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd", true),
            ("arn:aws:kms:eu-west-1:123456789012:alias/key/a", false),
            ("arn:aws:s3:::key/a", false),
            ("*", false),
        ] {
            let expected = Standing { resource_policy_required: expected, ..Standing::default() };
            assert_eq!(Standing::of(resource), expected, "{resource}");
        }
    }

    #[test]
    fn a_resource_s_owner_is_named_and_never_guessed() {
        let context = Context::new();
        let owner = |resource, given: Option<&'static str>| {
            let request = Request::new(Principal::Anonymous, "a:b", resource, &context);
            Request { resource_account: given, ..request }.owner()
        };
        let (ours, other) = ("111122223333", "444455556666");
        let queue = "arn:aws:sqs:r:111122223333:q";
        assert_eq!(owner(queue, None), Ok(ours));
        assert_eq!(owner(queue, Some(ours)), Ok(ours));
        assert_eq!(owner(queue, Some(other)), Err(Invalid::ResourceAccountContradicted));
        for unnamed in ["arn:aws:s3:::b", "*", "arn:aws:iam::aws:policy/p"] {
            assert_eq!(owner(unnamed, Some(ours)), Ok(ours), "{unnamed}");
            assert_eq!(owner(unnamed, None), Err(Invalid::ResourceAccountMissing), "{unnamed}");
        }
        assert_eq!(owner("arn:aws:s3:::b", Some("1")), Err(Invalid::ResourceAccountMalformed));
        assert_eq!(owner("arn:aws:sqs:r:me:q", None), Err(Invalid::ResourceAccountMalformed));
    }
}
