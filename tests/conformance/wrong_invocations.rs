//! What people type when they do not know a tool yet: each gets one message that names what to type instead.

use testbed::{Account, Output, Sandbox, repository};

use super::TOOLS;

/// Command lines, and what their messages must say; behind !, what they must not. Desired states are those of `scripts/rollout.d`.
const LINES: [(&str, &[&str]); 71] = [
    ("ssm-agentcheck", &["Usage: ssm-agentcheck"]),
    (
        "ssm-prefs show i-02a00000000000001",
        &["unexpected argument", "!use --"],
    ),
    (
        "ssm-role show i-02a00000000000001",
        &["unexpected argument", "!use --"],
    ),
    (
        "ssm-prefs probe i-02a00000000000001",
        &["use --instance-id i-02a00000000000001"],
    ),
    (
        "ssm-agentcheck show --instance-ids i-02a00000000000001",
        &["'--instance-id'", "!stdin"],
    ),
    (
        "ssm-vulns list",
        &["unrecognized subcommand", "!use ssm-vulns"],
    ),
    (
        "ssm-vulns validate",
        &["unrecognized subcommand", "!use ssm-vulns"],
    ),
    (
        "ssm-vulns diff",
        &["unrecognized subcommand", "!use ssm-vulns"],
    ),
    (
        "ssm-vulns match --accounts org",
        &["unexpected argument", "!organization"],
    ),
    (
        "ssm-vulns match --dry-run",
        &["unexpected argument", "!`plan`"],
    ),
    ("ssm-agentcheck show -o xml", &["use -o json"]),
    ("ssm-agentcheck check -o xml", &["use -o junit"]),
    ("ssm-agentcheck list", &["use ssm-agentcheck show"]),
    ("ssm-agentcheck version", &["use ssm-agentcheck --version"]),
    ("ssm-prefs diff", &["use ssm-prefs plan"]),
    (
        "ssm-agentcheck --profile nosuch show",
        &["'nosuch'", "aws configure list-profiles"],
    ),
    (
        "ssm-agentcheck show --region us-east1",
        &["did you mean us-east-1?"],
    ),
    (
        "ssm-agentcheck show --region us-east-1a",
        &["did you mean us-east-1?"],
    ),
    ("ssm-agentcheck show -o table", &["use -o text"]),
    ("ssm-agentcheck show -o yaml", &["use -o json"]),
    ("ssm-agentcheck plan -f agent.json --output=csv", &["@csv"]),
    (
        "ssm-agentcheck show -o sarif",
        &["is for check, lint", "use -o json"],
    ),
    (
        "ssm-agentcheck check -f agent.json -o junit --jq .id",
        &["leave --jq or -o junit out"],
    ),
    ("ssm-agentcheck show -o tsv", &["@tsv"]),
    (
        "ssm-agentcheck show i-02a00000000000001",
        &["use --instance-id i-02a00000000000001"],
    ),
    (
        "ssm-agentcheck show --instance-id 02a00000000000001",
        &["expected i-0123456789abcdef0"],
    ),
    (
        "ssm-agentcheck check -f nosuch.json",
        &["nosuch.json", "No such file"],
    ),
    (
        "ssm-agentcheck check -f prefs.json",
        &["looks like a desired state of ssm-prefs", "!a directory"],
    ),
    (
        "ssm-prefs plan -f scp.json",
        &["looks like a desired state of ssm-scp", "!a directory"],
    ),
    (
        "ssm-agentcheck check -f .",
        &["events.json", "a directory holds layers of one tool"],
    ),
    ("ssm-agentcheck check agent.json", &["use -f agent.json"]),
    (
        "ssm-prefs apply -f prefs.json",
        &["ssm-prefs plan", "found a desired state"],
    ),
    ("ssm-prefs apply", &["the input is empty", "ssm-prefs plan"]),
    ("ssm-prefs plan", &["pass -f FILE"]),
    (
        "ssm-prefs plan --dry-run -f prefs.json",
        &["`plan` is the dry run"],
    ),
    (
        "ssm-role plan -f role.json --apply",
        &["ssm-role plan .. | ssm-role apply"],
    ),
    ("ssm-prefs show --account 222222222222", &["--accounts"]),
    ("ssm-prefs show --regions us-east-1", &["--region"]),
    ("ssm-run uname", &["ssm-run -- uname"]),
    ("ssm-run -- uname", &["ssm-agentcheck show"]),
    (
        "ssm-run --tag Environment -- uname",
        &["expected KEY=VALUE"],
    ),
    (
        "ssm-run --instance-ids i-02a00000000000001 -- uname",
        &["node IDs come on stdin"],
    ),
    ("ssm-run --targets Key=tag:a,Values=b -- uname", &["--tag"]),
    (
        "ssm-events history --since yesterday",
        &["2026-11-01T00:00:00Z"],
    ),
    ("ssm-events history --from 2026-08-01", &["use --since"]),
    (
        "ssm-events history --since 7d --instance-id i-1",
        &["expected i-0123456789abcdef0"],
    ),
    ("ssm-events history nosuch/", &["nosuch/", "No such file"]),
    (
        "ssm-role policy --for admin",
        &["instance, operator, command"],
    ),
    (
        "ssm-agentcheck show --jq .foo[",
        &["expected closing bracket"],
    ),
    ("ssm-agentcheck show --debug", &["use -v"]),
    ("ssm-agentcheck show --no-color", &["NO_COLOR=1"]),
    ("ssm-agentcheck show --json", &["use -o json"]),
    (
        "ssm-agentcheck show --accounts 222222222222",
        &["--assume-role 'arn:{partition}:iam::{account}:role/NAME'"],
    ),
    (
        "ssm-agentcheck show --assume-role OrganizationAccountAccessRole",
        &["expected a role ARN"],
    ),
    (
        "ssm-agentcheck show --accounts org",
        &["--accounts needs --assume-role 'arn:{partition}"],
    ),
    ("ssm-scp show --accounts org", &["leave --accounts out"]),
    ("ssm-scp lint", &["the input is empty: name files"]),
    ("ssm-run uname -r", &["ssm-run -- uname"]),
    ("ssm-run uname~-r", &["put the command behind --"]),
    ("ssm-run -- uname -r", &["ssm-agentcheck show"]),
    (
        "ssm-role lint AdministratorAccess",
        &["there is no file AdministratorAccess", "name files"],
    ),
    ("ssm-role policy", &["--for <WHO>"]),
    ("ssm-agentcheck show -q -r", &["--jq <FILTER>"]),
    (
        "ssm-agentcheck --generate completion",
        &["expected man, bash, zsh, fish, schema, example, policy or permissions"],
    ),
    (
        "ssm-scp simulate --principal me",
        &["expected arn:aws:iam::123456789012:role/NAME"],
    ),
    (
        "ssm-role show --jq .kind[]",
        &["one record after the other"],
    ),
    (
        "ssm-scp plan -f prefs.json",
        &["looks like a desired state of ssm-prefs", "!a directory"],
    ),
    (
        "ssm-prefs plan -f prefs.yaml",
        &["prefs.yaml", "it is YAML: write it as JSON"],
    ),
    (
        "ssm-prefs plan -f hash.json",
        &["hash.json", "behind //", "line 1 column 1"],
    ),
    (
        "ssm-role apply -f result.json",
        &["found a result", "jq -c '.undo // empty'"],
    ),
    (
        "ssm-agentcheck --generate powershell",
        &["expected man, bash, zsh, fish, schema, example, policy or permissions"],
    ),
];

#[test]
fn a_wrong_invocation_gets_what_to_type() {
    let account = with_desired_states();
    for (line, expected) in LINES {
        let output = typed(&account, line);
        assert_eq!(output.status, 2, "{line}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{line}");
        for words in expected {
            let (words, is_there) = match words.strip_prefix('!') {
                Some(words) => (words, false),
                None => (*words, true),
            };
            let contains = output.stderr.contains(words);
            assert_eq!(contains, is_there, "{line}: {}", output.stderr);
        }
    }
    assert!(account.writes().is_empty());
}

fn with_desired_states() -> Account {
    let account = Sandbox::start().account();
    for name in ["agent", "events", "prefs", "role", "scp"] {
        let desired = repository().join(format!("scripts/rollout.d/{name}.json"));
        std::fs::copy(desired, account.home().join(format!("{name}.json"))).unwrap();
    }
    for (name, text) in [
        ("prefs.yaml", "idle_timeout_minutes: 15\n"),
        ("hash.json", "# Fifteen.\n{\"idle_timeout_minutes\": 15}\n"),
        ("result.json", "{\"kind\": \"result\", \"undo\": null}\n"),
    ] {
        std::fs::write(account.home().join(name), text).unwrap();
    }
    account
}

/// Runs a command line, in which ~ is a blank in a word.
pub(super) fn typed(account: &Account, line: &str) -> Output {
    let words: Vec<String> = line.split(' ').map(|word| word.replace('~', " ")).collect();
    let tool = TOOLS.iter().find(|tool| tool.name == words[0]).unwrap();
    account.tool(tool.exe().as_os_str()).args(&words[1..]).run()
}

/// What people type who do not know whether it is there, and what they get.
const RIGHT: [(&str, &str); 11] = [
    // As grep, it says nothing of nothing.
    (
        "ssm-events match {\"detail\":{\"errorCode\":[{\"prefix\":\"AccessDenied\"}]}}",
        "",
    ),
    ("ssm-agentcheck --version", "ssm-agentcheck 0.1.0 ("),
    ("ssm-agentcheck help check", "Check the nodes"),
    ("ssm-agentcheck show --help", "Print one record"),
    ("ssm-agentcheck show --verbose", ""),
    ("ssm-agentcheck show -v", ""),
    ("ssm-agentcheck show -o csv", ""),
    ("ssm-scp lint scp.json", ""),
    ("ssm-role lint role.json", ""),
    ("ssm-agentcheck check -f agent.json", ""),
    (
        "ssm-scp simulate --guard scp.json --principal arn:aws:iam::222222222222:role/x",
        "denied by OnlyExemptPrincipals",
    ),
];

/// What is right, finds nothing, and says on stderr how much it looked at.
const NOTHING: [(&str, &str); 2] = [
    ("ssm-scp replay --guard scp.json", "0 records"),
    (
        "ssm-agentcheck check",
        "no desired state given: using the defaults; --generate example prints one",
    ),
];

/// `jq .agent missing.json | ssm-agentcheck check`: what has failed is not a desired state.
#[test]
fn an_empty_pipe_is_not_a_desired_state() {
    let account = with_desired_states();
    let name = "ssm-agentcheck";
    for tool in TOOLS.iter().filter(|tool| tool.name == name) {
        let run = account.tool(tool.exe().as_os_str()).args(["check"]);
        let output = run.stdin("").run();
        output.assert_status(2).assert_complains("empty");
        assert!(output.stdout.is_empty(), "{}", output.stdout);
    }
}

#[test]
fn what_is_right_works() {
    let account = with_desired_states();
    for (line, expected) in NOTHING {
        typed(&account, line)
            .assert_status(0)
            .assert_complains(expected);
    }
    for (line, expected) in RIGHT {
        let output = typed(&account, line);
        output.assert_status(0);
        assert!(
            output.stdout.contains(expected),
            "{line}: {}",
            output.stdout
        );
    }
}

#[test]
fn a_report_of_nothing_says_where_records_come_from() {
    let account = Sandbox::start().account();
    let output = typed(&account, "ssm-events report");
    output
        .assert_status(0)
        .assert_complains("pipe in what `ssm-events history` prints");
}
