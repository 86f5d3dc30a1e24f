//! Whether a package is of the line of versions that a fix is for. Several lines of one name are installed side by side in a
//! fleet, and a version of one says nothing of another: nodejs:16 is not fixed by a higher number in nodejs:18.

use crate::model::advisory::{Affected, Scope};
use crate::model::fleet::Installed;
use crate::model::package::{Package, epoch, stream};

/// Returns whether it is, or none where that is not known.
pub(super) fn is_same(
    affected: &Affected,
    installed: &Installed,
    fixed: Option<&str>,
) -> Option<bool> {
    let package = &installed.package;
    if affected.ecosystem.name.starts_with("Amazon Linux:") && is_kernel(&package.source.name) {
        return Some(fixed.is_none_or(|fixed| series(fixed) == series(&package.version)));
    }
    if affected.ecosystem.name == "Amazon Linux:2" {
        return of_amazon(affected, package, fixed);
    }
    if affected.ecosystem.name.starts_with("Debian:") {
        return of_debian(affected, package);
    }
    let is_other = match fixed {
        Some(fixed) => !is_same_build(&affected.ecosystem.name, package, fixed),
        None => false,
    };
    if is_other {
        return Some(false);
    }
    let modules = &affected.line.modules;
    let is_for_modular = match fixed {
        Some(fixed) => is_modular(fixed),
        None => !modules.is_empty(),
    };
    match (
        is_modular(&package.version) || !package.module.is_empty(),
        is_for_modular,
    ) {
        (false, false) => Some(true),
        (true, false) | (false, true) => Some(false),
        (true, true) if modules.is_empty() || package.module.is_empty() => None,
        (true, true) => {
            let of_package = stream(&package.module);
            Some(modules.iter().any(|one| one == of_package))
        }
    }
}

/// What of one name is built beside the packages that every node has, with a higher number or epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    Normal,
    /// Libraries of Oracle Linux that were validated: `10:3.6.16-4.0.1.el8_fips` of ELSA-2022-9221.
    Fips,
    /// Libraries of Oracle Linux that are patched while they run. <https://github.com/aquasecurity/trivy/pull/745>
    Ksplice,
    /// Kernels of Rocky Linux's SIG Cloud: `5.14.0-687.36.1.el9_8.cloud.1.0`. <https://sig-cloud.rocky.page>
    Cloud,
}

fn build(version: &str) -> Build {
    match version {
        _ if version.contains(".ksplice") => Build::Ksplice,
        _ if version.contains(".cloud.") => Build::Cloud,
        _ if version.ends_with("_fips") => Build::Fips,
        _ => Build::Normal,
    }
}

/// Oracle Linux has two releases of its own kernel side by side under one name as well, 5.4.17 and 5.15.0.
/// <https://docs.oracle.com/en/operating-systems/uek/>
fn is_same_build(ecosystem: &str, package: &Package, fixed: &str) -> bool {
    let has_builds = ["Oracle Linux:", "Rocky Linux:"];
    if !has_builds.iter().any(|one| ecosystem.starts_with(one)) {
        return true;
    }
    let is_uek = package.source.name.starts_with("kernel-uek");
    build(fixed) == build(&package.version)
        && (!is_uek || series(fixed) == series(&package.version))
}

/// Returns `5.15` of `2:5.15.0-1`.
fn series(version: &str) -> &str {
    let rest = epoch(version).1;
    let second = rest.match_indices('.').nth(1);
    second.map_or(rest, |(at, _)| &rest[..at])
}

/// Returns whether an installed version is one of those that longer support builds, so that a fix for it says what this one has. Else
/// it may be one that everybody gets, and have a higher number.
pub(super) fn is_of_support(installed: &str, fixed: &str) -> bool {
    let have = |mark: &str| installed.contains(mark) && fixed.contains(mark);
    // Ubuntu Pro and TuxCare mark what they build; Red Hat's releases name the minor one, SUSE's the service pack.
    installed == fixed
        || have("esm")
        || have("tuxcare")
        || minor_tag(installed).is_some_and(|tag| minor_tag(fixed) == Some(tag))
        || service_pack(installed).is_some_and(|pack| service_pack(fixed) == Some(pack))
}

/// Returns `9_2` of `8.7p1-30.el9_2.4`, and of `1.module+el9.2.0+19`.
fn minor_tag(version: &str) -> Option<(&str, &str)> {
    let is_digit = |c: char| c.is_ascii_digit();
    version.match_indices("el").find_map(|(at, _)| {
        let rest = &version[at + 2..];
        let (major, behind) = rest.split_at(rest.find(|c| !is_digit(c))?);
        let sign = if is_modular(version) { '.' } else { '_' };
        let behind = behind.strip_prefix(sign)?;
        let minor = &behind[..behind.find(|c| !is_digit(c)).unwrap_or(behind.len())];
        (!major.is_empty() && !minor.is_empty()).then_some((major, minor))
    })
}

/// Returns `150400` of `1.1.1l-150400.7.72.1`.
fn service_pack(version: &str) -> Option<&str> {
    let (_, release) = version.rsplit_once('-')?;
    let pack = release.split('.').next()?;
    (pack.len() == 6 && pack.bytes().all(|byte| byte.is_ascii_digit())).then_some(pack)
}

/// A backport has a higher number than the fix for its release and may lack it all the same: `9.8p1-1~bpo12+1`.
/// <https://backports.debian.org/> Only the tracker says from which version on they have a fix.
fn of_debian(affected: &Affected, package: &Package) -> Option<bool> {
    let is_backport = package.source.version.contains("~bpo");
    match (is_backport, &affected.line.scope) {
        (true, Scope::Any | Scope::Undetermined) => None,
        (is_backport, scope) => Some(is_backport == (*scope == Scope::Backports)),
    }
}

/// Returns whether an advisory says from which version on backports have its fix.
pub(super) fn judges_backports(affected: &Affected) -> bool {
    matches!(affected.line.scope, Scope::Release | Scope::Backports)
}

/// Returns whether an advisory for Debian leaves out what its backports have.
pub(super) fn is_silent_about_backports(affected: &Affected) -> bool {
    let is_silent = matches!(affected.line.scope, Scope::Any | Scope::Undetermined);
    affected.ecosystem.name.starts_with("Debian:") && is_silent
}

/// Returns whether the tracker itself does not know what backports have, so that no other advisory does.
pub(super) fn is_undetermined(affected: &Affected) -> bool {
    affected.line.scope == Scope::Undetermined
}

/// Returns the version that a backport is built from, before which it goes: `3-1` of `3-1~bpo12+1`.
pub(super) fn of_backport(version: &str) -> Option<&str> {
    version.split_once("~bpo").map(|(from, _)| from)
}

fn is_modular(version: &str) -> bool {
    version.contains(".module")
}

/// Amazon Linux has kernels of several series: in 2 all of them are of the source `kernel`, in 2023 those after the first one have their
/// series in its name, and advisories name some of what is built of them without it (`kernel-tools`).
/// <https://docs.aws.amazon.com/linux/al2023/ug/kernel-lifecycle.html>
fn is_kernel(source: &str) -> bool {
    let series = source.strip_prefix("kernel");
    series.is_some_and(|series| series.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// Amazon Linux 2 has core packages and extras of the same names, in topics such as php8.0 and kernel-5.10. An rpm does not say
/// which repository it is from, its version does.
fn of_amazon(affected: &Affected, package: &Package, fixed: Option<&str>) -> Option<bool> {
    let installed = package.epoch().1;
    let Scope::Topic(topic) = &affected.line.scope else {
        return Some(true);
    };
    let line = topic.trim_start_matches(|c: char| !c.is_ascii_digit());
    if line.is_empty() {
        return Some(true);
    }
    let is_of = |version: &str| {
        let rest = version.strip_prefix(line);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    match fixed.map(|fixed| epoch(fixed).1) {
        Some(fixed) if is_of(fixed) => Some(is_of(installed)),
        // The number of the topic is of something else than this package.
        _ => None,
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod line_tests;
