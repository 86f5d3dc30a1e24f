//! The order of versions as dpkg, rpm and apk have it.

mod apk;
mod deb;

use std::cmp::Ordering;

use rpm_version::Evr;

use crate::model::package::Manager;

/// A version that can be compared with others of its manager.
#[derive(Clone, Debug)]
pub(crate) enum Version {
    Deb(deb::Version),
    Rpm(Evr<'static>),
    Apk(apk::Version),
}

impl Version {
    /// Returns the version, or none for what is not one to the manager.
    pub(crate) fn parse(manager: Manager, text: &str) -> Option<Version> {
        match manager {
            Manager::Deb => deb::Version::parse(text).map(Version::Deb),
            Manager::Rpm => {
                if text.is_empty() || text.contains(char::is_whitespace) {
                    return None;
                }
                let (epoch, version, release) = Evr::parse_values(text);
                let parts = (epoch.to_owned(), version.to_owned(), release.to_owned());
                Some(Version::Rpm(Evr::new(parts.0, parts.1, parts.2)))
            }
            Manager::Apk => apk::Version::parse(text).map(Version::Apk),
            Manager::Windows => None,
        }
    }

    /// Returns the version without its epoch.
    pub(crate) fn without_epoch(self) -> Version {
        match self {
            Version::Rpm(evr) => Version::Rpm(Evr::new(
                String::new(),
                evr.version().to_owned(),
                evr.release().to_owned(),
            )),
            other => other,
        }
    }

    /// Compares two versions of one manager. Where one of two rpms has no release, the release does not count.
    pub(crate) fn compare(&self, other: &Version) -> Option<Ordering> {
        match (self, other) {
            (Version::Deb(one), Version::Deb(other)) => Some(one.compare(other)),
            (Version::Rpm(one), Version::Rpm(other)) => {
                if one.release().is_empty() == other.release().is_empty() {
                    return Some(one.cmp(other));
                }
                let without = |evr: &Evr<'_>| {
                    Evr::new(
                        evr.epoch().to_owned(),
                        evr.version().to_owned(),
                        String::new(),
                    )
                };
                Some(without(one).cmp(&without(other)))
            }
            (Version::Apk(one), Version::Apk(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "version_tests.rs"]
mod version_tests;
