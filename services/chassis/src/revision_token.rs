//! The text of `reeve-revision`: which state of the store an answer has seen, in a form that clients hand back and cannot
//! make. It names the cluster's incarnation, so that a store restored from a backup is not asked to wait for revisions
//! of its former life; and it is sealed, because how fast revisions grow tells of other accounts' work.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::seal::{Keyring, Purpose, SEALED_OVERHEAD, SealError};

/// Characters of a token.
pub(crate) const TOKEN_CHARACTERS: usize = ((16 + SEALED_OVERHEAD) * 4).div_ceil(3);

/// The token was not given out by this cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The revision is not one of this cluster.")]
pub(crate) struct RevisionTokenError;

/// The token of a revision: the same for the same revision, so it can be kept until the next commit.
pub(crate) fn encode(keyring: &Keyring, incarnation: u64, revision: u64) -> Result<String, SealError> {
    let mut plain = [0; 16];
    let (first, second) = plain.split_at_mut(8);
    first.copy_from_slice(&incarnation.to_be_bytes());
    second.copy_from_slice(&revision.to_be_bytes());
    Ok(URL_SAFE_NO_PAD.encode(keyring.seal_repeatably(Purpose::Revision, &[], &plain)?))
}

/// The incarnation and the revision that a token names.
pub(crate) fn decode(keyring: &Keyring, token: &str) -> Result<(u64, u64), RevisionTokenError> {
    if token.len() != TOKEN_CHARACTERS {
        return Err(RevisionTokenError);
    }
    let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| RevisionTokenError)?;
    let plain = keyring.open(Purpose::Revision, &[], &sealed).map_err(|_| RevisionTokenError)?;
    let (incarnation, rest) = plain.split_first_chunk().ok_or(RevisionTokenError)?;
    let revision = rest.try_into().map_err(|_| RevisionTokenError)?;
    Ok((u64::from_be_bytes(*incarnation), u64::from_be_bytes(revision)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::tests::Seeded;

    fn keyring() -> Keyring {
        Keyring::generate(b"c", &mut Seeded(1)).unwrap()
    }

    #[test]
    fn only_this_cluster_s_tokens_are_read() {
        let token = encode(&keyring(), 1, 2).unwrap();
        let other = Keyring::generate(b"d", &mut Seeded(1)).unwrap();
        assert_eq!(decode(&other, &token), Err(RevisionTokenError));
        assert_eq!(encode(&keyring(), 1, 2).unwrap(), token);
        for bad in [
            "",
            "1",
            token.trim_start_matches(char::is_alphanumeric),
            &format!("{token}A"),
            &"A".repeat(TOKEN_CHARACTERS),
            &"é".repeat(46),
        ] {
            assert_eq!(decode(&keyring(), bad), Err(RevisionTokenError));
        }
    }

    proptest! {
        #[test]
        fn a_token_names_what_it_was_made_of(
            incarnation in any::<u64>(), revision in any::<u64>(), at in 0..TOKEN_CHARACTERS, with in "[A-Za-z0-9_-]",
        ) {
            let mut token = encode(&keyring(), incarnation, revision).unwrap();
            prop_assert_eq!(token.len(), TOKEN_CHARACTERS);
            prop_assert_eq!(decode(&keyring(), &token), Ok((incarnation, revision)));
            let intact = token.clone();
            token.replace_range(at..at + 1, &with);
            prop_assume!(token != intact);
            prop_assert_eq!(decode(&keyring(), &token), Err(RevisionTokenError));
        }
    }
}
