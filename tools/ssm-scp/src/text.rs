//! What people at a terminal see of a record that has no columns; scripts read the records.

use cli::{Block, Output};
use records::{Entity, EntityType};
use serde::Serialize;

use crate::gaps::{Gap, folded, summary};
use crate::impact::ImpactCounts;

/// A record with a text of its own.
pub(crate) trait Laid {
    /// Returns its text.
    fn block(&self) -> Block;
}

/// Prints a record, on a terminal as its text.
///
/// # Errors
/// As [`Output::write`].
pub(crate) fn write(out: &Output, record: &(impl Laid + Serialize)) -> anyhow::Result<()> {
    out.write_block(record, || record.block())
}

/// Prints gaps, on a terminal those of one way together, with their number at the end.
///
/// # Errors
/// As [`Output::write`].
pub(crate) fn write_gaps(out: &Output, gaps: &[Gap]) -> anyhow::Result<()> {
    if !out.is_text() {
        return gaps.iter().try_for_each(|gap| out.write(gap));
    }
    for folded in folded(gaps) {
        out.write_block(folded.first, || folded.block())?;
    }
    out.sum_up(summary(gaps));
    Ok(())
}

/// Returns what becomes of all, in a line: whether anybody loses something is said in any case.
pub(crate) fn counted(counts: &ImpactCounts) -> String {
    let classes = [
        (counts.n_newly_denied, "newly denied"),
        (counts.n_unknown, "unknown"),
        (counts.n_still_in, "still in"),
        (counts.n_not_assumable, "not assumable"),
        (counts.n_exempt, "exempt"),
        (counts.n_denied_before, "denied before"),
        (counts.n_not_governed, "not governed"),
    ];
    let n_principals = classes.iter().map(|(n, _)| n).sum();
    let is_said = |(place, (n, _)): &(usize, (usize, &str))| *place < 2 || *n > 0;
    let classes = classes.into_iter().enumerate().filter(is_said);
    let classes = classes.map(|(_, (n, class))| format!("{n} {class}"));
    let classes: Vec<String> = classes.collect();
    let mut line = format!(
        "{}; {}: {}",
        cli::count(counts.n_risks, "risk"),
        cli::count(n_principals, "principal"),
        classes.join(", ")
    );
    if counts.n_accounts_unread > 0 {
        let accounts = cli::count(counts.n_accounts_unread, "account");
        line.push_str(&format!("; {accounts} could not be read"));
    }
    line
}

impl Laid for Entity {
    fn block(&self) -> Block {
        let depth = self.path.matches('/').count();
        let id = match self.r#type {
            EntityType::Account => format!(" {}", self.id),
            EntityType::Root | EntityType::OrganizationalUnit => format!("/ {}", self.id),
        };
        let management = if self.management {
            " (management account: no policy binds it)"
        } else {
            ""
        };
        // AWS attaches this one everywhere, and nobody can detach it.
        let names = self.resource_control_policies.iter();
        let others: Vec<&str> = names
            .map(String::as_str)
            .filter(|name| *name != "RCPFullAWSAccess")
            .collect();
        let resources = match others.as_slice() {
            [] => String::new(),
            others => format!("; for resources: {}", others.join(", ")),
        };
        format!(
            "{}{}{id}{management}: {}{resources}",
            "  ".repeat(depth),
            self.name,
            self.policies.join(", ")
        )
        .into()
    }
}
