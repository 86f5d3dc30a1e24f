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

/// Runs what comes after each command, with the words in capitals put in, and holds it to what is expected. No status above 1.
fn each_works(account: &Account, commands: &[(&str, &str)], given: &[(&str, &str)]) {
    for (command, expected) in commands {
        let mut line = next(account, command).unwrap_or_default();
        assert_eq!(line, *expected, "{command}");
        for (word, value) in given {
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
            "ssm-scp plan -f guard.json >plan.json && ssm-scp apply --assume-role 'arn:aws:iam::{account}:role/NAME' <plan.json"
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
