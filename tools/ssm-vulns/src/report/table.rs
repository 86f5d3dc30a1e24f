//! The table for people, and the same as comma-separated values (RFC 4180).

use std::io::Write;

use cli::{inert, visible};

use super::by_name;
use crate::matching::Found;
use crate::model::fleet::Fleet;

/// How many nodes a line for people names.
const FEW: usize = 3;
const HEAD: [&str; 8] = [
    "ADVISORY",
    "SEVERITY",
    "CVES",
    "PACKAGE",
    "INSTALLED",
    "FIXED",
    "NODES",
    "SUCH AS",
];
const GAP: usize = 2;

/// Returns the table, in columns. A `!` marks what is known to be exploited, `?` what may be of another line of versions, and `$`
/// a fix that is paid for.
pub(crate) fn text(fleet: &Fleet, found: &[Found]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    for Found { issue, nodes } in found {
        let named = by_name(fleet, nodes);
        let few = named.iter().take(FEW).map(|node| node.full_name.as_str());
        let few = few.collect::<Vec<_>>().join(" ");
        let more = if nodes.len() > FEW { " .." } else { "" };
        let mark = if issue.known_exploited == Some(true) {
            "!"
        } else {
            ""
        };
        let more_cves = match issue.cves.len() {
            0 | 1 => String::new(),
            n => format!(" +{}", n - 1),
        };
        let cve = issue.cves.first().map_or("-", String::as_str);
        let uncertain = if issue.uncertain { "?" } else { "" };
        let paid = if issue.paid.is_some() { "$" } else { "" };
        let fixed = issue.fixed.as_deref().unwrap_or("-");
        rows.push(
            [
                issue.advisory.clone(),
                format!("{}{mark}", issue.severity.word.name()),
                format!("{cve}{more_cves}"),
                issue.package.clone(),
                issue.installed.clone(),
                format!("{fixed}{uncertain}{paid}"),
                nodes.len().to_string(),
                format!("{few}{more}"),
            ]
            .map(|cell| visible(&cell).into_owned()),
        );
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; 8]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let blanks = width + GAP - cell.chars().count();
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Writes comma-separated values with all nodes.
///
/// # Errors
/// They cannot be written.
pub(crate) fn csv(to: &mut impl Write, fleet: &Fleet, found: &[Found]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record([
        "advisory",
        "severity",
        "score",
        "known_exploited",
        "cves",
        "ecosystem",
        "package",
        "installed",
        "fixed",
        "paid",
        "uncertain",
        "n_nodes",
        "nodes",
        "summary",
    ])?;
    for Found { issue, nodes } in found {
        let exploited = issue
            .known_exploited
            .map(|is| is.to_string())
            .unwrap_or_default();
        let score = issue
            .severity
            .score
            .map(|score| score.to_string())
            .unwrap_or_default();
        let named = by_name(fleet, nodes);
        let names: Vec<&str> = named.iter().map(|node| node.full_name.as_str()).collect();
        writer.write_record(
            [
                issue.advisory.as_str(),
                issue.severity.word.name(),
                &score,
                &exploited,
                &issue.cves.join(" "),
                &issue.ecosystem,
                &issue.package,
                &issue.installed,
                issue.fixed.as_deref().unwrap_or_default(),
                issue.paid.as_deref().unwrap_or_default(),
                &issue.uncertain.to_string(),
                &nodes.len().to_string(),
                &names.join(" "),
                &issue.summary,
            ]
            .map(inert),
        )?;
    }
    Ok(writer.flush()?)
}
