//! Addresses of the internet protocol, in a pattern and in an event: one may be written in more than one way.
//!
//! <https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/CIDR.java>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Reads an address as the service does: neither `::1.2.3.4` nor one with a zone is one, and `::ffff:a00:1` is `10.0.0.1`.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let is_plain = text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
        let address: Ipv6Addr = is_plain.then(|| text.parse().ok())??;
        let mapped = address.to_ipv4_mapped().map(IpAddr::V4);
        return Some(mapped.unwrap_or(IpAddr::V6(address)));
    }
    let mut parts = text.split('.').map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    });
    let mut next = || parts.next()?;
    let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    parts.next().is_none().then_some(IpAddr::V4(address))
}

/// Reads a block of addresses.
///
/// # Errors
/// Why the service does not take it: a block of one address is written as the address.
pub(super) fn block(text: &str) -> Result<IpNet, String> {
    let slashed: Vec<&str> = text.split('/').collect();
    let [address_text, bits] = slashed.as_slice() else {
        return Err("Malformed CIDR, one '/' required".to_owned());
    };
    let Ok(bits) = bits.parse::<i32>() else {
        return Err("Malformed CIDR, mask bits must be an integer".to_owned());
    };
    let Ok(bits) = u32::try_from(bits) else {
        return Err("Malformed CIDR, mask bits must not be negative".to_owned());
    };
    let Some(address) = address(address_text) else {
        return Err(format!("Nonstandard IP address: {address_text}"));
    };
    let (version, n_bits) = match address {
        IpAddr::V4(_) => (4, 32),
        IpAddr::V6(_) => (6, 128),
    };
    let bits = u8::try_from(bits).ok().filter(|bits| *bits < n_bits);
    let block = bits.and_then(|bits| IpNet::new(address, bits).ok());
    let refused = || format!("IPv{version} mask bits must be < {n_bits}");
    block.map(|block| block.trunc()).ok_or_else(refused)
}
