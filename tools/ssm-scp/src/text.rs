//! Answers as rows of a table, for people at a terminal; scripts read the records.

use cli::Output;
use records::{Entity, EntityType};
use serde::Serialize;

use crate::gaps::{Gap, Openness};
use crate::impact::ImpactCounts;
use crate::replay::DeniedCall;
use crate::simulate::{Effective, Simulation};

/// A record that has a row.
pub(crate) trait Row {
    /// Returns the row.
    fn row(&self) -> String;
}

/// Prints a record, on a terminal as a row.
///
/// # Errors
/// As [`Output::write`].
pub(crate) fn write_row(out: &Output, record: &(impl Row + Serialize)) -> anyhow::Result<()> {
    out.write_row(record, || record.row())
}

impl Row for Simulation {
    fn row(&self) -> String {
        let answer = match self.answer {
            Effective::Allowed => "allowed",
            Effective::Denied => "DENIED",
            Effective::Unknown => "unknown",
        };
        let on = self
            .resource
            .as_ref()
            .map(|resource| format!(" on {resource}"));
        let asked = format!("{}{}", self.action, on.unwrap_or_default());
        format!("{answer:<8} {asked:<22} {} - {}", self.principal, self.why)
    }
}

impl Row for DeniedCall {
    fn row(&self) -> String {
        let unknown = match self.n_unknown {
            0 => String::new(),
            n_unknown => format!(", {n_unknown} perhaps"),
        };
        let calls = format!("{}{unknown}", self.n_denied);
        format!(
            "{calls:>8} {:<22} {} - last {}",
            self.action, self.principal, self.last
        )
    }
}

impl Row for ImpactCounts {
    fn row(&self) -> String {
        let mut row = format!(
            "{} newly denied, {} unknown, {} still in, {} exempt, {} denied before, {} not governed",
            self.n_newly_denied,
            self.n_unknown,
            self.n_still_in,
            self.n_exempt,
            self.n_denied_before,
            self.n_not_governed
        );
        if self.n_accounts_unread > 0 {
            let accounts = cli::count(self.n_accounts_unread, "account");
            row.push_str(&format!("; {accounts} could not be read"));
        }
        row
    }
}

impl Row for Gap {
    fn row(&self) -> String {
        let answer = match self.answer {
            Openness::Open => "OPEN",
            Openness::Unknown => "unknown",
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
        format!(
            "{answer:<8} {:<18} {}{whose}: {actions} - {}",
            self.gap, self.leads_to, self.cure
        )
    }
}

impl Row for Entity {
    fn row(&self) -> String {
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
    }
}
