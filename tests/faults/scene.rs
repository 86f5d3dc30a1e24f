//! A fresh account in which a plan is to be carried out, and what has become of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox};

use super::bin;

/// One plan of a tool, and what has to be there before it.
pub(super) struct Row {
    pub(super) tool: &'static str,
    /// Seeds and drifts the account; returns the desired state, and what goes behind `plan`.
    pub(super) prepare: fn(&Account) -> (Value, Vec<String>),
    /// What undo keeps on purpose, as part of the IDs of changes.
    pub(super) kept: &'static [&'static str],
}

pub(super) fn tool(account: &Account, tool: &str) -> testbed::Run {
    account
        .tool(bin(tool))
        .env(
            "WEBHOOK",
            "https://hooks.slack.com/services/T0/B0/canary-one",
        )
        .env(
            "OTHER_WEBHOOK",
            "https://hooks.slack.com/services/T0/B0/canary-two",
        )
}

fn plan(account: &Account, name: &str, desired: &Value, arguments: &[String]) -> Value {
    let path = account.home().join("desired.json");
    std::fs::write(&path, desired.to_string()).unwrap();
    let run = tool(account, name).args(["plan", "-f", path.to_str().unwrap()]);
    let planned = run.args(arguments).run();
    planned.assert_status(0);
    planned.json()
}

/// Returns the run of `apply` on a plan.
pub(super) fn run_of(account: &Account, name: &str, plan: &Value) -> testbed::Run {
    let run = tool(account, name).args(["apply"]).stdin(plan.to_string());
    match name {
        // Nobody lives in these organizations, so the guard against locking somebody out has nobody to find.
        "ssm-scp" => run.args([
            "--accept",
            "unmatched:arn:aws:iam::*:role/ops",
            "--accept",
            "unmatched:arn:aws:iam::*:role/other",
        ]),
        _ => run,
    }
}

pub(super) fn apply(account: &Account, name: &str, plan: &Value) -> Output {
    run_of(account, name, plan).run()
}

pub(super) fn applied(
    account: &Account,
    name: &str,
    desired: &Value,
    arguments: &[String],
) -> Value {
    let plan = plan(account, name, desired, arguments);
    apply(account, name, &plan).assert_status(0);
    plan
}

/// A fresh account in which the row's plan is to be carried out.
pub(super) struct Scene {
    pub(super) row: &'static Row,
    pub(super) account: Account,
    desired: Value,
    arguments: Vec<String>,
    pub(super) plan: Value,
}

impl Scene {
    pub(super) fn of(row: &'static Row) -> Scene {
        let account = Sandbox::start().account();
        let (desired, arguments) = (row.prepare)(&account);
        let plan = plan(&account, row.tool, &desired, &arguments);
        account.forget_calls();
        Scene {
            row,
            account,
            desired,
            arguments,
            plan,
        }
    }

    pub(super) fn apply(&self, plan: &Value) -> Output {
        apply(&self.account, self.row.tool, plan)
    }

    /// Returns the writes so far: service, operation, and the how-many-th of its name.
    pub(super) fn writes(&self) -> Vec<(String, String, usize)> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let writes = self.account.writes();
        let writes = writes.iter().map(|call| {
            let word = |key: &str| call[key].as_str().unwrap().to_owned();
            let number = seen.entry(word("operation")).or_default();
            *number += 1;
            (word("service"), word("operation"), *number - 1)
        });
        writes.collect()
    }

    /// Everything that the plan was for is to do again, but for what undo keeps.
    #[track_caller]
    pub(super) fn assert_is_back(&self, what: &str) {
        let again = plan(&self.account, self.row.tool, &self.desired, &self.arguments);
        let ids = |plan: &Value| -> BTreeSet<String> {
            let changes = plan["changes"].as_array().unwrap().iter();
            let ids = changes.map(|change| change["id"].as_str().unwrap().to_owned());
            ids.filter(|id| !self.row.kept.iter().any(|kept| id.contains(kept)))
                .collect()
        };
        assert_eq!(ids(&again), ids(&self.plan), "{} {what}", self.row.tool);
    }

    /// Everything that the plan was for is done.
    #[track_caller]
    pub(super) fn assert_is_done(&self, what: &str) {
        let again = plan(&self.account, self.row.tool, &self.desired, &self.arguments);
        assert_eq!(again["changes"], json!([]), "{} {what}", self.row.tool);
    }
}
