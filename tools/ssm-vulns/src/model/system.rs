//! The operating system of a node, as its os-release file describes it.

/// The fields of os-release(5) that matter here; empty where the file lacks one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct System {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) like: String,
    pub(crate) codename: String,
    pub(crate) pretty: String,
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
