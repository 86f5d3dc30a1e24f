//! What `apply` of every tool says: at two widths, with and without colors.

use serde_json::{Value, json};
use testbed::{Account, Sandbox};

use super::guarding::organization;
use super::{binary, looks_as_recorded, on_terminal};

/// What one `apply` is shown of, in an account of its own each time: it can be done once only.
struct Scene {
    name: &'static str,
    tool: &'static str,
    desired: Value,
    prepare: fn() -> Vec<Account>,
    flags: &'static str,
}

const WEBHOOK: &str = "https://hooks.slack.com/services/T0/B0/x";
const READER: &str = " --assume-role arn:aws:iam::{account}:role/Audit";

fn alone() -> Vec<Account> {
    vec![Sandbox::start().account()]
}

/// Three outdated agents, one of which cannot be updated.
fn with_nodes() -> Vec<Account> {
    let accounts = alone();
    let id = accounts[0].id();
    let node = |number: u32| {
        let outcome = if number == 2 { "Failed" } else { "Success" };
        json!({"account": id, "region": "us-east-1", "instance_id": format!("i-{number:017x}"),
            "name": format!("web-{number}"), "profile": "web", "agent": {"version": "3.1.1732.0", "run_command": outcome}})
    };
    let web = json!({"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
        "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]});
    let nodes: Vec<Value> = (1..=3).map(node).collect();
    accounts[0].seed(&json!({"roles": [web], "nodes": nodes}));
    accounts
}

fn with_a_trail() -> Vec<Account> {
    let accounts = alone();
    accounts[0].start_trail();
    accounts
}

fn denied() -> Vec<Account> {
    let accounts = alone();
    accounts[0].fault(json!({"operation": "UpdateServiceSetting", "kind": "denied", "times": -1}));
    accounts
}

fn of_organization() -> Vec<Account> {
    let (account, member) = organization();
    vec![account, member]
}

#[test]
fn what_is_done() {
    let guard = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ssm/BreakGlass"],
        "targets": ["ou-term-workloads"]});
    let scene = |name, tool, desired, prepare, flags| Scene {
        name,
        tool,
        desired,
        prepare,
        flags,
    };
    let host_management = json!({"default_host_management": {}});
    for scene in [
        scene("role_apply", "ssm-role", host_management.clone(), alone, ""),
        scene("role_apply_denied", "ssm-role", host_management, denied, ""),
        scene(
            "prefs_apply",
            "ssm-prefs",
            json!({"kms_key": {"alias": "alias/sessions", "create": true}, "idle_timeout_minutes": 15,
                "cloudwatch": {"log_group": "/sessions", "create": true}}),
            alone,
            "",
        ),
        scene(
            "agents_apply",
            "ssm-agentcheck",
            json!({"update": {"waves": ["100%"], "max_errors": "100%"}, "association": {}}),
            with_nodes,
            "",
        ),
        scene(
            "alerts_apply",
            "ssm-events",
            json!({"webhook": {"env": "WEBHOOK"}}),
            with_a_trail,
            "",
        ),
        scene(
            "scp_apply",
            "ssm-scp",
            guard.clone(),
            of_organization,
            READER,
        ),
        scene("scp_apply_refused", "ssm-scp", guard, of_organization, ""),
    ] {
        // Their homes are there as long as they are.
        let mut scenes = Vec::new();
        looks_as_recorded(scene.name, |columns| {
            scenes.push((scene.prepare)());
            let accounts = scenes.last().unwrap();
            let account = &accounts[0];
            let planned = account
                .tool(binary(scene.tool))
                .args(["plan"])
                .env("WEBHOOK", WEBHOOK);
            let planned = planned.stdin(scene.desired.to_string()).run();
            planned.assert_status(0);
            std::fs::write(account.home().join("plan.json"), planned.stdout).unwrap();
            let apply = format!("{} apply -f plan.json{}", scene.tool, scene.flags);
            let ids = accounts.iter().map(|one| one.id().to_owned());
            let run = on_terminal(account, columns, &apply).env("WEBHOOK", WEBHOOK);
            (run, ids.collect())
        });
    }
}
