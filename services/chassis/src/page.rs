//! Page markers: where the previous page of a listing ended. A client hands back what it was given and can neither read
//! nor alter it, nor use it in another operation, account or filter: a listing never starts where its caller says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::seal::{Keyring, Purpose, SEALED_OVERHEAD, SealError};

/// AWS's limit on a marker.
pub(crate) const MARKER_CHARACTERS_MAX: usize = 320;
/// The longest name that a page can end at.
pub(crate) const LAST_BYTES_MAX: usize = 184;

const _: () = assert!((LAST_BYTES_MAX + SEALED_OVERHEAD).div_ceil(3) * 4 <= MARKER_CHARACTERS_MAX);

/// The listing that a marker belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'a> {
    /// For example `iam:ListUsers`.
    pub(crate) action: &'a str,
    /// The account whose items are listed.
    pub(crate) account: &'a str,
    /// What narrows the listing, in an order of the operation's own; an absent filter is an empty text.
    pub(crate) filters: &'a [&'a str],
}

/// The marker was not given out for this listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid Marker.")]
pub(crate) struct MarkerError;

/// The marker of a page that ended with `last`, which is at most [`LAST_BYTES_MAX`] long.
pub(crate) fn encode(keyring: &Keyring, binding: &Binding<'_>, last: &str) -> Result<String, SealError> {
    let sealed = keyring.seal_repeatably(Purpose::PageMarker, &binding.bytes(), last.as_bytes())?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Where the page ended that `marker` was given out with.
pub(crate) fn decode(keyring: &Keyring, binding: &Binding<'_>, marker: &str) -> Result<String, MarkerError> {
    if marker.len() > MARKER_CHARACTERS_MAX {
        return Err(MarkerError);
    }
    let sealed = URL_SAFE_NO_PAD.decode(marker).map_err(|_| MarkerError)?;
    let last = keyring.open(Purpose::PageMarker, &binding.bytes(), &sealed).map_err(|_| MarkerError)?;
    String::from_utf8(last.to_vec()).map_err(|_| MarkerError)
}

impl Binding<'_> {
    /// One text for one binding: each part carries its length, so that no filter can pass for two.
    fn bytes(&self) -> Vec<u8> {
        let parts = [self.action, self.account];
        let mut bytes = Vec::with_capacity(64);
        for part in parts.iter().chain(self.filters) {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::tests::Seeded;

    const USERS: Binding<'_> =
        Binding { action: "iam:ListUsers", account: "123456789012", filters: &["/a/", ""] };

    fn keyring() -> Keyring {
        Keyring::generate(b"c", &mut Seeded(1)).unwrap()
    }

    #[test]
    fn a_marker_leads_back_to_where_the_page_ended() {
        for last in ["", "alice", "Ünïcode", &"x".repeat(LAST_BYTES_MAX)] {
            let marker = encode(&keyring(), &USERS, last).unwrap();
            assert!(marker.len() <= MARKER_CHARACTERS_MAX, "{}", marker.len());
            assert!(!marker.contains("alice"));
            assert_eq!(decode(&keyring(), &USERS, &marker).as_deref(), Ok(last));
        }
    }

    #[test]
    fn a_marker_of_another_listing_is_refused() {
        let marker = encode(&keyring(), &USERS, "alice").unwrap();
        for other in [
            Binding { action: "iam:ListRoles", ..USERS },
            Binding { account: "123456789013", ..USERS },
            Binding { filters: &["/a/"], ..USERS },
            Binding { filters: &["/a", "/"], ..USERS },
            Binding { filters: &["", "/a/"], ..USERS },
            Binding { filters: &[], ..USERS },
        ] {
            assert_eq!(decode(&keyring(), &other, &marker), Err(MarkerError));
        }
        let other = Keyring::generate(b"d", &mut Seeded(1)).unwrap();
        assert_eq!(decode(&other, &USERS, &marker), Err(MarkerError));
    }

    proptest! {
        #[test]
        fn an_altered_or_invented_marker_is_refused(text in "\\PC{0,330}", at in 0usize..70, with in "[A-Za-z0-9_=-]") {
            prop_assert_eq!(decode(&keyring(), &USERS, &text), Err(MarkerError));
            let marker = encode(&keyring(), &USERS, "alice").unwrap();
            let mut altered = marker.clone();
            altered.replace_range(at..at + 1, &with);
            prop_assume!(altered != marker);
            prop_assert_eq!(decode(&keyring(), &USERS, &altered), Err(MarkerError));
        }
    }
}
