//! What others on the machine see of a run: the list of its processes, and what help says. No secret.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use testbed::{Sandbox, offline, repository};

use super::bin;

// Not those of other tests, which run at the same time and hand in a secret by mistake.
const WEBHOOK: &str = "https://hooks.slack.com/services/T0SEENHERE/B0SEENHERE/seenhere";
const SECRETS: [&str; 3] = ["seenhere", "SEENHERE", "seenexternalid"];

/// Returns what every process of the machine was started with, as far as it can be read.
fn command_lines() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap();
    let lines = processes.filter_map(|entry| {
        let path = entry.unwrap().path().join("cmdline");
        std::fs::read_to_string(path).ok()
    });
    lines.map(|line| line.replace('\0', " ")).collect()
}

/// Returns whether a child has not ended. One that has, and was not waited for, is a zombie; its command line says nothing, as
/// that is empty for a moment after the start, too.
fn is_running(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let (_, state) = stat.rsplit_once(") ").unwrap();
    !state.starts_with('Z')
}

#[test]
fn no_process_of_a_rollout_is_started_with_a_secret() {
    let (hub, member) = (Sandbox::start().account(), Sandbox::start().account());
    let suffix = &hub.id()[8..];
    hub.seed(&json!({
        "accounts": [{"id": hub.id(), "name": "hub"}, {"id": member.id(), "name": "member"}],
        "organization": {"management_account": hub.id(), "id": format!("o-org{suffix}"), "root_id": format!("r-{suffix}"), "ous": []},
    }));
    std::fs::write(hub.home().join("accounts"), member.id()).unwrap();
    // Each tool has to be there long enough to be seen.
    member.fault(json!({"kind": "latency", "milliseconds": 100, "times": -1}));
    let role = "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole";
    let path = format!(
        "{}:/usr/bin:/bin",
        repository().join("target/debug").display()
    );
    let rollout = hub
        .tool(repository().join("scripts/rollout.sh"))
        .env("PATH", path)
        .env("SLACK_WEBHOOK_URL", WEBHOOK)
        .env("AWS_SECRET_ACCESS_KEY", "seenhere")
        .env("PARTNER", "seenexternalid")
        .args(["--yes", "--run-dir", "run", "--only", "audit-trail"])
        .args([
            "--accounts",
            "accounts",
            "--assume-role",
            role,
            "--external-id",
            "env:PARTNER",
        ])
        .spawn();
    let mut seen = BTreeSet::new();
    while is_running(rollout.id()) {
        for line in command_lines() {
            for secret in SECRETS {
                assert!(!line.contains(secret), "{line}");
            }
            for verb in ["plan", "apply"] {
                if line.contains(&format!("ssm-events {verb}")) && line.contains("env:PARTNER") {
                    seen.insert(format!("ssm-events {verb}"));
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    rollout.wait().assert_status(0);
    assert_eq!(
        Vec::from_iter(&seen),
        ["ssm-events apply", "ssm-events plan"]
    );
    let assumed = member
        .calls()
        .iter()
        .chain(&hub.calls())
        .any(|call| call.to_string().contains("seenexternalid"));
    assert!(assumed, "the secret was there to be seen");
}

#[test]
fn no_help_quotes_the_environment() {
    for tool in [
        "ssm-agentcheck",
        "ssm-role",
        "ssm-prefs",
        "ssm-scp",
        "ssm-events",
    ] {
        let help = offline(bin(tool)).args(["--help"]).run().stdout;
        let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let verbs: Vec<&str> = verbs
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|verb| !verb.is_empty() && *verb != "help")
            .collect();
        assert!(verbs.len() >= 4, "{tool}: {verbs:?}");
        for verb in verbs {
            let mut run = offline(bin(tool)).args([verb, "--help"]);
            for name in [
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "SLACK_WEBHOOK_URL",
                "SSM_EVENTS_WEBHOOK",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                "AWS_ENDPOINT_URL",
            ] {
                run = run.env(name, "http://seenhere");
            }
            let output = run.run();
            output.assert_status(0);
            assert!(
                !output.stdout.contains("seenhere"),
                "{tool} {verb}: {}",
                output.stdout
            );
        }
    }
}
