//! What lasts longer than two seconds says on the terminal what it is doing.

use serde_json::json;
use testbed::{Account, Output, Run, repository};

use super::ending::{invocation, shell};
use super::guarding::organization;

/// What holds an input back until something must have been said.
const LATE: &str = "sleep 3.5";

/// Runs a line of a shell on a terminal, both streams.
fn on_bar(account: &Account, line: &str) -> Run {
    let python = repository().join(".venv/bin/python");
    let terminal = repository().join("tests/testbed/terminal.py");
    let (python, terminal) = (python.display(), terminal.display());
    shell(
        account,
        &format!("'{python}' '{terminal}' --bar 120 sh -c '{line}'"),
    )
    .env("TERM", "xterm-256color")
}

#[track_caller]
fn says(output: &Output, what: &str) {
    assert!(output.status < 2, "{output:?}");
    assert!(output.stdout.contains(what), "{output:?}");
}

/// A file that comes slowly takes as long as one that is large.
#[test]
fn large_inputs_are_not_read_in_silence() {
    let (account, _) = organization();
    let home = account.home();
    let records = testbed::fixture("terminal/records.jsonl");
    std::fs::copy(records, home.join("records.jsonl")).unwrap();
    std::fs::write(home.join("nodes.jsonl"), invocation(&account)).unwrap();
    std::fs::write(home.join("delivered"), "").unwrap();
    std::fs::write(home.join("pattern"), r#"{"source": ["aws.ssm"]}"#).unwrap();
    std::fs::write(home.join("ended"), r#"{"Sessions": []}"#).unwrap();
    for (number, (command, input, what)) in [
        ("ssm-events report", "records.jsonl", "reading the records"),
        (
            "ssm-events format --to csv",
            "records.jsonl",
            "reading the records",
        ),
        (
            "ssm-events match pattern",
            "records.jsonl",
            "reading the records",
        ),
        (
            "ssm-events reconcile --delivered delivered",
            "records.jsonl",
            "reading the records",
        ),
        ("ssm-vulns sbom", "nodes.jsonl", "reading the inventories"),
        (
            "ssm-vulns match --advisories none",
            "nodes.jsonl",
            "reading the inventories",
        ),
        (
            "ssm-vulns patches",
            "nodes.jsonl",
            "reading the patch states",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let pipe = format!("pipe-{number}");
        let line = format!(
            "mkfifo {pipe} && {{ {{ {LATE}; cat {input}; }} >{pipe} & {command} -f {pipe}; }}"
        );
        let output = on_bar(&account, &line).run();
        assert!(output.stdout.contains(what), "{command}: {output:?}");
    }
}

/// What AWS is slow to answer.
#[test]
fn slow_answers_are_not_awaited_in_silence() {
    let (account, _) = organization();
    let role = "--assume-role arn:aws:iam::{account}:role/Audit";
    for (service, operation, command, what) in [
        (
            "organizations",
            "ListRoots",
            format!("ssm-scp impact -f guard.json {role}"),
            "reading the organization",
        ),
        (
            "organizations",
            "ListAccounts",
            format!("ssm-agentcheck show --accounts org {role}"),
            "listing the accounts",
        ),
    ] {
        account.fault(json!({"service": service, "operation": operation, "kind": "latency", "milliseconds": 3500, "times": 1}));
        says(&on_bar(&account, &command).run(), what);
    }
}

/// Most people have one region, and read what is at the end.
#[test]
fn what_lasts_ends_with_how_much_it_was() {
    let account = crate::account();
    for (service, command, total) in [
        (
            "cloudtrail",
            "ssm-events history --since 1h",
            "1 region, 0 records in ",
        ),
        ("ssm", "ssm-prefs show", "1 region in "),
        ("ssm", "ssm-agentcheck show", "1 region in "),
        ("iam", "ssm-role show", "1 region in "),
    ] {
        let late = json!({"service": service, "kind": "latency", "milliseconds": 3000, "times": 1});
        account.fault(late.clone());
        let output = on_bar(&account, command).run();
        says(&output, "reading ");
        let (tool, _) = command.split_once(' ').unwrap();
        says(&output, &format!("{tool}: {total}"));
        assert!(!output.stdout.contains("0 regions"), "{output:?}");
    }
    let late =
        json!({"service": "cloudtrail", "kind": "latency", "milliseconds": 3000, "times": 1});
    account.fault(late);
    let quiet = on_bar(&account, "ssm-events history --since 1h -q").run();
    assert_eq!(quiet.stdout, "");
}

/// The metadata service of a machine that has none does not answer at all.
#[test]
fn a_machine_is_not_looked_at_in_silence() {
    let (account, _) = organization();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let command = format!("ssm-agentcheck host -f agent.json --root . --metadata-endpoint {url}");
    let began = std::time::Instant::now();
    let output = on_bar(&account, &command).run();
    assert!(
        output.stdout.contains("looking at this machine"),
        "{output:?}"
    );
    // Each question takes 4 seconds, twice 2; they are asked side by side.
    let lasted = began.elapsed().as_secs();
    assert!(lasted < 12, "{lasted} s");
}
