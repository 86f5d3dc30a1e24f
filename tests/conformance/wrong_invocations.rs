//! What people type when they do not know a tool yet: each gets one message that names what to type instead.

use testbed::{Sandbox, repository};

use super::TOOLS;

/// Command lines, and what their messages must say. Desired states are those of `scripts/rollout.d`.
const LINES: [(&str, &[&str]); 44] = [
    ("ssm-agentcheck", &["Usage: ssm-agentcheck"]),
    ("ssm-agentcheck check", &["pass -f FILE"]),
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
        &["for check, lint", "use -o json"],
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
        &["looks like the desired preferences of another tool"],
    ),
    (
        "ssm-prefs plan -f scp.json",
        &["looks like the desired policy of another tool"],
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
        "ssm-agentcheck --generate powershell",
        &["expected man, bash, zsh, fish, schema or example"],
    ),
];

#[test]
fn a_wrong_invocation_is_told_what_to_type() {
    let account = Sandbox::start().account();
    for name in ["agent", "events", "prefs", "role", "scp"] {
        let desired = repository().join(format!("scripts/rollout.d/{name}.json"));
        std::fs::copy(desired, account.home().join(format!("{name}.json"))).unwrap();
    }
    for (line, expected) in LINES {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let output = account.tool(tool.exe().as_os_str()).args(words).run();
        assert_eq!(output.status, 2, "{line}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{line}");
        for words in expected {
            assert!(output.stderr.contains(words), "{line}: {}", output.stderr);
        }
    }
    assert!(account.writes().is_empty());
}

#[test]
fn without_credentials_one_line_says_how_to_get_some() {
    let account = Sandbox::start().account();
    for tool in TOOLS.iter().filter(|tool| tool.can("show")) {
        let run = account.tool(tool.exe().as_os_str()).args(["show"]);
        let run = run.env_remove("AWS_ACCESS_KEY_ID");
        let run = run.env_remove("AWS_SECRET_ACCESS_KEY");
        let output = run
            .env(
                "SLACK_WEBHOOK_URL",
                "https://hooks.slack.com/services/T/B/x",
            )
            .stdin(tool.desired)
            .run();
        output.assert_status(2);
        let expected = format!(
            "{}: GetCallerIdentity: no credentials: run `aws sso login --profile NAME`",
            tool.name
        );
        assert!(output.stderr.starts_with(&expected), "{}", output.stderr);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
}
