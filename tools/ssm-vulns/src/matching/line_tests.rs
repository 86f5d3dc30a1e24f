//! Lines that are kept apart.

use super::is_same;
use crate::model::advisory::{Affected, Line, Scope};
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
        scope: Scope::Any,
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
    let fips = "rpm\tgnutls\t10\t3.6.16\t4.0.1.el8_fips";
    let gnutls = "rpm\tgnutls\t\t3.6.16\t8.el8_9.4";
    let fips_fix = "10:3.6.16-4.0.1.el8_fips";
    let live_fix = "2:2.34-100.0.1.ksplice1.el9_4.2";
    for (installed, fixed, expected) in [
        (kernel, "5.15.0-209.161.7.2.el8uek", false),
        (kernel, "5.4.17-2136.338.4.2.el8uek", true),
        (modules, "5.15.0-209.161.7.2.el8uek", true),
        (modules, "0:5.4.17-2136.338.4.2.el8uek", false),
        (glibc, live_fix, false),
        (glibc, "2.34-100.0.1.el9_4.3", true),
        (live, live_fix, true),
        (gnutls, fips_fix, false),
        (fips, fips_fix, true),
        (fips, "3.6.16-8.el8_9.4", false),
        (live, "2.34-100.0.1.el9_4.3", false),
    ] {
        let found = same("Oracle Linux:8", Line::default(), installed, fixed);
        assert_eq!(found, Some(expected), "{installed} {fixed}");
    }
}

#[test]
fn kernels_of_the_cloud_group_of_rocky_linux_are_kept_apart() {
    let kernel = "rpm\tkernel\t\t5.14.0\t687.36.1.el9_8";
    let cloud = "rpm\tkernel\t\t5.14.0\t687.36.1.el9_8.cloud.1.0";
    let (fixed, of_cloud) = ("5.14.0-687.37.1.el9_8", "5.14.0-687.37.1.el9_8.cloud.1.0");
    for (installed, fixed, expected) in [
        (kernel, fixed, true),
        (kernel, of_cloud, false),
        (cloud, fixed, false),
        (cloud, of_cloud, true),
    ] {
        let found = same("Rocky Linux:9", Line::default(), installed, fixed);
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
    let of = |scope: &Scope| Line {
        modules: Vec::new(),
        scope: scope.clone(),
    };
    let (release, backport) = ("deb\ta\t1-1+deb12u1", "deb\ta\t2-1~bpo12+1");
    for (scope, installed, expected) in [
        (Scope::Any, release, Some(true)),
        (Scope::Release, release, Some(true)),
        (Scope::Undetermined, release, Some(true)),
        (Scope::Undetermined, backport, None),
        (Scope::Backports, release, Some(false)),
        (Scope::Any, backport, None),
        (Scope::Release, backport, Some(false)),
        (Scope::Backports, backport, Some(true)),
    ] {
        let found = same("Debian:12", of(&scope), installed, "3");
        assert_eq!(found, expected, "{scope:?} {installed}");
    }
}

#[test]
fn extras_and_kernels_of_amazon_linux_2_are_kept_apart() {
    let topic = |name: &str| Line {
        modules: Vec::new(),
        scope: match name {
            "" => Scope::Any,
            name => Scope::Topic(name.to_owned()),
        },
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

/// Amazon Linux 2023 has a kernel a year; tools of all of them have one name.
#[test]
fn kernels_of_amazon_linux_are_compared_within_their_series() {
    let tools = |version: &str, source: &str| {
        format!(
            "rpm\tkernel-tools\t\t{version}\t1.amzn2023\t\t{source}-{version}-1.amzn2023.src.rpm"
        )
    };
    let (first, second) = (tools("6.1.100", "kernel"), tools("6.12.20", "kernel6.12"));
    let other = "rpm\tkernel-srpm-macros\t\t1.0\t1.amzn2023";
    for (installed, fixed, expected) in [
        (first.as_str(), "6.12.46-66.amzn2023", false),
        (&first, "6.1.134-150.amzn2023", true),
        (&second, "6.12.46-66.amzn2023", true),
        (&second, "6.18.1-1.amzn2023", false),
        (other, "2.0-1.amzn2023", true),
    ] {
        let found = same("Amazon Linux:2023", Line::default(), installed, fixed);
        assert_eq!(found, Some(expected), "{installed} {fixed}");
    }
}
