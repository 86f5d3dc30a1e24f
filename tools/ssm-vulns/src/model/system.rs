//! The operating system of a node, as its os-release file describes it.

/// The fields of os-release(5) that matter here; empty where the file lacks one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct System {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) like: String,
    pub(crate) codename: String,
    pub(crate) pretty: String,
    pub(crate) cpe: String,
}

/// IDs of os-release whose distributions trivy calls otherwise, and how; the last one is its newest name.
/// <https://github.com/aquasecurity/trivy/blob/main/pkg/fanal/types/const.go>, OSType and OSTypeAliases.
const OF_TRIVY: [(&str, &[&str]); 8] = [
    ("amzn", &["amazon linux", "amazon"]),
    ("debian", &["debian gnu/linux", "debian"]),
    ("rhel", &["redhat"]),
    ("ol", &["oracle"]),
    ("almalinux", &["alma"]),
    ("mariner", &["cbl-mariner"]),
    ("sles", &["suse linux enterprise server", "sles"]),
    ("sle-micro", &["suse linux enterprise micro", "slem"]),
];

/// Returns whether a word is a number such as a release has, with or without dots.
pub(crate) fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Returns what trivy calls a distribution.
pub(crate) fn to_trivy(id: &str) -> &str {
    let row = OF_TRIVY.iter().find(|(one, _)| *one == id);
    row.and_then(|(_, names)| names.last().copied())
        .unwrap_or(id)
}

/// Returns the ID of a distribution that trivy, of any version, calls by a name.
pub(crate) fn from_trivy(name: &str) -> String {
    let row = OF_TRIVY.iter().find(|(_, names)| names.contains(&name));
    // `opensuse.leap`, as it was.
    row.map_or_else(|| name.replace('.', "-"), |(id, _)| (*id).to_owned())
}

impl System {
    /// Returns `debian-12`, as package URLs name a distribution.
    pub(crate) fn distro(&self) -> String {
        match self.version.as_str() {
            "" => self.id.clone(),
            version => format!("{}-{version}", self.id),
        }
    }
}
