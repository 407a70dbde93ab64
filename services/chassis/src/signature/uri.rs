//! The path and the query of a request as a signature has them: decoded where they are encoded, encoded again in one way,
//! and the query sorted. (Source: "Create a signed AWS API request" of the IAM User Guide, and S3's own rules for paths.)

use std::borrow::Cow;

use super::presigned::{SECURITY_TOKEN, SIGNATURE};

/// How the path of a request is made canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathForm {
    /// Every service's but S3's: without empty and dot segments, and what was sent encoded once more.
    Normalized,
    /// S3's: keys keep their slashes and dots, and are encoded once.
    Literal,
}

/// The canonical form of a path as it was sent.
pub(super) fn path(sent: &str, form: PathForm) -> Cow<'_, str> {
    let simple = sent.starts_with('/') && sent.bytes().all(|byte| is_unreserved(byte) || byte == b'/');
    match form {
        PathForm::Normalized if simple && !has_segment_to_drop(sent) => Cow::Borrowed(sent),
        PathForm::Normalized => Cow::Owned(normalized(sent)),
        PathForm::Literal if simple => Cow::Borrowed(sent),
        PathForm::Literal => {
            let mut text = String::with_capacity(sent.len() + 16);
            if !sent.starts_with('/') {
                text.push('/');
            }
            let mut pieces = sent.split('/');
            push_recoded(&mut text, pieces.next().unwrap_or_default(), Plus::Itself);
            for piece in pieces {
                text.push('/');
                push_recoded(&mut text, piece, Plus::Itself);
            }
            Cow::Owned(text)
        }
    }
}

/// Whether a segment of a path may be empty, or one of dots.
fn has_segment_to_drop(path: &str) -> bool {
    path.as_bytes().windows(2).any(|pair| matches!(pair, [b'/', b'/' | b'.']))
}

/// The canonical form of a query as it was sent, but for the signature itself, and for a token added after signing.
pub(super) fn query(sent: &str, token_unsigned: bool) -> Cow<'_, str> {
    if sent.is_empty() {
        return Cow::Borrowed(sent);
    }
    let recoded = |text: &str| {
        let mut recoded = String::with_capacity(text.len() + 16);
        push_recoded(&mut recoded, text, Plus::Space);
        recoded
    };
    let mut pairs: Vec<(String, String)> = sent
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(name, value)| (recoded(name), recoded(value)))
        .filter(|(name, _)| name != SIGNATURE && !(token_unsigned && name == SECURITY_TOKEN))
        .collect();
    pairs.sort_unstable();
    let mut text = String::with_capacity(sent.len() + 16);
    for (name, value) in &pairs {
        if !text.is_empty() {
            text.push('&');
        }
        for part in [name, "=", value] {
            text.push_str(part);
        }
    }
    Cow::Owned(text)
}

/// The text that a name or a value of a query stands for; bytes that are no UTF-8 are replaced.
pub(super) fn decoded(sent: &str) -> Cow<'_, str> {
    if !sent.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(sent);
    }
    let mut bytes = Vec::with_capacity(sent.len());
    for_each_byte(sent, Plus::Space, |byte| bytes.push(byte));
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a plus sign stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plus {
    /// In a query a space, as forms have it, and as the door reads it.
    Space,
    Itself,
}

/// Without empty and dot segments; a slash at the end stays.
fn normalized(sent: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut text = String::with_capacity(sent.len() + 16);
    for segment in &segments {
        text.push('/');
        segment.bytes().for_each(|byte| push_encoded(&mut text, byte));
    }
    let ends_open = matches!(sent.rsplit('/').next(), Some("" | "." | ".."));
    if segments.is_empty() || ends_open {
        text.push('/');
    }
    text
}

fn push_recoded(text: &mut String, sent: &str, plus: Plus) {
    for_each_byte(sent, plus, |byte| push_encoded(text, byte));
}

/// Visits the bytes that a text stands for. A percent sign that begins no byte is itself.
fn for_each_byte(sent: &str, plus: Plus, mut visit: impl FnMut(u8)) {
    let mut rest = sent.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                visit(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            (b'+', _) if plus == Plus::Space => visit(b' '),
            _ => visit(*byte),
        }
    }
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte.to_ascii_lowercase() - b'a').wrapping_add(10),
    }
}

fn push_encoded(text: &mut String, byte: u8) {
    if is_unreserved(byte) {
        text.push(char::from(byte));
        return;
    }
    text.push('%');
    for nibble in [byte >> 4, byte & 15] {
        text.push(char::from(if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }));
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths() {
        for (sent, normalized, literal) in [
            ("", "/", "/"),
            ("/", "/", "/"),
            ("/a/b", "/a/b", "/a/b"),
            ("//a///b//", "/a/b/", "//a///b//"),
            ("/a/./b/../c", "/a/c", "/a/./b/../c"),
            ("/a/..", "/", "/a/.."),
            ("/a/b/..", "/a/", "/a/b/.."),
            ("/../a", "/a", "/../a"),
            ("/.a", "/.a", "/.a"),
            ("/a b", "/a%20b", "/a%20b"),
            ("/a%20b", "/a%2520b", "/a%20b"),
            ("/a%2fb%41", "/a%252fb%2541", "/a%2FbA"),
            ("/a+b", "/a%2Bb", "/a%2Bb"),
            ("/%", "/%25", "/%25"),
            ("/\u{1234}", "/%E1%88%B4", "/%E1%88%B4"),
        ] {
            assert_eq!(path(sent, PathForm::Normalized), normalized, "{sent}");
            assert_eq!(path(sent, PathForm::Literal), literal, "{sent}");
        }
    }

    #[test]
    fn queries() {
        for (sent, canonical) in [
            ("", ""),
            ("a", "a="),
            ("b=2&a=1&a=0&&", "a=0&a=1&b=2"),
            ("a-=1&a=2", "a=2&a-=1"),
            ("a=b=c", "a=b%3Dc"),
            ("a=x+y%20z%2b", "a=x%20y%20z%2B"),
            ("%61=%zz%4", "a=%25zz%254"),
            ("X-Amz-Signature=1&X%2DAmz-Signature=2&x-amz-signature=3", "x-amz-signature=3"),
        ] {
            assert_eq!(query(sent, false), canonical, "{sent}");
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_are_total_and_stay_canonical(sent in "\\PC{0,60}|[/.%+&=a-f0-9]{0,40}") {
            let literal = path(&sent, PathForm::Literal).into_owned();
            prop_assert!(literal.is_ascii());
            prop_assert_eq!(path(&literal, PathForm::Literal), literal.as_str());
            let normalized = path(&sent, PathForm::Normalized).into_owned();
            prop_assert!(normalized.starts_with('/') && !normalized.contains("//"));
            prop_assert!(!normalized.split('/').any(|segment| matches!(segment, "." | "..")));
            let canonical = query(&sent, false).into_owned();
            prop_assert_eq!(query(&canonical, false), canonical.as_str());
        }
    }
}
