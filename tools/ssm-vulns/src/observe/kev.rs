//! CISA's list of vulnerabilities that are known to be exploited.
//! <https://www.cisa.gov/known-exploited-vulnerabilities-catalog>

use std::collections::HashSet;
use std::path::Path;

use anyhow::ensure;
use serde::Deserialize;

#[derive(Deserialize)]
struct Catalog {
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "cveID")]
    cve_id: String,
}

/// Returns the CVEs of the list in a file.
///
/// # Errors
/// A file that cannot be read, is not the list, or has no entry.
pub(crate) fn read(path: &Path) -> anyhow::Result<HashSet<String>> {
    let what = "known exploited vulnerabilities";
    let mut catalogs: Vec<Catalog> = cli::read_records_from(path, what)?;
    let catalog = catalogs.pop();
    let entries = catalog.into_iter().flat_map(|one| one.vulnerabilities);
    let cves: HashSet<String> = entries.map(|one| one.cve_id).collect();
    ensure!(
        !cves.is_empty(),
        "read {what} from {}: the list is empty",
        path.display()
    );
    Ok(cves)
}
