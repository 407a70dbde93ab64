//! The `authorization` header and the dates of a signature, read strictly and in full before anything else is done with
//! them: what is signed must have one reading.

use http::{HeaderMap, HeaderValue};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::{ALGORITHM, SignatureError, TERMINATOR, key};

/// Most headers that a signature may name.
const SIGNED_HEADERS_MAX: usize = 64;

const AUTHORIZATION_BYTES_MAX: usize = 4096;
const ACCESS_KEY_ID_BYTES_MAX: usize = 128;
const SCOPE_PART_BYTES_MAX: usize = 64;
const QUOTED_CHARACTERS_MAX: usize = 64;

/// An `authorization` header of Signature Version 4, taken apart; nothing in it is proved before `verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: [u8; 32],
}

impl<'a> Authorization<'a> {
    /// Reads the one `authorization` header.
    pub(crate) fn parse(headers: &'a HeaderMap) -> Result<Self, SignatureError> {
        let value = single(headers, "authorization")?.ok_or(SignatureError::Missing)?;
        Self::parse_value(value)
    }

    /// Reads the value of an `authorization` header. Total, and linear in a length that is bounded.
    pub(crate) fn parse_value(value: &'a str) -> Result<Self, SignatureError> {
        if value.len() > AUTHORIZATION_BYTES_MAX {
            return Err(incomplete("Authorization header is too long."));
        }
        let parameters = value
            .strip_prefix(ALGORITHM)
            .filter(|rest| rest.starts_with(' '))
            .ok_or_else(|| incomplete("Authorization header requires the algorithm 'AWS4-HMAC-SHA256'."))?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for pair in parameters.split(',').map(|pair| pair.trim_matches(' ')) {
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                SignatureError::Incomplete(format!(
                    "'{}' not a valid key=value pair (missing equal-sign) in Authorization header.",
                    quoted(pair)
                ))
            })?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    return Err(SignatureError::Incomplete(format!(
                        "'{}' is not a parameter of the Authorization header.",
                        quoted(name)
                    )));
                }
            };
            if place.replace(value).is_some() {
                return Err(SignatureError::Incomplete(format!(
                    "Authorization header must have only one '{name}' parameter."
                )));
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            let lacking =
                [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)];
            return Err(lacks(&lacking));
        };
        let [access_key_id, date, region, service] = scope_of(credential)?;
        check_signed_headers(signed_headers)?;
        let signature = key::bytes_of_hex(signature).ok_or_else(|| {
            incomplete("'Signature' in Authorization header must be 64 lower-case hexadecimal digits.")
        })?;
        Ok(Self { access_key_id, date, region, service, signed_headers, signature })
    }

    /// Whose secret is to be looked up.
    pub(crate) fn access_key_id(&self) -> &'a str {
        self.access_key_id
    }

    /// The day of the scope, `YYYYMMDD`.
    pub(crate) fn date(&self) -> &'a str {
        self.date
    }

    /// The region of the scope.
    pub(crate) fn region(&self) -> &'a str {
        self.region
    }

    /// The service of the scope.
    pub(crate) fn service(&self) -> &'a str {
        self.service
    }

    /// The names of the signed headers: lower-case, sorted, each once, joined by semicolons.
    pub(super) fn signed_headers(&self) -> &'a str {
        self.signed_headers
    }

    /// What the signature is claimed to be.
    pub(super) fn signature(&self) -> &[u8; 32] {
        &self.signature
    }

    /// The scope as it stands in the string to sign.
    pub(super) fn scope(&self) -> String {
        scope(self.date, self.region, self.service)
    }

    /// Whether the header of that name is signed.
    pub(super) fn signs(&self, name: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed == name)
    }
}

/// A credential scope.
pub(super) fn scope(date: &str, region: &str, service: &str) -> String {
    [date, region, service, TERMINATOR].join("/")
}

/// The text of a header that may stand once; nothing when it is absent.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, SignatureError> {
    let text = |value: &'h HeaderValue| {
        value
            .to_str()
            .map_err(|_| SignatureError::Incomplete(format!("The header '{name}' must be printable ASCII.")))
    };
    at_most_one(headers, name)?.map(text).transpose()
}

/// The value of a header that may stand once; nothing when it is absent.
pub(super) fn at_most_one<'h>(
    headers: &'h HeaderMap,
    name: &str,
) -> Result<Option<&'h HeaderValue>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(SignatureError::Incomplete(format!("The header '{name}' must stand only once.")));
    }
    Ok(value)
}

/// Seconds since 1970 of an ISO 8601 date in basic format, `20150830T123600Z`.
pub(super) fn unix_of(stamp: &str) -> Option<i64> {
    let (date, clock) = stamp.strip_suffix('Z')?.split_once('T')?;
    let date = date_of(date)?;
    if clock.len() != 6 {
        return None;
    }
    let time = Time::from_hms(two_digits(clock, 0)?, two_digits(clock, 2)?, two_digits(clock, 4)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
}

/// The ISO 8601 date in basic format of a time; a time outside the calendar gives its first moment.
pub(super) fn stamp_of(unix: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Seconds in AWS's words, `15 min.`.
pub(super) fn span(seconds: u32) -> String {
    if seconds.is_multiple_of(60) { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") }
}

/// What a message quotes of what a caller sent: printable and short.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String =
        text.chars().take(QUOTED_CHARACTERS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(QUOTED_CHARACTERS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

fn incomplete(message: &str) -> SignatureError {
    SignatureError::Incomplete(message.to_owned())
}

/// AWS names every parameter that is lacking.
fn lacks(parameters: &[(&str, Option<&str>)]) -> SignatureError {
    let lacking: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
        .collect();
    SignatureError::Incomplete(lacking.join(" "))
}

/// The access key id, date, region and service of a credential.
fn scope_of(credential: &str) -> Result<[&str; 4], SignatureError> {
    let mut parts = credential.split('/');
    let (Some(id), Some(date), Some(region), Some(service), Some(terminator), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SignatureError::Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'.",
            quoted(credential)
        )));
    };
    if id.is_empty() || id.len() > ACCESS_KEY_ID_BYTES_MAX || !id.bytes().all(is_word) {
        return Err(incomplete("Credential must start with an access key id."));
    }
    if date_of(date).is_none() {
        return Err(SignatureError::Incomplete(format!(
            "Date in Credential scope must be YYYYMMDD, got '{}'.",
            quoted(date)
        )));
    }
    for (part, name) in [(region, "region"), (service, "service")] {
        if part.is_empty() || part.len() > SCOPE_PART_BYTES_MAX || !part.bytes().all(is_word_or_hyphen) {
            return Err(SignatureError::Incomplete(format!(
                "Credential should be scoped to a valid {name}, not '{}'.",
                quoted(part)
            )));
        }
    }
    if terminator != TERMINATOR {
        return Err(SignatureError::Incomplete(format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'.",
            quoted(terminator)
        )));
    }
    Ok([id, date, region, service])
}

/// Names in strict order: sorted, and none twice.
fn check_signed_headers(names: &str) -> Result<(), SignatureError> {
    let mut before = "";
    for (index, name) in names.split(';').enumerate() {
        if index >= SIGNED_HEADERS_MAX {
            return Err(incomplete("'SignedHeaders' in Authorization header names too many headers."));
        }
        if name.is_empty() || !name.bytes().all(is_header_name) || name <= before {
            return Err(SignatureError::Incomplete(format!(
                "'SignedHeaders' in Authorization header must be lower-case header names, sorted and each once; got '{}' after '{}'.",
                quoted(name),
                quoted(before)
            )));
        }
        before = name;
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_word_or_hyphen(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// The characters of a lower-case HTTP header name.
fn is_header_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `YYYYMMDD` as a day of the calendar.
fn date_of(text: &str) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    let year = i32::from(two_digits(text, 0)?) * 100 + i32::from(two_digits(text, 2)?);
    let month = Month::try_from(two_digits(text, 4)?).ok()?;
    Date::from_calendar_date(year, month, two_digits(text, 6)?).ok()
}

fn two_digits(text: &str, at: usize) -> Option<u8> {
    match text.as_bytes().get(at..at.checked_add(2)?)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}
