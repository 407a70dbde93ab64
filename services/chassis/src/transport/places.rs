//! How many connections come from one address: nobody takes all the places there are.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The bits of an IPv6 address that its holder cannot choose: whoever has one address has all of its network's.
const NETWORK_BITS: u32 = 64;

/// The connections there are, by where they come from.
pub(super) struct Places {
    per_address_max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one connection, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    from: IpAddr,
}

impl Places {
    pub(super) fn new(per_address_max: usize) -> Self {
        Self { per_address_max, taken: Mutex::default() }
    }

    /// A place for a connection from `address`; none when it has all that one may have.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let from = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(from).or_default();
        if *count >= self.per_address_max {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Place { places: Arc::clone(self), from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.from);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> NETWORK_BITS)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_so_many_places_and_another_its_own() {
        let places = Arc::new(Places::new(2));
        let held = [places.take(address("10.0.0.1")).unwrap(), places.take(address("10.0.0.1")).unwrap()];
        assert!(places.take(address("10.0.0.1")).is_none());
        let other = places.take(address("10.0.0.2"));
        assert!(other.is_some());
        drop(held);
        assert!(places.take(address("10.0.0.1")).is_some());
        drop(other);
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is kept of those who are gone");
    }

    #[test]
    fn the_addresses_of_a_network_are_one() {
        let places = Arc::new(Places::new(1));
        let _held = places.take(address("2001:db8:0:1::1")).unwrap();
        assert!(places.take(address("2001:db8:0:1:ffff::2")).is_none());
        assert!(places.take(address("2001:db8:0:2::1")).is_some());
    }
}
