//! Unique ids with AWS's prefixes, alphabet and lengths. Access key ids hold their account, as AWS's do, so that it is
//! known without a look-up; the other ids are chance alone.

/// Where chance comes from; this crate draws none.
pub trait Random: Send {
    /// Fills `bytes` with unpredictable ones.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// The base32 alphabet of RFC 4648.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const UNIQUE_ID_RANDOM_CHARS: usize = 17;
const ACCESS_KEY_ID_CHARS: usize = 20;
const ACCOUNT_SHIFT: u32 = 7;
const ACCOUNT_MASK: u64 = 0x7fff_ffff_ff80;
/// Set in every id that holds an account; AWS's oldest ids, which hold none, lack it.
const ACCOUNT_HELD: u64 = 1 << 47;
const ACCOUNTS_MAX: u64 = 1_000_000_000_000;

const _: () = assert!(ACCOUNTS_MAX <= (ACCOUNT_MASK >> ACCOUNT_SHIFT) + 1);

/// A new user's id, `AIDA...`.
pub fn user(random: &mut dyn Random) -> String {
    unique("AIDA", random)
}

/// A new role's id, `AROA...`.
pub fn role(random: &mut dyn Random) -> String {
    unique("AROA", random)
}

/// A new group's id, `AGPA...`.
pub fn group(random: &mut dyn Random) -> String {
    unique("AGPA", random)
}

/// A new managed policy's id, `ANPA...`.
pub fn policy(random: &mut dyn Random) -> String {
    unique("ANPA", random)
}

/// A number that tells a record from every other of its name; none has the number of another.
pub(crate) fn drawn(random: &mut dyn Random) -> u64 {
    let mut drawn = [0; 8];
    random.fill(&mut drawn);
    u64::from_le_bytes(drawn)
}

/// A new long-term access key's id, `AKIA...`, which holds `account`.
pub fn access_key(account: &str, random: &mut dyn Random) -> String {
    with_account("AKIA", account, random)
}

/// A new temporary access key's id, `ASIA...`, which holds `account`.
pub fn temporary_access_key(account: &str, random: &mut dyn Random) -> String {
    with_account("ASIA", account, random)
}

/// The account that an access key id holds; none when the text is no such id.
#[must_use]
pub fn account_of_access_key(id: &str) -> Option<String> {
    let code = id.strip_prefix("AKIA").or_else(|| id.strip_prefix("ASIA"))?;
    if id.len() != ACCESS_KEY_ID_CHARS {
        return None;
    }
    let mut bits: u128 = 0;
    for character in code.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == character)?;
        bits = bits << 5 | u128::try_from(digit).ok()?;
    }
    // Eighty bits; the account lies in the first forty-eight.
    let head = u64::try_from(bits >> 32).ok()?;
    let account = (head & ACCOUNT_MASK) >> ACCOUNT_SHIFT;
    (head & ACCOUNT_HELD != 0 && account < ACCOUNTS_MAX).then(|| format!("{account:012}"))
}

/// A new id of an issuer: what nobody can guess, because it tells that the account has one.
#[must_use]
pub fn issuer(random: &mut dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Whether the id of an access key is that of temporary credentials.
#[must_use]
pub fn is_temporary(access_key_id: &str) -> bool {
    access_key_id.starts_with("ASIA")
}

/// Whether `text` has the form of a unique id of a user or a role.
pub(crate) fn is_principal_id(text: &str) -> bool {
    let code = text.strip_prefix("AIDA").or_else(|| text.strip_prefix("AROA"));
    code.is_some_and(|code| {
        code.len() == UNIQUE_ID_RANDOM_CHARS && code.bytes().all(|byte| ALPHABET.contains(&byte))
    })
}

fn unique(prefix: &str, random: &mut dyn Random) -> String {
    let mut bytes = [0; UNIQUE_ID_RANDOM_CHARS];
    random.fill(&mut bytes);
    let mut id = String::with_capacity(prefix.len() + UNIQUE_ID_RANDOM_CHARS);
    id.push_str(prefix);
    id.extend(bytes.iter().map(|byte| letter(u128::from(*byte))));
    id
}

fn with_account(prefix: &str, account: &str, random: &mut dyn Random) -> String {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    let chance = u64::from_be_bytes(bytes);
    // An account is twelve digits wherever it comes from; the mask keeps anything else from spilling over.
    let account = account.parse::<u64>().unwrap_or_default() << ACCOUNT_SHIFT & ACCOUNT_MASK;
    let head = ACCOUNT_HELD | account | chance & ((1 << ACCOUNT_SHIFT) - 1);
    let bits = u128::from(head) << 32 | u128::from(chance >> 32);
    let mut id = String::with_capacity(ACCESS_KEY_ID_CHARS);
    id.push_str(prefix);
    id.extend((0..16).rev().map(|digit| letter(bits >> (5 * digit))));
    id
}

/// The letter of the lowest five bits.
fn letter(bits: u128) -> char {
    let index = usize::from((bits & 31) as u8);
    char::from(ALPHABET.get(index).copied().unwrap_or(b'A'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self.0.wrapping_mul(31).wrapping_add(17);
                *byte = self.0;
            }
        }
    }

    #[test]
    fn ids_have_the_form_of_awss() {
        let id = user(&mut Fixed(1));
        assert_eq!(id.len(), 21);
        assert!(is_principal_id(&id) && id.starts_with("AIDA"), "{id}");
        assert!(is_principal_id(&role(&mut Fixed(2))));
        assert!(!is_principal_id(&group(&mut Fixed(3))));
        assert_eq!(access_key("123456789012", &mut Fixed(4)).len(), 20);
    }

    #[test]
    fn a_published_id_gives_its_account() {
        // The example that the decoding was published with.
        assert_eq!(account_of_access_key("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
    }

    #[test]
    fn what_is_no_key_id_has_no_account() {
        for text in
            ["", "AKIA", "AIDAQNZGKIQY56JQ7WMLA", "ASIAQNZGKIQY56JQ7WM1", "ASIAAAAAAAAAAAAAAAAA", "AKIAé"]
        {
            assert_eq!(account_of_access_key(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_account_is_read_back(account in 0..ACCOUNTS_MAX, seed: u8) {
            let account = format!("{account:012}");
            let id = access_key(&account, &mut Fixed(seed));
            prop_assert_eq!(account_of_access_key(&id), Some(account.clone()));
            let id = temporary_access_key(&account, &mut Fixed(seed));
            prop_assert_eq!(account_of_access_key(&id), Some(account));
        }

        #[test]
        fn reading_is_total(text in ".*") {
            let _ = account_of_access_key(&text);
        }
    }
}
