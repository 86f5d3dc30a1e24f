//! Orders that are written down: what the documentation of each package manager says.

use std::cmp::Ordering;

use super::Version;
use crate::model::package::Manager;

fn order(manager: Manager, one: &str, other: &str) -> Option<Ordering> {
    Version::parse(manager, one)?.compare(&Version::parse(manager, other)?)
}

fn check(manager: Manager, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [one, sign, other] = words[..] else {
        panic!("{line}: expected A < B");
    };
    let expected = match sign {
        "<" => Ordering::Less,
        "=" => Ordering::Equal,
        ">" => Ordering::Greater,
        other => panic!("{line}: {other}"),
    };
    assert_eq!(order(manager, one, other), Some(expected), "{line}");
    assert_eq!(
        order(manager, other, one),
        Some(expected.reverse()),
        "{line}, the other way around"
    );
}

/// The form of apk-package(5), and what compares by which part. Those of apk-tools' own tests are under the GPL, and not copied;
/// tests/scripts/version_order.sh compares with univers and libsolv, and with those tests where there is a checkout.
#[test]
fn apk_orders_by_its_parts() {
    for line in [
        "3.1.4-r5 < 3.1.5-r0",
        "3.1.4-r5 < 3.1.4-r10",
        "9.9 < 10.0",
        "1.2 < 1.2.0",
        "1.2 < 1.2-r0",
        "1.2.3 < 1.2.3a",
        "1.2.3a < 1.2.3b",
        "1.2.3a < 1.2.3.1",
        "1.2_alpha < 1.2_beta",
        "1.2_alpha2 > 1.2_alpha",
        "1.2_beta9 < 1.2_pre1",
        "1.2_pre < 1.2_rc",
        "1.2_rc4 < 1.2",
        "1.2_rc4-r7 < 1.2-r0",
        "1.2 < 1.2_cvs1",
        "1.2_git20230101 < 1.2_git20240101",
        "1.2_git1 < 1.2_p0",
        "1.2_p1 < 1.2.1",
        "1.2_p1 < 1.2a",
        "1.2_p1_rc1 < 1.2_p1",
        "1.05 < 1.1",
        "1.010 < 1.02",
        "1.0 < 1.00",
        "010 = 10",
        "1.2~0ab > 1.2",
        "1.2~0ab < 1.2~0ac",
        "1.2~0ab-r1 < 1.2_p",
        "20240226-r0 < 20240705-r0",
    ] {
        check(Manager::Apk, line);
    }
    for text in [
        "", "1.2_foo", "1..2", "1.2-rx", "1.2ab", "v1.2", "1.2~", "1.2-r",
    ] {
        assert!(Version::parse(Manager::Apk, text).is_none(), "{text}");
    }
}

/// <https://rpm-software-management.github.io/rpm/manual/dependencies.html#versioning>
#[test]
fn rpm_orders_epochs_and_counts_a_release_where_both_have_one() {
    for line in [
        "1:1.0-1 > 2.0-1",
        "0:1.0-1 = 1.0-1",
        "1.0-1 < 1.0-1.1",
        "1.0~rc1-1 < 1.0-1",
        "1.0^20240101-1 > 1.0-9",
        "1.0^ > 1.0",
        "5.14.0-362.8.1.el9_3 < 5.14.0-362.18.1.el9_3",
        "2.9.7-3.amzn2023.0.1 < 2.9.7-3.amzn2023.0.2",
        "2.9.7-3 = 2.9.7",
        "1.0a < 1.0.1",
        "1.0 = 1..0",
        "1.0_1 = 1.0.1",
    ] {
        check(Manager::Rpm, line);
    }
}

/// <https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>
#[test]
fn dpkg_orders_tildes_before_the_end() {
    for line in [
        "1.0~rc1 < 1.0",
        "1.0~~ < 1.0~",
        "1.0 < 1.0a",
        "1.0a < 1.0+",
        "1:0 > 9",
        "1.0 = 1.0-0",
        "1.2-1 < 1.2-1+b1",
        "1.0 = 1.00",
        "1.2_3 > 1.2",
        "12.2. = 12.2.0",
        "9~~10. = 9~~10.0",
        "1.0-1 < 1.0.-1",
    ] {
        check(Manager::Deb, line);
    }
}
