//! Addresses that a request to the outside must never reach: this machine, the link, the metadata services of clouds. A name is
//! judged by what it resolves to, at the moment of the connection, so that no second answer of DNS can be another one. A proxy
//! resolves it once more: what it reaches is its own choice, so that names which are known to be such addresses are refused as names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};

/// Beside those of link-local addresses: Alibaba Cloud, Oracle Cloud.
const METADATA: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Names of this machine, and of metadata services: Google Cloud, EC2, Azure, Tencent Cloud.
/// <https://www.rfc-editor.org/rfc/rfc6761#section-6.3>, <https://cloud.google.com/compute/docs/metadata/querying-metadata>
const NAMES: [&str; 10] = [
    "localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "ip6-loopback",
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "instance-data",
];

/// Domains of networks that are nobody else's: EC2 gives its nodes names in the first.
/// <https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en>,
/// <https://www.rfc-editor.org/rfc/rfc6762#section-3>
const PRIVATE: [&str; 3] = [".internal", ".local", ".localdomain"];

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
                return Err(ResolveDnsError::new(LocalAddress::Is(local.to_string())));
            }
            Ok(addresses)
        })
    }
}

/// Refuses a host that is, or whose name now resolves to, such an address. A name that cannot be resolved here may be one that a
/// proxy knows, unless it is of a private domain.
pub(crate) async fn check(host: &str) -> Result<(), LocalAddress> {
    by_name(host)?;
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
    let addresses = match literal {
        Ok(address) => vec![address],
        Err(_) => resolved(host).await.unwrap_or_default(),
    };
    by_addresses(host, &addresses, proxies().any(|proxy| !proxy.is_empty()))
}

fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn by_name(host: &str) -> Result<(), LocalAddress> {
    let name = plain(host);
    match NAMES.contains(&&*name) || name.ends_with(".localhost") {
        true => Err(LocalAddress::Is(name)),
        false => Ok(()),
    }
}

/// Judges a host by the addresses that it has here.
fn by_addresses(host: &str, addresses: &[IpAddr], has_proxy: bool) -> Result<(), LocalAddress> {
    let name = plain(host);
    if let Some(local) = addresses.iter().find(|address| is_local(**address)) {
        return Err(LocalAddress::Is(local.to_string()));
    }
    // An address with a zone is one of a link.
    let is_private = PRIVATE.iter().any(|domain| name.ends_with(domain)) || name.starts_with('[');
    match addresses.is_empty() && has_proxy && is_private {
        true => Err(LocalAddress::MayBe(name)),
        false => Ok(()),
    }
}

/// That a request would have gone to an address of this machine or its surroundings, or may have by a proxy.
#[derive(Debug)]
pub(crate) enum LocalAddress {
    Is(String),
    MayBe(String),
}

impl std::fmt::Display for LocalAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (LocalAddress::Is(name) | LocalAddress::MayBe(name)) = self;
        let (is, why) = match self {
            LocalAddress::Is(_) => ("is", ""),
            LocalAddress::MayBe(_) => ("may be", " for the proxy, as it is not known here"),
        };
        write!(
            formatter,
            "{name} {is} an address of this machine, its link or a metadata service{why}"
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

    use super::{Outside, by_addresses, by_name, check, is_local};

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

    /// A proxy resolves it by itself.
    #[test]
    fn a_name_that_only_a_proxy_knows_is_judged_as_a_name() {
        for (host, without, with) in [
            ("metadata.google.internal", false, false),
            ("METADATA.Google.Internal.", false, false),
            ("instance-data", false, false),
            ("localhost.", false, false),
            ("a.localhost", false, false),
            ("ip-10-0-0-1.ec2.internal", true, false),
            ("Printer.LOCAL.", true, false),
            ("[fe80::1%25eth0]", true, false),
            ("hooks.example.com", true, true),
            ("internal.example.com", true, true),
        ] {
            let is_fine = |has_proxy| {
                let judged = by_name(host).and_then(|()| by_addresses(host, &[], has_proxy));
                judged.is_ok()
            };
            assert_eq!((is_fine(false), is_fine(true)), (without, with), "{host}");
        }
        // One that is known here is judged by that.
        let private = ["10.0.0.1".parse().unwrap()];
        assert!(by_addresses("hooks.corp.internal", &private, true).is_ok());
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
