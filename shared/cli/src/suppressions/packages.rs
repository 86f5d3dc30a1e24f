//! Entries that accept an advisory: for a package, for some nodes, or wherever it is.

use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;

use super::{Use, entries, today};
use crate::{Finding, Outcome, Output};

/// The accepted advisories of a run.
#[derive(Debug)]
pub struct PackageSuppressions {
    /// The name of the file, for people; empty without one.
    source: String,
    today: Date,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Its place in the file.
    index: usize,
    suppression: Suppression,
    n_accepted: usize,
}

/// What is accepted: an advisory, or a CVE, wherever all of what else is named is true of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppression {
    /// The tool and the advisory or CVE: `vulns.CVE-2024-6387`.
    id: String,
    /// The name of the package.
    package: Option<String>,
    /// The node, by its ID or by ACCOUNT/REGION/ID; `*` is any text.
    node: Option<String>,
    /// Why, for whoever reads it next.
    reason: String,
    /// The last day on which it holds, `2027-01-31`.
    expires: Date,
}

impl PackageSuppressions {
    /// Reads the file, if there is one. `prefix` begins the IDs of the tool.
    ///
    /// # Errors
    /// An unreadable file, an entry of the wrong shape or without a reason.
    pub fn read(file: Option<&Path>, prefix: &str) -> anyhow::Result<PackageSuppressions> {
        let mut suppressions = PackageSuppressions {
            source: String::new(),
            today: today(),
            entries: Vec::new(),
        };
        if let Some(file) = file {
            suppressions.source = file.display().to_string();
            let is_known = |id: &str| !id.is_empty();
            let own = entries(file, prefix, is_known, |_| Ok(()))?.into_iter();
            let entry = |(index, suppression): (usize, Suppression)| Entry {
                index,
                suppression,
                n_accepted: 0,
            };
            suppressions.entries = own.map(entry).collect();
        }
        Ok(suppressions)
    }

    /// Returns whether there is none, so that nobody needs to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns whether an advisory is accepted for a package on a node; `ids` are all its names, with the prefix left out, and
    /// `nodes` all names of the node.
    pub fn accepts(&mut self, ids: &[&str], package: &str, nodes: &[&str]) -> bool {
        let mut accepted = false;
        for entry in &mut self.entries {
            let one = &entry.suppression;
            let id = one.id.split_once('.').map_or("", |(_, id)| id);
            let is_node = |pattern: &str| nodes.iter().any(|node| fits(pattern, node));
            let holds = self.today <= one.expires
                && ids.contains(&id)
                && one.package.as_deref().is_none_or(|name| name == package)
                && one.node.as_deref().is_none_or(is_node);
            entry.n_accepted += usize::from(holds);
            accepted |= holds;
        }
        accepted
    }

    /// Prints what is wrong with the entries, by the IDs of an expired and of an unused one, and says on stderr how many
    /// matches they accept.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn end(&self, out: &Output, expired: &str, unused: &str) -> anyhow::Result<Outcome> {
        let n_accepted: usize = self.entries.iter().map(|entry| entry.n_accepted).sum();
        if n_accepted > 0 {
            let matches = if n_accepted == 1 { "match" } else { "matches" };
            out.note(&format!(
                "{n_accepted} {matches} switched off by {}",
                self.source
            ));
        }
        let of = |entry: &Entry| {
            let one = Use {
                source: &self.source,
                index: entry.index,
                id: &entry.suppression.id,
                reason: &entry.suppression.reason,
                expires: entry.suppression.expires,
                today: self.today,
                is_unused: entry.n_accepted == 0,
                correct: "package or node",
            };
            one.finding(expired, unused)
        };
        let findings: Vec<Finding> = self.entries.iter().filter_map(of).collect();
        findings
            .iter()
            .try_for_each(|finding| out.write_finding(finding))?;
        Ok(Outcome::of(&findings))
    }
}

/// Returns whether a text fits a pattern, in which `*` is any text. The first place of each part is enough, as a star takes what lies
/// before the next one.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.split_once(part) {
            Some((_, behind)) => text = behind,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text, expected) in [
            ("i-1", "i-1", true),
            ("i-1", "i-12", false),
            ("i-*", "i-12", true),
            ("*/us-*/*", "1/us-east-1/i-1", true),
            ("*/eu-*/*", "1/us-east-1/i-1", false),
            ("*", "", true),
            ("a*b", "ab", true),
            ("a*b", "abc", false),
            ("a*b*b", "ab", false),
            ("a*b*c", "abbcc", true),
            ("a**b", "ab", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
