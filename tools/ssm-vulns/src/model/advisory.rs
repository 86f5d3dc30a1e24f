//! An advisory, whichever form it came in, as far as it is about a distribution.

use super::distribution::Ecosystem;
use super::severity::Severity;

/// What one advisory says.
#[derive(Clone, Debug)]
pub(crate) struct Advisory {
    pub(crate) id: String,
    pub(crate) cves: Vec<String>,
    /// Its other names, without those in `cves`.
    pub(crate) aliases: Vec<String>,
    pub(crate) summary: String,
    pub(crate) url: String,
    pub(crate) affected: Vec<Affected>,
}

/// What it says about one package of one distribution.
#[derive(Clone, Debug)]
pub(crate) struct Affected {
    pub(crate) ecosystem: Ecosystem,
    /// Of a package or of its source.
    pub(crate) name: String,
    pub(crate) line: Line,
    /// Any of them; the events of each may be in any order.
    pub(crate) ranges: Vec<Vec<Event>>,
    /// Single versions beside the ranges.
    pub(crate) versions: Vec<String>,
    pub(crate) severity: Severity,
}

/// Which of several lines of versions with one name an advisory is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// `nodejs:18`; several, since one advisory may be about several modules. Empty where it does not say.
    pub(crate) modules: Vec<String>,
    pub(crate) scope: Scope,
}

/// Which of the repositories of a distribution an advisory is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The form does not say.
    #[default]
    Any,
    /// A topic of Amazon Linux 2 extras: `php8.0`.
    Topic(String),
    /// What a release of Debian has, beside one of `Backports` unless they never were affected.
    Release,
    /// What its backports have, which are built from the packages of the next release.
    Backports,
    /// What a release of Debian has, where the tracker does not know from which version on backports have the fix: the package is
    /// not in unstable any more, or nobody has looked yet.
    Undetermined,
}

/// One end of a range of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// From this version on; `0` is from the first one.
    Introduced(String),
    /// Before this version.
    Fixed(String),
    /// Up to and with this version.
    LastAffected(String),
}

impl Event {
    /// Returns the range from the first version to a fix, or without end.
    pub(crate) fn until(fixed: Option<String>) -> Vec<Event> {
        let begin = Event::Introduced("0".to_owned());
        [begin].into_iter().chain(fixed.map(Event::Fixed)).collect()
    }
}

/// Classes of notices that fix mistakes or add features.
/// <https://ossf.github.io/osv-schema/#id-modified-fields> and <https://access.redhat.com/articles/2130961>
const NO_VULNERABILITY: [&str; 15] = [
    "ALBA-", "ALEA-", "RHBA-", "RHEA-", "RLBA-", "RLEA-", "RXBA-", "RXEA-", "ELBA-", "ELEA-",
    "CEBA-", "CEEA-", "SUSE-RU-", "SUSE-FU-", "SUSE-OU-",
];

/// Returns whether a notice of this ID fixes mistakes or adds features only.
pub(crate) fn is_no_vulnerability(id: &str) -> bool {
    let id = id.strip_prefix("open").unwrap_or(id);
    NO_VULNERABILITY.iter().any(|prefix| id.starts_with(prefix))
}

/// Returns the CVE in an ID such as `CVE-2024-6387` or `UBUNTU-CVE-2024-6387`.
pub(crate) fn cve(id: &str) -> Option<&str> {
    let at = id.find("CVE-")?;
    let is_whole = at == 0 || id[..at].ends_with('-');
    let rest = &id[at + 4..];
    let is_number = rest.chars().all(|c| c.is_ascii_digit() || c == '-') && rest.len() >= 8;
    (is_whole && is_number).then(|| &id[at..])
}

/// Parts names into CVEs and others; each once, in order.
pub(crate) fn names<'a>(
    id: &str,
    all: impl IntoIterator<Item = &'a str>,
) -> (Vec<String>, Vec<String>) {
    let (mut cves, mut aliases) = (Vec::new(), Vec::new());
    for name in all {
        let (list, name) = match cve(name) {
            Some(cve) => (&mut cves, cve),
            None => (&mut aliases, name),
        };
        if name != id && !list.iter().any(|one| one == name) {
            list.push(name.to_owned());
        }
    }
    if let Some(own) = cve(id)
        && !cves.iter().any(|one| one == own)
    {
        cves.push(own.to_owned());
    }
    cves.sort_unstable();
    aliases.sort_unstable();
    (cves, aliases)
}

#[cfg(test)]
mod tests {
    use super::{cve, is_no_vulnerability, names};

    #[test]
    fn a_cve_is_found_in_the_ids_of_distributions() {
        for (id, expected) in [
            ("CVE-2024-6387", Some("CVE-2024-6387")),
            ("UBUNTU-CVE-2024-6387", Some("CVE-2024-6387")),
            ("ALPINE-CVE-2024-6387", Some("CVE-2024-6387")),
            ("XCVE-2024-6387", None),
            ("CVE-2024", None),
            ("ALSA-2024:4312", None),
        ] {
            assert_eq!(cve(id), expected, "{id}");
        }
        let (cves, aliases) = names(
            "RHSA-1",
            [
                "USN-1",
                "CVE-2024-0002",
                "DEBIAN-CVE-2024-0001",
                "CVE-2024-0001",
            ],
        );
        assert_eq!(cves, ["CVE-2024-0001", "CVE-2024-0002"]);
        assert_eq!(aliases, ["USN-1"]);
    }

    #[test]
    fn mistakes_and_features_are_no_vulnerabilities() {
        for (id, expected) in [
            ("ALBA-2024:1", true),
            ("ALEA-2021:4282", true),
            ("SUSE-RU-2024:1000-1", true),
            ("openSUSE-RU-2024:1", true),
            ("SUSE-SU-2024:1000-1", false),
            ("ALSA-2024:1", false),
            ("RHSA-2024:1", false),
        ] {
            assert_eq!(is_no_vulnerability(id), expected, "{id}");
        }
    }
}
