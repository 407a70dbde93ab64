//! Issuers that many organizations share: their tokens differ by a claim alone, so a trust policy that names one and does not
//! ask for that claim trusts every customer of the issuer's. Such a policy is refused when it is written. (Source: the issuers
//! and their claims of "Identity-provider controls for shared OIDC providers" of the IAM User Guide.)

use serde_json::Value;

use crate::{Error, Result};

/// What stands before the issuer in a provider's ARN.
const PROVIDER: &str = ":oidc-provider/";
/// The name of the session in the place of a claim.
const ROLE_SESSION_NAME: &str = "sts:RoleSessionName";

/// Issuers, and the claims that tell whose tokens are whose.
const SHARED: &[(&str, &str)] = &[
    ("agent.buildkite.com", "sub"),
    ("api.pulumi.com/oidc", "aud"),
    ("app.terraform.io", "sub"),
    ("cognito-identity.amazonaws.com", "aud"),
    ("gitlab.com", "sub"),
    ("oidc-configuration.audit-log.githubusercontent.com", "sub"),
    ("oidc.codefresh.io", "sub"),
    ("oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu", "sub"),
    ("oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb", "sub"),
    ("oidc.vercel.com", "aud"),
    ("proidc.upbound.io", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26", "sub"),
    ("sandboxes.cloud", "aud"),
    ("scalr.io", "sub"),
    ("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d", ROLE_SESSION_NAME),
    ("studio.datachain.ai/api", "sub"),
    ("token.actions.githubusercontent.com", "sub"),
    ("tokens.cloud.shisho.dev", "sub"),
    ("vstoken.actions.githubusercontent.com", "sub"),
];

/// Operators that are met only when the key is there and one of the values is its.
const ASKING: &[&str] = &["StringEquals", "StringEqualsIgnoreCase", "StringLike"];

/// Refuses a trust policy that names a shared issuer, and does not ask which of its customers it means. The document compiled
/// before: no key stands twice in it.
///
/// # Errors
/// `MalformedPolicyDocument`.
pub(crate) fn check(document: &str) -> Result<()> {
    let Ok(document) = serde_json::from_str::<Value>(document) else { return Ok(()) };
    for statement in one_or_many(document.get("Statement")) {
        if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
            continue;
        }
        let named = statement.get("Principal").and_then(|principal| principal.get("Federated"));
        for provider in one_or_many(named).filter_map(Value::as_str) {
            let issuer = provider.split_once(PROVIDER).map_or(provider, |(_, issuer)| issuer);
            let Some(key) = required_key(issuer) else { continue };
            if !asks_for(statement, &key) {
                let message = format!("Trust policy must evaluate {key} for the shared provider {issuer}.");
                return Err(
                    Error::malformed_policy_document(&message).with_violation("policy_document", message)
                );
            }
        }
    }
    Ok(())
}

/// The condition key that a policy which names the issuer has to ask for.
fn required_key(issuer: &str) -> Option<String> {
    let issuer = issuer.trim_end_matches('/');
    let (shared, claim) = SHARED.iter().find(|(shared, _)| shared.eq_ignore_ascii_case(issuer))?;
    Some(if *claim == ROLE_SESSION_NAME { (*claim).to_owned() } else { format!("{shared}:{claim}") })
}

/// Whether a statement applies only when the key has a value of which something is said.
fn asks_for(statement: &Value, key: &str) -> bool {
    let operators = statement.get("Condition").and_then(Value::as_object);
    operators.into_iter().flatten().any(|(operator, keys)| {
        // An operator on any of several values asks as one on a single value does; on all of them it is met by none.
        let operator = operator.split_once(':').map_or(Some(operator.as_str()), |(set, operator)| {
            set.eq_ignore_ascii_case("ForAnyValue").then_some(operator)
        });
        operator.is_some_and(|operator| ASKING.iter().any(|asking| asking.eq_ignore_ascii_case(operator)))
            && keys.as_object().into_iter().flatten().any(|(name, values)| {
                name.eq_ignore_ascii_case(key) && one_or_many(Some(values)).all(says_something)
            })
    })
}

/// Whether a pattern leaves anything out.
fn says_something(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.chars().any(|character| !matches!(character, '*' | '?')))
}

fn one_or_many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
    .iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GITHUB: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";

    fn check_with(provider: &str, condition: Value, is_good: bool) {
        let statement = json!({ "Effect": "Allow", "Principal": { "Federated": provider },
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        assert_eq!(check(&document).is_ok(), is_good, "{document}");
    }

    #[test]
    fn a_shared_issuer_s_customer_is_asked_for() {
        let sub = "token.actions.githubusercontent.com:sub";
        for operator in ["StringEquals", "StringLike", "stringlike", "ForAnyValue:StringEquals"] {
            check_with(GITHUB, json!({ operator: { sub: "repo:acme/*" } }), true);
            check_with(
                GITHUB,
                json!({ operator: { sub.to_uppercase(): ["repo:acme/*", "repo:b/c"] } }),
                true,
            );
        }
        for operator in [
            "StringNotEquals",
            "StringNotLike",
            "StringEqualsIfExists",
            "StringLikeIfExists",
            "ForAllValues:StringLike",
            "Null",
        ] {
            check_with(GITHUB, json!({ operator: { sub: "repo:acme/*" } }), false);
        }
        for condition in [
            json!({}),
            json!(null),
            json!({ "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" } }),
            json!({ "StringLike": { sub: "*" } }),
            json!({ "StringLike": { sub: ["repo:acme/*", "?*"] } }),
            json!({ "StringLike": { "gitlab.com:sub": "repo:acme/*" } }),
        ] {
            check_with(GITHUB, condition, false);
        }
    }

    #[test]
    fn each_issuer_has_its_claim_and_private_ones_have_none() {
        let arn = |issuer: &str| format!("arn:aws:iam::111122223333:oidc-provider/{issuer}");
        check_with(&arn("oidc.vercel.com"), json!({ "StringEquals": { "oidc.vercel.com:aud": "a" } }), true);
        check_with(&arn("oidc.vercel.com"), json!({ "StringEquals": { "oidc.vercel.com:sub": "a" } }), false);
        let sentinel = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/";
        check_with(&arn(sentinel), json!({ "StringEquals": { "sts:RoleSessionName": "a" } }), true);
        check_with(&arn(sentinel), json!({}), false);
        check_with(&arn("GitLab.com"), json!({}), false);
        check_with("cognito-identity.amazonaws.com", json!({}), false);
        for private in ["oidc.example.com", "gitlab.example.com", "token.actions.githubusercontent.com/acme"]
        {
            check_with(&arn(private), json!({}), true);
        }
    }

    #[test]
    fn a_denial_needs_no_condition() {
        let statement = json!({ "Effect": "Deny", "Principal": { "Federated": GITHUB }, "Action": "sts:*" });
        check(&json!({ "Statement": statement }).to_string()).unwrap();
    }
}
