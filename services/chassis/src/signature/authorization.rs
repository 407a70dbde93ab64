//! A signature as a caller states it, in the `authorization` header or in the query, read strictly and in full before
//! anything else is done with it: what is signed must have one reading. Nothing in it is proved before `verify`.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::header::{self, Found, Stated, halves, pieces, quoted};
use super::presigned::{self, Presigned};
use super::{ALGORITHM, SECURITY_TOKEN, SignatureError, TERMINATOR, key};

/// Most headers that a signature may name.
const SIGNED_HEADERS_MAX: usize = 64;

const AUTHORIZATION_BYTES_MAX: usize = 4096;
const ACCESS_KEY_ID_BYTES_MAX: usize = 128;
const SCOPE_PART_BYTES_MAX: usize = 64;

/// A signature and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization<'a> {
    pub(super) credential: Cow<'a, str>,
    /// Lower-case, sorted, each once, joined by semicolons.
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: [u8; 32],
    /// What stands in headers otherwise, where the signature is in the query. Boxed: most signatures are not, and are moved.
    pub(super) presigned: Option<Box<Presigned<'a>>>,
}

/// A credential taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Whose secret is to be looked up.
    pub access_key_id: &'a str,
    /// The day, `YYYYMMDD`.
    pub date: &'a str,
    /// The region.
    pub region: &'a str,
    /// The service.
    pub service: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the one signature of a request: from its `authorization` header, or from its query.
    pub fn find(headers: &'a HeaderMap, query: &'a str) -> Result<Self, SignatureError> {
        let in_header = Found::of(headers, &AUTHORIZATION).text()?;
        match (in_header, presigned::is_in(query)) {
            (Some(value), false) => Self::parse_value(value),
            (None, true) => presigned::parse(query),
            (None, false) => Err(SignatureError::Missing),
            (Some(_), true) => Err(SignatureError::Refused(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified."
                    .to_owned(),
            )),
        }
    }

    /// Reads the value of an `authorization` header. Total, and linear in a length that is bounded.
    pub fn parse_value(value: &'a str) -> Result<Self, SignatureError> {
        if value.len() > AUTHORIZATION_BYTES_MAX {
            return Err(incomplete("Authorization header is too long."));
        }
        let parameters = value
            .strip_prefix(ALGORITHM)
            .filter(|rest| rest.starts_with(' '))
            .ok_or_else(|| incomplete("Authorization header requires the algorithm 'AWS4-HMAC-SHA256'."))?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for pair in pieces(parameters, b',').map(|pair| pair.trim_matches(' ')) {
            let (name, value) = halves(pair, b'=').ok_or_else(|| {
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
        Self::of(Cow::Borrowed(credential), Cow::Borrowed(signed_headers), signature, None)
    }

    /// A signature from its parts, wherever they stood.
    pub(super) fn of(
        credential: Cow<'a, str>,
        signed_headers: Cow<'a, str>,
        signature: &str,
        presigned: Option<Box<Presigned<'a>>>,
    ) -> Result<Self, SignatureError> {
        check_signed_headers(&signed_headers)?;
        let signature = key::bytes_of_hex(signature).ok_or_else(|| {
            incomplete("'Signature' in Authorization header must be 64 lower-case hexadecimal digits.")
        })?;
        Ok(Self { credential, signed_headers, signature, presigned })
    }

    /// Whose secret is claimed to have signed; whatever the caller wrote there.
    pub fn access_key_id(&self) -> &str {
        let id = pieces(&self.credential, b'/').next().unwrap_or_default();
        id.get(..id.len().min(ACCESS_KEY_ID_BYTES_MAX)).unwrap_or_default()
    }

    /// The region that the credential names; of a signature that was checked, one that may be.
    pub fn region(&self) -> &str {
        pieces(&self.credential, b'/').nth(2).unwrap_or_default()
    }

    /// The token of temporary credentials, where the signature has it.
    pub fn security_token<'r>(&'r self, headers: &'r HeaderMap) -> Option<&'r [u8]> {
        let in_query = self.presigned.as_ref().and_then(|presigned| presigned.token.as_deref());
        in_query.map(str::as_bytes).or_else(|| headers.get(&SECURITY_TOKEN).map(http::HeaderValue::as_bytes))
    }

    /// The text of the date that was signed.
    pub(super) fn stamp<'r>(&'r self, stated: &Stated<'r>) -> Result<&'r str, SignatureError> {
        if let Some(presigned) = &self.presigned {
            return Ok(&presigned.stamp);
        }
        let stamp = match stated.date.text()? {
            Some(stamp) => Some(stamp),
            None => stated.http_date.text()?,
        };
        stamp.ok_or_else(|| {
            incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        })
    }

    /// Whether the header of that name is signed.
    pub(super) fn signs(&self, name: &str) -> bool {
        pieces(&self.signed_headers, b';').any(|signed| signed == name)
    }

    /// The access key id, date, region and service of the credential.
    pub(crate) fn scope(&self) -> Result<Scope<'_>, SignatureError> {
        let mut parts = pieces(&self.credential, b'/');
        let (Some(access_key_id), Some(date), Some(region), Some(service), Some(terminator), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SignatureError::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'.",
                quoted(&self.credential)
            )));
        };
        if access_key_id.is_empty()
            || access_key_id.len() > ACCESS_KEY_ID_BYTES_MAX
            || !is_of(WORD, access_key_id)
        {
            return Err(incomplete("Credential must start with an access key id."));
        }
        if header::date_of(date).is_none() {
            return Err(SignatureError::Incomplete(format!(
                "Date in Credential scope must be YYYYMMDD, got '{}'.",
                quoted(date)
            )));
        }
        for (part, name) in [(region, "region"), (service, "service")] {
            if part.is_empty() || part.len() > SCOPE_PART_BYTES_MAX || !is_of(WORD | HYPHEN, part) {
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
        Ok(Scope { access_key_id, date, region, service })
    }

    /// No token stands in two places: a second value would leave it open which of them is acted on.
    pub(super) fn check_one_token(&self, stated: &Stated<'_>) -> Result<(), SignatureError> {
        let in_header = stated.security_token.once()?;
        let in_query = self.presigned.as_ref().and_then(|presigned| presigned.token.as_ref());
        if in_header.is_some() && in_query.is_some() {
            return Err(incomplete("The request contains a query parameter that duplicates a header value."));
        }
        Ok(())
    }
}

impl std::fmt::Display for Scope<'_> {
    /// As it stands in the string to sign.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

pub(super) fn incomplete(message: &str) -> SignatureError {
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

/// Names in strict order: sorted, and none twice.
fn check_signed_headers(names: &str) -> Result<(), SignatureError> {
    let mut before = "";
    for (index, name) in pieces(names, b';').enumerate() {
        if index >= SIGNED_HEADERS_MAX {
            return Err(incomplete("'SignedHeaders' in Authorization header names too many headers."));
        }
        if name.is_empty() || !is_of(HEADER_NAME, name) || name <= before {
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

/// Classes of bytes: letters, digits and the underscore; the hyphen; what a lower-case HTTP header name is made of.
const WORD: u8 = 1;
const HYPHEN: u8 = 2;
const HEADER_NAME: u8 = 4;
static CLASSES: [u8; 256] = classes();

/// Whether every byte is of one of the classes. On texts as short as these a table answers sooner than comparisons do.
fn is_of(classes: u8, text: &str) -> bool {
    text.bytes().all(|byte| CLASSES.get(usize::from(byte)).is_some_and(|of| of & classes != 0))
}

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let (mut rest, mut byte): (&mut [u8], u8) = (&mut classes, 0);
    while let [class, after @ ..] = rest {
        *class = classes_of(byte);
        (rest, byte) = (after, byte.wrapping_add(1));
    }
    classes
}

const fn classes_of(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'_' => WORD | HEADER_NAME,
        b'A'..=b'Z' => WORD,
        b'-' => HYPHEN | HEADER_NAME,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'.' | b'^' | b'`' | b'|' | b'~' => {
            HEADER_NAME
        }
        _ => 0,
    }
}
