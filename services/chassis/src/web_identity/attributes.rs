//! What the claims of a token are good for: condition keys of the trust policy, tags of the session, its name and its source
//! identity. Claims of AWS's own say it by themselves; any others say it where the provider's mapping does.
//! (Source: "Pass session tags in AWS STS" of the IAM User Guide.)

use std::sync::LazyLock;

use reeve_directory::Error;
use reeve_directory::record::{OidcProviderRecord, StoredTag};
use reeve_directory::tag::is_same_key;
use reeve_evaluator::Context;
use regex::Regex;
use serde_json::{Map, Value};

use super::claims::{Claims, malformed, refused};

/// The claim that holds tags.
const TAGS: &str = "https://aws.amazon.com/tags";
/// The same where an issuer cannot nest.
const FLAT_TAG: &str = "https://aws.amazon.com/tags/principal_tags/";
const FLAT_TRANSITIVE_KEYS: &str = "https://aws.amazon.com/tags/transitive_tag_keys";
/// The claim that names who is behind the session.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// Longest key and value of a tag. (Source: the shapes of AssumeRole.)
const TAG_KEY_CHARACTERS_MAX: usize = 128;
const TAG_VALUE_CHARACTERS_MAX: usize = 256;
/// Tags that a token gives at most.
const TAGS_MAX: usize = 50;
/// Values of a mapped claim, and characters of each.
const VALUES_MAX: usize = 256;
const VALUE_CHARACTERS_MAX: usize = 2048;

/// What tags are made of.
static OF_TAGS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[\p{L}\p{Z}\p{N}_.:/=+\-@]*\z").ok());

/// The value of a claim as policies see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue {
    /// One text, number or boolean.
    One(String),
    /// A list of them.
    Many(Vec<String>),
}

/// What the claims of a token are good for.
#[derive(Debug, Default)]
pub struct Attributes {
    /// `ISSUER:`, the beginning of its condition keys.
    prefix: String,
    /// What follows it, each once.
    keys: Vec<(String, ClaimValue)>,
    /// Session tags.
    pub tags: Vec<StoredTag>,
    /// Those of them that are passed on.
    pub transitive_keys: Vec<String>,
    /// The name of the session, where the provider's mapping has a claim for it.
    pub role_session_name: Option<String>,
    /// Who is behind the session; empty where the token does not say.
    pub source_identity: String,
}

impl Attributes {
    /// Those of a token of the provider's.
    ///
    /// # Errors
    /// `InvalidIdentityToken` when a claim is not what it is good for.
    pub(super) fn of(claims: &Claims, provider: &OidcProviderRecord) -> Result<Self, Error> {
        let mut attributes = Self { prefix: format!("{}:", provider.issuer), ..Self::default() };
        attributes.add_tag_claims(claims)?;
        attributes.add_mapped(claims, provider)?;
        attributes.add_own_keys(claims);
        if attributes.tags.len() > TAGS_MAX {
            return Err(refused(format!("A token gives at most {TAGS_MAX} session tags.")));
        }
        if let Some(value) = claims.find(SOURCE_IDENTITY) {
            attributes.source_identity = session_text(SOURCE_IDENTITY, value)?;
        }
        let claim = &provider.role_session_name_claim;
        if !claim.is_empty() {
            let value =
                claims.find(claim).ok_or_else(|| refused(format!("Missing a required claim: {claim}")))?;
            attributes.role_session_name = Some(session_text(claim, value)?);
        }
        Ok(attributes)
    }

    /// Adds the condition keys of the token. (Source: "Available keys for AWS OIDC federation" of the IAM User Guide.)
    pub(crate) fn describe<'a>(&'a self, context: &mut Context<'a>) {
        for (name, value) in &self.keys {
            match value {
                ClaimValue::One(text) => context.insert_tag(&self.prefix, name, text),
                ClaimValue::Many(texts) => context.insert_tag(&self.prefix, name, texts),
            };
        }
    }

    fn add_tag_claims(&mut self, claims: &Claims) -> Result<(), Error> {
        if let Some(nested) = claims.find(TAGS) {
            let nested = nested.as_object().ok_or_else(|| malformed(TAGS))?;
            if let Some(tags) = nested.get("principal_tags") {
                for (key, value) in tags.as_object().ok_or_else(|| malformed(TAGS))? {
                    self.add_tag(TAGS, key, value)?;
                }
            }
            self.add_transitive_keys(TAGS, nested)?;
        }
        for (key, value) in claims.beginning(FLAT_TAG) {
            self.add_tag(FLAT_TAG, key, value)?;
        }
        if let Some(keys) = claims.find(FLAT_TRANSITIVE_KEYS) {
            let alone = Map::from_iter([("transitive_tag_keys".to_owned(), keys.clone())]);
            self.add_transitive_keys(FLAT_TRANSITIVE_KEYS, &alone)?;
        }
        Ok(())
    }

    fn add_transitive_keys(&mut self, claim: &str, nested: &Map<String, Value>) -> Result<(), Error> {
        let Some(keys) = nested.get("transitive_tag_keys") else { return Ok(()) };
        match value_of(keys) {
            Some(ClaimValue::Many(keys)) => self.transitive_keys.extend(keys),
            Some(ClaimValue::One(key)) => self.transitive_keys.push(key),
            None => return Err(malformed(claim)),
        }
        Ok(())
    }

    /// Adds a tag of a claim's value, which is one.
    fn add_tag(&mut self, claim: &str, key: &str, value: &Value) -> Result<(), Error> {
        let value = match value_of(value) {
            Some(ClaimValue::One(value)) => value,
            Some(ClaimValue::Many(values)) => match <[String; 1]>::try_from(values) {
                Ok([single]) => single,
                Err(_) => {
                    return Err(refused(format!("{claim}: the tag {} has not one value.", quoted(key))));
                }
            },
            None => return Err(malformed(claim)),
        };
        let is_key = !key.is_empty() && key.chars().count() <= TAG_KEY_CHARACTERS_MAX && is_of_tags(key);
        if !is_key || value.chars().count() > TAG_VALUE_CHARACTERS_MAX || !is_of_tags(&value) {
            return Err(refused(format!("{claim}: the tag {} cannot be one.", quoted(key))));
        }
        self.tags.push(StoredTag { key: key.to_owned(), value });
        Ok(())
    }

    /// What the account says of a claim stands before what the issuer says.
    fn add_mapped(&mut self, claims: &Claims, provider: &OidcProviderRecord) -> Result<(), Error> {
        for mapping in &provider.claim_mappings {
            let Some(found) = claims.find(&mapping.claim).filter(|value| !value.is_null()) else { continue };
            let value = value_of(found).ok_or_else(|| malformed(&mapping.claim))?;
            self.add_key(&mapping.claim, value);
            if mapping.tag_key.is_empty() {
                continue;
            }
            self.tags.retain(|tag| !is_same_key(&tag.key, &mapping.tag_key));
            self.transitive_keys.retain(|key| !is_same_key(key, &mapping.tag_key));
            self.add_tag(&mapping.claim, &mapping.tag_key, found)?;
            if mapping.transitive {
                self.transitive_keys.push(mapping.tag_key.clone());
            }
        }
        Ok(())
    }

    /// The keys that every token has, over whatever a mapping calls so.
    fn add_own_keys(&mut self, claims: &Claims) {
        self.add_key("sub", ClaimValue::One(claims.subject.clone()));
        self.add_key("aud", ClaimValue::One(claims.audience().to_owned()));
        if let Some(party) = &claims.authorized_party {
            self.add_key("azp", ClaimValue::One(party.clone()));
            self.add_key("oaud", ClaimValue::Many(claims.audiences().to_vec()));
        }
        if !claims.methods.is_empty() {
            self.add_key("amr", ClaimValue::Many(claims.methods.clone()));
        }
    }

    fn add_key(&mut self, name: &str, value: ClaimValue) {
        match self.keys.iter_mut().find(|(known, _)| is_same_key(known, name)) {
            Some((_, known)) => *known = value,
            None => self.keys.push((name.to_owned(), value)),
        }
    }
}

/// A value as policies see it; none of one that they do not.
fn value_of(value: &Value) -> Option<ClaimValue> {
    let single = |value: &Value| match value {
        Value::String(text) if text.chars().count() <= VALUE_CHARACTERS_MAX => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    };
    match value {
        Value::Array(items) if items.len() <= VALUES_MAX => {
            items.iter().map(single).collect::<Option<Vec<_>>>().map(ClaimValue::Many)
        }
        value => single(value).map(ClaimValue::One),
    }
}

/// A claim that becomes the name of a session or its source identity, and is held to what those are.
/// (Source: `roleSessionNameType` and `sourceIdentityType`.)
fn session_text(claim: &str, value: &Value) -> Result<String, Error> {
    let is_one = |text: &&str| {
        (2..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
    };
    value.as_str().filter(is_one).map(str::to_owned).ok_or_else(|| malformed(claim))
}

fn is_of_tags(text: &str) -> bool {
    OF_TAGS.as_ref().is_some_and(|of_tags| of_tags.is_match(text))
}

/// The beginning of what a token calls something.
fn quoted(text: &str) -> String {
    text.chars().take(TAG_KEY_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use reeve_directory::record::StoredClaimMapping;
    use serde_json::json;

    use super::*;

    fn of(more: Value, provider: OidcProviderRecord) -> Result<Attributes, Error> {
        let mut claims = json!({ "iss": "https://i", "sub": "s", "aud": "a", "exp": 1 });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let claims = Claims::read(claims.to_string().as_bytes()).unwrap();
        Attributes::of(&claims, &OidcProviderRecord { issuer: "i".to_owned(), ..provider })
    }

    fn mapped(mappings: &[(&str, &str, bool)]) -> OidcProviderRecord {
        let mapping = |(claim, tag_key, transitive): &(&str, &str, bool)| StoredClaimMapping {
            claim: (*claim).to_owned(),
            tag_key: (*tag_key).to_owned(),
            transitive: *transitive,
        };
        OidcProviderRecord { claim_mappings: mappings.iter().map(mapping).collect(), ..Default::default() }
    }

    fn tags(attributes: &Attributes) -> Vec<(&str, &str)> {
        attributes.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect()
    }

    #[test]
    fn aws_s_claim_gives_tags_nested_or_flat() {
        for claims in [
            json!({ TAGS: { "principal_tags": { "team": ["blue"], "cost": "7" }, "transitive_tag_keys": ["team"] } }),
            json!({ format!("{FLAT_TAG}cost"): "7", format!("{FLAT_TAG}team"): ["blue"], FLAT_TRANSITIVE_KEYS: "team" }),
        ] {
            let found = of(claims, OidcProviderRecord::default()).unwrap();
            assert_eq!(tags(&found), [("cost", "7"), ("team", "blue")]);
            assert_eq!(found.transitive_keys, ["team"]);
        }
        for odd in [
            json!({ TAGS: 1 }),
            json!({ TAGS: { "principal_tags": [] } }),
            json!({ TAGS: { "principal_tags": { "a": ["1", "2"] } } }),
            json!({ TAGS: { "principal_tags": { "a": [] } } }),
            json!({ TAGS: { "principal_tags": { "a": { "b": 1 } } } }),
            json!({ TAGS: { "principal_tags": { "": "1" } } }),
            json!({ TAGS: { "principal_tags": { "a*": "1" } } }),
            json!({ TAGS: { "principal_tags": { "a": "<>" } } }),
            json!({ TAGS: { "principal_tags": { "a": "x".repeat(257) } } }),
            json!({ TAGS: { "transitive_tag_keys": {} } }),
            json!({ FLAT_TRANSITIVE_KEYS: [{}] }),
        ] {
            assert!(of(odd.clone(), OidcProviderRecord::default()).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_mapping_gives_keys_and_tags_and_stands_before_the_issuer_s_word() {
        let provider =
            mapped(&[("/groups/team", "Team", true), ("email_verified", "", false), ("absent", "x", true)]);
        let claims = json!({
            "groups": { "team": "red" }, "email_verified": true,
            TAGS: { "principal_tags": { "team": ["blue"] }, "transitive_tag_keys": ["TEAM"] },
        });
        let found = of(claims, provider).unwrap();
        assert_eq!(tags(&found), [("Team", "red")]);
        assert_eq!(found.transitive_keys, ["Team"]);
        let one = |text: &str| ClaimValue::One(text.to_owned());
        assert_eq!(
            found.keys,
            [
                ("/groups/team".to_owned(), one("red")),
                ("email_verified".to_owned(), one("true")),
                ("sub".to_owned(), one("s")),
                ("aud".to_owned(), one("a")),
            ]
        );
        for odd in
            [json!({ "c": ["1", "2"] }), json!({ "c": {} }), json!({ "c": "<>" }), json!({ "c": [[]] })]
        {
            assert!(of(odd.clone(), mapped(&[("c", "t", false)])).is_err(), "{odd}");
        }
        let keys = of(json!({ "c": ["1", 2] }), mapped(&[("c", "", false)])).unwrap().keys;
        assert_eq!(keys[0].1, ClaimValue::Many(vec!["1".to_owned(), "2".to_owned()]));
    }

    #[test]
    fn no_mapping_takes_the_place_of_who_the_subject_is() {
        let found = of(json!({ "SUB": "root" }), mapped(&[("SUB", "", false)])).unwrap();
        assert_eq!(found.keys[0], ("SUB".to_owned(), ClaimValue::One("s".to_owned())));
    }

    #[test]
    fn names_of_sessions_are_what_names_are() {
        let provider =
            || OidcProviderRecord { role_session_name_claim: "email".to_owned(), ..Default::default() };
        let found = of(json!({ "email": "a@b.c", SOURCE_IDENTITY: "dana" }), provider()).unwrap();
        assert_eq!(found.role_session_name.as_deref(), Some("a@b.c"));
        assert_eq!(found.source_identity, "dana");
        for odd in
            [json!({}), json!({ "email": "a" }), json!({ "email": "a/b" }), json!({ "email": ["a@b.c"] })]
        {
            assert!(of(odd.clone(), provider()).is_err(), "{odd}");
        }
        assert!(of(json!({ SOURCE_IDENTITY: "a b" }), OidcProviderRecord::default()).is_err());
    }
}
