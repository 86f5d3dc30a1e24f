//! `apply` when it is killed, raced or starved: real binaries against a local AWS that misbehaves.

#[path = "faults/killing.rs"]
mod killing;
#[path = "faults/lacking.rs"]
mod lacking;
#[path = "faults/paging.rs"]
mod paging;
#[path = "faults/processes.rs"]
mod processes;
#[path = "faults/promises.rs"]
mod promises;
#[path = "faults/racing.rs"]
mod racing;
#[path = "faults/reading.rs"]
mod reading;
#[path = "faults/refusals.rs"]
mod refusals;
#[path = "faults/resuming.rs"]
mod resuming;
#[path = "faults/rows.rs"]
mod rows;
#[path = "faults/running.rs"]
mod running;
#[path = "faults/scene.rs"]
mod scene;
#[path = "faults/secrets.rs"]
mod secrets;
#[path = "faults/stopping.rs"]
mod stopping;

use std::path::PathBuf;

use serde_json::json;
use testbed::{Account, Output, Sandbox, repository};

/// One tool with something to do in an account that has nothing yet.
#[derive(Clone, Copy)]
struct Subject {
    tool: &'static str,
    desired: &'static str,
    /// What `apply` makes and undo keeps on purpose: records, and the keys that they may be encrypted under.
    kept: &'static [&'static str],
}

const PREFS: Subject = Subject {
    tool: "ssm-prefs",
    desired: r#"{"kms_key": {"alias": "alias/sessions", "create": true}, "s3": {"bucket": "sessions-{account}-{region}", "create": true},
        "cloudwatch": {"log_group": "/sessions", "create": true}}"#,
    kept: &[
        "create_key",
        "bucket",
        "log_group",
        "retention",
        "public_access_block",
    ],
};
const ROLE: Subject = Subject {
    tool: "ssm-role",
    desired: r#"{"default_host_management": {}}"#,
    kept: &[],
};
const EVENTS: Subject = Subject {
    tool: "ssm-events",
    desired: r#"{"webhook": {"parameter": "/slack"}}"#,
    kept: &[],
};
const SCP: Subject = Subject {
    tool: "ssm-scp",
    desired: r#"{"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["UNIT"]}"#,
    kept: &[],
};
const AGENTS: Subject = Subject {
    tool: "ssm-agentcheck",
    desired: r#"{"association": {}}"#,
    kept: &[],
};
/// Agents are never downgraded, so their updates stay.
const UPDATES: Subject = Subject {
    tool: "ssm-agentcheck",
    desired: r#"{"update": {"waves": [1, "100%"]}}"#,
    kept: &["update"],
};

fn bin(tool: &str) -> PathBuf {
    repository().join("target/debug").join(tool)
}

impl Subject {
    /// Returns a fresh account in which the tool has something to do, and its desired state.
    fn scene(self) -> (Account, String) {
        let account = Sandbox::start().account();
        let suffix = account.id()[8..].to_owned();
        let unit = format!("ou-{suffix}-workloads");
        if self.tool == "ssm-scp" {
            account.seed(&json!({
                "accounts": [{"id": account.id(), "name": "management"}],
                "organization": {"management_account": account.id(), "id": format!("o-org{suffix}"),
                    "root_id": format!("r-{suffix}"), "ous": [{"id": unit, "name": "workloads", "accounts": []}]},
            }));
        }
        if self.desired.contains("update") {
            let node = |number: usize| {
                json!({"account": account.id(), "region": "us-east-1", "instance_id": format!("mi-{number:017x}"),
                    "agent": {"version": "3.1.1.0", "run_command": "Success"}})
            };
            account.seed(&json!({"nodes": (1..=3).map(node).collect::<Vec<_>>()}));
        }
        if self.tool == "ssm-events" {
            let value = r#"{"Value": "https://hooks.slack.com/services/T0/B0/canary-webhook"}"#;
            let name = [
                "--type",
                "SecureString",
                "--name",
                "/slack",
                "--cli-input-json",
                value,
            ];
            account.aws(&[&["ssm", "put-parameter"], &name[..]].concat());
        }
        account.forget_calls();
        let desired = self
            .desired
            .replace("ACCOUNT", account.id())
            .replace("UNIT", &unit);
        (account, desired)
    }

    fn plan(self, account: &Account, desired: &str) -> Output {
        account
            .tool(bin(self.tool))
            .args(["plan"])
            .stdin(desired)
            .run()
    }

    fn apply(self, account: &Account, arguments: &[&str], plan: &str) -> Output {
        self.run_of(account, arguments).stdin(plan).run()
    }

    fn run_of(self, account: &Account, arguments: &[&str]) -> testbed::Run {
        let run = account.tool(bin(self.tool)).args(["apply"]).args(arguments);
        match self.tool {
            // Nobody lives in these organizations, so the guard against locking somebody out has nobody to find.
            "ssm-scp" => run.args(["--accept", "unmatched:arn:aws:iam::*:role/ops"]),
            _ => run,
        }
    }
}
