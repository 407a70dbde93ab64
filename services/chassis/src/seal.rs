//! Secrets at rest, and everything handed out that must come back unaltered: access-key secrets, session tokens, page
//! markers and revisions are sealed here with AES-256-GCM, each under a key of its own.
//!
//! One root key, kept outside the store, wraps numbered data keys. A sealed value names its data key, so keys rotate
//! with overlap: the active one seals, all that are present open. Random 96-bit nonces would wear a key out after 2^32
//! values, a day or two of tokens; so each value carries a 256-bit salt, from which HKDF derives a key used once, and
//! the nonce can be zero. The associated data binds cluster, purpose, version and key number: a value moved to another
//! place does not open.
//!
//! A sealed value: version (1 byte), key number (4, big-endian), salt (32), ciphertext, tag (16).

mod purpose;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_directory::Random;
use ring::{aead, hkdf, hmac};
use zeroize::Zeroizing;

pub use purpose::Purpose;

use purpose::Each;

/// Bytes that sealing adds to a value.
pub const SEALED_OVERHEAD: usize = HEADER_BYTES + TAG_BYTES;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + 4 + SALT_BYTES;

/// Why nothing was opened. The reasons of a refusal are one: a caller must not learn which byte was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The value was not sealed here, for this purpose, with these associated data.
    #[error("the sealed value is refused")]
    Refused,
    /// The text is not the base64 of 32 bytes.
    #[error("a root key is the base64 of 32 bytes")]
    RootKey,
    /// The active key is not among the keys, or two keys share a number.
    #[error("the data keys do not fit together")]
    Keys,
    /// The value is longer than AES-GCM can seal.
    #[error("the value is too long to be sealed")]
    TooLong,
}

/// The key that wraps the data keys; it lies outside the store.
pub struct RootKey(Zeroizing<[u8; KEY_BYTES]>);

impl RootKey {
    /// Reads the base64 of 32 bytes; space around it is ignored, as files end in a newline.
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| SealError::RootKey)?);
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| SealError::RootKey)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// A new root key, for the first start.
    pub fn generate(random: &mut dyn Random) -> Self {
        Self(draw(random))
    }

    /// The text that `from_base64` reads.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(secret)")
    }
}

/// A key that seals values; stored wrapped under the root key.
pub struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// A new data key.
    pub fn generate(random: &mut dyn Random) -> Self {
        Self(draw(random))
    }

    /// The data key as it is stored, bound to its cluster and its number.
    pub fn wrap(
        &self,
        root: &RootKey,
        cluster: &[u8],
        number: u32,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let salt = draw(random);
        let root = extract(&root.0);
        Context { key: &root, cluster, number, purpose: Purpose::DataKey, associated: &[] }
            .seal(&salt, self.0.as_slice())
    }

    /// Reads a wrapped data key back.
    pub fn unwrap(root: &RootKey, cluster: &[u8], number: u32, wrapped: &[u8]) -> Result<Self, SealError> {
        let root = extract(&root.0);
        let context = Context { key: &root, cluster, number, purpose: Purpose::DataKey, associated: &[] };
        let sealed = Sealed::parse(wrapped).filter(|sealed| sealed.number == number);
        let plain = context.open(&sealed.ok_or(SealError::Refused)?)?;
        let key = <[u8; KEY_BYTES]>::try_from(plain.as_slice()).map_err(|_| SealError::Refused)?;
        Ok(Self(Zeroizing::new(key)))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(secret)")
    }
}

/// The data keys of a cluster: one that seals, and older or newer ones that open as well.
pub struct Keyring {
    cluster: Vec<u8>,
    active: Entry,
    others: Vec<Entry>,
}

impl Keyring {
    /// A keyring of unwrapped keys, of which `active` seals.
    pub fn new(cluster: &[u8], active: u32, keys: Vec<(u32, DataKey)>) -> Result<Self, SealError> {
        let mut chosen = None;
        let mut others: Vec<Entry> = Vec::new();
        for (number, key) in keys {
            let entry = Entry::new(cluster, number, key)?;
            if others.iter().any(|other| other.number == number) {
                return Err(SealError::Keys);
            } else if number != active {
                others.push(entry);
            } else if chosen.replace(entry).is_some() {
                return Err(SealError::Keys);
            }
        }
        Ok(Self { cluster: cluster.to_vec(), active: chosen.ok_or(SealError::Keys)?, others })
    }

    /// A keyring of one new key with the number 1.
    pub fn generate(cluster: &[u8], random: &mut dyn Random) -> Result<Self, SealError> {
        Self::new(cluster, 1, vec![(1, DataKey::generate(random))])
    }

    /// Seals `plain`. Whoever opens it must name the same purpose and the same associated data.
    pub fn seal(
        &self,
        purpose: Purpose,
        associated: &[u8],
        plain: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let salt = draw(random);
        self.context(&self.active, purpose, associated).seal(&salt, plain)
    }

    /// Seals `plain` with a salt made from it: the same value gives the same text. For small values that are handed
    /// out often and that nobody gains from recognising.
    pub fn seal_repeatably(
        &self,
        purpose: Purpose,
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut mac = hmac::Context::with_key(self.active.mac_key(purpose));
        mac.update(&length(associated));
        mac.update(associated);
        mac.update(plain);
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(mac.sign().as_ref());
        self.context(&self.active, purpose, associated).seal(&salt, plain)
    }

    /// Opens what `seal` or `seal_repeatably` made. Total: any bytes at all give an answer.
    pub fn open(
        &self,
        purpose: Purpose,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let sealed = Sealed::parse(sealed).ok_or(SealError::Refused)?;
        let entry = self.entries().find(|entry| entry.number == sealed.number).ok_or(SealError::Refused)?;
        self.context(entry, purpose, associated).open(&sealed)
    }

    /// A message authentication code under the active key.
    pub fn mac(&self, purpose: Purpose, data: &[u8]) -> [u8; 32] {
        let mut mac = [0; 32];
        mac.copy_from_slice(hmac::sign(self.active.mac_key(purpose), data).as_ref());
        mac
    }

    /// Whether `mac` was made of `data` under any of the keys, compared in constant time.
    pub fn verify(&self, purpose: Purpose, data: &[u8], mac: &[u8]) -> bool {
        self.entries().any(|entry| hmac::verify(entry.mac_key(purpose), data, mac).is_ok())
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.active).chain(&self.others)
    }

    fn context<'a>(&'a self, entry: &'a Entry, purpose: Purpose, associated: &'a [u8]) -> Context<'a> {
        Context { key: &entry.key, cluster: &self.cluster, number: entry.number, purpose, associated }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<u32> = self.entries().map(|entry| entry.number).collect();
        f.debug_struct("Keyring").field("active", &self.active.number).field("keys", &numbers).finish()
    }
}

/// A data key with what is derived from it once.
struct Entry {
    number: u32,
    key: hkdf::Prk,
    macs: Each<hmac::Key>,
}

impl Entry {
    fn new(cluster: &[u8], number: u32, key: DataKey) -> Result<Self, SealError> {
        let key = extract(&key.0);
        let macs = Each::make(|purpose| {
            key.expand(&[b"reeve mac\0", purpose.label(), cluster], hmac::HMAC_SHA256)
                .map(hmac::Key::from)
                .map_err(|_| SealError::Keys)
        })?;
        Ok(Self { number, key, macs })
    }

    fn mac_key(&self, purpose: Purpose) -> &hmac::Key {
        self.macs.get(purpose)
    }
}

/// A sealed value taken apart.
struct Sealed<'a> {
    number: u32,
    salt: &'a [u8; SALT_BYTES],
    /// Ciphertext and tag.
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn parse(sealed: &'a [u8]) -> Option<Self> {
        let rest = sealed.strip_prefix(&[VERSION])?;
        let (number, rest) = rest.split_first_chunk()?;
        let (salt, body) = rest.split_first_chunk()?;
        Some(Self { number: u32::from_be_bytes(*number), salt, body })
    }
}

/// Everything a value is bound to.
struct Context<'a> {
    key: &'a hkdf::Prk,
    cluster: &'a [u8],
    number: u32,
    purpose: Purpose,
    associated: &'a [u8],
}

impl Context<'_> {
    fn seal(&self, salt: &[u8; SALT_BYTES], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = Vec::with_capacity(plain.len().saturating_add(SEALED_OVERHEAD));
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.number.to_be_bytes());
        sealed.extend_from_slice(salt);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(HEADER_BYTES..).ok_or(SealError::TooLong)?;
        let tag = self
            .key_for(salt)?
            .seal_in_place_separate_tag(zero_nonce(), self.bound(), body)
            .map_err(|_| SealError::TooLong)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    fn open(&self, sealed: &Sealed<'_>) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut plain = Zeroizing::new(sealed.body.to_vec());
        let length = self
            .key_for(sealed.salt)?
            .open_in_place(zero_nonce(), self.bound(), &mut plain)
            .map_err(|_| SealError::Refused)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// The key of one value.
    fn key_for(&self, salt: &[u8; SALT_BYTES]) -> Result<aead::LessSafeKey, SealError> {
        let key = self
            .key
            .expand(&[self.purpose.label(), salt], &aead::AES_256_GCM)
            .map(aead::UnboundKey::from)
            .map_err(|_| SealError::Refused)?;
        Ok(aead::LessSafeKey::new(key))
    }

    /// The associated data; every part but the last has a fixed or a written length, so no two contexts share them.
    fn bound(&self) -> aead::Aad<Vec<u8>> {
        let label = self.purpose.label();
        let mut bound = Vec::with_capacity(13 + label.len() + self.cluster.len() + self.associated.len());
        bound.push(VERSION);
        bound.extend_from_slice(&self.number.to_be_bytes());
        bound.extend_from_slice(label);
        bound.extend_from_slice(&length(self.cluster));
        bound.extend_from_slice(self.cluster);
        bound.extend_from_slice(self.associated);
        aead::Aad::from(bound)
    }
}

/// Each key seals one value, so its nonce need not vary.
fn zero_nonce() -> aead::Nonce {
    aead::Nonce::assume_unique_for_key([0; aead::NONCE_LEN])
}

fn length(bytes: &[u8]) -> [u8; 8] {
    // A length always fits into 64 bits on the machines there are.
    u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes()
}

/// The first half of HKDF, done once a key. Its salt need not vary, for the keys are drawn at random; what varies is the
/// salt that each value brings to the second half.
fn extract(key: &Zeroizing<[u8; KEY_BYTES]>) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"reeve seal").extract(key.as_slice())
}

fn draw(random: &mut dyn Random) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    random.fill(bytes.as_mut_slice());
    bytes
}

#[cfg(test)]
pub(crate) mod tests;
