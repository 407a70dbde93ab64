//! The key of a day's signatures, derived from a secret, and hexadecimal as signatures write it.

use std::fmt;

use ring::hmac;
use zeroize::Zeroizing;

use super::TERMINATOR;

/// The bytes of a signing key: whoever has them signs for the holder of the secret, that day, in that region, for that
/// service.
pub(crate) type SigningSecret = Zeroizing<[u8; 32]>;

/// Derives the bytes of a scope's key; `date` is `YYYYMMDD`.
pub(crate) fn signing_secret(
    secret: impl AsRef<[u8]>,
    date: &str,
    region: &str,
    service: &str,
) -> SigningSecret {
    let secret = secret.as_ref();
    let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    first.extend_from_slice(b"AWS4");
    first.extend_from_slice(secret);
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, &first);
    let mut bytes = Zeroizing::new([0; 32]);
    for part in [date, region, service, TERMINATOR] {
        bytes.copy_from_slice(hmac::sign(&key, part.as_bytes()).as_ref());
        key = hmac::Key::new(hmac::HMAC_SHA256, bytes.as_ref());
    }
    bytes
}

/// A secret narrowed to a day, a region and a service. Derived once and kept: deriving costs four times what using does.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Derives the key of a scope; `date` is `YYYYMMDD`.
    pub fn derive(secret: impl AsRef<[u8]>, date: &str, region: &str, service: &str) -> Self {
        let bytes = signing_secret(secret, date, region, service);
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes.as_ref()))
    }

    /// The signature of a string to sign, in hexadecimal.
    pub(super) fn sign(&self, string_to_sign: &[u8]) -> Hex {
        Hex::of(hmac::sign(&self.0, string_to_sign).as_ref())
    }

    /// Whether `signature` is that of the string to sign; takes the same time whichever byte differs.
    pub(super) fn is_signature(&self, string_to_sign: &[u8], signature: &[u8; 32]) -> bool {
        hmac::verify(&self.0, string_to_sign, signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}

/// 32 bytes in lower-case hexadecimal, written in one piece: digit by digit they cost as much as hashing them does.
pub(super) struct Hex([u8; 64]);

impl Hex {
    /// The hexadecimal of a SHA-256.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut text = [b'0'; 64];
        for ([high, low], byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
            (*high, *low) = (letter(byte >> 4), letter(byte & 15));
        }
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        // Its letters are ASCII, each of them.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn letter(nibble: u8) -> u8 {
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

/// The 32 bytes of 64 lower-case hexadecimal digits.
pub(super) fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    // Without leaving early the loop has no branch.
    let mut all = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (digit(*high), digit(*low));
        all |= high | low;
        *byte = high << 4 | low;
    }
    (all < 16).then_some(bytes)
}

/// The value of a digit; of what is none, a value that no digit has.
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => u8::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_in_lower_case_are_hexadecimal() {
        for c in (0..128_u8).map(char::from) {
            let value = c.to_digit(16).filter(|_| !c.is_ascii_uppercase());
            for (text, place) in
                [(format!("{c}{}", "0".repeat(63)), 4), (format!("{}{c}", "0".repeat(63)), 0)]
            {
                let read = bytes_of_hex(&text)
                    .map(|bytes| u32::from(bytes[if place == 4 { 0 } else { 31 }]) >> place);
                assert_eq!(read, value, "{c:?}");
            }
        }
        assert_eq!(bytes_of_hex(&"0".repeat(63)), None);
        assert_eq!(bytes_of_hex(&"0".repeat(66)), None);
    }
}
