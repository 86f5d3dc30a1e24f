//! What is secret appears nowhere: not in output, help, records, run directories or the list of processes.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use testbed::{Account, Run, Sandbox, offline, repository};

use super::bin;

const WEBHOOK: &str = "https://hooks.slack.com/services/T0CANARY/B0CANARY/canarywebhook";
const SECRET_KEY: &str = "canarysecretaccesskey";
const EXTERNAL_ID: &str = "canaryexternalid";
const ROLE: &str = "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole";

const TOOLS: [(&str, &str); 5] = [
    ("ssm-agentcheck", r#"{"association": {}}"#),
    ("ssm-role", r#"{"default_host_management": {}}"#),
    ("ssm-prefs", "{}"),
    ("ssm-events", r#"{"webhook": {"env": "WEBHOOK"}}"#),
    (
        "ssm-scp",
        r#"{"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["r-none"]}"#,
    ),
];

fn refuse_canaries(what: &str, text: &str) {
    for canary in ["canary", "CANARY"] {
        assert!(!text.contains(canary), "{what}: {text}");
    }
}

fn with_canaries(run: Run) -> Run {
    run.env("WEBHOOK", WEBHOOK)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("EXTERNAL", EXTERNAL_ID)
        .env("RUST_BACKTRACE", "full")
}

fn roled(account: &Account, tool: &str) -> Run {
    let run = account.tool(bin(tool));
    with_canaries(run.args(["--assume-role", ROLE, "--external-id", "env:EXTERNAL"]))
}

/// Runs one verb with and without a fault, and returns what it printed when all is well.
fn quiet(account: &Account, tool: &str, arguments: &[&str], stdin: &str) -> String {
    let accounts = match (tool, arguments[0]) {
        ("ssm-scp", _) | (_, "apply") => &[][..],
        _ => &["--accounts", "ids"],
    };
    let run = || {
        roled(account, tool)
            .args(arguments)
            .args(accounts)
            .stdin(stdin)
    };
    let mut printed = String::new();
    for kind in ["expired", "denied", ""] {
        if !kind.is_empty() {
            account.fault(json!({"kind": kind, "times": -1, "after": 1}));
        }
        let output = run().run();
        account.clear_faults();
        refuse_canaries(&format!("{tool} {arguments:?} {kind}"), &output.stdout);
        refuse_canaries(&format!("{tool} {arguments:?} {kind}"), &output.stderr);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        let is_well = output.status < 2 || tool == "ssm-scp";
        assert!(
            is_well || !kind.is_empty(),
            "{tool} {arguments:?}: {}",
            output.stderr
        );
        printed = output.stdout;
    }
    printed
}

#[test]
fn no_verb_prints_a_secret_whatever_goes_wrong() {
    let account = Sandbox::start().account();
    std::fs::write(account.home().join("ids"), account.id()).unwrap();
    for (tool, desired) in TOOLS {
        for verb in ["show", "check", "plan"] {
            let plan = quiet(&account, tool, &[verb], desired);
            if verb == "plan" && !plan.is_empty() {
                quiet(&account, tool, &["apply"], &plan);
            }
        }
        for help in ["--help", "--generate=schema", "--generate=man"] {
            let output = with_canaries(offline(bin(tool)).args([help])).run();
            output.assert_status(0);
            refuse_canaries(help, &output.stdout);
        }
    }
}

/// Returns an account with two nodes, and their records.
fn with_nodes() -> (Account, String) {
    let account = Sandbox::start().account();
    let target = json!({"account": account.id(), "region": "us-east-1"});
    let ids = ["mi-00000000000000001", "mi-00000000000000002"];
    let nodes = ids.map(|id| {
        json!({"account": account.id(), "region": "us-east-1", "instance_id": id, "agent": {"version": "3.3.0.0"}})
    });
    account.seed(&json!({"nodes": nodes}));
    let records = ids.map(|id| json!({"target": target, "instance_id": id}).to_string());
    (account, records.join("\n"))
}

#[test]
fn no_run_prints_a_secret_whatever_goes_wrong() {
    for (kind, operation) in [
        ("expired", "SendCommand"),
        ("denied", "SendCommand"),
        ("denied", "ListCommandInvocations"),
        ("denied", "AssumeRole"),
        ("latency", ""),
    ] {
        // The caller is of another account than the nodes, so that the role is needed.
        let (hub, (account, nodes)) = (Sandbox::start().account(), with_nodes());
        for account in [&hub, &account] {
            account.fault(json!({"kind": kind, "operation": operation, "times": -1}));
        }
        let run = roled(&hub, "ssm-run").args(["--", "uptime"]);
        let output = run.stdin(nodes).run();
        assert!(hub.operations().contains(&"sts:AssumeRole".to_owned()));
        output.assert_status(if kind == "latency" { 0 } else { 2 });
        assert!(!output.stdout.is_empty(), "{kind} {operation}");
        for printed in [&output.stdout, &output.stderr] {
            refuse_canaries(&format!("{kind} {operation}"), printed);
            assert!(!printed.contains("panicked"), "{printed}");
        }
        // What is kept for 30 days in the history of commands, too.
        let sent = account.writes();
        let sent = sent.iter().filter(|call| call["service"] == "ssm");
        sent.for_each(|call| refuse_canaries("SendCommand", &call.to_string()));
    }
    for help in ["--help", "--generate=schema", "--generate=man"] {
        let output = with_canaries(offline(bin("ssm-run")).args([help])).run();
        output.assert_status(0);
        refuse_canaries(help, &output.stdout);
    }
}

#[test]
fn a_secret_in_a_command_is_warned_of_and_not_quoted() {
    let (account, nodes) = with_nodes();
    let command = "mysql --password=canarypassword";
    let run = account.tool(bin("ssm-run")).args(["--", command]);
    let output = run.stdin(nodes).run();
    output.assert_status(0).assert_complains("30 days");
    refuse_canaries("stdout", &output.stdout);
    refuse_canaries("stderr", &output.stderr);
}

#[test]
fn a_secret_given_in_place_of_its_name_is_not_quoted() {
    for (tool, arguments) in [
        (
            "ssm-run",
            [
                "--assume-role",
                ROLE,
                "--external-id",
                EXTERNAL_ID,
                "--patch-scan",
            ],
        ),
        (
            "ssm-prefs",
            ["show", "--assume-role", ROLE, "--external-id", EXTERNAL_ID],
        ),
        ("ssm-events", ["send", "--spool", "x", "--webhook", WEBHOOK]),
    ] {
        let output = offline(bin(tool)).args(arguments).run();
        output.assert_status(2);
        refuse_canaries(tool, &output.stderr);
    }
}

#[test]
fn the_list_of_processes_shows_no_secret() {
    let account = Sandbox::start().account();
    std::fs::write(account.home().join("ids"), account.id()).unwrap();
    account.fault(json!({"kind": "latency", "milliseconds": 1500, "times": 1}));
    let run = roled(&account, "ssm-prefs")
        .args(["show", "--accounts", "ids"])
        .spawn();
    let path = format!("/proc/{}/cmdline", run.id());
    // For a moment after its start it still is what it was started from.
    let shown = (0..100).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::fs::read_to_string(&path).unwrap()
    });
    let shown = shown
        .into_iter()
        .find(|shown| shown.contains("--external-id"));
    let shown = shown.expect("the arguments are shown");
    refuse_canaries("cmdline", &shown);
    run.wait().assert_status(0);
}

fn rollout(account: &Account, arguments: &[&str], wrapper: &str) -> testbed::Output {
    let script = repository().join("scripts/rollout.sh");
    let path = format!(
        "{}:/usr/local/bin:/usr/bin:/bin",
        repository().join("target/debug").display()
    );
    with_canaries(account.tool("bash"))
        .env("PATH", path)
        .env("SLACK_WEBHOOK_URL", WEBHOOK)
        .args(["-c", wrapper, "bash"])
        .args([script.to_str().unwrap()])
        .args(["--yes", "--only", "preferences,roles,audit-trail"])
        .args(arguments)
        .run()
}

fn refuse_in_files(directory: &Path) -> usize {
    let listed = Command::new("find")
        .args([directory.to_str().unwrap(), "-type", "f"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for path in listed.lines() {
        refuse_canaries(
            path,
            &String::from_utf8_lossy(&std::fs::read(path).unwrap()),
        );
    }
    listed.lines().count()
}

#[test]
fn a_run_directory_holds_no_secret() {
    let account = Sandbox::start().account();
    let output = rollout(&account, &["--run-dir", "the run"], "exec \"$@\"");
    output.assert_status(0);
    refuse_canaries("rollout", &output.stderr);
    assert!(refuse_in_files(&account.home().join("the run")) > 6);
}

#[test]
fn a_full_disk_or_no_place_to_write_stops_before_the_first_write_to_aws() {
    for (run_dir, wrapper) in [
        ("/proc/run", "exec \"$@\""),
        ("/dev/null/run", "exec \"$@\""),
        // As on a full disk, no file can grow beyond its first block.
        ("run", "ulimit -f 1; exec \"$@\""),
        ("run", "trap '' XFSZ; ulimit -f 1; exec \"$@\""),
    ] {
        let account = Sandbox::start().account();
        let output = rollout(&account, &["--run-dir", run_dir], wrapper);
        assert_ne!(output.status, 0, "{run_dir} {wrapper}");
        assert!(!output.stderr.is_empty());
        assert!(
            account.writes().is_empty(),
            "{run_dir} {wrapper}: {}",
            output.stderr
        );
    }
}
