//! The table for people, and the same as comma-separated values (RFC 4180).

use anyhow::Context;
use cli::visible;

use super::names;
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
        let mut few = names(fleet, nodes);
        let more = if few.len() > FEW { " .." } else { "" };
        few.truncate(FEW);
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
                format!("{}{more}", few.join(" ")),
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

/// Returns comma-separated values with all nodes.
///
/// # Errors
/// None that is known.
pub(crate) fn csv(fleet: &Fleet, found: &[Found]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
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
                &names(fleet, nodes).join(" "),
                &issue.summary,
            ]
            .map(inert),
        )?;
    }
    let bytes = writer
        .into_inner()
        .context("write comma-separated values")?;
    Ok(String::from_utf8(bytes)?)
}

/// A spreadsheet takes a field that begins so for a formula. <https://owasp.org/www-community/attacks/CSV_Injection>
fn inert(field: &str) -> String {
    let field = visible(field);
    match field.starts_with(['=', '+', '-', '@']) {
        true => format!("'{field}"),
        false => field.into_owned(),
    }
}
