//! The Principal and NotPrincipal elements: whom a statement is about, and how directly it names them.
//!
//! How a principal is named decides what its grant is worth: naming a user or a session is a grant by itself in
//! its own account, naming a role is bounded by the role's boundary, naming the account leaves it to the account.

use crate::arn::{Arn, is_account_id};
use crate::request::Principal;

/// How a statement names a principal; several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants(u8);

impl Grants {
    /// Not at all.
    pub(crate) const NONE: Self = Self(0);
    /// Through its account.
    pub(crate) const ACCOUNT: Self = Self(1);
    /// A session through its role, or a federated session through the user behind it.
    pub(crate) const BEHIND: Self = Self(2);
    /// By its own name: a user, a session, a service, a provider.
    pub(crate) const NAMED: Self = Self(4);
    /// As everyone is.
    pub(crate) const EVERYONE: Self = Self(8);

    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    pub(crate) fn has(self, grant: Self) -> bool {
        self.0 & grant.0 != 0
    }

    pub(crate) fn with(self, grant: Self, holds: bool) -> Self {
        if holds { Self(self.0 | grant.0) } else { self }
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Why an entry was refused.
pub(crate) enum Fault {
    /// There is no such type of principal.
    Type,
    /// The value is none of its type's.
    Value,
}

/// A compiled Principal or NotPrincipal element.
#[derive(Debug, Default)]
pub(crate) struct Principals {
    pub(crate) negated: bool,
    /// `"*"`: everyone and every service.
    pub(crate) anyone: bool,
    /// `{"AWS": "*"}`: every principal of an account, and the anonymous.
    any_aws: bool,
    /// `CanonicalUser`, which no request can be compared with.
    canonical: bool,
    accounts: Vec<Box<str>>,
    /// ARNs and unique ids.
    names: Vec<Box<str>>,
    services: Vec<Box<str>>,
    providers: Vec<Box<str>>,
}

impl Principals {
    pub(crate) fn new(negated: bool) -> Self {
        Self { negated, ..Self::default() }
    }

    /// Every principal there is.
    pub(crate) fn everyone() -> Self {
        Self { anyone: true, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let lists = [&self.accounts, &self.names, &self.services, &self.providers];
        !(self.anyone || self.any_aws || self.canonical) && lists.iter().all(|list| list.is_empty())
    }

    /// Adds one entry of the element: its type and its value.
    pub(crate) fn add(&mut self, kind: &str, value: &str) -> Result<(), Fault> {
        let host = |value: &str| {
            !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/".contains(&b))
        };
        match kind {
            "AWS" => return self.add_aws(value).ok_or(Fault::Value),
            "Service" if value.contains('.') && host(value) => self.services.push(value.into()),
            "Federated" if host(value) || is_provider(value) => self.providers.push(value.into()),
            "CanonicalUser" if !value.is_empty() => self.canonical = true,
            "Service" | "Federated" | "CanonicalUser" => return Err(Fault::Value),
            _ => return Err(Fault::Type),
        }
        Ok(())
    }

    fn add_aws(&mut self, value: &str) -> Option<()> {
        if value == "*" {
            self.any_aws = true;
        } else if is_account_id(value) {
            self.accounts.push(value.into());
        } else if is_unique_id(value) {
            self.names.push(value.into());
        } else {
            let arn =
                Arn::parse(value).ok().filter(|arn| is_account_id(arn.account) && arn.region.is_empty())?;
            let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
            match (arn.service, kind, name) {
                ("iam", "root", "") => self.accounts.push(arn.account.into()),
                ("iam", "user" | "role", name) | ("sts", "assumed-role" | "federated-user", name)
                    if !name.is_empty() && !name.contains(['*', '?']) =>
                {
                    self.names.push(value.into());
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// How the element names `principal`; of a negated element, whether it applies to it. `deny`: a statement that
    /// cannot be sure must deny, and must not allow. `bounded`: the principal has a permissions boundary.
    pub(crate) fn grants(&self, principal: &Principal<'_>, deny: bool, bounded: bool) -> Grants {
        if self.negated {
            return Grants::NONE.with(Grants::EVERYONE, deny && !self.exempts(principal, bounded));
        }
        let everyone = match principal {
            // `{"AWS": "*"}` does not grant anything to a service, but a Deny on it had better stop one.
            Principal::Service(_) => self.anyone || deny && self.any_aws,
            // Providers are trusted by name: some give tokens to whoever asks.
            Principal::Federated(_) => deny && (self.anyone || self.any_aws),
            _ => self.anyone || self.any_aws,
        };
        self.named(principal)
            .with(Grants::EVERYONE, everyone || deny && self.canonical)
            .with(Grants::ACCOUNT, principal.account().is_some_and(|account| has(&self.accounts, account)))
    }

    fn named(&self, principal: &Principal<'_>) -> Grants {
        let own = |holds| Grants::NONE.with(Grants::NAMED, holds);
        match *principal {
            Principal::Anonymous | Principal::Root { .. } => Grants::NONE,
            Principal::Service(name) => own(has(&self.services, name)),
            Principal::Federated(provider) => own(has(&self.providers, provider)),
            Principal::User { arn, id } => own(has(&self.names, arn) || has(&self.names, id)),
            Principal::RoleSession { role_arn, role_id, session_arn } => {
                own(self.has_session(role_id, session_arn))
                    .with(Grants::BEHIND, has(&self.names, role_arn) || has(&self.names, role_id))
            }
            Principal::FederatedUser { arn, user_arn, user_id } => own(has(&self.names, arn))
                .with(Grants::BEHIND, has(&self.names, user_arn) || has(&self.names, user_id)),
        }
    }

    /// A session by its ARN, or by its role's unique id and its own name.
    fn has_session(&self, role_id: &str, session_arn: &str) -> bool {
        let by_id = |name: &str| {
            let (id, session) = name.split_once(':')?;
            (!role_id.is_empty() && id == role_id && session_arn.rsplit('/').next() == Some(session))
                .then_some(())
        };
        has(&self.names, session_arn) || self.names.iter().any(|name| by_id(name).is_some())
    }

    /// Whether a NotPrincipal element with Deny leaves `principal` alone. It must be named on every level on
    /// which AWS looks: the account, then the user or the role, then the session; and one that has a
    /// permissions boundary is never left alone.
    fn exempts(&self, principal: &Principal<'_>, bounded: bool) -> bool {
        if bounded {
            return false;
        }
        let account = principal.account().is_some_and(|account| has(&self.accounts, account));
        let named = self.named(principal);
        match principal {
            _ if self.anyone => true,
            Principal::Service(_) | Principal::Federated(_) => named.any(),
            _ if self.any_aws => true,
            Principal::Anonymous => false,
            Principal::Root { .. } => account,
            Principal::User { .. } => account && named.any(),
            Principal::RoleSession { .. } | Principal::FederatedUser { .. } => {
                account && named.has(Grants::NAMED) && named.has(Grants::BEHIND)
            }
        }
    }
}

fn has(names: &[Box<str>], name: &str) -> bool {
    !name.is_empty() && names.iter().any(|known| **known == *name)
}

/// The unique id of a user, a role or a role's session: `AIDA...`, `AROA...`, `AROA...:session`.
fn is_unique_id(text: &str) -> bool {
    let (id, session) = text.split_once(':').unwrap_or((text, "session"));
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    id.starts_with('A')
        && (16..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && !session.is_empty()
        && session.bytes().all(name)
}

/// The ARN of an identity provider.
fn is_provider(text: &str) -> bool {
    Arn::parse(text).is_ok_and(|arn| {
        let kind = arn.resource.split('/').next();
        arn.service == "iam" && matches!(kind, Some("saml-provider" | "oidc-provider"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: Principal<'_> = Principal::RoleSession {
        role_arn: "arn:aws:iam::111122223333:role/path/app",
        role_id: "AROAEXAMPLEEXAMPLE123",
        session_arn: "arn:aws:sts::111122223333:assumed-role/app/s1",
    };

    fn aws(values: &[&str], negated: bool) -> Principals {
        let mut principals = Principals::new(negated);
        for value in values {
            assert!(principals.add("AWS", value).is_ok(), "{value}");
        }
        principals
    }

    fn grants(value: &str) -> Grants {
        aws(&[value], false).grants(&ROLE, false, false)
    }

    #[test]
    fn a_session_is_named_in_many_ways() {
        assert_eq!(grants("111122223333"), Grants::ACCOUNT);
        assert_eq!(grants("arn:aws:iam::111122223333:root"), Grants::ACCOUNT);
        assert_eq!(grants("arn:aws:iam::111122223333:role/path/app"), Grants::BEHIND);
        assert_eq!(grants("AROAEXAMPLEEXAMPLE123"), Grants::BEHIND);
        assert_eq!(grants("arn:aws:sts::111122223333:assumed-role/app/s1"), Grants::NAMED);
        assert_eq!(grants("AROAEXAMPLEEXAMPLE123:s1"), Grants::NAMED);
        assert_eq!(grants("*"), Grants::EVERYONE);
        for other in [
            "444455556666",
            "AROAEXAMPLEEXAMPLE123:s2",
            "AROAEXAMPLEEXAMPLE124",
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:sts::111122223333:assumed-role/app/s2",
        ] {
            assert_eq!(grants(other), Grants::NONE, "{other}");
        }
    }

    #[test]
    fn ids_have_their_form() {
        for id in ["AROAEXAMPLE12345", "AIDAEXAMPLEEXAMPLE123:a+=,.@_-Z9", &format!("A{}", "1".repeat(127))] {
            assert!(Principals::new(false).add("AWS", id).is_ok(), "{id}");
        }
        assert_eq!(Grants::NAMED.with(Grants::NAMED, true).with(Grants::BEHIND, false), Grants::NAMED);
        assert_eq!(Grants::NAMED.union(Grants::NAMED), Grants::NAMED);
    }

    #[test]
    fn an_unknown_id_matches_nothing() {
        let user = Principal::User { arn: "arn:aws:iam::111122223333:user/a", id: "" };
        assert_eq!(aws(&["AIDAEXAMPLEEXAMPLE123"], false).grants(&user, true, false), Grants::NONE);
    }

    #[test]
    fn an_exemption_names_every_level() {
        let account = "arn:aws:iam::111122223333:root";
        let role = "arn:aws:iam::111122223333:role/path/app";
        let session = "arn:aws:sts::111122223333:assumed-role/app/s1";
        assert!(!aws(&[account, role, session], true).grants(&ROLE, true, false).any());
        assert!(aws(&[account, role, session], true).grants(&ROLE, true, true).any(), "it has a boundary");
        for some in [&[account, role][..], &[account, session], &[role, session]] {
            assert!(aws(some, true).grants(&ROLE, true, false).any(), "{some:?}");
        }
    }

    #[test]
    fn what_is_no_principal_is_refused() {
        for value in [
            "",
            "12345",
            "arn:aws:iam::111122223333:user/*",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::*:root",
            "arn:aws:iam::111122223333:group/g",
            "arn:aws:s3:::bucket",
            "alice",
            "Alice",
            "AROAEXAMPLE1234",
            "BROAEXAMPLEEXAMPLE123",
            "AROAexampleEXAMPLE123",
            "AROAEXAMPLEEXAMPLE123:",
            "AROAEXAMPLEEXAMPLE123:a b",
            "AROAEXAMPLEEXAMPLE123:a:b",
            &format!("A{}", "1".repeat(128)),
        ] {
            assert!(Principals::new(false).add("AWS", value).is_err(), "{value}");
        }
        assert!(matches!(Principals::new(false).add("Nobody", "x"), Err(Fault::Type)));
        assert!(Principals::new(false).add("Service", "*").is_err());
    }

    #[test]
    fn each_type_has_its_form() {
        let added = |kind, value| Principals::new(false).add(kind, value).is_ok();
        for (kind, value) in [
            ("Service", "s3.amazonaws.com"),
            ("Federated", "accounts.google.com"),
            ("Federated", "arn:aws:iam::111122223333:saml-provider/a+b"),
            ("CanonicalUser", "79a59df900b949e5"),
            ("AWS", "arn:aws:iam::111122223333:root"),
        ] {
            assert!(added(kind, value), "{kind} {value}");
        }
        for (kind, value) in [
            ("Service", "lambda"),
            ("Service", "a b.c"),
            ("Service", ""),
            ("Federated", "a+b"),
            ("Federated", "arn:aws:s3::111122223333:saml-provider/a+b"),
            ("Federated", ""),
            ("CanonicalUser", ""),
            ("AWS", "arn:aws:iam::111122223333:root/x"),
            ("AWS", "arn:aws:iam:eu-west-1:111122223333:user/a"),
            ("AWS", "arn:aws:iam::aws:user/a"),
        ] {
            assert!(!added(kind, value), "{kind} {value}");
        }
        assert!(Principals::new(false).is_empty() && !aws(&["*"], false).is_empty());
    }

    #[test]
    fn everyone_is_everyone() {
        let service = Principal::Service("s3.amazonaws.com");
        for principal in [&ROLE, &service, &Principal::Anonymous] {
            assert!(Principals::everyone().grants(principal, false, false).any());
            let spared = Principals { negated: true, ..Principals::everyone() };
            assert!(!spared.grants(principal, true, false).any());
        }
        assert!(!aws(&["*"], true).grants(&Principal::Anonymous, true, false).any());
        assert!(!aws(&["*"], true).grants(&ROLE, true, false).any());
        assert!(aws(&["*"], true).grants(&service, true, false).any(), "a service is no AWS principal");
    }
}
