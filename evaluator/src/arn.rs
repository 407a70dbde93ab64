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
    let rest = arn.strip_prefix("arn:")?;
    let mut colons = Colons { bytes: rest.as_bytes(), read: 0, found: 0 };
    let (before, after) = (colons.nth(2)?, colons.next()?);
    Some((rest.get(before + 1..after)?, rest.get(after + 1..)?))
}

/// Where the colons of a text are, found eight bytes at a time.
struct Colons<'t> {
    /// What was not read yet.
    bytes: &'t [u8],
    read: usize,
    /// The colons among the eight bytes read last that were not told yet.
    found: u64,
}

impl Iterator for Colons<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let mut word = [0; 8];
            (word, self.bytes) = match self.bytes.split_first_chunk() {
                Some((whole, rest)) => (*whole, rest),
                None if self.bytes.is_empty() => return None,
                None => {
                    word.iter_mut().zip(self.bytes).for_each(|(slot, byte)| *slot = *byte);
                    (word, [].as_slice())
                }
            };
            self.found = colons(u64::from_le_bytes(word));
            self.read += 8;
        }
        let at = self.found.trailing_zeros() as usize / 8;
        self.found &= self.found - 1;
        Some(self.read - 8 + at)
    }
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
    fn the_account_is_found_wherever_the_words_end() {
        for (partition, region, account) in ["aws", "aws-cn", "a", "", "aws-iso-bcdef"]
            .iter()
            .flat_map(|partition| ["", "eu-west-1", "r"].map(move |region| (partition, region)))
            .flat_map(|(partition, region)| {
                ["", "1", "aws", "111122223333"].map(move |account| (partition, region, account))
            })
        {
            for name in ["", "n", "a:b", "user/a", ":", "é:é", "0123456789abcdef"] {
                let arn = format!("arn:{partition}:iam:{region}:{account}:{name}");
                assert_eq!(owner_and_name(&arn), Some((account, name)), "{arn}");
                assert_eq!(account_of(&arn), Some(account).filter(|account| !account.is_empty()), "{arn}");
            }
            let short = format!("arn:{partition}:iam:{region}:{account}");
            assert_eq!(owner_and_name(&short), None, "{short}");
        }
        // Bytes that differ from a colon in one bit, and characters of several bytes.
        for odd in [";", "8", "2", "*", "\u{1a}", "z", "\u{7a}", "ĺ", "\u{ba}", "€"] {
            let arn = format!("arn:{odd}:{odd}:{odd}:{odd}:{odd}");
            assert_eq!(owner_and_name(&arn), Some((odd, odd)), "{arn}");
        }
        assert_eq!(
            (owner_and_name(""), owner_and_name("arn"), owner_and_name("ARN:a:b:c:d:e")),
            (None, None, None)
        );
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
