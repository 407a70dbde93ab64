//! The account's password policy, and what a password must be like where there is none. (Source: "Set an account password
//! policy for IAM users" of the IAM User Guide, and the API reference of UpdateAccountPasswordPolicy.)

use reeve_proto::store::v1::PasswordPolicyRecord;
use reeve_storage::Transaction;

use crate::{Error, Result, part, tables};

/// Characters of a password that a policy asks for when it does not say.
pub const MINIMUM_LENGTH_DEFAULT: i32 = 6;
/// Most passwords that a policy can look back on.
pub const REUSE_PREVENTION_MAX: usize = 24;
/// Characters that a password needs without a policy.
const DEFAULT_LENGTH_CHARS_MIN: usize = 8;
/// Kinds of character that a password needs without a policy, of the four there are.
const DEFAULT_KINDS_MIN: usize = 3;
/// What counts as a symbol.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";
const SECONDS_PER_DAY: i64 = 86_400;

part! {
    /// The password policy of an account.
    PasswordPolicies
}

/// The policy of an account; none when the default holds.
pub async fn find(transaction: &mut Transaction, account_id: &str) -> Result<Option<PasswordPolicyRecord>> {
    Ok(tables::PASSWORD_POLICIES.get(transaction, &(account_id.to_owned(),)).await?)
}

impl PasswordPolicies<'_, '_> {
    /// The policy; none when the default holds.
    pub async fn find(&mut self) -> Result<Option<PasswordPolicyRecord>> {
        find(self.0.transaction, self.0.account).await
    }

    /// The policy.
    ///
    /// # Errors
    /// `NoSuchEntity` when there is none.
    pub async fn get(&mut self) -> Result<PasswordPolicyRecord> {
        self.find().await?.ok_or_else(|| {
            let account = self.0.account;
            Error::no_such_entity(format!("The Password Policy with domain name {account} cannot be found."))
        })
    }

    /// Sets the policy, in place of the one that there may be.
    pub async fn put(&mut self, policy: &PasswordPolicyRecord) -> Result<()> {
        let key = (self.0.account.to_owned(),);
        Ok(tables::PASSWORD_POLICIES.put(self.0.transaction, &key, policy).await?)
    }

    /// Removes the policy: the default holds again.
    ///
    /// # Errors
    /// `NoSuchEntity` when there is none.
    pub async fn delete(&mut self) -> Result<()> {
        if self.find().await?.is_none() {
            let message = "The account policy with name PasswordPolicy cannot be found.";
            return Err(Error::no_such_entity(message));
        }
        let key = (self.0.account.to_owned(),);
        Ok(tables::PASSWORD_POLICIES.delete(self.0.transaction, &key).await?)
    }
}

/// Whether a password that was set at `password_date` has expired by `now`, both in Unix seconds.
#[must_use]
pub fn is_expired(policy: Option<&PasswordPolicyRecord>, password_date: i64, now: i64) -> bool {
    let age_days_max = policy.map_or(0, |policy| policy.age_days_max);
    age_days_max > 0
        && now.saturating_sub(password_date) >= i64::from(age_days_max).saturating_mul(SECONDS_PER_DAY)
}

/// Whether whoever signs in with an expired password cannot choose another.
#[must_use]
pub fn is_expiry_hard(policy: Option<&PasswordPolicyRecord>) -> bool {
    policy.and_then(|policy| policy.hard_expiry).unwrap_or_default()
}

/// The refusal of whoever cannot.
#[must_use]
pub fn expired_for_good() -> Error {
    Error::access_denied("Your password has expired. Only an administrator can give you another.")
}

/// How many of the last passwords cannot be used again.
#[must_use]
pub fn reuse_prevention(policy: Option<&PasswordPolicyRecord>) -> usize {
    let count = policy.map_or(0, |policy| policy.reuse_prevention);
    usize::try_from(count).unwrap_or_default().min(REUSE_PREVENTION_MAX)
}

/// Holds a new password to the policy, or to the default without one. `names` are the account's, which the default policy
/// does not take for passwords.
///
/// # Errors
/// `PasswordPolicyViolation`.
pub fn check(policy: Option<&PasswordPolicyRecord>, names: &[&str], password: &str) -> Result<()> {
    let found = Kinds::of(password);
    let wrong = match policy {
        Some(policy) => violation(policy, found, password),
        None => default_violation(names, found, password),
    };
    wrong.map_or(Ok(()), |wrong| {
        let message = "Password does not conform to the account password policy.";
        Err(Error::password_policy_violation(message).with_violation("password", wrong))
    })
}

/// The refusal of a password that was used before.
#[must_use]
pub fn reused() -> Error {
    let message = "Policy constraint violation with password reuse prevention during password change.";
    Error::password_policy_violation(message).with_violation("password", "it was used before")
}

fn violation(policy: &PasswordPolicyRecord, found: Kinds, password: &str) -> Option<String> {
    let minimum = usize::try_from(policy.minimum_length).unwrap_or_default();
    if password.chars().count() < minimum {
        return Some(format!("it must have at least {minimum} characters"));
    }
    let required = [
        (policy.require_uppercase, found.uppercase, "uppercase letter"),
        (policy.require_lowercase, found.lowercase, "lowercase letter"),
        (policy.require_numbers, found.number, "number"),
        (policy.require_symbols, found.symbol, "symbol"),
    ];
    let missing = required.iter().find(|(is_required, is_found, _)| *is_required && !is_found);
    missing.map(|(_, _, kind)| format!("it must have at least one {kind}"))
}

fn default_violation(names: &[&str], found: Kinds, password: &str) -> Option<String> {
    if password.chars().count() < DEFAULT_LENGTH_CHARS_MIN {
        return Some(format!("it must have at least {DEFAULT_LENGTH_CHARS_MIN} characters"));
    }
    if names.contains(&password) {
        return Some("it must not be the account's name".to_owned());
    }
    let kinds = [found.uppercase, found.lowercase, found.number, found.symbol];
    let count = kinds.iter().filter(|is_found| **is_found).count();
    (count < DEFAULT_KINDS_MIN).then(|| {
        format!(
            "it must have {DEFAULT_KINDS_MIN} of these: uppercase letters, lowercase letters, numbers, symbols"
        )
    })
}

/// The kinds of character that a password has.
#[derive(Clone, Copy, Default)]
struct Kinds {
    uppercase: bool,
    lowercase: bool,
    number: bool,
    symbol: bool,
}

impl Kinds {
    fn of(password: &str) -> Self {
        password.chars().fold(Self::default(), |found, c| Self {
            uppercase: found.uppercase || c.is_ascii_uppercase(),
            lowercase: found.lowercase || c.is_ascii_lowercase(),
            number: found.number || c.is_ascii_digit(),
            symbol: found.symbol || SYMBOLS.contains(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conforms(policy: &PasswordPolicyRecord, password: &str) -> bool {
        check(Some(policy), &[], password).is_ok()
    }

    #[test]
    fn without_a_policy_the_default_holds() {
        for (password, expected) in [
            ("Abcdef12", true),
            ("abcdef1!", true),
            ("ABCDEF1!", true),
            ("Abcdefg!", true),
            ("Abcde12", false),
            ("abcdefg1", false),
            ("ABCDEFG1", false),
            ("12345678", false),
            ("1234567!", false),
            ("Äöüßäöü1", false),
            ("Abcdefg;", false),
            ("My-Company-1", false),
        ] {
            assert_eq!(check(None, &["My-Company-1"], password).is_ok(), expected, "{password}");
        }
        let error = check(None, &[], "Abcde12").unwrap_err();
        assert_eq!(error.message, "Password does not conform to the account password policy.");
        assert!(!format!("{error:?}").contains("Abcde12"));
    }

    #[test]
    fn a_policy_asks_for_what_it_says_and_no_more() {
        let policy = PasswordPolicyRecord { minimum_length: 6, ..Default::default() };
        assert!(conforms(&policy, "aaaaaa") && conforms(&policy, "ÿÿÿÿÿÿ"));
        assert!(!conforms(&policy, "aaaaa"));
        type Require = fn(&mut PasswordPolicyRecord);
        let rules: [(Require, &str, &str); 4] = [
            (|policy| policy.require_uppercase = true, "aaaaaA", "aaaaaÄ"),
            (|policy| policy.require_lowercase = true, "AAAAAa", "AAAAAä"),
            (|policy| policy.require_numbers = true, "aaaaa1", "aaaaa²"),
            (|policy| policy.require_symbols = true, "aaaaa'", "aaaaa;"),
        ];
        for (require, good, bad) in rules {
            let mut strict = policy;
            require(&mut strict);
            assert!(conforms(&strict, good), "{good}");
            assert!(!conforms(&strict, bad), "{bad}");
        }
        for symbol in SYMBOLS.chars() {
            let strict = PasswordPolicyRecord { require_symbols: true, ..policy };
            assert!(conforms(&strict, &format!("aaaaa{symbol}")));
        }
    }

    #[test]
    fn passwords_expire_after_whole_days() {
        let policy = PasswordPolicyRecord { age_days_max: 90, ..Default::default() };
        let day = SECONDS_PER_DAY;
        assert!(!is_expired(Some(&policy), 0, 90 * day - 1));
        assert!(is_expired(Some(&policy), 0, 90 * day));
        assert!(!is_expired(Some(&policy), 10, 0));
        assert!(!is_expired(Some(&PasswordPolicyRecord::default()), 0, i64::MAX));
        assert!(!is_expired(None, 0, i64::MAX));
    }
}
