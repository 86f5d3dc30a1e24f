//! Which of the installed kernels is the newest of the line that runs: 4.18 beside UEK's 5.15, or 6.1 beside 6.12, waits for no reboot.

use std::cmp::Ordering;

use crate::model::package::{Manager, Package};
use crate::model::system::is_number;
use crate::version::Version;

/// An installed kernel.
#[derive(Debug)]
struct Kernel {
    /// As `uname -r` names it.
    release: String,
    /// What the order goes by.
    version: (Manager, String),
}

/// Returns the newest kernel among packages, of the line that runs, as `uname -r` names it; none where none is installed by a
/// package.
pub(crate) fn newest(packages: &[Package], running: &str, arch: &str) -> Option<String> {
    let of_line = line(running, arch);
    let of_running = |package: &Package| {
        kernels(package, running, arch)
            .into_iter()
            .find(|one| line(&one.release, arch) == of_line)
    };
    let mut newest: Option<Kernel> = None;
    for kernel in packages.iter().filter_map(of_running) {
        let is_newer = newest.as_ref().is_none_or(|before| {
            compare(&kernel.version, &before.version) == Some(Ordering::Greater)
        });
        if is_newer {
            newest = Some(kernel);
        }
    }
    newest.map(|one| one.release)
}

fn compare(one: &(Manager, String), other: &(Manager, String)) -> Option<Ordering> {
    let parse = |(manager, text): &(Manager, String)| Version::parse(*manager, text);
    parse(one)?.compare(&parse(other)?)
}

/// Returns what `uname -r` prints once the kernel of a package runs: several where distributions write one name in several ways.
fn kernels(package: &Package, running: &str, arch: &str) -> Vec<Kernel> {
    let version = package.epoch().1;
    match package.manager {
        Manager::Deb => {
            let of_name = || {
                let rest = package.name.strip_prefix("linux-image-")?;
                let rest = rest.strip_prefix("unsigned-").unwrap_or(rest);
                (starts_with_digit(rest) && rest.contains('-')).then_some(rest)
            };
            // What follows the number is alike.
            let kernel = of_name().map(|release| Kernel {
                release: release.to_owned(),
                version: (Manager::Deb, release.to_owned()),
            });
            Vec::from_iter(kernel)
        }
        Manager::Apk => {
            let flavour = package.name.strip_prefix("linux-");
            let is_kernel = |flavour: &&str| matches!(*flavour, "lts" | "virt" | "edge" | "stable");
            let kernel = flavour.filter(is_kernel).map(|flavour| Kernel {
                release: format!("{}-{flavour}", version.replace("-r", "-")),
                version: (Manager::Apk, version.to_owned()),
            });
            Vec::from_iter(kernel)
        }
        Manager::Rpm => of_rpm(&package.name, version, arch, running),
        Manager::Windows => Vec::new(),
    }
}

fn of_rpm(name: &str, version: &str, arch: &str, running: &str) -> Vec<Kernel> {
    let kernel = |release: String| Kernel {
        release,
        version: (Manager::Rpm, version.to_owned()),
    };
    // Photon: `6.1.41-1.ph5-esx` of linux-esx.
    if let Some(flavour) = name.strip_prefix("linux") {
        return match flavour {
            "" | "-esx" | "-aws" | "-secure" | "-rt" => vec![kernel(format!("{version}{flavour}"))],
            _ => Vec::new(),
        };
    }
    let Some(rest) = name.strip_prefix("kernel") else {
        return Vec::new();
    };
    let flavour = rest.strip_suffix("-core").unwrap_or(rest);
    // Azure Linux leaves the architecture out.
    let dot_arch = match running.contains(&format!(".{arch}")) {
        true => format!(".{arch}"),
        false => String::new(),
    };
    match flavour {
        "" | "-uek" => vec![kernel(format!("{version}{dot_arch}"))],
        // `6.12` of Amazon's kernel6.12.
        _ if is_number(flavour) => vec![kernel(format!("{version}{dot_arch}"))],
        "-desktop" | "-server" | "-linus" => {
            // Mageia: `6.6.52-desktop-1.mga9`.
            let release = version.rsplit_once('-');
            let release = release.map(|(version, release)| format!("{version}{flavour}-{release}"));
            Vec::from_iter(release.map(kernel))
        }
        "-rt" | "-64k" | "-rt-64k" | "-debug" | "-uek64k" | "-default" | "-default-base"
        | "-azure" | "-64kb" | "-preempt" | "-longterm" => {
            // Red Hat: `5.14.0-427.13.1.el9_4.x86_64+rt`, and before it `4.18.0-553.rt7.342.el8_10.x86_64`.
            let of_red_hat = match flavour {
                "-rt" if version.contains(".rt") => format!("{version}{dot_arch}"),
                "-uek64k" => format!("{version}{dot_arch}+64k"),
                _ => format!("{version}{dot_arch}+{}", &flavour[1..]),
            };
            // SUSE: `5.14.21-150500.55.28-default` of 5.14.21-150500.55.28.1, whose last number counts the builds.
            let version = match flavour {
                "-default-base" => of_base(version),
                _ => version.to_owned(),
            };
            let build = version
                .rsplit_once('.')
                .map_or(&*version, |(build, _)| build);
            let of_suse = flavour.strip_suffix("-base").unwrap_or(flavour);
            vec![kernel(of_red_hat), kernel(format!("{build}{of_suse}"))]
        }
        _ => Vec::new(),
    }
}

/// Returns the version of the kernel that SUSE's kernel-default-base is made of, which has its own release behind:
/// `5.14.21-150400.24.141.1.150400.24.68.2`, `5.3.18-lp152.95.1.lp152.8.44.1` and `5.3.18-24.102.1.9.48.1`.
fn of_base(version: &str) -> String {
    let Some((version, release)) = version.rsplit_once('-') else {
        return version.to_owned();
    };
    let parts: Vec<&str> = release.split('.').collect();
    let again = parts[1..].iter().position(|part| *part == parts[0]);
    let n_parts = match again {
        Some(at) => at + 1,
        None if parts.len() == 6 => 3,
        None => parts.len(),
    };
    format!("{version}-{}", parts[..n_parts].join("."))
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Returns what kernels have in common that take each other's place: all of a name but its numbers, and the first two of them where
/// a distribution has several side by side.
fn line(release: &str, arch: &str) -> String {
    let series = || release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    if let Some((head, behind)) = release.split_once(&format!(".{arch}"))
        && !arch.is_empty()
    {
        let vendor = match head {
            _ if head.contains("uek") => format!("uek {}", series()),
            _ if head.contains(".amzn") => series(),
            _ if head.contains(".rt") => "rt".to_owned(),
            _ => String::new(),
        };
        return format!("{vendor}{behind}");
    }
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let rest = release.trim_start_matches(is_number);
    let rest = match rest.strip_prefix("+deb") {
        // From release 13 on, Debian has its release instead of a number: `6.12.48+deb13-amd64`.
        Some(rest) => rest.trim_start_matches(is_number),
        None => {
            let rest = rest.strip_prefix('-').unwrap_or(rest);
            rest.trim_start_matches(is_number)
        }
    };
    // Mageia has the flavor before the number of the release.
    let flavour = rest.split_once('-').filter(|_| release.contains(".mga"));
    flavour.map_or(rest, |(flavour, _)| flavour).to_owned()
}

#[cfg(test)]
mod tests {
    use super::newest;
    use crate::model::package::Package;

    fn of(lines: &[&str], arch: &str, running: &str) -> Option<String> {
        let packages: Vec<_> = lines
            .iter()
            .filter_map(|line| Package::of_line(line, arch))
            .collect();
        newest(&packages, running, arch)
    }

    #[test]
    fn the_newest_of_the_flavour_that_runs() {
        let deb = [
            "deb\tlinux-image-6.1.0-9-amd64\t1",
            "deb\tlinux-image-6.1.0-18-amd64\t1",
            "deb\tlinux-image-6.1.0-20-cloud-amd64\t1",
            "deb\tlinux-image-amd64\t6.1.99",
        ];
        let found = of(&deb, "amd64", "6.1.0-9-amd64");
        assert_eq!(found.as_deref(), Some("6.1.0-18-amd64"));
        assert_eq!(of(&["deb\tbash\t1"], "amd64", "6.1"), None);
    }

    /// `uname -r` as each distribution has it, with kernels of other lines beside.
    #[test]
    fn the_newest_of_the_line_that_runs() {
        let photon = [
            "rpm\tlinux\t\t6.1.83\t1.ph5",
            "rpm\tlinux-esx\t\t6.1.81\t2.ph5",
            "rpm\tlinux-devel\t\t9\t9.ph5",
        ];
        let oracle = [
            "rpm\tkernel-core\t\t4.18.0\t513.el8",
            "rpm\tkernel\t\t4.18.0\t553.el8_10",
            "rpm\tkernel-uek\t\t5.4.17\t2136.338.4.2.el8uek",
            "rpm\tkernel-uek-core\t\t5.15.0\t209.161.7.2.el8uek",
        ];
        let amazon = [
            "rpm\tkernel\t\t6.1.115\t126.197.amzn2023",
            "rpm\tkernel\t\t6.1.119\t129.201.amzn2023",
            "rpm\tkernel6.12\t\t6.12.8\t35.amzn2023",
            "rpm\tkernel-tools\t\t9\t9.amzn2023",
        ];
        let red_hat = [
            "rpm\tlinux-firmware\t\t1\t1.el9_4\tnoarch",
            "rpm\tkernel-core\t\t5.14.0\t427.20.1.el9_4",
            "rpm\tkernel-rt-core\t\t5.14.0\t427.13.1.el9_4",
            "rpm\tkernel-rt\t\t5.14.0\t427.18.1.el9_4",
            "rpm\tkernel-64k-core\t\t5.14.0\t427.16.1.el9_4",
        ];
        let suse = [
            "rpm\tkernel-default\t\t5.14.21\t150500.55.28.1",
            "rpm\tkernel-default\t\t5.14.21\t150500.55.31.1",
            "rpm\tkernel-rt\t\t5.14.21\t150500.13.99.1",
        ];
        let mageia = [
            "rpm\tkernel-desktop\t\t6.6.43\t1.mga9",
            "rpm\tkernel-desktop\t\t6.6.52\t1.mga9",
            "rpm\tkernel-server\t\t6.6.99\t1.mga9",
        ];
        let azure = [
            "rpm\tkernel\t\t6.6.51.1\t5.azl3",
            "rpm\tkernel\t\t6.6.57.1\t6.azl3",
        ];
        let debian = [
            "deb\tlinux-image-6.1.0-40-amd64\t6.1.153-1",
            "deb\tlinux-image-6.12.48+deb13-amd64\t6.12.48-1",
            "deb\tlinux-image-6.16.3+deb13-cloud-amd64\t6.16.3-1",
        ];
        let base = ["rpm\tkernel-default-base\t\t5.14.21\t150400.24.141.1.150400.24.68.2"];
        let base_of_leap = ["rpm\tkernel-default-base\t\t5.3.18\tlp152.95.1.lp152.8.44.1"];
        let base_of_sp2 = ["rpm\tkernel-default-base\t\t5.3.18\t24.102.1.9.48.1"];
        let debug = ["rpm\tkernel-debug-core\t\t5.14.0\t427.20.1.el9_4"];
        let uek64k = ["rpm\tkernel-uek64k-core\t\t5.15.0\t209.161.7.2.el9uek"];
        let suse_flavours = [
            "rpm\tkernel-azure\t\t5.14.21\t150500.33.54.1",
            "rpm\tkernel-64kb\t\t5.14.21\t150500.55.31.1",
            "rpm\tkernel-preempt\t\t5.3.18\t150300.59.43.1",
            "rpm\tkernel-longterm\t\t6.12.19\t1.1",
        ];
        let alpine = ["apk\tlinux-virt\t6.6.31-r0", "apk\tlinux-lts\t6.6.58-r0"];
        for (lines, arch, running, expected) in [
            (
                &oracle[..],
                "x86_64",
                "4.18.0-513.el8.x86_64",
                "4.18.0-553.el8_10.x86_64",
            ),
            (
                &oracle,
                "x86_64",
                "5.4.17-2136.300.7.el8uek.x86_64",
                "5.4.17-2136.338.4.2.el8uek.x86_64",
            ),
            (
                &amazon,
                "x86_64",
                "6.1.115-126.197.amzn2023.x86_64",
                "6.1.119-129.201.amzn2023.x86_64",
            ),
            (
                &amazon,
                "x86_64",
                "6.12.8-35.amzn2023.x86_64",
                "6.12.8-35.amzn2023.x86_64",
            ),
            (
                &red_hat,
                "x86_64",
                "5.14.0-427.13.1.el9_4.x86_64+rt",
                "5.14.0-427.18.1.el9_4.x86_64+rt",
            ),
            (
                &red_hat,
                "aarch64",
                "5.14.0-427.13.1.el9_4.aarch64+64k",
                "5.14.0-427.16.1.el9_4.aarch64+64k",
            ),
            (
                &red_hat,
                "x86_64",
                "5.14.0-427.13.1.el9_4.x86_64",
                "5.14.0-427.20.1.el9_4.x86_64",
            ),
            (
                &suse,
                "x86_64",
                "5.14.21-150500.55.28-default",
                "5.14.21-150500.55.31-default",
            ),
            (
                &suse,
                "x86_64",
                "5.14.21-150500.13.5-rt",
                "5.14.21-150500.13.99-rt",
            ),
            (&debian, "amd64", "6.1.0-40-amd64", "6.12.48+deb13-amd64"),
            (
                &debian,
                "amd64",
                "6.12.48+deb13-amd64",
                "6.12.48+deb13-amd64",
            ),
            (
                &base,
                "x86_64",
                "5.14.21-150400.24.141-default",
                "5.14.21-150400.24.141-default",
            ),
            (
                &base_of_leap,
                "x86_64",
                "5.3.18-lp152.95-default",
                "5.3.18-lp152.95-default",
            ),
            (
                &base_of_sp2,
                "x86_64",
                "5.3.18-24.102-default",
                "5.3.18-24.102-default",
            ),
            (
                &debug,
                "x86_64",
                "5.14.0-427.13.1.el9_4.x86_64+debug",
                "5.14.0-427.20.1.el9_4.x86_64+debug",
            ),
            (
                &uek64k,
                "aarch64",
                "5.15.0-200.el9uek.aarch64+64k",
                "5.15.0-209.161.7.2.el9uek.aarch64+64k",
            ),
            (
                &suse_flavours,
                "x86_64",
                "5.14.21-150500.33.51-azure",
                "5.14.21-150500.33.54-azure",
            ),
            (
                &suse_flavours,
                "aarch64",
                "5.14.21-150500.55.28-64kb",
                "5.14.21-150500.55.31-64kb",
            ),
            (
                &suse_flavours,
                "x86_64",
                "5.3.18-150300.59.40-preempt",
                "5.3.18-150300.59.43-preempt",
            ),
            (
                &suse_flavours,
                "x86_64",
                "6.12.18-1-longterm",
                "6.12.19-1-longterm",
            ),
            (&photon, "x86_64", "6.1.10-1.ph5-esx", "6.1.81-2.ph5-esx"),
            (&photon, "x86_64", "6.1.10-1.ph5", "6.1.83-1.ph5"),
            (
                &mageia,
                "x86_64",
                "6.6.43-desktop-1.mga9",
                "6.6.52-desktop-1.mga9",
            ),
            (&azure, "x86_64", "6.6.51.1-5.azl3", "6.6.57.1-6.azl3"),
            (&alpine, "x86_64", "6.6.31-0-lts", "6.6.58-0-lts"),
        ] {
            assert_eq!(
                of(lines, arch, running).as_deref(),
                Some(expected),
                "{running}"
            );
        }
    }
}
