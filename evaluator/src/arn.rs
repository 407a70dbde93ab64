//! ARNs, the names of everything a decision is about.
//!
//! Parsing is strict and total: the same text gives the same answer on every path, and no input panics.

/// An ARN split into its parts, borrowed from the text it was parsed from.
///
/// The shape is `arn:partition:service:region:account:resource`; the resource may itself hold colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, ...; never empty.
    pub partition: &'a str,
    /// The service's prefix, such as `iam`; never empty.
    pub service: &'a str,
    /// The region; empty for global services.
    pub region: &'a str,
    /// The account, twelve digits or, for the resources AWS itself owns, `aws`; empty where the service's
    /// names are global (S3).
    pub account: &'a str,
    /// Everything after the fifth colon; never empty.
    pub resource: &'a str,
}

/// Why a text is not an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArnError {
    /// It does not begin with `arn:`.
    #[error("an ARN begins with `arn:`")]
    Prefix,
    /// It has fewer than six fields.
    #[error("an ARN has six fields separated by colons")]
    Fields,
    /// A field that must be present is empty or holds a character that no ARN holds there.
    #[error("the {0} of the ARN is not valid")]
    Field(&'static str),
}

impl<'a> Arn<'a> {
    /// Parses `text`, which must be a whole ARN without wildcards in the fields before the resource.
    ///
    /// # Errors
    /// Says which part of the text is no ARN's.
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let rest = text.strip_prefix("arn:").ok_or(ArnError::Prefix)?;
        let mut fields = rest.splitn(5, ':');
        let mut field = || fields.next().ok_or(ArnError::Fields);
        let arn = Self {
            partition: field()?,
            service: field()?,
            region: field()?,
            account: field()?,
            resource: field()?,
        };
        let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if arn.partition.is_empty() || !word(arn.partition) {
            return Err(ArnError::Field("partition"));
        }
        if arn.service.is_empty()
            || !arn.service.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        {
            return Err(ArnError::Field("service"));
        }
        if !word(arn.region) {
            return Err(ArnError::Field("region"));
        }
        if !(arn.account.is_empty() || arn.account == "aws" || is_account_id(arn.account)) {
            return Err(ArnError::Field("account"));
        }
        if arn.resource.is_empty() || arn.resource.chars().any(char::is_control) {
            return Err(ArnError::Field("resource"));
        }
        Ok(arn)
    }
}

/// Whether `text` is an account id: exactly twelve digits.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account and the resource of an ARN, without judging the rest: `None` when it has fewer than six fields.
pub(crate) fn owner_and_name(arn: &str) -> Option<(&str, &str)> {
    arn.strip_prefix("arn:")?;
    let (mut seen, mut before) = (0, 0);
    for (at, word) in words(arn.as_bytes()) {
        let mut colons = colons(word);
        while colons != 0 {
            let colon = at + colons.trailing_zeros() as usize / 8;
            colons &= colons - 1;
            seen += 1;
            match seen {
                4 => before = colon,
                5 => return Some((arn.get(before + 1..colon)?, arn.get(colon + 1..)?)),
                _ => {}
            }
        }
    }
    None
}

/// Eight bytes at a time and where they begin; the last are filled up with zeros.
fn words(bytes: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    let (whole, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    let all = whole.iter().copied().chain(std::iter::once(last));
    (0..).step_by(8).zip(all.map(u64::from_le_bytes))
}

/// The highest bit of every byte that is a colon.
fn colons(word: u64) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let zero_at_colons = word ^ 0x3A3A_3A3A_3A3A_3A3A;
    !(((zero_at_colons & LOW) + LOW) | zero_at_colons | LOW)
}

/// The account field of an ARN, without judging the rest: `None` when there is no such field or it is empty.
pub(crate) fn account_of(arn: &str) -> Option<&str> {
    let (account, _) = owner_and_name(arn)?;
    Some(account).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_keeps_its_colons() {
        let arn = Arn::parse("arn:aws:logs:eu-west-1:111122223333:log-group:a:log-stream:b").unwrap();
        assert_eq!(arn.account, "111122223333");
        assert_eq!(arn.resource, "log-group:a:log-stream:b");
    }

    #[test]
    fn global_names_have_no_account() {
        assert_eq!(Arn::parse("arn:aws:s3:::bucket/key").unwrap().account, "");
        assert_eq!(account_of("arn:aws:s3:::bucket/key"), None);
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        assert_eq!(Arn::parse(""), Err(ArnError::Prefix));
        assert_eq!(Arn::parse("ARN:aws:s3:::b"), Err(ArnError::Prefix));
        assert_eq!(Arn::parse("arn:aws:s3::b"), Err(ArnError::Fields));
        assert_eq!(Arn::parse("arn::s3:::b"), Err(ArnError::Field("partition")));
        assert_eq!(Arn::parse("arn:aws::::b"), Err(ArnError::Field("service")));
        assert_eq!(Arn::parse("arn:aws:iam::12:user/a"), Err(ArnError::Field("account")));
        assert_eq!(Arn::parse("arn:aws:iam::111122223333:"), Err(ArnError::Field("resource")));
        assert_eq!(Arn::parse("arn:aws:iam::111122223333:user/\n"), Err(ArnError::Field("resource")));
    }
}
