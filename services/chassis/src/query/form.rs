//! A form as it stands in a query string or a body, read strictly: what is signed must have one reading, so a broken
//! encoding is refused and not guessed at. Where a parameter stands twice the first counts, as it does for AWS.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use reeve_directory::Error;

/// Most parameters of a request: what each costs is bounded by the body's limit, but not how many it makes.
const PARAMETERS_MAX: usize = 32_768;
const QUOTED_CHARACTERS_MAX: usize = 128;

/// The parameters of a request, those of its query first.
pub(super) struct Form<'a>(pub(super) Vec<Parameter<'a>>);

/// A name and its value, decoded.
pub(super) struct Parameter<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
}

impl<'a> Form<'a> {
    /// Reads a query string and a body.
    ///
    /// # Errors
    /// `MalformedQueryString`: a percent sign that begins no byte, bytes that are no UTF-8, or too many parameters.
    pub(super) fn parse(query: &'a str, body: &'a [u8]) -> Result<Self, Error> {
        let body = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
        let mut parameters = Vec::with_capacity(16);
        for piece in query.split('&').chain(body.split('&')).filter(|piece| !piece.is_empty()) {
            if parameters.len() >= PARAMETERS_MAX {
                return Err(malformed("it has too many parameters"));
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            parameters.push(Parameter { name: decoded(name)?, value: decoded(value)? });
        }
        Ok(Self(parameters))
    }

    /// The value of the first parameter of that name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|parameter| parameter.name == name).map(|parameter| &*parameter.value)
    }
}

/// What a refusal quotes of what a caller sent.
pub(super) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARACTERS_MAX).collect()
}

fn decoded(text: &str) -> Result<Cow<'_, str>, Error> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut after = text.split('%');
    after.next();
    let is_escape =
        |piece: &str| piece.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    if !after.all(is_escape) {
        return Err(malformed("a percent sign is not followed by two hexadecimal digits"));
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| malformed("it is not UTF-8"))?;
    Ok(Cow::Owned(decoded.into_owned()))
}

fn malformed(what: &str) -> Error {
    Error::malformed_query_string(format!("The query string contains a syntax error: {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, body: &str, expected: &[(&str, &str)]) {
        let form = Form::parse(query, body.as_bytes()).unwrap();
        let read: Vec<(&str, &str)> = form.0.iter().map(|p| (&*p.name, &*p.value)).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn a_form_is_decoded() {
        check("", "", &[]);
        check("a=1", "b=2&c", &[("a", "1"), ("b", "2"), ("c", "")]);
        check("&&a=b=c&", "", &[("a", "b=c")]);
        check("", "a+b=%2B+%e1%88%B4", &[("a b", "+ \u{1234}")]);
        check("", "a=\u{1234}", &[("a", "\u{1234}")]);
    }

    #[test]
    fn the_first_of_two_counts() {
        let form = Form::parse("a=1", b"a=2&a=3").unwrap();
        assert_eq!(form.first("a"), Some("1"));
        assert_eq!(form.first("b"), None);
    }

    #[test]
    fn what_has_no_one_reading_is_refused() {
        for body in [&b"a=%"[..], b"a=%4", b"a=%zz", b"%=1", b"a=%ff", b"a=%C0%80", b"\xff=1", b"a=%ED%A0%80"]
        {
            assert!(Form::parse("", body).is_err(), "{body:?}");
        }
        assert!(Form::parse("a=%GG", b"").is_err());
        let many = "a&".repeat(PARAMETERS_MAX + 1);
        assert!(Form::parse("", many.as_bytes()).is_err());
    }
}
