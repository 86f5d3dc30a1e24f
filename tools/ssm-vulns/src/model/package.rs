//! One installed package, whichever package manager lists it.

use packageurl::PackageUrl;

/// What installs packages, and orders their versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Manager {
    Deb,
    Rpm,
    Apk,
    /// Programs of Windows: nothing orders their versions.
    Windows,
}

/// An installed package. Fields that its manager does not know are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) manager: Manager,
    pub(crate) name: String,
    /// As the distribution writes it: `1:3.0.7-24.el9`.
    pub(crate) version: String,
    pub(crate) arch: String,
    /// What it was built from.
    pub(crate) source: Source,
    /// The source as the package itself names it: the file of a source rpm, or `SOURCE@VERSION` as package URLs have it.
    pub(crate) upstream: String,
    pub(crate) vendor: String,
    /// The modularity label of an rpm: `nodejs:18:9030020231002130618:rhel9`.
    pub(crate) module: String,
}

/// The name and version of a source package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) version: String,
}

impl Package {
    /// Returns the package of a line that the collector printed; `arch` is the native one.
    pub(crate) fn of_line(line: &str, arch: &str) -> Option<Package> {
        let mut fields = line.split('\t');
        let manager = fields.next()?;
        let rest: Vec<&str> = fields.collect();
        let field = |index: usize| rest.get(index).copied().unwrap_or_default();
        let name = field(0);
        if name.is_empty() {
            return None;
        }
        let package = |manager, version: &str, arch: String, source: Source| Package {
            manager,
            name: name.to_owned(),
            version: version.to_owned(),
            arch,
            source,
            upstream: String::new(),
            vendor: String::new(),
            module: String::new(),
        };
        Some(match manager {
            "deb" => {
                let version = field(1);
                let source = deb_source(name, version, field(3), field(4));
                let upstream = match (field(3), field(4)) {
                    (source, "") => source.to_owned(),
                    (source, version) => format!("{}@{version}", or(source, name)),
                };
                Package {
                    upstream,
                    ..package(Manager::Deb, version, or(field(2), arch), source)
                }
            }
            "rpm" => {
                let (epoch, version, release) = (field(1), field(2), field(3));
                let source_rpm = or(field(5), &format!("{name}-{version}-{release}.src.rpm"));
                let full = with_epoch(epoch, &format!("{version}-{release}"));
                // The epoch is not in the name of the file; that of the package is nearly always the same.
                let source = source_of_rpm(&source_rpm).map_or_else(
                    || (name.to_owned(), full.clone()),
                    |(name, version)| (name.to_owned(), with_epoch(epoch, version)),
                );
                Package {
                    vendor: field(6).to_owned(),
                    module: field(7).to_owned(),
                    upstream: source_rpm,
                    ..package(Manager::Rpm, &full, or(field(4), arch), source.into())
                }
            }
            "apk" => {
                let source = (or(field(3), name), field(1).to_owned());
                let arch = or(field(2), arch);
                Package {
                    upstream: field(3).to_owned(),
                    ..package(Manager::Apk, field(1), arch, source.into())
                }
            }
            "win" => Package {
                vendor: field(2).to_owned(),
                ..package(
                    Manager::Windows,
                    field(1),
                    String::new(),
                    (name.to_owned(), field(1).to_owned()).into(),
                )
            },
            _ => return None,
        })
    }

    /// Returns the package that a package URL names, of the types that distributions have.
    pub(crate) fn of_purl(text: &str) -> Option<Package> {
        let purl: PackageUrl<'_> = text.parse().ok()?;
        let qualifier = |key: &str| purl.qualifiers().get(key).map_or("", |value| value);
        let (name, version) = (purl.name(), purl.version().unwrap_or_default());
        let upstream = qualifier("upstream");
        let manager = match purl.ty() {
            "deb" => Manager::Deb,
            "rpm" => Manager::Rpm,
            "apk" => Manager::Apk,
            _ => return None,
        };
        let epoch = match manager {
            Manager::Rpm => qualifier("epoch"),
            _ => "",
        };
        let full = with_epoch(epoch, version);
        let source = match manager {
            Manager::Deb => {
                let (source, of) = upstream.split_once('@').unwrap_or((upstream, ""));
                deb_source(name, &full, source, of)
            }
            Manager::Rpm => match source_of_rpm(upstream) {
                Some((source, of)) => (source.to_owned(), with_epoch(epoch, of)).into(),
                None => (name.to_owned(), full.clone()).into(),
            },
            _ if upstream.is_empty() => (name.to_owned(), full.clone()).into(),
            _ => (upstream.to_owned(), full.clone()).into(),
        };
        Some(Package {
            manager,
            name: name.to_owned(),
            version: full,
            arch: qualifier("arch").to_owned(),
            source,
            upstream: upstream.to_owned(),
            vendor: String::new(),
            module: qualifier("rpmmod").to_owned(),
        })
    }

    /// Returns the epoch, which is empty where there is none, and the rest of the version.
    pub(crate) fn epoch(&self) -> (&str, &str) {
        epoch(&self.version)
    }

    /// Returns whether the version of the source has the epoch of the package for want of another: a source rpm is known by the name of
    /// its file, which has none, and its packages may have several.
    pub(crate) fn is_epoch_of_source_unknown(&self) -> bool {
        self.manager == Manager::Rpm && self.name != self.source.name
    }
}

/// As [`Package::epoch`], of any version.
pub(crate) fn epoch(version: &str) -> (&str, &str) {
    version.split_once(':').unwrap_or(("", version))
}

/// Returns a version of an rpm with its epoch; 0 is not written.
pub(crate) fn with_epoch(epoch: &str, version: &str) -> String {
    match epoch {
        "" | "0" => version.to_owned(),
        epoch => format!("{epoch}:{version}"),
    }
}

fn or(value: &str, default: &str) -> String {
    if value.is_empty() { default } else { value }.to_owned()
}

impl From<(String, String)> for Source {
    fn from((name, version): (String, String)) -> Source {
        Source { name, version }
    }
}

/// <https://www.debian.org/ports/>
const ARCHITECTURES: [&str; 11] = [
    "amd64", "arm64", "armel", "armhf", "i386", "loong64", "mips64el", "mipsel", "ppc64el",
    "riscv64", "s390x",
];

/// Returns the source of a package of dpkg; an empty field is that of the package itself.
fn deb_source(name: &str, version: &str, source: &str, source_version: &str) -> Source {
    // Debian and Ubuntu sign kernels in a source of its own, whose binaries keep the version of the real one, and of which Debian has
    // one for each architecture: https://wiki.debian.org/SecureBoot/Discussion.
    if let Some(rest) = source.strip_prefix("linux-signed") {
        let of_arch = ARCHITECTURES
            .iter()
            .find_map(|arch| rest.strip_suffix(arch)?.strip_suffix('-'));
        return (
            format!("linux{}", of_arch.unwrap_or(rest)),
            version.to_owned(),
        )
            .into();
    }
    (or(source, name), or(source_version, version)).into()
}

/// Returns the name and the version with release of `NAME-VERSION-RELEASE.src.rpm`.
pub(crate) fn source_of_rpm(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".rpm").unwrap_or(file);
    let stem = stem.strip_suffix(".src").or(stem.strip_suffix(".nosrc"))?;
    let release = stem.rfind('-')?;
    let version = stem[..release].rfind('-')?;
    Some((&stem[..version], &stem[version + 1..]))
}

/// Returns `nodejs:18` of the label `nodejs:18:9030020231002:rhel9`.
pub(crate) fn stream(label: &str) -> &str {
    let mut colons = label.match_indices(':');
    colons.nth(1).map_or(label, |(at, _)| &label[..at])
}

#[cfg(test)]
mod tests {
    use super::Package;

    fn source(line: &str) -> String {
        let package = Package::of_line(line, "x86_64").unwrap();
        format!("{} {}", package.source.name, package.source.version)
    }

    #[test]
    fn sources_have_name_and_version() {
        for (line, expected) in [
            ("deb\tbash\t5.2-1\t\t\t", "bash 5.2-1"),
            ("deb\tlibc6\t2.36-9+b1\t\tglibc\t2.36-9", "glibc 2.36-9"),
            (
                "deb\tlinux-image-6.1.0-18-amd64\t6.1.76-1\t\tlinux-signed-amd64\t6.1.76+1",
                "linux 6.1.76-1",
            ),
            (
                "deb\tlinux-image-6.1.0-18-686\t6.1.76-1\t\tlinux-signed-i386\t6.1.76+1",
                "linux 6.1.76-1",
            ),
            (
                "deb\tlinux-image-6.1.0-0.deb11.21-amd64\t6.1.90-1~deb11u1\t\tlinux-signed-6.1-amd64\t6.1.90+1~deb11u1",
                "linux-6.1 6.1.90-1~deb11u1",
            ),
            (
                "deb\tlinux-image-5.15.0-1-aws\t5.15.0-1.2\t\tlinux-signed-aws\t",
                "linux-aws 5.15.0-1.2",
            ),
            (
                "rpm\topenssl-libs\t1\t3.0.7\t24.el9\t\topenssl-3.0.7-24.el9.src.rpm\tA\t",
                "openssl 1:3.0.7-24.el9",
            ),
            ("rpm\tbash\t\t5.1\t9.el9\t\t\tA\t", "bash 5.1-9.el9"),
            (
                "rpm\tkernel-core\t0\t5\t9\t\tkernel-5-9.nosrc.rpm\tA",
                "kernel 5-9",
            ),
            ("apk\tlibcrypto3\t3.3.1-r0\t\topenssl", "openssl 3.3.1-r0"),
        ] {
            assert_eq!(source(line), expected, "{line}");
        }
        assert_eq!(Package::of_line("deb\t\t1", "x"), None);
        assert_eq!(Package::of_line("brew\ta\t1", "x"), None);
    }
}
