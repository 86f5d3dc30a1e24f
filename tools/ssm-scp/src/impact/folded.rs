//! Impacts as people read them: one row for all of whom the same becomes for the same reason. Pure.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::record::{Class, Impact};

/// Principals that are named where there are more.
const MOST_NAMED: usize = 5;

/// Principals of whom the same becomes.
struct Row {
    first: Impact,
    /// Without their paths, each once: roles of many accounts have the same name. No more than are named, and one.
    names: Vec<String>,
    n_principals: usize,
    accounts: BTreeSet<String>,
}

/// Returns the rows of impacts, in the order of the first of each.
pub(crate) fn folded(impacts: impl Iterator<Item = Impact>) -> Vec<Value> {
    let mut places: HashMap<(Class, String, Vec<String>), usize> = HashMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for impact in impacts {
        let key = (impact.class, impact.why.clone(), impact.actions.clone());
        let place = *places.entry(key).or_insert(rows.len());
        if place == rows.len() {
            rows.push(Row {
                first: impact.clone(),
                names: Vec::new(),
                n_principals: 0,
                accounts: BTreeSet::new(),
            });
        }
        rows[place].add(impact);
    }
    rows.iter().map(Row::record).collect()
}

impl Row {
    fn add(&mut self, impact: Impact) {
        let name = impact.principal.rsplit('/').next().unwrap_or_default();
        if self.names.len() <= MOST_NAMED && !self.names.iter().any(|one| one == name) {
            self.names.push(name.to_owned());
        }
        self.n_principals += 1;
        self.accounts.insert(impact.account);
    }

    /// Returns the record of the first, as one of all.
    fn record(&self) -> Value {
        let named = &self.names[..self.names.len().min(MOST_NAMED)];
        let more = match self.names.len() > named.len() {
            true => ", ..",
            false => "",
        };
        let names = named.join(", ");
        let principal = match self.n_principals {
            1 => names,
            n => format!("{n}: {names}{more}"),
        };
        let account = match self.accounts.len() {
            1 => self.first.account.clone(),
            n => cli::count(n, "account"),
        };
        json!({"kind": self.first.kind, "class": self.first.class, "principal": principal, "account": account,
            "actions": self.first.actions, "why": self.first.why})
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{ImpactKind, PrincipalType};
    use super::{Class, Impact, folded};

    fn impact(name: &str, account: &str, class: Class, why: &str) -> Impact {
        Impact {
            kind: ImpactKind::Impact,
            account: account.to_owned(),
            principal: format!("arn:aws:iam::{account}:role/path/{name}"),
            r#type: PrincipalType::Role,
            class,
            actions: Vec::new(),
            losses: Vec::new(),
            why: why.to_owned(),
        }
    }

    #[test]
    fn whom_the_same_becomes_of_is_one_row() {
        let (denied, exempt) = (Class::NewlyDenied, Class::Exempt);
        let mut impacts = vec![
            impact("ops", "111122223333", denied, "by guard"),
            impact("dev", "111122223333", denied, "by guard"),
            impact("ops", "444455556666", denied, "by guard"),
            impact("ops", "111122223333", denied, "by another"),
        ];
        let many = (0..200).map(|n| impact(&format!("role-{n}"), "111122223333", exempt, "spared"));
        impacts.extend(many);
        let rows = folded(impacts.into_iter());
        let cells = |at: &str| {
            let cells = rows.iter().map(|row| row[at].as_str().unwrap_or_default());
            cells.collect::<Vec<&str>>()
        };
        let principals = [
            "3: ops, dev",
            "ops",
            "200: role-0, role-1, role-2, role-3, role-4, ..",
        ];
        assert_eq!(cells("principal"), principals);
        let accounts = ["2 accounts", "111122223333", "111122223333"];
        assert_eq!(cells("account"), accounts);
        assert_eq!(cells("why"), ["by guard", "by another", "spared"]);
    }
}
