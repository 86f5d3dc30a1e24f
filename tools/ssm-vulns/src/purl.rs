//! Package URLs with the qualifiers that syft writes and grype reads: `upstream` for the source of a package, `distro`, and
//! `rpmmod` for the module of an rpm. <https://github.com/package-url/purl-spec>

use packageurl::PackageUrl;

use crate::model::package::{Manager, Package};
use crate::model::system::System;

/// Returns the package URL of a package.
///
/// # Errors
/// A name that none can have.
pub(crate) fn of(package: &Package, system: &System) -> anyhow::Result<String> {
    let (epoch, rest) = package.epoch();
    let (kind, version) = match package.manager {
        Manager::Deb => ("deb", package.version.as_str()),
        Manager::Rpm => ("rpm", rest),
        Manager::Apk => ("apk", package.version.as_str()),
        // No type is for programs of Windows.
        Manager::Windows => ("generic", package.version.as_str()),
    };
    let mut purl = PackageUrl::new(kind, package.name.as_str())?;
    if !version.is_empty() {
        purl.with_version(version)?;
    }
    if package.manager != Manager::Windows {
        if !system.id.is_empty() {
            purl.with_namespace(namespace(&system.id).to_owned())?;
        }
        let distro = system.distro();
        for (key, value) in [
            ("arch", package.arch.as_str()),
            ("distro", &distro),
            (
                "epoch",
                if package.manager == Manager::Rpm {
                    epoch
                } else {
                    ""
                },
            ),
            ("rpmmod", &package.module),
            ("upstream", package.upstream.as_str()),
        ] {
            if !value.is_empty() {
                purl.add_qualifier(key.to_owned(), value.to_owned())?;
            }
        }
    }
    Ok(canonical(&purl.to_string()))
}

/// The crate leaves `(`, `!` and the like as they are; everything but `.-_~:` and what parts components is to be encoded.
fn canonical(purl: &str) -> String {
    let mut text = String::with_capacity(purl.len());
    for c in purl.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | '~' | ':' => text.push(c),
            '/' | '@' | '?' | '&' | '=' | '%' => text.push(c),
            _ => text.extend(c.to_string().bytes().map(|byte| format!("%{byte:02X}"))),
        }
    }
    text
}

/// Names of vendors, as syft writes them.
fn namespace(id: &str) -> &str {
    match id {
        "rhel" => "redhat",
        id if id.starts_with("opensuse") => "opensuse",
        id => id,
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::model::package::Package;
    use crate::model::system::System;

    #[test]
    fn a_package_url_is_canonical_and_read_back() {
        let system = |id: &str, version: &str| System {
            id: id.to_owned(),
            version: version.to_owned(),
            ..System::default()
        };
        for (line, system, expected) in [
            (
                "deb\tlibstdc++6\t1:12.2~rc1-14+b1\t\tgcc-12\t1:12.2~rc1-14",
                system("debian", "12"),
                "pkg:deb/debian/libstdc%2B%2B6@1:12.2~rc1-14%2Bb1?arch=amd64&distro=debian-12&upstream=gcc-12%401:12.2~rc1-14",
            ),
            (
                "rpm\tnodejs\t1\t18.0\t1.module+el8\t\tnodejs-18.0-1.module+el8.src.rpm\tA\tnodejs:18:8:x",
                system("rhel", "8.8"),
                "pkg:rpm/redhat/nodejs@18.0-1.module%2Bel8?arch=amd64&distro=rhel-8.8&epoch=1&rpmmod=nodejs:18:8:x&upstream=nodejs-18.0-1.module%2Bel8.src.rpm",
            ),
            (
                "deb\ta!(b)*,'\t1\t\t\t",
                system("debian", "12"),
                "pkg:deb/debian/a%21%28b%29%2A%2C%27@1?arch=amd64&distro=debian-12",
            ),
            (
                "apk\tlibcrypto3\t3.3.1-r0\t\topenssl",
                system("alpine", "3.20.3"),
                "pkg:apk/alpine/libcrypto3@3.3.1-r0?arch=amd64&distro=alpine-3.20.3&upstream=openssl",
            ),
        ] {
            let package = Package::of_line(line, "amd64").unwrap();
            let purl = of(&package, &system).unwrap();
            assert_eq!(purl, expected);
            let back = Package::of_purl(&purl).unwrap();
            let (source, version) = (back.source, back.version);
            assert_eq!(
                (source, version, back.module),
                (package.source, package.version, package.module),
                "{purl}"
            );
        }
    }
}
