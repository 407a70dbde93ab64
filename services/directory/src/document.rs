//! Policy documents on their way into storage: compiled, so that nothing is stored that cannot be evaluated, held to AWS's
//! sizes, and minified.

use reeve_evaluator::{Kind, Policy, minify};

use crate::limits::MANAGED_POLICY_CHARS_MAX;
use crate::{Error, Result};

/// A document to be embedded in a user, a group or a role.
pub(crate) fn inline(text: &str) -> Result<String> {
    Policy::compile(text, Kind::Identity)?;
    Ok(minify(text)?)
}

/// A document of a managed policy.
pub(crate) fn managed(text: &str) -> Result<String> {
    Policy::compile_managed(text, Kind::Identity)?;
    let document = minify(text)?;
    if chars(&document) > MANAGED_POLICY_CHARS_MAX {
        return Err(Error::quota("PolicySize", MANAGED_POLICY_CHARS_MAX));
    }
    Ok(document)
}

/// The size of a document as AWS counts it: characters, without whitespace.
pub(crate) fn chars(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use reeve_proto::error::v1::ErrorReason;

    use super::*;

    fn document(version: &str, resource: &str) -> String {
        format!(
            r#"{{ {version} "Statement": [ {{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "{resource}" }} ] }}"#
        )
    }

    #[test]
    fn a_managed_policy_must_be_of_the_newest_version() {
        let of = |version: &str| managed(&document(version, "*"));
        assert!(of(r#""Version": "2012-10-17","#).is_ok());
        for version in ["", r#""Version": "2008-10-17","#] {
            let error = of(version).unwrap_err();
            assert_eq!(error.reason, ErrorReason::MalformedPolicyDocument);
        }
    }

    #[test]
    fn whitespace_is_neither_stored_nor_counted() {
        let text = document(r#""Version": "2012-10-17","#, "*").replace(' ', "        ");
        let stored = managed(&text).unwrap();
        assert!(!stored.contains(' '), "{stored}");
        assert_eq!(chars(&text), stored.len());
    }

    #[test]
    fn a_managed_policy_has_a_size() {
        let long = format!("arn:aws:s3:::{}", "a".repeat(MANAGED_POLICY_CHARS_MAX));
        let error = managed(&document(r#""Version": "2012-10-17","#, &long)).unwrap_err();
        assert_eq!(error.reason, ErrorReason::LimitExceeded);
        assert_eq!(error.message, "Cannot exceed quota for PolicySize: 6144");
    }
}
