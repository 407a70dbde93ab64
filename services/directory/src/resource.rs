//! ARNs of what the directory holds: formed from records, and taken apart again.

use std::fmt;

use reeve_evaluator::Arn;

/// The kinds of resource that have an ARN with a path and a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
    /// A managed policy.
    Policy,
    /// A virtual MFA device.
    Mfa,
}

impl Kind {
    /// How it stands in an ARN.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::Policy => "policy",
            Self::Mfa => "mfa",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What stands before the issuer in the ARN of an OpenID Connect provider.
const OIDC_PROVIDER: &str = "oidc-provider/";

/// The ARN of something with a path and a name.
#[must_use]
pub fn arn(partition: &str, account: &str, kind: Kind, path: &str, name: &str) -> String {
    ["arn:", partition, ":iam::", account, ":", kind.as_str(), path, name].concat()
}

/// The ARN of an account's root.
#[must_use]
pub fn root_arn(partition: &str, account: &str) -> String {
    ["arn:", partition, ":iam::", account, ":root"].concat()
}

/// The ARN of a session of a role.
#[must_use]
pub fn role_session_arn(partition: &str, account: &str, role: &str, session: &str) -> String {
    ["arn:", partition, ":sts::", account, ":assumed-role/", role, "/", session].concat()
}

/// The ARN of a relying service.
#[must_use]
pub fn relying_service_arn(partition: &str, account: &str, name: &str) -> String {
    ["arn:", partition, ":reeve::", account, ":relying-service/", name].concat()
}

/// The ARN of an OpenID Connect provider: its issuer is its URL without `https://`.
#[must_use]
pub fn oidc_provider_arn(partition: &str, account: &str, issuer: &str) -> String {
    ["arn:", partition, ":iam::", account, ":", OIDC_PROVIDER, issuer].concat()
}

/// What an ARN names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The root of an account.
    Root {
        /// Twelve digits.
        account: &'a str,
    },
    /// A user, a group, a role, a managed policy or a virtual MFA device, which need not exist.
    Named {
        /// Which of them.
        kind: Kind,
        /// Twelve digits, or `aws` for a policy that AWS manages.
        account: &'a str,
        /// `/`, or slashes around it.
        path: &'a str,
        /// The name.
        name: &'a str,
    },
    /// An OpenID Connect provider, which need not exist.
    OidcProvider {
        /// Twelve digits.
        account: &'a str,
        /// Its URL without `https://`, a slash at its end included.
        issuer: &'a str,
    },
    /// A session of a role.
    RoleSession {
        /// Twelve digits.
        account: &'a str,
        /// The role's name; its path does not stand here.
        role: &'a str,
        /// The session's name.
        session: &'a str,
    },
}

impl<'a> Resource<'a> {
    /// What `text` names in `partition`; none when it is not the ARN of anything here.
    #[must_use]
    pub fn parse(partition: &str, text: &'a str) -> Option<Self> {
        let arn = Arn::parse(text).ok().filter(|arn| arn.partition == partition && arn.region.is_empty())?;
        let account = Some(arn.account).filter(|account| !account.is_empty())?;
        match arn.service {
            "iam" if arn.resource == "root" => (account != "aws").then_some(Self::Root { account }),
            "iam" => match arn.resource.strip_prefix(OIDC_PROVIDER) {
                Some(issuer) => {
                    (!issuer.is_empty() && account != "aws").then_some(Self::OidcProvider { account, issuer })
                }
                None => Self::named(account, arn.resource),
            },
            "sts" => {
                let (role, session) = arn.resource.strip_prefix("assumed-role/")?.split_once('/')?;
                let whole = !role.is_empty() && !session.is_empty() && !session.contains('/');
                (whole && account != "aws").then_some(Self::RoleSession { account, role, session })
            }
            _ => None,
        }
    }

    /// The account it belongs to.
    #[must_use]
    pub fn account(&self) -> &'a str {
        match *self {
            Self::Root { account }
            | Self::Named { account, .. }
            | Self::OidcProvider { account, .. }
            | Self::RoleSession { account, .. } => account,
        }
    }

    fn named(account: &'a str, resource: &'a str) -> Option<Self> {
        let (word, _) = resource.split_once('/')?;
        let kinds = [Kind::User, Kind::Group, Kind::Role, Kind::Policy, Kind::Mfa];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == word)?;
        if account == "aws" && kind != Kind::Policy {
            return None;
        }
        let rest = resource.strip_prefix(word)?;
        let (path, name) = rest.split_at_checked(rest.rfind('/')? + 1)?;
        (!name.is_empty()).then_some(Self::Named { kind, account, path, name })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arns_are_taken_apart_as_they_were_formed() {
        for (path, name) in [("/", "alice"), ("/a/b/", "Alice@x")] {
            let text = arn("aws", "111122223333", Kind::User, path, name);
            let expected = Resource::Named { kind: Kind::User, account: "111122223333", path, name };
            assert_eq!(Resource::parse("aws", &text), Some(expected));
            assert_eq!(Resource::parse("aws-cn", &text), None);
        }
        let text = role_session_arn("aws", "111122223333", "r", "s");
        let expected = Resource::RoleSession { account: "111122223333", role: "r", session: "s" };
        assert_eq!(Resource::parse("aws", &text), Some(expected));
        let text = root_arn("aws", "111122223333");
        assert_eq!(Resource::parse("aws", &text), Some(Resource::Root { account: "111122223333" }));
        for issuer in ["oidc.example.com", "oidc.example.com/", "127.0.0.1:4433/a/b"] {
            let text = oidc_provider_arn("aws", "111122223333", issuer);
            let expected = Resource::OidcProvider { account: "111122223333", issuer };
            assert_eq!(Resource::parse("aws", &text), Some(expected));
        }
    }

    #[test]
    fn what_names_nothing_here_is_refused() {
        for text in [
            "*",
            "arn:aws:iam::111122223333:user",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user/a/",
            "arn:aws:iam:eu-west-1:111122223333:user/a",
            "arn:aws:iam:::user/a",
            "arn:aws:iam::aws:user/a",
            "arn:aws:iam::111122223333:oidc-provider/",
            "arn:aws:iam::aws:oidc-provider/a",
            "arn:aws:iam::111122223333:saml-provider/a",
            "arn:aws:sts::111122223333:assumed-role/r",
            "arn:aws:sts::111122223333:assumed-role/r/s/t",
            "arn:aws:s3:::bucket",
        ] {
            assert_eq!(Resource::parse("aws", text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_is_total(text in "(arn:aws:iam::111122223333:)?[a-z/:é]{0,20}") {
            let _ = Resource::parse("aws", &text);
        }
    }
}
