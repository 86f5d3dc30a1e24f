//! What the IDs, releases and repositories of an `updateinfo.xml` say: which distribution, which topic, which page.

use crate::model::distribution::{Ecosystem, of_osv};

/// Returns the distributions of a package, by the release and, where several share its tag, by who gave the advisory its ID. It is
/// several where one repository is for them: Package Hub of SUSE has the backports of Leap.
pub(super) fn ecosystems(id: &str, release: &str) -> Vec<Ecosystem> {
    match id.split_once('-') {
        Some(("SUSE", product)) => of_suse(product).into_iter().collect(),
        Some(("openSUSE", rest)) => of_open_suse(rest, release),
        _ => name(id, release).map(Ecosystem::free).into_iter().collect(),
    }
}

/// Returns whether a package is of a repository beside that of its distribution, whose advisories say nothing of the distribution's:
/// `bp156.2.3.1` of Package Hub.
pub(super) fn is_beside(release: &str) -> bool {
    of_tag(release, "bp").is_some()
}

fn name(id: &str, release: &str) -> Option<String> {
    let tag = |tag: &str| {
        release
            .match_indices(tag)
            .any(|(at, _)| !release[at + tag.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    if tag(".amzn2023") {
        return Some("Amazon Linux:2023".to_owned());
    }
    if tag(".amzn2") {
        return Some("Amazon Linux:2".to_owned());
    }
    let family = match id.split(['-', ':']).next()? {
        "ALSA" => "AlmaLinux",
        // Those of its special interest groups: <https://errata.rockylinux.org>
        "RLSA" | "RXSA" => "Rocky Linux",
        "ELSA" => "Oracle Linux",
        "RHSA" => "Red Hat:enterprise_linux",
        _ => return None,
    };
    // `38.el9_4.4`, and of modules `1.module+el8.8.0+999+abc` and `module_el8`.
    let el = of_tag(release, "el")?;
    Some(format!("{family}:{el}"))
}

/// Returns the number behind a tag of a release: `9` of `38.el9_4.4`.
fn of_tag<'r>(release: &'r str, tag: &str) -> Option<&'r str> {
    release.match_indices(tag).find_map(|(at, _)| {
        let digits = release[at + tag.len()..]
            .split(|c: char| !c.is_ascii_digit())
            .next()?;
        let is_tag = at == 0 || !release.as_bytes()[at - 1].is_ascii_alphanumeric();
        (is_tag && !digits.is_empty()).then_some(digits)
    })
}

/// Reads, behind `openSUSE-`, `SLE-15.5-2024-1234` and `Leap-16.0-12`; `2024-153` names no release, but that of its packages does:
/// `lp156.2.3.1` of Leap 15.6, `bp156.2.3.1` of its backports.
fn of_open_suse(rest: &str, release: &str) -> Vec<Ecosystem> {
    let is_version = |word: &&str| is_release(word) && word.contains('.');
    if let Some(version) = rest.split('-').find(is_version) {
        let product = if rest.contains("Micro") {
            "Leap Micro"
        } else {
            "Leap"
        };
        return vec![Ecosystem::free(format!("openSUSE:{product} {version}"))];
    }
    let beside = of_tag(release, "bp");
    let Some(pack) = of_tag(release, "lp")
        .or(beside)
        .filter(|tag| tag.len() == 3)
    else {
        return Vec::new();
    };
    let version = format!("{}.{}", &pack[..2], &pack[2..]);
    let of_suse = beside.map(|_| format!("SUSE:{version}"));
    let all = [format!("openSUSE:Leap {version}")]
        .into_iter()
        .chain(of_suse);
    all.map(Ecosystem::free).collect()
}

/// Reads, behind `SUSE-`, `SLE-Module-Basesystem-15-SP5-2024-1234`, `SLE-Product-SLES-15-SP4-LTSS-2024-1234`, `SLE-Micro-5.5-2024-1234`,
/// `SUSE-MicroOS-5.0-2021-1765` and, without a year, `SLES-16.0-1784`.
fn of_suse(product: &str) -> Option<Ecosystem> {
    let words: Vec<&str> = product.split('-').collect();
    let is_host = words[0].starts_with("SL") || words.starts_with(&["SUSE", "MicroOS"]);
    let at = words.iter().position(is_release).filter(|_| is_host)?;
    // The last one is a number, and before it may be the year.
    let behind = words[at..words.len() - 1]
        .iter()
        .take_while(|word| !is_year(word));
    let behind = behind.copied().collect::<Vec<_>>().join(" ");
    let has = |word: &str| words[..at].contains(&word);
    let name = match () {
        () if has("Micro") || has("MicroOS") => "Micro",
        () if has("SLES_SAP") || has("SAP") => "Server for SAP Applications",
        () if has("Module") => "Module for",
        () if has("Live") => "Live Patching",
        () => "Server",
    };
    of_osv(&format!("SUSE:Linux Enterprise {name} {behind}"))
}

fn is_release(word: &&str) -> bool {
    matches!(*word, "11" | "12" | "15" | "16")
        || (word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()))
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.starts_with("20") && word.chars().all(|c| c.is_ascii_digit())
}

/// Returns the topic of extras that an advisory of Amazon Linux 2 is about: `php8.0` of the collection
/// `amazon-linux-2---php8.0`, else of the ID `ALAS2PHP8.0-2023-001`; and the repository beside that of Amazon Linux 2023.
/// <https://docs.aws.amazon.com/linux/al2/ug/al2-extras.html>, and for the collections
/// <https://github.com/MaineK00n/vuls-data-update/blob/main/pkg/extract/amazon/amazon.go>
pub(super) fn topic(collection: &str, id: &str) -> Option<String> {
    let of_collection = collection
        .split_once("---")
        .map(|(_, topic)| topic.to_lowercase());
    let of_id = || {
        let of_release = ["ALAS2023", "ALAS2", "ALAS"];
        let rest = of_release.iter().find_map(|one| id.strip_prefix(one))?;
        let (topic, _) = rest.split_once("-20")?;
        topic
            .starts_with(|c: char| c.is_ascii_uppercase())
            .then(|| topic.to_lowercase())
    };
    let is_core = |topic: &String| topic == "core" || topic.is_empty();
    of_collection.filter(|topic| !is_core(topic)).or_else(of_id)
}

/// Returns where an advisory is to be read. <https://alas.aws.amazon.com/faqs.html>
pub(super) fn url(id: &str) -> String {
    let rest = |prefix: &str| id.strip_prefix(prefix).map(str::to_owned);
    if let Some(rest) = rest("ALAS2023") {
        return format!("https://alas.aws.amazon.com/AL2023/ALAS2023{rest}.html");
    }
    if let Some(rest) = rest("ALAS2") {
        return format!("https://alas.aws.amazon.com/AL2/ALAS2{rest}.html");
    }
    match id.split(['-', ':']).next().unwrap_or_default() {
        "ALAS" => format!("https://alas.aws.amazon.com/AL2/{id}.html"),
        "ELSA" => format!("https://linux.oracle.com/errata/{id}.html"),
        "RLSA" | "RXSA" => format!("https://errata.rockylinux.org/{id}"),
        "RHSA" => format!("https://access.redhat.com/errata/{id}"),
        _ => format!("https://osv.dev/vulnerability/{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{ecosystems, topic};

    #[test]
    fn the_release_and_the_id_say_the_distribution() {
        for (id, release, expected) in [
            (
                "ALAS2023-2024-1",
                "1.amzn2023.0.2",
                Some("Amazon Linux:2023"),
            ),
            ("ALAS2-2024-1", "1.amzn2.0.2", Some("Amazon Linux:2")),
            ("ALSA-2024:1", "38.el9_4.4", Some("AlmaLinux:9")),
            (
                "RLSA-2024:1",
                "38.module+el8.8.0+1+a",
                Some("Rocky Linux:8"),
            ),
            ("ELSA-2024-1", "38.0.1.el9", Some("Oracle Linux:9")),
            (
                "RHSA-2024:1",
                "1.el10_0",
                Some("Red Hat:enterprise_linux:10"),
            ),
            (
                "SUSE-SLE-Module-Basesystem-15-SP5-2024-1234",
                "150500.5.1",
                Some("SUSE:15.5"),
            ),
            ("SUSE-SLE-SERVER-12-2024-1234", "1.1", Some("SUSE:12")),
            (
                "SUSE-SLE-Product-HA-15-SP5-2024-1234",
                "150500.5.1",
                Some("SUSE:15.5"),
            ),
            (
                "SUSE-SLE-Product-SLES-15-SP4-LTSS-2024-1234",
                "150400.5.1",
                Some("SUSE:15.4 for SUSE LTSS"),
            ),
            (
                "SUSE-SLE-Micro-5.5-2024-1234",
                "150500.5.1",
                Some("SUSE:Micro 5.5"),
            ),
            (
                "openSUSE-SLE-15.5-2024-1234",
                "150500.5.1",
                Some("openSUSE:Leap 15.5"),
            ),
            (
                "RXSA-2026:1",
                "687.36.1.el9_8.cloud.1.0",
                Some("Rocky Linux:9"),
            ),
            (
                "SUSE-SLE-Module-Web-Scripting-12-2020-59",
                "1.1",
                Some("SUSE:12.*"),
            ),
            (
                "SUSE-SLE-Module-Public-Cloud-12-2020-59",
                "1.1",
                Some("SUSE:12.*"),
            ),
            (
                "SUSE-SLE-Product-SLES_SAP-15-SP4-2024-1234",
                "150400.5.1",
                Some("SUSE:15.4 for SUSE SAP"),
            ),
            ("SUSE-SLES-16.0-1784", "160000.1.1", Some("SUSE:16.0")),
            (
                "SUSE-SUSE-MicroOS-5.0-2021-1765",
                "1.1",
                Some("SUSE:Micro 5.0"),
            ),
            (
                "openSUSE-2024-153",
                "bp156.2.3.1",
                Some("openSUSE:Leap 15.6, SUSE:15.6"),
            ),
            (
                "openSUSE-2025-181",
                "lp156.2.3.1",
                Some("openSUSE:Leap 15.6"),
            ),
            ("openSUSE-2025-181", "1.1", None),
            ("SUSE-Storage-7.1-2024-1", "1.1", None),
            ("FEDORA-2024-1", "1.fc40", None),
            ("ALSA-2024:1", "1", None),
        ] {
            let shown = ecosystems(id, release)
                .into_iter()
                .map(|one| match one.paid {
                    Some(paid) => format!("{} for {}", one.name, paid.name),
                    None => one.name,
                });
            let shown = shown.collect::<Vec<_>>().join(", ");
            assert_eq!(shown, expected.unwrap_or_default(), "{id} {release}");
        }
    }

    #[test]
    fn the_collection_or_the_id_says_the_topic_of_extras() {
        for (collection, id, expected) in [
            (
                "amazon-linux-2---php8.0",
                "ALAS2PHP8.0-2023-001",
                Some("php8.0"),
            ),
            ("amazon-linux-2---core", "ALAS2-2023-001", None),
            ("", "ALAS2POSTGRESQL14-2023-001", Some("postgresql14")),
            ("", "ALASPHP8.0-2023-001", Some("php8.0")),
            ("", "ALAS2023-2024-001", None),
            (
                "amazon-linux-2023---kernel-livepatch",
                "ALAS2023LIVEPATCH-2024-001",
                Some("kernel-livepatch"),
            ),
            ("", "ALAS2023LIVEPATCH-2024-001", Some("livepatch")),
            ("", "ALAS-2018-001", None),
            ("amazon-linux", "ALAS2-2023-001", None),
        ] {
            assert_eq!(
                topic(collection, id).as_deref(),
                expected,
                "{collection} {id}"
            );
        }
    }
}
