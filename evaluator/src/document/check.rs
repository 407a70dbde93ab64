//! What AWS checks beyond the shape of a document, each with its own message.

use std::collections::HashSet;

use super::Kind;
use super::error::Defect;
use super::json::Node;
use super::raw::Raw;

/// AWS's words for what its older parser refuses: dates, misspelt effects, ARNs with too few fields.
pub(super) const LEGACY: &str = "The policy failed legacy parsing";

/// The elements a kind of document must or must not have.
pub(super) fn elements(raw: &Raw<'_>, kind: Kind) -> Result<(), Defect> {
    let fault = |message: &str, offset| Err(Defect::new(message, offset, raw.place.to_string()));
    match (&raw.principal, kind.has_principal()) {
        (Some(element), false) => {
            return fault("Policy document should not specify a principal.", element.node.offset);
        }
        (None, true) => return fault("Missing required field Principal", raw.offset),
        _ => {}
    }
    if raw.principal.is_some_and(|principal| principal.negated) && raw.effect.text() != Some("Deny") {
        return fault("Allow with NotPrincipal is not allowed.", raw.offset);
    }
    // A trust policy is about its own role, and excluding principals there is not supported.
    if kind == Kind::Trust {
        if let Some(resource) = &raw.resource {
            return fault(&format!("Has prohibited field {}", resource.name), resource.node.offset);
        }
        if let Some(principal) = raw.principal.filter(|principal| principal.negated) {
            return fault("Has prohibited field NotPrincipal", principal.node.offset);
        }
    }
    Ok(())
}

/// Sids name statements, so no two are alike; outside resource policies they are letters and
/// digits, and the underscore that AWS accepts without saying so.
pub(super) fn sids(statements: &[Raw<'_>], kind: Kind) -> Result<(), Defect> {
    let mut seen = HashSet::new();
    for raw in statements {
        let Some((node, sid)) = raw.sid.and_then(|node| Some((node, node.text()?))) else { continue };
        let path = || format!("{}.Sid", raw.place);
        if kind != Kind::Resource && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let message = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
            return Err(Defect::new(message, node.offset, path()));
        }
        if !sid.is_empty() && !seen.insert(sid) {
            let message = "Statement IDs (SID) in a single policy must be unique.";
            return Err(Defect::new(message, node.offset, path()));
        }
    }
    Ok(())
}

/// Every statement says what it is about.
pub(super) fn actions_present(raw: &Raw<'_>) -> Result<(), Defect> {
    if raw.action.is_some_and(|element| !element.items().is_empty()) {
        return Ok(());
    }
    Err(Defect::new("Policy statement must contain actions.", raw.offset, raw.place.to_string()))
}

/// Likewise; only trust policies and some services' resource policies are about what they are attached to.
pub(super) fn resources_present(raw: &Raw<'_>, kind: Kind) -> Result<(), Defect> {
    let optional = matches!(kind, Kind::Trust | Kind::Resource);
    if raw.resource.map_or(optional, |element| !element.items().is_empty()) {
        return Ok(());
    }
    Err(Defect::new("Policy statement must contain resources.", raw.offset, raw.place.to_string()))
}

/// An action is `*` or `vendor:name`.
pub(super) fn action(text: &str, kind: Kind) -> Result<(), String> {
    let (vendor, name) = match split(text) {
        Some(split) => split,
        None if text == "*" => ("*", "*"),
        None => {
            return Err(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned()
            );
        }
    };
    if split(name).is_some() {
        return Err("Actions/Condition can contain only one colon.".to_owned());
    }
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if vendor != "*" && (vendor.is_empty() || !vendor.bytes().all(valid)) {
        return Err(format!("Vendor {vendor} is not valid"));
    }
    if kind == Kind::Trust && !vendor.eq_ignore_ascii_case("sts") {
        return Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
    }
    Ok(())
}

/// A resource is `*` or an ARN, the end of which may be missing.
pub(super) fn resource(text: &str) -> Result<(), String> {
    if text == "*" {
        return Ok(());
    }
    let Some((prefix, rest)) = split(text) else {
        return Err(format!("Resource {text} must be in ARN format or \"*\"."));
    };
    let (partition, after) = split(rest).map_or((rest, None), |(partition, after)| (partition, Some(after)));
    let known = partition == "aws" || partition.starts_with("aws-") || partition.contains(['*', '?']);
    if prefix != "arn" || !known {
        return Err(unknown_partition(partition, after.unwrap_or("")));
    }
    let whole = "Resource vendor must be fully qualified and cannot contain regexes.";
    if after.is_none() && !partition.ends_with('*') {
        return Err(whole.to_owned());
    }
    Ok(())
}

/// What stands before the first colon and after it. Texts are short, and this is asked of every one of them.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == b':')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What the older parser wants of a resource that is otherwise well formed.
pub(super) fn resource_fields(text: &str) -> bool {
    let after = split(text).and_then(|(_, rest)| split(rest)).map(|(_, after)| after);
    let no_service = after.is_some_and(|after| after.is_empty() || after.starts_with(':'));
    let colons = text.bytes().filter(|byte| *byte == b':').count();
    text == "*" || (colons >= 5 || !text.contains("::")) && !no_service
}

/// AWS shows the ARN as it would be with its missing fields.
fn unknown_partition(partition: &str, rest: &str) -> String {
    let mut fields = rest.splitn(4, ':');
    let first = fields.next().filter(|first| !first.is_empty() || rest.contains(':'));
    let [first, second, third, fourth] =
        [first, fields.next(), fields.next(), fields.next()].map(|field| field.unwrap_or("*"));
    format!(
        "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{first}:{second}:{third}:{fourth}\"."
    )
}

/// The size of a document as AWS counts it.
pub(super) fn characters(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// `node`'s text; the shape was checked before.
pub(super) fn text<'d>(node: &'d Node<'d>) -> &'d str {
    node.text().unwrap_or_default()
}
