//! The claims of a token: what every token has, read once, and the rest as it stands. What they say is judged here, against the
//! moment of the call and the provider that the account trusts. (Source: RFC 7519, OpenID Connect Core 1.0, and the errors of
//! AssumeRoleWithWebIdentity in the STS API reference.)

use reeve_directory::Error;
use serde_json::{Map, Value};

use super::json;

/// Longest text of a claim that a session carries. (Source: `webIdentitySubjectType`.)
const TEXT_CHARACTERS_MAX: usize = 255;
/// Audiences, and methods of authentication, of one token.
const ITEMS_MAX: usize = 16;
/// Longest name of a method of authentication.
const METHOD_CHARACTERS_MAX: usize = 64;

/// The claims of a token.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    audiences: Vec<String>,
    /// For whom the token was issued, where it says so.
    pub(super) authorized_party: Option<String>,
    /// How the subject showed who it is.
    pub(super) methods: Vec<String>,
    expires_at: i64,
    not_before: Option<i64>,
    issued_at: Option<i64>,
    all: Map<String, Value>,
}

impl Claims {
    /// Those of a token's payload.
    ///
    /// # Errors
    /// `InvalidIdentityToken` when it holds no claims, or not those that every token has.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Error> {
        let all = json::object(payload).map_err(|error| refused(format!("{NOT_A_JWT}: {error}")))?;
        Ok(Self {
            issuer: text(&all, "iss")?.ok_or_else(|| missing("iss"))?,
            subject: text(&all, "sub")?.ok_or_else(|| missing("sub"))?,
            audiences: texts(&all, "aud", TEXT_CHARACTERS_MAX)?.ok_or_else(|| missing("aud"))?,
            authorized_party: text(&all, "azp")?,
            methods: texts(&all, "amr", METHOD_CHARACTERS_MAX)?.unwrap_or_default(),
            expires_at: moment(&all, "exp")?.ok_or_else(|| missing("exp"))?,
            not_before: moment(&all, "nbf")?,
            issued_at: moment(&all, "iat")?,
            all,
        })
    }

    /// Whether the token holds at `now`, in Unix seconds. When it ends it has ended; its beginning may be a little ahead, as
    /// clocks are.
    ///
    /// # Errors
    /// `ExpiredTokenException`, `InvalidIdentityToken`.
    pub(super) fn check_moment(&self, now: i64, skew_seconds_max: i64) -> Result<(), Error> {
        if now >= self.expires_at {
            let message = format!(
                "Token expired: current date/time {now} must be before the expiration date/time {}",
                self.expires_at
            );
            return Err(Error::expired_token_exception(&message).with_violation(FIELD, message));
        }
        let latest = now.saturating_add(skew_seconds_max);
        if self.not_before.is_some_and(|at| at > latest) {
            return Err(refused("The token is not valid yet: its nbf claim lies in the future."));
        }
        if self.issued_at.is_some_and(|at| at > latest) {
            return Err(refused("The token is not valid yet: its iat claim lies in the future."));
        }
        Ok(())
    }

    /// Whether the token is for one of `client_ids`. One that is for several has to say for which of them it was issued.
    ///
    /// # Errors
    /// `InvalidIdentityToken`.
    pub(super) fn check_audience(&self, client_ids: &[String]) -> Result<(), Error> {
        let meant = match self.audiences.as_slice() {
            [single] => Some(single),
            _ => self.authorized_party.as_ref(),
        };
        match meant.filter(|meant| client_ids.contains(meant)) {
            Some(_) => Ok(()),
            None => Err(refused("Incorrect token audience")),
        }
    }

    /// What AWS calls the token's audience: for whom it was issued, and whom it is for where it does not say.
    pub(super) fn audience(&self) -> &str {
        self.authorized_party.as_deref().or(self.audiences.first().map(String::as_str)).unwrap_or_default()
    }

    /// Whom the token is for.
    pub(super) fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// The claim of a name; or of a JSON Pointer, which begins with a slash.
    pub(super) fn find(&self, claim: &str) -> Option<&Value> {
        let (name, rest) = match claim.strip_prefix('/') {
            None => (claim.to_owned(), None),
            Some(pointer) => {
                let (first, rest) =
                    pointer.split_once('/').map_or((pointer, None), |(first, rest)| (first, Some(rest)));
                (first.replace("~1", "/").replace("~0", "~"), rest)
            }
        };
        let value = self.all.get(&name)?;
        match rest {
            Some(rest) => value.pointer(&format!("/{rest}")),
            None => Some(value),
        }
    }

    /// The claims whose name begins so, each with the rest of its name.
    pub(super) fn beginning<'c>(&'c self, prefix: &'c str) -> impl Iterator<Item = (&'c str, &'c Value)> {
        self.all.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
    }
}

/// AWS's words for what is no token.
pub(super) const NOT_A_JWT: &str =
    "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
/// The member at fault.
const FIELD: &str = "web_identity_token";

/// AWS's refusal of a token, for this reason.
pub fn refused(message: impl Into<String>) -> Error {
    let message = message.into();
    Error::invalid_identity_token(&message).with_violation(FIELD, message)
}

fn missing(claim: &str) -> Error {
    refused(format!("Missing a required claim: {claim}"))
}

pub(super) fn malformed(claim: &str) -> Error {
    refused(format!("The claim {claim} is not what it should be."))
}

fn is_text_within(text: &str, characters_max: usize) -> bool {
    !text.is_empty() && text.chars().count() <= characters_max && !text.chars().any(char::is_control)
}

fn text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, Error> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_text_within(text, TEXT_CHARACTERS_MAX) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(name)),
    }
}

/// One text, or several.
fn texts(
    claims: &Map<String, Value>,
    name: &str,
    characters_max: usize,
) -> Result<Option<Vec<String>>, Error> {
    let items = match claims.get(name) {
        None => return Ok(None),
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let item =
        |item: &Value| item.as_str().filter(|text| is_text_within(text, characters_max)).map(str::to_owned);
    let found: Option<Vec<String>> = items.iter().map(item).collect();
    match found.filter(|found| (1..=ITEMS_MAX).contains(&found.len())) {
        Some(found) => Ok(Some(found)),
        None => Err(malformed(name)),
    }
}

/// Unix seconds; what is after the point is cut off. (Source: NumericDate of RFC 7519.)
fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Error> {
    /// No moment of a token's lies beyond: the year 9999.
    const LATEST: f64 = 253_402_300_799.0;
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) => Ok(Some(seconds)),
            (None, Some(seconds)) if seconds.abs() <= LATEST => {
                #[expect(clippy::cast_possible_truncation, reason = "it is within the years of four digits")]
                let whole = seconds.floor() as i64;
                Ok(Some(whole))
            }
            _ => Err(malformed(name)),
        },
        Some(_) => Err(malformed(name)),
    }
}

#[cfg(test)]
mod tests {
    use reeve_proto::error::v1::ErrorReason;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn claims(more: Value) -> Value {
        let mut claims = json!({ "iss": "https://i", "sub": "s", "aud": "a", "exp": NOW + 60 });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    }

    fn read(claims: &Value) -> Result<Claims, Error> {
        Claims::read(claims.to_string().as_bytes())
    }

    #[test]
    fn what_every_token_has_is_there_and_is_what_it_should_be() {
        assert!(read(&claims(json!({}))).is_ok());
        for claim in ["iss", "sub", "aud", "exp"] {
            let mut without = claims(json!({}));
            without.as_object_mut().unwrap().remove(claim);
            assert_eq!(read(&without).unwrap_err().message, format!("Missing a required claim: {claim}"));
            for odd in [
                json!(null),
                json!({}),
                json!([]),
                json!([1]),
                json!(""),
                json!("\n"),
                json!("a".repeat(256)),
            ] {
                assert!(read(&claims(json!({ claim: odd }))).is_err(), "{claim}: {odd}");
            }
        }
        for odd in [
            json!({ "exp": "1700000060" }),
            json!({ "exp": 1e300 }),
            json!({ "nbf": [] }),
            json!({ "iat": "now" }),
            json!({ "azp": 1 }),
            json!({ "amr": { "a": 1 } }),
            json!({ "aud": vec!["a"; ITEMS_MAX + 1] }),
            json!({ "amr": ["a".repeat(65)] }),
        ] {
            assert!(read(&claims(odd.clone())).is_err(), "{odd}");
        }
        assert!(Claims::read(br#"{"iss":"a","iss":"b"}"#).is_err());
    }

    #[test]
    fn a_token_ends_to_the_second_and_begins_about_then() {
        let at = |more: Value, now: i64| read(&claims(more)).unwrap().check_moment(now, 60);
        assert!(at(json!({ "exp": NOW }), NOW - 1).is_ok());
        for exp in [json!(NOW), json!(NOW - 1), json!(0), json!(-5), json!(i64::MIN), json!(1_699_999_999.9)]
        {
            let error = at(json!({ "exp": exp }), NOW).unwrap_err();
            assert_eq!(error.reason, ErrorReason::ExpiredTokenException, "{exp}");
        }
        for claim in ["nbf", "iat"] {
            assert!(at(json!({ claim: NOW + 60 }), NOW).is_ok());
            assert_eq!(
                at(json!({ claim: NOW + 61 }), NOW).unwrap_err().reason,
                ErrorReason::InvalidIdentityToken
            );
            assert!(at(json!({ claim: i64::MAX }), NOW).is_err());
        }
    }

    #[test]
    fn a_token_is_for_a_client_that_is_known() {
        let clients = ["a".to_owned(), "b".to_owned()];
        for (more, is_taken, audience) in [
            (json!({}), true, "a"),
            (json!({ "aud": ["b"] }), true, "b"),
            (json!({ "aud": "c" }), false, "c"),
            (json!({ "aud": "A" }), false, "A"),
            (json!({ "aud": ["a", "b"] }), false, "a"),
            (json!({ "aud": ["a", "c"], "azp": "c" }), false, "c"),
            (json!({ "aud": ["c", "d"], "azp": "a" }), true, "a"),
            (json!({ "aud": "c", "azp": "a" }), false, "a"),
        ] {
            let claims = read(&claims(more.clone())).unwrap();
            assert_eq!(claims.check_audience(&clients).is_ok(), is_taken, "{more}");
            assert_eq!(claims.audience(), audience, "{more}");
        }
        assert!(read(&claims(json!({}))).unwrap().check_audience(&[]).is_err());
    }

    #[test]
    fn claims_are_found_by_name_and_by_pointer() {
        let claims = read(&claims(json!({
            "kubernetes.io": { "namespace": "n", "a/b": { "c": 1 } },
            "https://example.com/team": "t",
            "/odd": "o",
        })))
        .unwrap();
        for (claim, expected) in [
            ("sub", Some(json!("s"))),
            ("https://example.com/team", Some(json!("t"))),
            ("/kubernetes.io/namespace", Some(json!("n"))),
            ("/kubernetes.io/a~1b/c", Some(json!(1))),
            ("/sub", Some(json!("s"))),
            ("/~1odd", Some(json!("o"))),
            ("/odd", None),
            ("kubernetes.io", Some(json!({ "namespace": "n", "a/b": { "c": 1 } }))),
            ("/kubernetes.io/none", None),
            ("none", None),
            ("/", None),
        ] {
            assert_eq!(claims.find(claim).cloned(), expected, "{claim}");
        }
    }
}
