//! What the IDs, releases and repositories of an `updateinfo.xml` say: which distribution, which topic, which page.

use crate::model::distribution::{Ecosystem, of_osv};

/// Returns the distribution of a package, by the release and, where several share its tag, by who gave the advisory its ID.
pub(super) fn ecosystem(id: &str, release: &str) -> Option<Ecosystem> {
    match id.starts_with("SUSE-SLE-") {
        true => of_suse(id),
        false => name(id, release).map(Ecosystem::free),
    }
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
    if let Some(rest) = id.strip_prefix("openSUSE-") {
        let version = rest
            .split('-')
            .find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()));
        return version.map(|version| format!("openSUSE:Leap {version}"));
    }
    let family = match id.split(['-', ':']).next()? {
        "ALSA" => "AlmaLinux",
        "RLSA" => "Rocky Linux",
        "ELSA" => "Oracle Linux",
        "RHSA" => "Red Hat:enterprise_linux",
        _ => return None,
    };
    // `38.el9_4.4`, and of modules `1.module+el8.8.0+999+abc` and `module_el8`.
    let el = release.match_indices("el").find_map(|(at, _)| {
        let digits = release[at + 2..]
            .split(|c: char| !c.is_ascii_digit())
            .next()?;
        let is_tag = at == 0 || !release.as_bytes()[at - 1].is_ascii_alphanumeric();
        (is_tag && !digits.is_empty()).then_some(digits)
    })?;
    Some(format!("{family}:{el}"))
}

/// Reads `SUSE-SLE-Module-Basesystem-15-SP5-2024-1234`, `SUSE-SLE-Product-SLES-15-SP4-LTSS-2024-1234` and `SUSE-SLE-Micro-5.5-2024-1234`.
fn of_suse(id: &str) -> Option<Ecosystem> {
    let words: Vec<&str> = id.split('-').collect();
    let is_release = |word: &&str| {
        matches!(*word, "11" | "12" | "15" | "16")
            || (word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()))
    };
    let at = words.iter().position(is_release)?;
    // The rest is the year and a number.
    let behind = words[at..].iter().take_while(|word| !is_year(word));
    let behind = behind.copied().collect::<Vec<_>>().join(" ");
    let product = if words.contains(&"Micro") {
        "Micro"
    } else {
        "Server"
    };
    of_osv(&format!("SUSE:Linux Enterprise {product} {behind}"))
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.starts_with("20") && word.chars().all(|c| c.is_ascii_digit())
}

/// Returns the topic of extras that an advisory of Amazon Linux 2 is about: `php8.0` of the collection
/// `amazon-linux-2---php8.0`, else of the ID `ALAS2PHP8.0-2023-001`.
pub(super) fn topic(collection: &str, id: &str) -> Option<String> {
    let of_collection = collection
        .split_once("---")
        .map(|(_, topic)| topic.to_lowercase());
    let of_id = || {
        let rest = id
            .strip_prefix("ALAS2")
            .or_else(|| id.strip_prefix("ALAS"))?;
        let (topic, _) = rest.split_once("-20")?;
        topic
            .starts_with(|c: char| c.is_ascii_uppercase())
            .then(|| topic.to_lowercase())
    };
    let is_core = |topic: &String| topic == "core" || topic.is_empty();
    of_collection.filter(|topic| !is_core(topic)).or_else(of_id)
}

/// Returns where an advisory is to be read.
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
        "RLSA" => format!("https://errata.rockylinux.org/{id}"),
        "RHSA" => format!("https://access.redhat.com/errata/{id}"),
        _ => format!("https://osv.dev/vulnerability/{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{ecosystem, topic};

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
            ("FEDORA-2024-1", "1.fc40", None),
            ("ALSA-2024:1", "1", None),
        ] {
            let shown = ecosystem(id, release).map(|one| match one.paid {
                Some(paid) => format!("{} for {}", one.name, paid.name),
                None => one.name,
            });
            assert_eq!(shown.as_deref(), expected, "{id} {release}");
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
