//! What in a copied bucket is not of CloudTrail: other services write their logs beside its own, each into a folder of the account, and
//! people and their machines leave files there. A bucket is read without all of that, and so is its copy.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html>

use std::path::Path;

/// What the folders of the accounts are in.
const ROOT: &str = "AWSLogs";
/// `CloudTrail`, `CloudTrail-Digest`, `CloudTrail-Insight` and what may follow.
const OURS: &str = "CloudTrail";
/// What a file has in its name that may be one of records and lies outside of those folders.
const OF_RECORDS: [&str; 2] = [".json", ".csv"];

/// Returns whether a directory has the folder of the logs in it, so that what lies beside is not of CloudTrail.
pub(super) fn is_root(entries: &[impl AsRef<Path>]) -> bool {
    let mut names = entries.iter().map(|entry| entry.as_ref().file_name());
    names.any(|name| name.is_some_and(|name| name == ROOT))
}

/// Returns whether something that was found in a directory is passed over; `is_beside` is whether the directory is a root. What somebody
/// names is never asked about: it is read, whatever it is.
pub(super) fn is_passed_over(entry: &Path, is_beside: bool) -> bool {
    let parts: Vec<_> = entry.iter().map(|part| part.to_string_lossy()).collect();
    let root = parts.iter().rposition(|part| part == ROOT);
    let Some(name) = parts.last().filter(|_| root.is_some() || is_beside) else {
        return false;
    };
    let below = root.map_or(&[][..], |root| &parts[root + 1..]);
    let below = match below {
        [organization, rest @ ..] if organization.starts_with("o-") => rest,
        all => all,
    };
    let is_log = || OF_RECORDS.iter().any(|part| name.contains(part));
    match (below, entry.is_dir()) {
        ([_, kind], true) => !kind.starts_with(OURS),
        (_, true) => false,
        // Finder's, and those of copying programs.
        _ if name.starts_with('.') => true,
        // In a folder, which is one of CloudTrail unless somebody has named it.
        ([_, _, _, ..], false) => false,
        (_, false) => !is_log(),
    }
}

/// Returns how many files are passed over with an entry. What cannot be listed counts as none: nobody has asked for it.
pub(super) fn n_files(entry: &Path) -> usize {
    // A link is one file: it may lead around in a circle.
    let is_dir = entry.symlink_metadata().is_ok_and(|file| file.is_dir());
    let Some(entries) = is_dir.then(|| std::fs::read_dir(entry).ok()) else {
        return 1;
    };
    let entries = entries.into_iter().flatten().flatten();
    entries.map(|entry| n_files(&entry.path())).sum()
}

#[cfg(test)]
mod tests {
    use testbed::Home;

    use super::{is_passed_over, is_root, n_files};

    #[test]
    fn what_is_not_of_cloudtrail_is_passed_over_and_nothing_else() {
        let home = Home::create();
        for (path, expected) in [
            ("README.txt", true),
            (".DS_Store", true),
            ("older.json.gz", false),
            ("prefix/", false),
            ("AWSLogs/", false),
            ("AWSLogs/notes.md", true),
            ("AWSLogs/o-a1b2c3/", false),
            ("AWSLogs/o-a1b2c3/1/", false),
            ("AWSLogs/o-a1b2c3/1/Config/", true),
            ("AWSLogs/o-a1b2c3/1/CloudTrail/", false),
            ("AWSLogs/1/vpcflowlogs/", true),
            ("AWSLogs/1/CloudTrail-Digest/", false),
            ("AWSLogs/1/renamed.json.gz", false),
            ("AWSLogs/1/renamed", true),
            ("AWSLogs/1/CloudTrail/us-east-1/2026/11/01/renamed", false),
            ("AWSLogs/1/CloudTrail/us-east-1/.DS_Store", true),
            // Of a folder that somebody has named.
            ("AWSLogs/1/vpcflowlogs/us-east-1/x.log.gz", false),
        ] {
            let entry = home.path().join(path.trim_end_matches('/'));
            let is_dir = path.ends_with('/');
            let parent = entry.parent().unwrap();
            std::fs::create_dir_all(if is_dir { &entry } else { parent }).unwrap();
            if !is_dir {
                std::fs::write(&entry, "").unwrap();
            }
            let is_beside = !path.contains("AWSLogs/");
            assert_eq!(is_passed_over(&entry, is_beside), expected, "{path}");
        }
        let elsewhere = home.path().join("README.txt");
        assert!(!is_passed_over(&elsewhere, false));
        assert!(is_root(&[
            home.path().join("a"),
            home.path().join("AWSLogs")
        ]));
        assert!(!is_root(&[elsewhere]));
        assert_eq!(n_files(&home.path().join("AWSLogs")), 6);
        assert_eq!(n_files(&home.path().join("README.txt")), 1);
    }
}
