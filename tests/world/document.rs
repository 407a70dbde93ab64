//! Policy documents in few words.

use serde_json::{Value, json};

/// A document of `statements`: one, or an array of them.
pub(crate) fn document(statements: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// A statement that allows `action` (a text, or an array) on `resource` (likewise).
pub(crate) fn allow(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    json!({ "Effect": "Allow", "Action": action.into(), "Resource": resource.into() })
}

/// A statement that denies.
pub(crate) fn deny(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    json!({ "Effect": "Deny", "Action": action.into(), "Resource": resource.into() })
}

/// A trust policy that lets the AWS principals `who` (an ARN, an account, or an array of them) assume a role, tag the
/// session and set its source identity.
pub(crate) fn trust(who: impl Into<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Principal": { "AWS": who.into() },
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }})
}
