//! Alpine's secdb, <https://secdb.alpinelinux.org>: by which version of a package what was fixed, a file for each repository.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reader;
use crate::model::advisory::{Advisory, Affected, Event, Line, names};
use crate::model::distribution::Ecosystem;
use crate::model::severity::Severity;

#[derive(Deserialize)]
struct SecDb<'a> {
    distroversion: String,
    /// `main` or `community`.
    #[serde(default)]
    reponame: String,
    #[serde(borrow)]
    packages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    secfixes: serde_json::Value,
}

/// What each version fixes.
type Fixes = BTreeMap<String, Option<Vec<String>>>;

/// Returns the fixes of a package, or none where they are of another form. Where nothing was ever fixed they are null or an empty
/// list.
fn fixes(value: serde_json::Value) -> Option<Fixes> {
    match value {
        serde_json::Value::Null => Some(Fixes::new()),
        serde_json::Value::Array(list) if list.is_empty() => Some(Fixes::new()),
        value => serde_json::from_value(value).ok(),
    }
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    text: &str,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let db: SecDb<'_> = serde_json::from_str(text).context("it is not a secdb")?;
    let ecosystem = Ecosystem::free(format!("Alpine:{}", db.distroversion));
    let mut is_covered = false;
    let (mut n_unread, mut first_unread) = (0, None);
    let n_packages = db.packages.len();
    for package in db.packages {
        let pkg = match serde_json::from_str(package.get()) {
            Ok(Entry { pkg }) => pkg,
            Err(error) => {
                n_unread += 1;
                first_unread.get_or_insert(error);
                continue;
            }
        };
        let is_wanted = reader.wanted.has(&ecosystem.name, &pkg.name);
        if is_covered && !is_wanted {
            continue;
        }
        let Some(fixes) = fixes(pkg.secfixes) else {
            if is_wanted {
                let unread = format!("what is fixed in {} is not a list by version", pkg.name);
                reader.left_out.push(unread);
            }
            continue;
        };
        // A database without a fix is not one of a release that anybody looks after.
        let is_fix = |(fixed, ids): (&String, &Option<Vec<String>>)| {
            is_version(fixed) && ids.as_ref().is_some_and(|ids| !ids.is_empty())
        };
        if !is_covered && fixes.iter().any(is_fix) {
            reader.cover_by_file(&ecosystem, Some(&db.reponame));
            is_covered = true;
        }
        if !is_wanted {
            continue;
        }
        for (fixed, ids) in fixes {
            if !is_version(&fixed) {
                continue;
            }
            for entry in ids.iter().flatten() {
                let entry = ids_of(entry);
                let mut all = entry.iter().map(String::as_str);
                let Some(id) = all.next() else {
                    continue;
                };
                let (cves, aliases) = names(id, all);
                each(Advisory {
                    id: id.to_owned(),
                    cves,
                    aliases,
                    summary: String::new(),
                    url: format!("https://security.alpinelinux.org/vuln/{id}"),
                    affected: vec![Affected {
                        ecosystem: ecosystem.clone(),
                        name: pkg.name.clone(),
                        line: Line::default(),
                        ranges: vec![Event::until(Some(fixed.clone()))],
                        versions: Vec::new(),
                        severity: Severity::UNKNOWN,
                    }],
                });
            }
        }
    }
    if let Some(error) = first_unread {
        let n_packages = cli::count(n_packages, "package");
        bail!("{n_unread} of {n_packages} in it cannot be read, the first of them: {error}");
    }
    Ok(())
}

/// Returns the names of one vulnerability that an entry has: `CVE-2019-1 XSA-1`. Some are not known yet (`CVE N/A ZBX-11023`,
/// `CVE-????-????? TS-2024-005`), are misspelled (`CVE_2019-2426`), name a file (`CVE-2021-35940.patch`), or have a remark behind
/// (`CVE-2017-2616 (+ regression fix)`).
fn ids_of(entry: &str) -> Vec<String> {
    let named = entry.split('(').next().unwrap_or_default();
    let words = named.split_whitespace().map(|word| {
        let word = word.strip_suffix(".patch").unwrap_or(word);
        match word.strip_prefix("CVE_") {
            Some(rest) => format!("CVE-{rest}"),
            None => word.to_owned(),
        }
    });
    words.filter(|word| is_id(word)).collect()
}

/// Returns whether a word has a prefix in letters and a number behind it.
fn is_id(word: &str) -> bool {
    let Some((prefix, number)) = word.split_once('-') else {
        return false;
    };
    prefix.starts_with(|c: char| c.is_ascii_alphabetic())
        && number.contains(|c: char| c.is_ascii_alphanumeric())
        && number
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_'))
}

/// A version of 0 says that it never was affected.
fn is_version(fixed: &str) -> bool {
    !fixed.is_empty() && fixed != "0"
}

#[cfg(test)]
mod tests {
    use super::ids_of;

    #[test]
    fn entries_as_published_have_the_ids_that_they_name() {
        for (entry, expected) in [
            ("CVE-2019-17349 XSA-295", &["CVE-2019-17349", "XSA-295"][..]),
            ("CVE N/A ZBX-11023", &["ZBX-11023"]),
            ("CVE-????-????? TS-2024-005", &["TS-2024-005"]),
            ("CVE_2019-2426", &["CVE-2019-2426"]),
            ("CVE-2021-35940.patch", &["CVE-2021-35940"]),
            ("CVE-2017-2616 (+ regression fix)", &["CVE-2017-2616"]),
            ("GHSA-m2qf-hxjv-5gpq", &["GHSA-m2qf-hxjv-5gpq"]),
            ("regression", &[]),
        ] {
            assert_eq!(ids_of(entry), expected, "{entry}");
        }
    }
}
