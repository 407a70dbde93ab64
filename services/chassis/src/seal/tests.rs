//! What opens and what does not.

use proptest::prelude::*;

use super::*;

/// A seeded source, so that a failure repeats.
pub(crate) struct Seeded(pub(crate) u64);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

fn keyring() -> Keyring {
    Keyring::generate(b"cluster-1", &mut Seeded(1)).unwrap()
}

#[test]
fn opens_what_it_sealed_and_only_there() {
    let keyring = keyring();
    let sealed = keyring.seal(Purpose::AccessKeySecret, b"AKIA1", b"secret", &mut Seeded(2)).unwrap();
    assert_eq!(sealed.len(), 6 + SEALED_OVERHEAD);
    assert_eq!(keyring.open(Purpose::AccessKeySecret, b"AKIA1", &sealed).unwrap().as_slice(), b"secret");
    for refused in [
        keyring.open(Purpose::SessionToken, b"AKIA1", &sealed),
        keyring.open(Purpose::AccessKeySecret, b"AKIA2", &sealed),
        keyring.open(Purpose::AccessKeySecret, b"", &sealed),
        Keyring::generate(b"cluster-2", &mut Seeded(1)).unwrap().open(
            Purpose::AccessKeySecret,
            b"AKIA1",
            &sealed,
        ),
        Keyring::generate(b"cluster-1", &mut Seeded(9)).unwrap().open(
            Purpose::AccessKeySecret,
            b"AKIA1",
            &sealed,
        ),
    ] {
        assert_eq!(refused.unwrap_err(), SealError::Refused);
    }
}

#[test]
fn every_altered_bit_and_every_cut_is_refused() {
    let keyring = keyring();
    let sealed = keyring.seal(Purpose::SessionToken, b"a", b"plain", &mut Seeded(3)).unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[at] ^= 1 << bit;
            assert_eq!(keyring.open(Purpose::SessionToken, b"a", &altered), Err(SealError::Refused));
        }
        assert_eq!(keyring.open(Purpose::SessionToken, b"a", &sealed[..at]), Err(SealError::Refused));
    }
}

#[test]
fn keys_rotate_with_overlap() {
    let (root, random) = (RootKey::generate(&mut Seeded(4)), &mut Seeded(5));
    let first = DataKey::generate(random).wrap(&root, b"c", 1, random).unwrap();
    let second = DataKey::generate(random).wrap(&root, b"c", 2, random).unwrap();
    let unwrap = |number, wrapped: &[u8]| (number, DataKey::unwrap(&root, b"c", number, wrapped).unwrap());
    let old = Keyring::new(b"c", 1, vec![unwrap(1, &first)]).unwrap();
    let both = Keyring::new(b"c", 2, vec![unwrap(1, &first), unwrap(2, &second)]).unwrap();
    let new = Keyring::new(b"c", 2, vec![unwrap(2, &second)]).unwrap();

    let sealed = old.seal(Purpose::SessionToken, b"", b"x", random).unwrap();
    let mac = old.mac(Purpose::PageMarker, b"x");
    assert!(both.open(Purpose::SessionToken, b"", &sealed).is_ok());
    assert!(both.verify(Purpose::PageMarker, b"x", &mac));
    assert!(new.open(Purpose::SessionToken, b"", &sealed).is_err());
    assert!(!new.verify(Purpose::PageMarker, b"x", &mac));
    assert!(!both.verify(Purpose::Revision, b"x", &mac));
    assert!(!both.verify(Purpose::PageMarker, b"x", &mac[..16]));
    let sealed = both.seal(Purpose::SessionToken, b"", b"x", random).unwrap();
    assert!(new.open(Purpose::SessionToken, b"", &sealed).is_ok());

    assert!(DataKey::unwrap(&root, b"c", 2, &first).is_err());
    assert!(DataKey::unwrap(&root, b"d", 1, &first).is_err());
    assert!(DataKey::unwrap(&RootKey::generate(random), b"c", 1, &first).is_err());
    assert!(Keyring::new(b"c", 3, vec![unwrap(1, &first)]).is_err());
    assert!(Keyring::new(b"c", 1, vec![unwrap(1, &first), unwrap(1, &first)]).is_err());
    assert!(Keyring::new(b"c", 2, vec![unwrap(1, &first), unwrap(1, &first), unwrap(2, &second)]).is_err());
}

#[test]
fn a_root_key_is_read_from_its_text_and_never_shown() {
    let root = RootKey::generate(&mut Seeded(6));
    let text = root.to_base64();
    let again = RootKey::from_base64(&format!(" {}\n", text.as_str())).unwrap();
    assert_eq!(root.0, again.0);
    assert!(!format!("{root:?} {:?}", keyring()).contains(text.as_str()));
    for bad in ["", "AAAA", "not base64!", &"A".repeat(100)] {
        assert_eq!(RootKey::from_base64(bad).unwrap_err(), SealError::RootKey);
    }
}

#[test]
fn repeatable_sealing_repeats_and_varies_with_all_it_is_given() {
    let keyring = keyring();
    let seal = |associated: &[u8], plain: &[u8]| {
        keyring.seal_repeatably(Purpose::PageMarker, associated, plain).unwrap()
    };
    assert_eq!(seal(b"a", b"bc"), seal(b"a", b"bc"));
    assert_ne!(seal(b"a", b"bc")[5..37], seal(b"ab", b"c")[5..37]);
    assert_eq!(keyring.open(Purpose::PageMarker, b"a", &seal(b"a", b"bc")).unwrap().as_slice(), b"bc");
}

proptest! {
    #[test]
    fn opening_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..200), header in any::<bool>()) {
        let mut bytes = bytes;
        if header {
            // Far enough into the format that the key is found and derived.
            bytes.splice(0..0, [VERSION, 0, 0, 0, 1]);
        }
        prop_assert_eq!(keyring().open(Purpose::SessionToken, b"", &bytes), Err(SealError::Refused));
    }

    #[test]
    fn what_is_sealed_opens(plain in proptest::collection::vec(any::<u8>(), 0..300), seed in any::<u64>()) {
        let sealed = keyring().seal(Purpose::SessionToken, b"x", &plain, &mut Seeded(seed)).unwrap();
        let opened = keyring().open(Purpose::SessionToken, b"x", &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
    }
}
