//! Each command that is said to come next is run as it is printed. What stands in capitals in it is put in before: a desired state,
//! a role, advisories.

use serde_json::json;
use testbed::{Account, repository};

use super::ending::{invocation, shell};
use super::guarding::organization;
use super::{account, on_terminal};

/// Returns the command that comes next.
fn next(account: &Account, command: &str) -> Option<String> {
    let output = on_terminal(account, 200, command).run();
    assert!(output.status < 2, "{command}: {output:?}");
    let next = output.stdout.rsplit_once("next: ");
    next.map(|(_, next)| next.trim_end().to_owned())
}

/// Runs what comes after each command, with the words in capitals put in, and holds it to what is expected. No status above 1. What is
/// put in is explained above the command.
fn each_works(account: &Account, commands: &[(&str, &str)], given: &[(&str, &str)]) {
    for (command, expected) in commands {
        let mut line = next(account, command).unwrap_or_default();
        assert_eq!(line, *expected, "{command}");
        let shown = on_terminal(account, 200, command).run().stdout;
        for (word, value) in given.iter().filter(|(word, _)| expected.contains(word)) {
            assert!(
                shown.contains(&format!(": {word} is a ")),
                "{command}: {word}: {shown}"
            );
            line = line.replace(word, value);
        }
        let run = shell(account, &line).run();
        assert!(run.status < 2, "{command}: {line}: {run:?}");
    }
}

#[test]
fn in_an_organization() {
    let (account, member) = organization();
    let principal = format!("arn:aws:iam::{}:role/Developer", member.id());
    let role = "--assume-role arn:aws:iam::{account}:role/Audit";
    let quoted = "--assume-role 'arn:aws:iam::{account}:role/Audit'";
    let impact =
        "ssm-scp impact --assume-role 'arn:{partition}:iam::{account}:role/NAME' -f guard.json";
    let commands = [
        ("ssm-scp show".to_owned(), "ssm-scp check -f FILE".to_owned()),
        (
            format!("ssm-scp show {role}"),
            format!("ssm-scp check -f FILE {quoted}"),
        ),
        (
            format!("ssm-scp gaps -f guard.json {role}"),
            format!("ssm-scp check -f guard.json {quoted}"),
        ),
        (
            format!("ssm-scp simulate --guard guard.json --principal {principal}"),
            impact.to_owned(),
        ),
        (
            "ssm-scp replay --guard guard.json -f records.jsonl".to_owned(),
            impact.to_owned(),
        ),
        (
            format!("ssm-scp check -f guard.json {role}"),
            format!("ssm-scp plan -f guard.json {quoted}"),
        ),
        (
            format!("ssm-scp impact -f guard.json {role}"),
            format!("ssm-scp plan -f guard.json {quoted}"),
        ),
        (
            "ssm-scp plan -f guard.json".to_owned(),
            "ssm-scp plan -f guard.json >plan.json && ssm-scp apply --assume-role 'arn:{partition}:iam::{account}:role/NAME' <plan.json"
                .to_owned(),
        ),
    ];
    let commands: Vec<(&str, &str)> = commands
        .iter()
        .map(|(command, next)| (command.as_str(), next.as_str()))
        .collect();
    let given = [("FILE", "guard.json"), ("NAME", "Audit")];
    each_works(&account, &commands, &given);
    // It is there now, so that nothing comes next.
    assert_eq!(next(&account, "ssm-scp plan -f guard.json"), None);
}

/// A plan would be refused where accounts could not be read.
#[test]
fn after_an_impact_with_unread_accounts_they_are_to_be_read() {
    let (account, _) = organization();
    let last = |line: &str| {
        let output = on_terminal(&account, 200, line).run();
        output.assert_status(2);
        let mut lines = output.stdout.lines().rev().map(str::to_owned);
        (
            lines.next().unwrap(),
            lines.next().unwrap(),
            lines.next().unwrap(),
        )
    };
    let (next, explained, counts) = last("ssm-scp impact -f guard.json");
    let role = "--assume-role 'arn:{partition}:iam::{account}:role/NAME'";
    assert_eq!(
        next,
        format!("ssm-scp: next: ssm-scp impact {role} -f guard.json")
    );
    assert_eq!(
        explained,
        "ssm-scp: NAME is a role that may read IAM, in each account"
    );
    assert!(
        counts.ends_with("1 account or region could not be read"),
        "{counts}"
    );
    let (end, ..) =
        last("ssm-scp impact -f guard.json --assume-role arn:aws:iam::{account}:role/NAME");
    assert!(end.ends_with("could not be read"), "{end}");
}

/// What a shell pipes in as a file is gone when it is to be read again.
#[test]
fn a_pipe_is_not_repeated_by_its_number() {
    let (account, member) = organization();
    let principal = format!("arn:aws:iam::{}:role/Developer", member.id());
    let python = repository().join(".venv/bin/python");
    let terminal = repository().join("tests/testbed/terminal.py");
    shell(&account, "ssm-scp show >organization.jsonl")
        .run()
        .assert_status(0);
    let line = format!(
        "'{}' '{}' 200 bash -c 'ssm-scp simulate --guard guard.json --principal {principal} --organization <(cat organization.jsonl)'",
        python.display(),
        terminal.display()
    );
    let output = shell(&account, &line).run();
    output.assert_status(0);
    assert!(
        output.stdout.contains("next: ssm-scp impact "),
        "{output:?}"
    );
    assert!(!output.stdout.contains("/dev/fd"), "{output:?}");
}

/// The webhook that a plan reads is named before the plan is.
#[test]
fn a_plan_that_needs_the_webhook_says_so_before() {
    let account = account();
    let before = "ssm-events: before a plan: environment variable SLACK_WEBHOOK_URL is not set: export it first\n";
    let check = || on_terminal(&account, 200, "ssm-events check -f events.json");
    let output = check().run();
    let end = format!("{before}ssm-events: next: ssm-events plan -f events.json\n");
    assert!(output.stdout.ends_with(&end), "{output:?}");
    let url = (
        "SLACK_WEBHOOK_URL",
        "https://hooks.slack.com/services/T/B/x",
    );
    let output = check().env(url.0, url.1).run();
    assert!(!output.stdout.contains("before a plan"), "{output:?}");
    let (_, next) = output.stdout.rsplit_once("next: ").unwrap();
    let planned = shell(&account, next.trim_end()).env(url.0, url.1).run();
    planned.assert_status(0);
}

/// Nothing was read, so that there is nothing to report.
#[test]
fn after_a_bucket_that_does_not_exist_comes_nothing() {
    let account = account();
    let output = on_terminal(&account, 200, "ssm-events history --s3 s3://nosuch-bucket").run();
    output.assert_status(2);
    assert!(
        output
            .stdout
            .contains("fix: correct the name of the bucket"),
        "{output:?}"
    );
    assert!(!output.stdout.contains("next: "), "{output:?}");
}

/// Nobody can report about sessions that were not read.
#[test]
fn after_sessions_that_could_not_be_read_comes_nothing() {
    let account = account();
    account.fault(
        json!({"service": "ssm", "operation": "DescribeSessions", "kind": "denied", "times": -1}),
    );
    let output = on_terminal(&account, 200, "ssm-events sessions").run();
    output.assert_status(2);
    assert!(output.stdout.contains("DescribeSessions"), "{output:?}");
    for words in ["next: ", "FILE"] {
        assert!(!output.stdout.contains(words), "{output:?}");
    }
}

/// What was not delivered is a table, as `history` has it.
#[test]
fn records_that_were_not_delivered_are_a_table() {
    let account = account();
    let records = testbed::fixture("terminal/records.jsonl");
    std::fs::copy(records, account.home().join("records.jsonl")).unwrap();
    std::fs::write(account.home().join("delivered.jsonl"), "").unwrap();
    let line = "ssm-events reconcile --delivered delivered.jsonl -f records.jsonl";
    let output = on_terminal(&account, 200, line).run();
    output.assert_status(0);
    assert!(
        !output.stdout.contains("\"eventID\"") && !output.stdout.contains("eventID"),
        "{output:?}"
    );
    assert!(output.stdout.contains(" records\n"), "{output:?}");
    let next = next(&account, line).unwrap();
    assert_eq!(next, format!("{line} | ssm-events report"));
    shell(&account, &next).run().assert_status(0);
}

/// The roles that were typed are those of the way back, too.
#[test]
fn a_plan_made_through_roles_is_applied_through_them() {
    let (account, _) = organization();
    let role = "'arn:aws:iam::{account}:role/Audit'";
    let plan = format!("ssm-scp plan -f guard.json --assume-role {role}");
    let line = next(&account, &plan.replace('\'', "")).unwrap();
    let expected = format!("{plan} >plan.json && ssm-scp apply --assume-role {role} <plan.json");
    assert_eq!(line, expected);
    shell(&account, &line).run().assert_status(0);
}

#[test]
fn in_an_account() {
    let account = account();
    let home = account.home();
    let state = repository().join("scripts/rollout.d/role.json");
    std::fs::copy(state, home.join("role.json")).unwrap();
    let node = "i-02a00000000000001";
    let show_one = format!("ssm-agentcheck show --instance-id {node}");
    let check_one = format!("ssm-agentcheck check --instance-id {node}");
    each_works(
        &account,
        &[
            ("ssm-agentcheck show", "ssm-agentcheck check"),
            (&show_one, &check_one),
            (
                "ssm-agentcheck check -f agent.json",
                "ssm-agentcheck plan -f agent.json",
            ),
        ],
        &[],
    );
    each_works(
        &account,
        &[
            ("ssm-prefs show", "ssm-prefs check -f FILE"),
            (
                "ssm-role show --operators",
                "ssm-role show --operators >operators.jsonl; ssm-prefs check --operators operators.jsonl -f FILE",
            ),
        ],
        &[("FILE", "prefs.json")],
    );
    std::fs::write(home.join("nodes.jsonl"), node_record(&account, node)).unwrap();
    each_works(
        &account,
        &[
            ("ssm-role show", "ssm-role check -f FILE"),
            (
                "ssm-role show --nodes nodes.jsonl",
                "ssm-role check -f FILE --nodes nodes.jsonl",
            ),
        ],
        &[("FILE", "role.json")],
    );
}

/// Returns a node as `ssm-agentcheck show` prints it.
fn node_record(account: &Account, id: &str) -> String {
    let show = account.tool(super::binary("ssm-agentcheck").as_os_str());
    let shown = show.args(["show", "--instance-id", id]).run();
    shown.assert_status(0);
    shown.stdout
}

/// An example is printed for whoever has no desired state yet, by the tool that reads it.
#[test]
fn who_has_no_desired_state_is_shown_one() {
    let account = account();
    for (command, tool) in [
        ("ssm-prefs show", "ssm-prefs"),
        ("ssm-role show", "ssm-role"),
        ("ssm-role show --operators", "ssm-prefs"),
    ] {
        let output = on_terminal(&account, 200, command).run();
        let said = format!(
            "FILE is a desired state, of which `{tool} --generate example` prints an example\n"
        );
        assert!(output.stdout.contains(&said), "{command}: {output:?}");
        let example = shell(&account, &format!("{tool} --generate example")).run();
        example.assert_status(0);
    }
    let output = on_terminal(&account, 200, "ssm-agentcheck check -f agent.json").run();
    assert!(!output.stdout.contains("--generate example"), "{output:?}");
}

/// The table of matches names some of the nodes only.
#[test]
fn behind_matches() {
    let account = account();
    let home = account.home();
    std::fs::write(home.join("invocations.jsonl"), invocation(&account)).unwrap();
    let advisory = json!({"id": "DSA-1-1", "modified": "2026-11-01T00:00:00Z", "affected": [{"package": {"ecosystem": "Debian:12", "name": "bash"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.2.15-3"}]}]}]});
    std::fs::write(home.join("DSA-1-1.json"), advisory.to_string()).unwrap();
    let line = "ssm-vulns match -f invocations.jsonl --advisories DSA-1-1.json --max-age 0";
    let report = format!("{line} --report csv=vulns.csv");
    each_works(&account, &[(line, &report)], &[]);
    let report = std::fs::read_to_string(home.join("vulns.csv")).unwrap();
    assert!(report.contains("i-02a00000000000001"), "{report}");
    let again = format!("{line} --report csv=vulns.csv");
    assert_eq!(next(&account, &again), None);
}
