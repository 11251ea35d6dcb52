//! Networks of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix_bits: u32,
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address or a network written as its first address, / and 1 or more bits")]
pub struct NotANetwork;

impl Network {
    /// Whether the address is in it. A v4 address that is written as v6 counts as v4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && first_of(address, self.prefix_bits) == bits(self.first)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Network, NotANetwork> {
        let (address, prefix_bits) = match text.split_once('/') {
            Some((address, digits)) => (address, Some(digits.parse::<u32>().map_err(|_| NotANetwork)?)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let bits_max = width(first);
        let prefix_bits = prefix_bits.unwrap_or(bits_max);
        // A network of everybody would let everybody write who they are, and a mapped address would never match.
        let is_sound = (1..=bits_max).contains(&prefix_bits) && first == first.to_canonical();
        if !is_sound || first_of(first, prefix_bits) != bits(first) {
            return Err(NotANetwork);
        }
        Ok(Network { first, prefix_bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first, self.prefix_bits)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The bits of the first address of a network of `prefix_bits` that holds this one.
fn first_of(address: IpAddr, prefix_bits: u32) -> u128 {
    let host_bits = width(address).saturating_sub(prefix_bits);
    bits(address) >> host_bits << host_bits
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::Network;

    #[test]
    fn a_network_holds_what_begins_like_it() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.6/31", "::ffff:192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("fd00::1", "fd00::1", "fd00::2"),
            ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
            ("8000::/1", "ffff::", "7fff::"),
        ] {
            let parsed: Network = network.parse().expect("a network");
            let address = |text: &str| text.parse::<IpAddr>().expect("an address");
            assert!(parsed.contains(address(inside)), "{inside} in {network}");
            assert!(!parsed.contains(address(outside)), "{outside} in {network}");
        }
    }

    #[test]
    fn the_two_kinds_of_addresses_are_never_mixed_up() {
        let network: Network = "a00::/8".parse().expect("a network");
        assert!(!network.contains("10.0.0.1".parse().expect("an address")));
    }

    #[test]
    fn what_is_no_network_or_everybody_is_refused() {
        for text in [
            "",
            "localhost",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "::ffff:10.0.0.1",
            "10.0.0.1:80",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
