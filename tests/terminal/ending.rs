//! The last lines: how much there was, what comes next, and the way back.

use serde_json::json;
use testbed::{Account, Output, Run, repository};

use super::{account, binary, on_terminal};

#[test]
fn the_end_says_how_much_there_was_and_what_comes_next() {
    let account = account();
    for (command, end) in [
        (
            "ssm-agentcheck show",
            "ssm-agentcheck: 3 nodes\nssm-agentcheck: more columns: -o csv\nssm-agentcheck: next: ssm-agentcheck check\n",
        ),
        (
            "ssm-prefs show",
            "ssm-prefs: 1 region\nssm-prefs: FILE is a desired state, of which `ssm-prefs --generate example` prints an example\n\
             ssm-prefs: next: ssm-prefs check -f FILE\n",
        ),
        (
            "ssm-agentcheck check -f agent.json",
            "ssm-agentcheck: 3 nodes: 1 pass, 2 fail (1 agent outdated, 1 connection lost), 0 unknown\n\
             ssm-agentcheck: next: ssm-agentcheck plan -f agent.json\n",
        ),
        (
            "ssm-prefs plan -f prefs.json",
            " to create, 0 to change, 0 to delete\nssm-prefs: nothing is written yet; next: ssm-prefs plan -f prefs.json >plan.json && \
             ssm-prefs apply <plan.json\n",
        ),
    ] {
        let output = on_terminal(&account, 80, command).run();
        assert!(output.stdout.ends_with(end), "{command}: {}", output.stdout);
        let quiet = on_terminal(&account, 80, &format!("{command} -q")).run();
        assert!(!quiet.stdout.contains("next: "), "{command} -q");
    }
}

/// The same places, and only what there is still to do.
#[test]
fn the_next_command_does_what_is_left_in_the_same_places() {
    let account = account();
    let next = |command: &str| {
        let output = on_terminal(&account, 200, command).run();
        assert!(output.status < 2, "{command}: {}", output.stdout);
        let next = output.stdout.rsplit_once("next: ");
        next.map(|(_, next)| next.trim_end().to_owned())
    };
    let state = r#"{"default_host_management": {}}"#;
    std::fs::write(account.home().join("role.json"), state).unwrap();
    let there = "--region eu-west-1 --max-concurrency 2";
    for (command, expected) in [
        (
            "show",
            "ssm-role check -f FILE --region eu-west-1 --max-concurrency 2",
        ),
        (
            "check -f role.json",
            "ssm-role plan -f role.json --region eu-west-1 --max-concurrency 2",
        ),
        (
            "plan -f role.json",
            "ssm-role plan -f role.json --region eu-west-1 --max-concurrency 2 >plan.json && ssm-role apply --region eu-west-1 \
             --max-concurrency 2 <plan.json",
        ),
    ] {
        let command = format!("ssm-role {command} {there}");
        assert_eq!(next(&command).as_deref(), Some(expected), "{command}");
    }
    let plan = ["plan", "-f", "role.json", "--region", "eu-west-1"];
    let plan = account
        .tool(binary("ssm-role").as_os_str())
        .args(plan)
        .run();
    std::fs::write(account.home().join("plan.json"), &plan.stdout).unwrap();
    let apply = account.tool(binary("ssm-role").as_os_str());
    apply
        .args(["apply", "-f", "plan.json"])
        .run()
        .assert_status(0);
    // What is left no plan of this tool mends.
    assert_eq!(next(&format!("ssm-role check -f role.json {there}")), None);
    assert_eq!(next(&format!("ssm-role plan -f role.json {there}")), None);
    let records = testbed::fixture("terminal/records.jsonl");
    std::fs::copy(records, account.home().join("records.jsonl")).unwrap();
    assert_eq!(
        next("ssm-events history records.jsonl").unwrap(),
        "ssm-events history records.jsonl | ssm-events report"
    );
}

/// What was judged, what is to be read beside it, and where more is said.
#[test]
fn the_next_command_reads_what_it_is_about() {
    let account = account();
    let scp = repository().join("scripts/rollout.d/scp.json");
    std::fs::copy(scp, account.home().join("scp.json")).unwrap();
    let records = testbed::fixture("terminal/records.jsonl");
    std::fs::copy(records, account.home().join("records.jsonl")).unwrap();
    std::fs::write(account.home().join("nodes.txt"), "i-02a00000000000015").unwrap();
    std::fs::create_dir(account.home().join("states")).unwrap();
    std::fs::write(
        account.home().join("states/one.json"),
        r#"{"min_version": "3.2.582.0"}"#,
    )
    .unwrap();
    let layer = r#"{"for": {"region": "us-east-1"}, "reason": "r", "desired": {}}"#;
    std::fs::write(account.home().join("states/two.json"), layer).unwrap();
    std::fs::write(account.home().join("bad.json"), r#"{"idle": 1}"#).unwrap();
    let invocations = account.home().join("invocations.jsonl");
    std::fs::write(invocations, invocation(&account)).unwrap();
    for (command, expected) in [
        (
            "ssm-scp simulate --guard scp.json --principal arn:aws:iam::111122223333:role/x",
            Some(
                "ssm-scp impact --assume-role 'arn:{partition}:iam::{account}:role/NAME' -f scp.json",
            ),
        ),
        (
            "ssm-scp replay --guard scp.json -f records.jsonl",
            Some(
                "ssm-scp impact --assume-role 'arn:{partition}:iam::{account}:role/NAME' -f scp.json",
            ),
        ),
        (
            "ssm-events report -f records.jsonl",
            Some("ssm-events report -f records.jsonl --html >report.html"),
        ),
        ("ssm-events report -f records.jsonl --html", None),
        (
            "ssm-events sessions -f records.jsonl",
            Some(
                "ssm-events sessions -f records.jsonl >sessions.jsonl; ssm-events report --sessions sessions.jsonl -f records.jsonl",
            ),
        ),
        (
            "ssm-run -f nodes.txt --region us-east-1 -- uname",
            Some("ssm-agentcheck check --region us-east-1"),
        ),
        (
            "ssm-vulns sbom -f invocations.jsonl",
            Some("ssm-vulns match --advisories PATH -f invocations.jsonl"),
        ),
        (
            "ssm-prefs lint prefs.json",
            Some("ssm-prefs plan -f prefs.json"),
        ),
        (
            "ssm-prefs lint -f prefs.json",
            Some("ssm-prefs plan -f prefs.json"),
        ),
        ("ssm-scp lint scp.json", Some("ssm-scp plan -f scp.json")),
        (
            "ssm-agentcheck lint states",
            Some("ssm-agentcheck plan -f states"),
        ),
        // One part of a desired state, one with mistakes, and what only together are one.
        ("ssm-agentcheck lint states/two.json", None),
        ("ssm-prefs lint bad.json", None),
        ("ssm-agentcheck lint states/one.json states/two.json", None),
    ] {
        let output = on_terminal(&account, 200, command).run();
        let next = output.stdout.rsplit_once("next: ");
        let next = next.map(|(_, next)| next.trim_end());
        assert_eq!(next, expected, "{command}: {}", output.stdout);
        let Some(next) = next.filter(|next| !next.contains("PATH")) else {
            continue;
        };
        let run = shell(&account, next).run();
        let is_fine = match next.split(' ').nth(1) {
            // The account has no organization.
            _ if next.starts_with("ssm-scp ") => run.stderr.contains(" is in no organization, "),
            // The records are of an account that cannot be asked: `sessions` ends with 2, and the report has what there is.
            Some("sessions") => run.status == 2 && run.stdout.contains(r#""kind":"session""#),
            _ => run.status <= 1,
        };
        assert!(is_fine, "{next}: {run:?}");
    }
}

/// Returns what a node with one package answers to the collector.
pub(super) fn invocation(account: &Account) -> String {
    let inventory = "ssm-inventory 1 plain\nos\tdebian\t12\t\t\tp\narch\tx86_64\nkernel\t1\t\n\
                     deb\tbash\t5.2.15-2+b7\t\tbash\t5.2.15-2\nend\t4\t-\n";
    let invocation = json!({"kind": "invocation", "target": {"account": account.id(), "region": "us-east-1"}, "name": null,
        "instance_id": "i-02a00000000000001", "command_id": null, "document": null, "status": "Success", "status_details": null,
        "exit_code": 0, "started": null, "ended": null, "stdout": inventory, "stderr": "", "reason": null,
        "truncated": {"stdout": false, "stderr": false}});
    invocation.to_string()
}

/// Returns a line of a shell that finds the tools.
pub(super) fn shell(account: &Account, line: &str) -> Run {
    let bin = binary("ssm-role").parent().unwrap().display().to_string();
    let run = account.tool("/bin/sh").args(["-c", line]);
    run.env("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin"))
}

/// What undoes a change is a plan, and text has no room for plans: it is recovered from the plan's file, or printed where there is none.
#[test]
fn what_was_applied_on_a_terminal_can_be_undone() {
    let account = account();
    let plan = account.tool(binary("ssm-role").as_os_str());
    let plan = plan
        .args(["plan"])
        .stdin(r#"{"default_host_management": {}}"#)
        .run();
    plan.assert_status(0);
    std::fs::write(account.home().join("plan.json"), &plan.stdout).unwrap();
    let output = on_terminal(&account, 80, "ssm-role apply -f plan.json").run();
    output.assert_status(0);
    let shell = |line: &str| shell(&account, line).run();
    let way = "ssm-role apply -f plan.json --recover | jq -c '.undo // empty' | ssm-role apply";
    let end = format!("ssm-role: 2 done\nssm-role: to undo this: `{way}`\n");
    assert!(output.stdout.ends_with(&end), "{}", output.stdout);
    assert!(!output.stdout.contains("\n{"), "{}", output.stdout);
    let undone = shell(way);
    undone.assert_status(0);
    assert_eq!(undone.stdout.matches("\"done\"").count(), 2, "{undone:?}");

    let python = repository().join(".venv/bin/python");
    let terminal = repository().join("tests/testbed/terminal.py");
    let state = r#"{"default_host_management": {}}"#;
    std::fs::write(account.home().join("role.json"), state).unwrap();
    // A pipe, and a file whose name is gone, as a shell's here-document may be.
    for input in [
        "ssm-role plan -f role.json | ssm-role apply",
        "ssm-role plan -f role.json >gone; (rm gone; ssm-role apply) <gone",
    ] {
        let line = format!(
            "'{}' '{}' 80 sh -c '{input}'",
            python.display(),
            terminal.display()
        );
        let output = shell(&line);
        output.assert_status(0);
        let end =
            "ssm-role: 2 done\nssm-role: to undo this, pipe the plan above into ssm-role apply\n";
        assert!(output.stdout.ends_with(end), "{}", output.stdout);
        undo_shown(&account, &output, 2);
    }
    // The role of two regions is made by the first plan: what recovers the second would take it away from both.
    let plans = "ssm-role plan -f role.json --region us-east-1,eu-west-1 >plan.json";
    shell(plans).assert_status(0);
    let output = on_terminal(&account, 80, "ssm-role apply -f plan.json").run();
    output.assert_status(0);
    let end = "ssm-role: 3 done, 1 unchanged in 2 plans\nssm-role: to undo this, pipe the plan above into ssm-role apply\n";
    assert!(output.stdout.ends_with(end), "{}", output.stdout);
    undo_shown(&account, &output, 3);
}

/// Gives the plans that a terminal shows to `apply`, which undoes so many changes.
fn undo_shown(account: &Account, output: &Output, n_changes: usize) {
    let plans = output.stdout.lines().filter(|line| line.starts_with('{'));
    let plans: Vec<&str> = plans.collect();
    let apply = account.tool(binary("ssm-role").as_os_str()).args(["apply"]);
    let undone = apply.stdin(plans.join("\n")).run();
    undone.assert_status(0);
    assert_eq!(
        undone.stdout.matches("\"done\"").count(),
        n_changes,
        "{undone:?}"
    );
}
