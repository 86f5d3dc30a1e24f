//! Which of the installed kernels is the newest.

use std::cmp::Ordering;

use crate::model::package::{Manager, Package};
use crate::version::Version;

/// Returns the newest kernel among packages, of the flavor that runs, as `uname -r` names it; none where none is installed
/// by a package.
pub(crate) fn newest(packages: &[Package], running: &str) -> Option<String> {
    let kernels = packages
        .iter()
        .filter_map(|one| Some((one.manager, one.kernel_release()?)));
    let is_of_flavour = |(manager, release): &(Manager, String)| match manager {
        // An rpm does not say so; all of one node are for its architecture.
        Manager::Rpm => true,
        _ => flavour(release) == flavour(running),
    };
    let mut newest: Option<(Manager, String)> = None;
    for kernel in kernels.filter(is_of_flavour) {
        let is_newer = newest.as_ref().is_none_or(|before| {
            // What follows the number is alike, and dpkg orders numbers as apk does.
            let manager = if kernel.0 == Manager::Rpm {
                Manager::Rpm
            } else {
                Manager::Deb
            };
            let key = |text: &str| Version::parse(manager, text);
            let order = key(&kernel.1)
                .zip(key(&before.1))
                .and_then(|(one, other)| one.compare(&other));
            order == Some(Ordering::Greater)
        });
        if is_newer {
            newest = Some(kernel);
        }
    }
    let (manager, release) = newest?;
    let arch = match (manager, running.rsplit_once('.')) {
        (Manager::Rpm, Some((_, arch))) if arch.starts_with(|c: char| c.is_ascii_lowercase()) => {
            format!(".{arch}")
        }
        _ => String::new(),
    };
    Some(format!("{release}{arch}"))
}

/// Returns `-cloud-amd64` of `6.1.0-18-cloud-amd64`.
fn flavour(release: &str) -> &str {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let rest = release.trim_start_matches(is_number);
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    rest.trim_start_matches(is_number)
}

#[cfg(test)]
mod tests {
    use super::newest;
    use crate::model::package::Package;

    #[test]
    fn the_newest_of_the_flavour_that_runs() {
        let of = |lines: &[&str], running: &str| {
            let packages: Vec<_> = lines
                .iter()
                .filter_map(|line| Package::of_line(line, "x"))
                .collect();
            newest(&packages, running)
        };
        let deb = [
            "deb\tlinux-image-6.1.0-9-amd64\t1",
            "deb\tlinux-image-6.1.0-18-amd64\t1",
            "deb\tlinux-image-6.1.0-20-cloud-amd64\t1",
        ];
        assert_eq!(of(&deb, "6.1.0-9-amd64").as_deref(), Some("6.1.0-18-amd64"));
        let rpm = [
            "rpm\tkernel\t\t5.14.0\t362.8.1.el9_3",
            "rpm\tkernel\t\t5.14.0\t362.18.1.el9_3",
        ];
        let expected = Some("5.14.0-362.18.1.el9_3.x86_64");
        assert_eq!(of(&rpm, "5.14.0-362.8.1.el9_3.x86_64").as_deref(), expected);
        assert_eq!(of(&["deb\tbash\t1"], "6.1"), None);
    }
}
