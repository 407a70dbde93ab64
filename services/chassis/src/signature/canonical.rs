//! The texts that a signature is made of: the canonical request and the string to sign.

use http::HeaderMap;
use ring::digest;

use super::header::pieces;
use super::{ALGORITHM, Scope, TERMINATOR, key};

/// What a canonical request is written from; path and query are given in their canonical form.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// The value of the header `host`, whatever the headers say.
    pub(super) host: &'a str,
    pub(super) headers: &'a HeaderMap,
    /// Sorted, lower-case, joined by semicolons.
    pub(super) signed_headers: &'a str,
    pub(super) payload_hash: &'a str,
}

impl Request<'_> {
    /// The canonical request; nothing when a signed header is absent.
    pub(super) fn text(&self) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(1024);
        for part in [self.method, "\n", self.path, "\n", self.query, "\n"] {
            text.extend_from_slice(part.as_bytes());
        }
        for name in pieces(self.signed_headers, b';') {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            if name == "host" {
                push_value(&mut text, self.host.as_bytes());
            } else {
                self.push_values(&mut text, name)?;
            }
            text.push(b'\n');
        }
        for part in ["\n", self.signed_headers, "\n", self.payload_hash] {
            text.extend_from_slice(part.as_bytes());
        }
        Some(text)
    }

    /// The values of a header in the order they came, joined by commas.
    fn push_values(&self, text: &mut Vec<u8>, name: &str) -> Option<()> {
        // A look-up by a text folds, checks and hashes it; few headers are looked through sooner.
        let mut values = self.headers.iter().filter(|(other, _)| other.as_str() == name);
        push_value(text, values.next()?.1.as_bytes());
        for (_, value) in values {
            text.push(b',');
            push_value(text, value.as_bytes());
        }
        Some(())
    }
}

/// The string to sign of a canonical request.
pub(super) fn string_to_sign(stamp: &str, scope: &Scope<'_>, canonical: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, canonical);
    let mut text = String::with_capacity(192);
    for part in [ALGORITHM, "\n", stamp, "\n"] {
        text.push_str(part);
    }
    for part in [scope.date, scope.region, scope.service] {
        text.push_str(part);
        text.push('/');
    }
    for part in [TERMINATOR, "\n"] {
        text.push_str(part);
    }
    text.push_str(key::Hex::of(hash.as_ref()).as_str());
    text
}

/// A value without space around it, each run of space within it as one.
pub(super) fn push_value(text: &mut Vec<u8>, value: &[u8]) {
    // Tokens are long and hold no space: one pass that the compiler vectorises spares them the second.
    if !value.iter().fold(false, |found, byte| found | is_space(byte)) {
        text.extend_from_slice(value);
        return;
    }
    let mut words = value.split(is_space).filter(|word| !word.is_empty());
    text.extend_from_slice(words.next().unwrap_or_default());
    for word in words {
        text.push(b' ');
        text.extend_from_slice(word);
    }
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
