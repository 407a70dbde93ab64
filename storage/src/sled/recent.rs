//! Which keys have been written lately, so that reads are proved without touching the tree, whose lock a
//! batch holds while it is applied: authorization must not wait for writers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::Revision;
use crate::revision::AtomicRevision;

/// At 8 bytes a slot this is half a MiB.
const SLOTS: u64 = 1 << 16;

/// The newest revision that may have written each key since the engine was opened. Keys share slots by hash, so
/// a slot may tell of a newer write than the key has had, never of an older one. Each key has two, and either of
/// them proves that it is quiet: that both are busy with other keys is rare.
#[derive(Debug)]
pub(super) struct Recent(Box<[AtomicRevision]>);

impl Recent {
    /// Nothing has been written after `opened_at`.
    pub(super) fn new(opened_at: Revision) -> Self {
        Self((0..SLOTS).map(|_| AtomicRevision::new(opened_at)).collect())
    }

    /// Notes a write, before any reader can see it.
    pub(super) fn note(&self, key: &[u8], revision: Revision) {
        self.slots(key).for_each(|slot| slot.raise(revision));
    }

    /// Whether `key` has certainly not been written after `since`.
    pub(super) fn is_quiet(&self, key: &[u8], since: Revision) -> bool {
        self.slots(key).any(|slot| slot.load() <= since)
    }

    fn slots(&self, key: &[u8]) -> impl Iterator<Item = &AtomicRevision> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        let places = [hash % SLOTS, hash / SLOTS % SLOTS].into_iter();
        places.filter_map(|place| usize::try_from(place).ok().and_then(|place| self.0.get(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_key_is_never_quiet_and_few_others_are_disturbed() {
        let recent = Recent::new(Revision::from(5));
        for number in 0..1000u64 {
            recent.note(&number.to_be_bytes(), Revision::from(6));
        }
        let is_quiet = |number: u64, since: u64| recent.is_quiet(&number.to_be_bytes(), since.into());
        assert!((0..1000).all(|number| !is_quiet(number, 5) && is_quiet(number, 6)));
        assert!((1000..11_000).filter(|number| !is_quiet(*number, 5)).count() < 50);
    }
}
