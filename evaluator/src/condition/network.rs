//! Ranges of internet addresses.

use std::fmt;
use std::net::IpAddr;

/// A range in CIDR form. Addresses of version 4 that are written in version 6 are what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or one address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => {
                let digits =
                    (1..=3).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit());
                (address, Some(length.parse::<u8>().ok().filter(|_| digits)?))
            }
            None => (text, None),
        };
        let written: IpAddr = address.parse().ok()?;
        let address = written.to_canonical();
        let bits = |address: &IpAddr| if address.is_ipv4() { 32 } else { 128 };
        let Some(length) = length else { return Some(Self { address, length: bits(&address) }) };
        if length > bits(&written) {
            return None;
        }
        if written == address {
            return Some(Self { address, length });
        }
        match length.checked_sub(96) {
            Some(length) => Some(Self { address, length }),
            // So short a range holds more than the mapped addresses.
            None => Some(Self { address: written, length }),
        }
    }

    /// Whether `address` lies in the range; the versions never meet.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                (ours.to_bits() ^ theirs.to_bits()) & mask == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                (ours.to_bits() ^ theirs.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, address: &str) -> bool {
        Network::parse(range).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn ranges_hold_their_addresses() {
        assert!(check("203.0.113.0/24", "203.0.113.255"));
        assert!(!check("203.0.113.0/24", "203.0.114.0"));
        assert!(check("203.0.113.77/24", "203.0.113.1"));
        assert!(check("0.0.0.0/0", "255.255.255.255"));
        assert!(!check("0.0.0.0/0", "2001:db8::1"));
        assert!(check("203.0.113.7", "203.0.113.7"));
        assert!(check("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:9::1"));
        assert!(check("::/0", "2001:db8::1"));
        assert!(check("203.0.113.0/24", "::ffff:203.0.113.9"));
        assert!(check("::ffff:203.0.113.0/120", "203.0.113.9"));
    }

    #[test]
    fn every_length_ends_where_it_says() {
        let addresses = |bits: u32| (0..bits).map(move |bit| (bit, 1_u128 << (bits - 1 - bit)));
        for length in 0..=32 {
            for (bit, flipped) in addresses(32) {
                let other = std::net::Ipv4Addr::from_bits(0x0A01_0203 ^ u32::try_from(flipped).unwrap());
                assert_eq!(
                    check(&format!("10.1.2.3/{length}"), &other.to_string()),
                    bit >= length,
                    "{other}"
                );
            }
        }
        for length in 0..=128 {
            for (bit, flipped) in addresses(128) {
                let other =
                    std::net::Ipv6Addr::from_bits(0x2001_0DB8_0000_0000_0000_0000_0000_0001 ^ flipped);
                assert_eq!(
                    check(&format!("2001:db8::1/{length}"), &other.to_string()),
                    bit >= length,
                    "{other}"
                );
            }
        }
    }

    #[test]
    fn one_address_is_one_address() {
        assert!(!check("203.0.113.7", "203.0.113.6"));
        assert!(check("2001:db8::7", "2001:db8::7") && !check("2001:db8::7", "2001:db8::6"));
        assert!(check("::ffff:203.0.113.7", "203.0.113.7") && !check("::ffff:203.0.113.7", "203.0.113.6"));
        let written = |text: &str| Network::parse(text).unwrap().to_string();
        assert_eq!(written("203.0.113.7"), "203.0.113.7/32");
        assert_eq!(written("2001:DB8::7"), "2001:db8::7/128");
        assert_eq!(written("::ffff:203.0.113.0/120"), "203.0.113.0/24");
        assert_eq!(written("10.0.0.0/008"), "10.0.0.0/8");
    }

    #[test]
    fn a_range_around_the_mapped_addresses() {
        assert!(check("::ffff:0:0/96", "198.51.100.1"), "all of version 4");
        assert!(!check("::ffff:0:0/95", "198.51.100.1"), "more than those is version 6");
        assert!(check("::ffff:0:0/95", "::fffe:0:1"));
    }

    #[test]
    fn what_is_no_range() {
        for text in [
            "",
            "203.0.113.0/33",
            "203.0.113/24",
            "203.0.113.0/",
            "203.0.113.0/+8",
            "203.0.113.0/0008",
            "::/129",
            "::ffff:203.0.113.0/129",
            "10.0.0.0/8/8",
            "10.0.0.0/256",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
