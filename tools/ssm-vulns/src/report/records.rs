//! What is printed: a record for each node, or what `-o` asks for.

use anyhow::bail;
use cli::{Format, Output};

use super::to_file::Form;
use super::{All, table};
use crate::matching::Found;
use crate::model::fleet::{Fleet, Node};
use crate::model::record::{Gap, Match, MatchKind};

/// Records are printed in batches of about this many bytes.
const BATCH: usize = 1 << 16;

/// Prints everything but gaps in the format that is asked for.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn print(out: &Output, all: &All<'_>) -> anyhow::Result<()> {
    match out.report_format() {
        None => {}
        Some(Format::Sarif) => return Form::Sarif.write(out.report_writer(), all),
        Some(Format::Csv) => {
            Form::Csv.write(out.report_writer(), all)?;
            // Its table has no row for them.
            let lines = all.lines().into_iter();
            lines.for_each(|line| cli::print_error(crate::TOOL, &line));
            return Ok(());
        }
        // Refused with the arguments.
        Some(_) => bail!("-o: matches have no report of this format: use text, csv or sarif"),
    }
    matches(out, all.fleet, all.found)?;
    if out.is_text() {
        let mut lines = all.lines().into_iter();
        return lines.try_for_each(|line| out.write_text(&line));
    }
    let mut differences = all.differences.iter();
    differences.try_for_each(|difference| out.write(difference))?;
    all.foreign.iter().try_for_each(|one| out.write(one))
}

/// Prints what was not judged, behind everything else: who keeps the two apart need not search for it.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn print_gaps(out: &Output, gaps: &[Gap]) -> anyhow::Result<()> {
    let mut gaps = gaps.iter();
    match out.report_format() {
        Some(Format::Sarif) => {}
        // A table has no row for it.
        Some(_) => gaps.for_each(|gap| cli::print_error(crate::TOOL, &line(gap))),
        None => return gaps.try_for_each(|gap| out.write(gap)),
    }
    Ok(())
}

fn line(gap: &Gap) -> String {
    let node = gap.instance_id.as_ref().map(|id| format!("{id}: "));
    format!(
        "{}{}: {}",
        node.unwrap_or_default(),
        gap.reason.id,
        gap.reason.message
    )
}

/// Prints a record for each node, or a table.
fn matches(out: &Output, fleet: &Fleet, found: &[Found]) -> anyhow::Result<()> {
    if out.is_text() {
        return match found.is_empty() {
            true => Ok(()),
            false => out.write_text(&table::text(fleet, found)),
        };
    }
    let Some(first) = found.first() else {
        return Ok(());
    };
    // A record is what is said of its node, then its issue, and both are in many records.
    let n_issue = serde_json::to_string(&first.issue)?.len() - 1;
    let front = |node: &Node| {
        let record = Match {
            kind: MatchKind::Match,
            target: node.target.as_ref(),
            instance_id: &node.instance_id,
            name: node.name.as_deref(),
            issue: &first.issue,
        };
        let mut text = serde_json::to_string(&record)?;
        text.truncate(text.len() - n_issue);
        anyhow::Ok(text)
    };
    let fronts = fleet.nodes.iter().map(front);
    let fronts = fronts.collect::<anyhow::Result<Vec<String>>>()?;
    let mut batch = String::new();
    for Found { issue, nodes } in found {
        let issue = serde_json::to_string(issue)?;
        for at in nodes {
            batch.push_str(&fronts[*at as usize]);
            batch.push_str(&issue[1..]);
            batch.push('\n');
            if batch.len() > BATCH {
                out.write_json_lines(&batch)?;
                batch.clear();
            }
        }
    }
    out.write_json_lines(&batch)
}
