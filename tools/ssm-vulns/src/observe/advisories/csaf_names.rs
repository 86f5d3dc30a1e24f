//! What products and packages are called in CSAF, by those who publish it.

use crate::model::distribution::{Ecosystem, of_osv, of_red_hat, of_suse_cpe};
use crate::model::package::Package;

/// Reads `pkg:rpmmod/redhat/nodejs@18:9030020231002:abc`.
pub(super) fn of_module(purl: &str) -> Option<String> {
    let rest = purl.strip_prefix("pkg:rpmmod/")?;
    let rest = rest.split('?').next()?.replace("%3A", ":");
    let name = rest.rsplit('/').next()?;
    Some(name.replacen('@', ":", 1))
}

/// SUSE calls its products by their names, which say more than its CPEs: whether a fix is for longer support.
pub(super) fn of_suse_product(name: &str) -> Option<Ecosystem> {
    match name.strip_prefix("SUSE ") {
        Some(rest) => of_osv(&format!("SUSE:{rest}")),
        None if name.starts_with("openSUSE ") => of_osv(&format!("SUSE:{name}")),
        None => None,
    }
}

/// Reads `libopenssl1_1-1.1.1l-150500.17.31.1.x86_64` and, where there is no fix, `openssl-1_1`: most documents of SUSE have no
/// package URLs.
pub(super) fn of_suse_component(text: &str) -> Option<Package> {
    const ARCHITECTURES: [&str; 8] = [
        "x86_64", "aarch64", "ppc64le", "s390x", "noarch", "i586", "i686", "src",
    ];
    let purl = match text.rsplit_once('.') {
        Some((stem, arch)) if ARCHITECTURES.contains(&arch) => {
            let (rest, release) = stem.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            format!("pkg:rpm/suse/{name}@{version}-{release}?arch={arch}")
        }
        _ => format!("pkg:rpm/suse/{text}"),
    };
    Package::of_purl(&purl)
}

/// Reads `cpe:/a:redhat:enterprise_linux:9::appstream` and `cpe:/o:suse:sles:15:sp5`.
pub(super) fn of_cpe(cpe: &str) -> Option<Ecosystem> {
    let rest = cpe.strip_prefix("cpe:/")?;
    let (_, rest) = rest.split_once(':')?;
    let (vendor, product) = rest.split_once(':')?;
    match vendor {
        "redhat" => of_red_hat(product),
        "suse" => of_suse_cpe(product),
        "opensuse" => {
            let version = product.strip_prefix("leap:")?.split(':').next()?;
            Some(Ecosystem::free(format!("openSUSE:Leap {version}")))
        }
        _ => None,
    }
}
