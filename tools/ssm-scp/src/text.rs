//! What people at a terminal see of a record that has no columns; scripts read the records.

use cli::{Below, Block, Output, Tone};
use records::{Entity, EntityType};
use serde::Serialize;

use crate::gaps::{Gap, Openness};
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

impl Laid for ImpactCounts {
    fn block(&self) -> Block {
        let mut row = format!(
            "{}; {} newly denied, {} unknown, {} still in, {} not assumable, {} exempt, {} denied before, {} not governed",
            cli::count(self.n_risks, "risk"),
            self.n_newly_denied,
            self.n_unknown,
            self.n_still_in,
            self.n_not_assumable,
            self.n_exempt,
            self.n_denied_before,
            self.n_not_governed
        );
        if self.n_accounts_unread > 0 {
            let accounts = cli::count(self.n_accounts_unread, "account");
            row.push_str(&format!("; {accounts} could not be read"));
        }
        row.into()
    }
}

impl Laid for Gap {
    fn block(&self) -> Block {
        let (answer, tone) = match self.answer {
            Openness::Open => ("open", Tone::Bad),
            Openness::Unknown => ("unknown", Tone::Doubtful),
        };
        let whose = match self.accounts.as_slice() {
            [] => String::new(),
            [one] => format!(" in {one}"),
            [first, second] => format!(" in {first}, {second}"),
            [first, second, others @ ..] => {
                format!(" in {first}, {second} and {} more", others.len())
            }
        };
        let actions = match self.actions.as_slice() {
            [first, second, third, others @ ..] if !others.is_empty() => {
                format!("{first}, {second}, {third} and {} more", others.len())
            }
            actions => actions.join(", "),
        };
        Block {
            tone: Some(tone),
            head: format!("{answer:<7} {}{whose}: {}", self.gap, self.leads_to),
            below: vec![
                Below::Text(format!("by {actions}")),
                Below::Text(format!("fix: {}", self.cure)),
            ],
        }
    }
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
