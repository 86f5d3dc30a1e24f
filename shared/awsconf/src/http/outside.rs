//! Addresses that a request to the outside must never reach: this machine, the link, the metadata services of clouds. A name is
//! judged by what it resolves to, at the moment of the connection, so that no second answer of DNS can be another one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};

/// Beside those of link-local addresses: Alibaba Cloud, Oracle Cloud.
const METADATA: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Resolves names as the system does, and refuses those of such addresses.
#[derive(Clone, Debug)]
pub(super) struct Outside;

impl ResolveDns for Outside {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let addresses = resolved(name).await.map_err(ResolveDnsError::new)?;
            // The way to a proxy is the user's own choice; what it is asked for has been looked at before.
            if !proxies().any(|proxy| proxy == name)
                && let Some(local) = addresses.iter().find(|address| is_local(**address))
            {
                return Err(ResolveDnsError::new(LocalAddress(*local)));
            }
            Ok(addresses)
        })
    }
}

/// Refuses a host that is, or whose name now resolves to, such an address. A name that cannot be resolved here may be one that a
/// proxy knows.
pub(crate) async fn check(host: &str) -> Result<(), LocalAddress> {
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
    let addresses = match literal {
        Ok(address) => vec![address],
        Err(_) => resolved(host).await.unwrap_or_default(),
    };
    match addresses.into_iter().find(|address| is_local(*address)) {
        Some(local) => Err(LocalAddress(local)),
        None => Ok(()),
    }
}

/// That a request would have gone to an address of this machine or its surroundings.
#[derive(Debug)]
pub(crate) struct LocalAddress(IpAddr);

impl std::fmt::Display for LocalAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} is an address of this machine, its link or a metadata service",
            self.0
        )
    }
}

impl std::error::Error for LocalAddress {}

async fn resolved(name: &str) -> std::io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Returns the hosts of the proxies that the environment names.
fn proxies() -> impl Iterator<Item = String> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let urls = names
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    urls.map(|url| {
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        host.rsplit_once(':')
            .map_or(host, |(name, _)| name)
            .to_owned()
    })
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => is_local_v6(address),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        // "This network": Linux takes it for the loopback.
        || address.octets()[0] == 0
        || METADATA.contains(&address)
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    let [first, second, .., before_last, last] = address.segments();
    let embedded = || {
        let [a, b] = before_last.to_be_bytes();
        let [c, d] = last.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    let [_, _, third, ..] = address.segments();
    match (first, second) {
        _ if address.is_loopback() || address.is_unspecified() || address.is_multicast() => true,
        // Link-local.
        (0xfe80..=0xfebf, _) => true,
        // EC2, ECS and EKS; Google Cloud.
        // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
        (0xfd00, 0x0ec2) | (0xfd20, 0x00ce) => true,
        // NAT64 and 6to4 lead to the IPv4 address inside. RFC 6052, RFC 3056.
        (0x0064, 0xff9b) => is_local_v4(embedded()),
        (0x2002, high) => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), third.to_be_bytes());
            is_local_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Mapped and compatible addresses are the IPv4 address itself.
        (0, 0) if address.segments()[2..5] == [0, 0, 0] => is_local_v4(embedded()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::dns::ResolveDns;

    use super::{Outside, check, is_local};

    /// At the connection as well as before it: between the two a name may get another address.
    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let refused = Outside.resolve_dns("localhost").await.unwrap_err();
        let why = std::error::Error::source(&refused).unwrap().to_string();
        assert!(
            why.ends_with("is an address of this machine, its link or a metadata service"),
            "{why}"
        );
        for host in ["localhost", "127.0.0.1", "[::1]", "::1", "127.1"] {
            assert!(check(host).await.is_err(), "{host}");
        }
        assert!(check("192.0.2.1").await.is_ok());
    }

    #[test]
    fn every_spelling_of_a_local_address_is_one() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("127.255.0.1", true),
            ("0.0.0.0", true),
            ("169.254.169.254", true),
            ("169.254.170.2", true),
            ("100.100.100.200", true),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("::1", true),
            ("::", true),
            ("::ffff:127.0.0.1", true),
            ("::ffff:169.254.169.254", true),
            ("::127.0.0.1", true),
            ("64:ff9b::a9fe:a9fe", true),
            ("2002:7f00:1::", true),
            ("fe80::1", true),
            ("febf::1", true),
            ("fd00:ec2::254", true),
            ("fd20:ce::254", true),
            ("ff02::1", true),
            ("10.0.0.1", false),
            ("192.168.1.1", false),
            ("8.8.8.8", false),
            ("100.64.0.1", false),
            ("fd00::1", false),
            ("2001:db8::1", false),
            ("64:ff9b::808:808", false),
            ("2002:808:808::", false),
            ("::ffff:8.8.8.8", false),
        ] {
            assert_eq!(is_local(address.parse().unwrap()), expected, "{address}");
        }
    }
}
