//! Whether a package is of the line of versions that a fix is for. Several lines of one name are installed side by side in a
//! fleet, and a version of one says nothing of another: nodejs:16 is not fixed by a higher number in nodejs:18.

use crate::model::advisory::{Affected, BACKPORTS, RELEASE, UNDETERMINED};
use crate::model::fleet::Installed;
use crate::model::package::{Package, stream};

/// Returns whether it is, or none where that is not known.
pub(super) fn is_same(
    affected: &Affected,
    installed: &Installed,
    fixed: Option<&str>,
) -> Option<bool> {
    let package = &installed.package;
    if affected.ecosystem.name == "Amazon Linux:2" {
        return of_amazon(affected, package, fixed);
    }
    if affected.ecosystem.name.starts_with("Debian:") {
        return of_debian(affected, package);
    }
    if affected.ecosystem.name.starts_with("Oracle Linux:") && !is_same_of_oracle(package, fixed) {
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

/// Oracle Linux has two releases of its own kernel side by side under one name, 5.4.17 and 5.15.0, and of some libraries packages that
/// are patched while they run, which have a higher epoch than all others and take their place.
/// <https://docs.oracle.com/en/operating-systems/uek/> and <https://github.com/aquasecurity/trivy/pull/745>
fn is_same_of_oracle(package: &Package, fixed: Option<&str>) -> bool {
    let Some(fixed) = fixed else {
        return true;
    };
    let is_ksplice = |version: &str| version.contains(".ksplice");
    if is_ksplice(fixed) != is_ksplice(&package.version) {
        return false;
    }
    !package.source.name.starts_with("kernel-uek") || series(fixed) == series(&package.version)
}

/// Returns `5.15` of `2:5.15.0-1`.
fn series(version: &str) -> &str {
    let rest = without_epoch(version);
    let second = rest.match_indices('.').nth(1);
    second.map_or(rest, |(at, _)| &rest[..at])
}

fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
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
    match (is_backport, affected.line.topic.as_deref()) {
        (true, None | Some(UNDETERMINED)) => None,
        (is_backport, topic) => Some(is_backport == (topic == Some(BACKPORTS))),
    }
}

/// Returns whether an advisory says from which version on backports have its fix.
pub(super) fn judges_backports(affected: &Affected) -> bool {
    matches!(affected.line.topic.as_deref(), Some(RELEASE | BACKPORTS))
}

/// Returns whether an advisory for Debian leaves out what its backports have.
pub(super) fn is_silent_about_backports(affected: &Affected) -> bool {
    let is_silent = affected.line.topic.is_none() || is_undetermined(affected);
    affected.ecosystem.name.starts_with("Debian:") && is_silent
}

/// Returns whether the tracker itself does not know what backports have, so that no other advisory does.
pub(super) fn is_undetermined(affected: &Affected) -> bool {
    affected.line.topic.as_deref() == Some(UNDETERMINED)
}

/// Returns the version that a backport is built from, before which it goes: `3-1` of `3-1~bpo12+1`.
pub(super) fn of_backport(version: &str) -> Option<&str> {
    version.split_once("~bpo").map(|(from, _)| from)
}

fn is_modular(version: &str) -> bool {
    version.contains(".module")
}

/// Amazon Linux 2 has core packages and extras of the same names, in topics such as php8.0 and kernel-5.10. An rpm does not say
/// which repository it is from, its version does.
fn of_amazon(affected: &Affected, package: &Package, fixed: Option<&str>) -> Option<bool> {
    let installed = package.epoch().1;
    if package.source.name == "kernel" {
        return Some(fixed.is_none_or(|fixed| series(fixed) == series(installed)));
    }
    let Some(topic) = &affected.line.topic else {
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
    match fixed.map(without_epoch) {
        Some(fixed) if is_of(fixed) => Some(is_of(installed)),
        // The number of the topic is of something else than this package.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_same;
    use crate::model::advisory::{Affected, BACKPORTS, Line, RELEASE, UNDETERMINED};
    use crate::model::distribution::Ecosystem;
    use crate::model::fleet::Installed;
    use crate::model::package::Package;
    use crate::model::severity::Severity;

    fn same(ecosystem: &str, line: Line, installed: &str, fixed: &str) -> Option<bool> {
        let affected = Affected {
            ecosystem: Ecosystem::free(ecosystem),
            name: String::new(),
            line,
            ranges: Vec::new(),
            versions: Vec::new(),
            severity: Severity::UNKNOWN,
        };
        let installed = Installed {
            system: 0,
            package: Package::of_line(installed, "x").unwrap(),
            nodes: Vec::new(),
        };
        is_same(&affected, &installed, Some(fixed))
    }

    #[test]
    fn streams_of_modules_are_kept_apart() {
        let modules = |all: &[&str]| Line {
            modules: all.iter().map(|one| (*one).to_owned()).collect(),
            topic: None,
        };
        let node =
            "rpm\tpython38-pytest\t\t4.6.6\t3.module+el8.1.0+1+b\t\t\tA\tpython38-devel:3.8:807:12";
        let fixed = "4.6.6-3.module+el8.8.0+9999+aaaa";
        for (line, installed, expected) in [
            (
                modules(&["python38:3.8", "python38-devel:3.8"]),
                node,
                Some(true),
            ),
            (modules(&["python38:3.8"]), node, Some(false)),
            (modules(&[]), node, None),
            (
                modules(&["python38:3.8"]),
                "rpm\tpython38-pytest\t\t4.6.6\t3.module+el8.1.0+1+b",
                None,
            ),
            (
                modules(&["python38:3.8"]),
                "rpm\tpython38-pytest\t\t4.6.6\t3.el8",
                Some(false),
            ),
        ] {
            assert_eq!(
                same("AlmaLinux:8", line.clone(), installed, fixed),
                expected,
                "{line:?} {installed}"
            );
        }
    }

    #[test]
    fn kernels_and_live_libraries_of_oracle_linux_are_kept_apart() {
        let kernel = "rpm\tkernel-uek\t\t5.4.17\t2136.330.7.el8uek";
        let modules =
            "rpm\tkernel-uek-modules\t\t5.15.0\t200.el8uek\t\tkernel-uek-5.15.0-200.el8uek.src.rpm";
        let glibc = "rpm\tglibc\t\t2.34\t100.0.1.el9_4.2";
        let live = "rpm\tglibc\t2\t2.34\t60.0.3.ksplice1.el9_2.7";
        let live_fix = "2:2.34-100.0.1.ksplice1.el9_4.2";
        for (installed, fixed, expected) in [
            (kernel, "5.15.0-209.161.7.2.el8uek", false),
            (kernel, "5.4.17-2136.338.4.2.el8uek", true),
            (modules, "5.15.0-209.161.7.2.el8uek", true),
            (modules, "0:5.4.17-2136.338.4.2.el8uek", false),
            (glibc, live_fix, false),
            (glibc, "2.34-100.0.1.el9_4.3", true),
            (live, live_fix, true),
            (live, "2.34-100.0.1.el9_4.3", false),
        ] {
            let found = same("Oracle Linux:8", Line::default(), installed, fixed);
            assert_eq!(found, Some(expected), "{installed} {fixed}");
        }
    }

    #[test]
    fn a_fix_of_longer_support_is_for_what_it_builds() {
        for (installed, fixed, expected) in [
            ("8.7p1-30.el9_2.7", "8.7p1-30.el9_2.4", true),
            ("8.7p1-38.el9_4.1", "8.7p1-30.el9_2.4", false),
            ("8.7p1-38.el9", "8.7p1-30.el9_2.4", false),
            ("1-2.module+el9.2.0+19+b", "1-1.module+el9.2.0+17+a", true),
            ("7.81.0-1+esm2", "7.81.0-1+esm1", true),
            ("7.81.0-2", "7.81.0-1+esm1", false),
            ("1.1.1l-150400.7.75.1", "1.1.1l-150400.7.72.1", true),
            ("1.1.1l-150500.17.1", "1.1.1l-150400.7.72.1", false),
            ("1-1", "1-1", true),
        ] {
            let found = super::is_of_support(installed, fixed);
            assert_eq!(found, expected, "{installed} {fixed}");
        }
    }

    #[test]
    fn backports_of_debian_are_kept_apart() {
        let topic = |name: Option<&str>| Line {
            modules: Vec::new(),
            topic: name.map(str::to_owned),
        };
        let (release, backport) = ("deb\ta\t1-1+deb12u1", "deb\ta\t2-1~bpo12+1");
        for (name, installed, expected) in [
            (None, release, Some(true)),
            (Some(RELEASE), release, Some(true)),
            (Some(UNDETERMINED), release, Some(true)),
            (Some(UNDETERMINED), backport, None),
            (Some(BACKPORTS), release, Some(false)),
            (None, backport, None),
            (Some(RELEASE), backport, Some(false)),
            (Some(BACKPORTS), backport, Some(true)),
        ] {
            let found = same("Debian:12", topic(name), installed, "3");
            assert_eq!(found, expected, "{name:?} {installed}");
        }
    }

    #[test]
    fn extras_and_kernels_of_amazon_linux_2_are_kept_apart() {
        let topic = |name: &str| Line {
            modules: Vec::new(),
            topic: (!name.is_empty()).then(|| name.to_owned()),
        };
        for (name, installed, fixed, expected) in [
            (
                "php8.0",
                "rpm\tphp-cli\t\t5.4.16\t46.amzn2.0.6",
                "8.0.20-1.amzn2",
                Some(false),
            ),
            (
                "php8.0",
                "rpm\tphp-cli\t\t7.4.33\t1.amzn2",
                "8.0.20-1.amzn2",
                Some(false),
            ),
            (
                "php8.0",
                "rpm\tphp-cli\t\t8.0.13\t1.amzn2",
                "8.0.20-1.amzn2",
                Some(true),
            ),
            (
                "postgresql14",
                "rpm\tpostgresql\t\t9.2.24\t1.amzn2",
                "14.9-1.amzn2",
                Some(false),
            ),
            (
                "postgresql14",
                "rpm\tpostgresql\t\t14.3\t1.amzn2",
                "14.9-1.amzn2",
                Some(true),
            ),
            (
                "php8.0",
                "rpm\tphp-pear\t\t1.10.1\t1.amzn2",
                "1:1.10.13-1.amzn2",
                None,
            ),
            (
                "docker",
                "rpm\tdocker\t\t20.10.1\t1.amzn2",
                "25.0.3-1.amzn2",
                Some(true),
            ),
            (
                "",
                "rpm\tphp-cli\t\t5.4.16\t45.amzn2",
                "5.4.16-46.amzn2.0.6",
                Some(true),
            ),
            (
                "kernel-5.10",
                "rpm\tkernel\t\t4.14.1\t1.amzn2",
                "5.10.2-1.amzn2",
                Some(false),
            ),
            (
                "",
                "rpm\tkernel\t\t4.14.1\t1.amzn2",
                "4.14.355-1.amzn2",
                Some(true),
            ),
        ] {
            assert_eq!(
                same("Amazon Linux:2", topic(name), installed, fixed),
                expected,
                "{name} {installed}"
            );
        }
    }
}
