//! Runs that take long: how far they are, that their credentials last, and that memory does not grow with the fleet.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Account, Run, repository};

use super::{Organization, ROLE, bin};

/// Runs what follows with a terminal for stdin, stdout and stderr, and hands on what it shows.
const TERMINAL: &str =
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

fn keep_list(organization: &Organization, n_members: usize) {
    let members = organization.members.iter().take(n_members);
    let list: Vec<&str> = members.map(Account::id).collect();
    std::fs::write(organization.management.home().join("ids"), list.join("\n")).unwrap();
}

/// Shows the preferences of all members; `redirect` is what a shell does with the output.
fn on_terminal(organization: &Organization, flags: &str, redirect: &str) -> testbed::Output {
    for member in &organization.members {
        member.fault(json!({"service": "ssm", "kind": "latency", "milliseconds": 300}));
    }
    let script = format!("\"$0\" show --accounts ids --assume-role '{ROLE}' {flags} {redirect}");
    let run = organization
        .management
        .tool(repository().join(".venv/bin/python"));
    run.env("TERM", "xterm")
        .args(["-c", TERMINAL, "sh", "-c", &script])
        .args([bin("ssm-prefs")])
        .run()
}

#[test]
fn a_terminal_shows_how_far_a_run_is_and_a_pipe_does_not() {
    let organization = Organization::of(3);
    keep_list(&organization, 3);
    // What is over within two seconds has no bar.
    for member in &organization.members {
        member.fault(json!({"kind": "latency", "milliseconds": 1500, "times": -1}));
    }
    let is_bar = |text: &str| (0..=3).any(|done| text.contains(&format!("{done}/3 ")));
    let shown = on_terminal(&organization, "", ">records");
    shown.assert_status(0);
    assert!(is_bar(&shown.stdout), "{:?}", shown.stdout);
    let records = organization.management.home().join("records");
    let records = std::fs::read_to_string(records).unwrap();
    assert_eq!(records.lines().count(), 3);
    assert!(!is_bar(&records), "{records}");
    // The bar is taken away at the end, and what is left says how much it was.
    let (_, left) = shown.stdout.rsplit_once("\u{1b}[2K").unwrap();
    assert!(
        left.starts_with("ssm-prefs: 3 accounts and regions in "),
        "{left:?}"
    );

    let quiet = on_terminal(&organization, "-q", ">records");
    assert_eq!(quiet.stdout, "");
    // Records go past the bar when both are on one terminal.
    let both = on_terminal(&organization, "", "");
    both.assert_status(0);
    let total = "3 accounts and regions in ";
    assert!(both.stdout.contains(total), "{:?}", both.stdout);
    // What is counted is what was read, not each region once.
    let summary = "ssm-prefs: 3 accounts and regions\r\n";
    assert!(both.stdout.contains(summary), "{:?}", both.stdout);
    let piped = on_terminal(&organization, "", ">records 2>notes");
    assert_eq!(piped.stdout, "");
    let notes = organization.management.home().join("notes");
    assert_eq!(std::fs::read_to_string(notes).unwrap(), "");
}

/// How many regions an account has enabled is only known on the way.
#[test]
fn every_region_that_is_visited_is_in_the_total() {
    let organization = Organization::of(2);
    keep_list(&organization, 2);
    for member in &organization.members {
        member
            .fault(json!({"service": "ec2", "kind": "latency", "milliseconds": 3000, "times": 1}));
    }
    let shown = on_terminal(&organization, "--region all", ">records");
    shown.assert_status(0);
    let records = organization.management.home().join("records");
    let n_records = std::fs::read_to_string(records).unwrap().lines().count();
    assert!(n_records > 20, "{n_records}");
    let total = format!("ssm-prefs: {n_records} accounts and regions in ");
    assert!(shown.stdout.contains(&total), "{:?}", shown.stdout);
    let mut bars = shown
        .stdout
        .split(" accounts and regions ")
        .filter_map(|bar| {
            let (done, all) = bar.rsplit(' ').next()?.split_once('/')?;
            Some((done.parse::<usize>().ok()?, all.parse::<usize>().ok()?))
        });
    assert!(bars.all(|(done, all)| done <= all), "{:?}", shown.stdout);
}

#[test]
fn credentials_of_roles_are_renewed_while_a_run_lasts() {
    let organization = Organization::of(1);
    let member = &organization.members[0];
    let run = |role: &str| -> Run {
        organization
            .run("ssm-prefs", &["show", "--accounts", "ids", "--assume-role"])
            .args([format!("arn:{{partition}}:iam::{{account}}:role/{role}")])
    };
    let n_assumed = |run: Run| {
        organization.forget_calls();
        run.run().assert_status(0);
        let operations = organization.accounts().flat_map(Account::operations);
        operations.filter(|one| one == "sts:AssumeRole").count()
    };
    keep_list(&organization, 1);
    member.seed(&json!({"roles": [
        {"account": member.id(), "name": "Brief", "trust": organization.management.id(), "session_seconds": 1},
        {"account": member.id(), "name": "Long", "trust": organization.management.id()},
    ]}));
    for (role, expected) in [("Long", 1..=1), ("Brief", 2..=9)] {
        // The first session is over when the second call comes.
        member.fault(json!({"service": "ssm", "kind": "latency", "milliseconds": 1500}));
        let n_assumed = n_assumed(run(role));
        assert!(expected.contains(&n_assumed), "{role}: {n_assumed}");
    }
}

/// A node whose tags take 10 KB.
fn heavy(account: &Account, number: usize) -> Value {
    let tags: BTreeMap<String, String> = (0..40)
        .map(|n| (format!("tag-{n}"), format!("{number:0>250}")))
        .collect();
    json!({"account": account.id(), "region": "us-east-1", "instance_id": format!("i-{number:017x}"), "tags": tags,
        "agent": {"version": "3.3.987.0"}})
}

/// Returns the most memory that a run over some members had at once, in KiB.
fn peak(organization: &Organization, n_members: usize, n_nodes: usize) -> usize {
    keep_list(organization, n_members);
    let running = organization
        .run("ssm-agentcheck", &["show", "--accounts", "ids"])
        .args(["--assume-role", ROLE, "--max-concurrency", "2"])
        .spawn();
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    // The kernel keeps the peak; it is gone with the process.
    while let Some(kib) = std::fs::read_to_string(&status).ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }) {
        peak = kib;
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = running.wait();
    output.assert_status(0);
    assert_eq!(output.records().len(), n_members * n_nodes);
    peak
}

#[test]
fn memory_does_not_grow_with_the_number_of_accounts() {
    let (n_few, n_many, n_nodes) = (4, 24, 50);
    let organization = Organization::of(n_many);
    for member in &organization.members {
        let nodes: Vec<Value> = (0..n_nodes).map(|number| heavy(member, number)).collect();
        member.seed(&json!({ "nodes": nodes }));
    }
    let few = peak(&organization, n_few, n_nodes);
    let many = peak(&organization, n_many, n_nodes);
    // Held, the nodes of the twenty accounts more would take ten megabytes.
    assert!(many < few + 4_000, "{few} KiB, then {many} KiB");
}
