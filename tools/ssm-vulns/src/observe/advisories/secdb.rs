//! Alpine's secdb, <https://secdb.alpinelinux.org>: by which version of a package what was fixed, a file for each repository.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

use super::Reader;
use crate::model::advisory::{Advisory, Affected, Event, Line, names};
use crate::model::distribution::Ecosystem;
use crate::model::severity::Severity;

#[derive(Deserialize)]
struct SecDb {
    distroversion: String,
    /// `main` or `community`.
    #[serde(default)]
    reponame: String,
    packages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// Null or an empty list where nothing was ever fixed.
    #[serde(default)]
    secfixes: serde_json::Value,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    text: &str,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let db: SecDb = serde_json::from_str(text).context("it is not a secdb")?;
    let ecosystem = Ecosystem::free(format!("Alpine:{}", db.distroversion));
    let mut is_covered = false;
    for Entry { pkg } in db.packages {
        let is_wanted = reader.wanted.has(&ecosystem.name, &pkg.name);
        if is_covered && !is_wanted {
            continue;
        }
        let fixes: BTreeMap<String, Option<Vec<String>>> =
            serde_json::from_value(pkg.secfixes).unwrap_or_default();
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
            // `CVE-2019-1 XSA-1`: several names of one.
            for entry in ids.iter().flatten() {
                let mut all = entry.split_whitespace();
                let Some(id) = all.next().filter(|id| id.contains('-')) else {
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
    Ok(())
}

/// A version of 0 says that it never was affected.
fn is_version(fixed: &str) -> bool {
    !fixed.is_empty() && fixed != "0"
}
