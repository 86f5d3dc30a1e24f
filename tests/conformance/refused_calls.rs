//! What a tool says when AWS does not answer as it should: no credentials, another account than it takes, no such region.

use serde_json::json;
use testbed::{Account, Sandbox, repository};

use super::TOOLS;
use super::wrong_invocations::typed;

/// The cure of what AWS says, or of what never reaches it.
#[test]
fn an_error_of_a_call_says_what_to_do() {
    let account = Sandbox::start().account();
    account.fault(json!({"service": "organizations", "kind": "error", "code": "AccessDeniedException", "status": 400,
        "message": "You don't have permissions to access this resource.", "times": -1}));
    for (line, status, printed) in calling_organizations(&account) {
        assert_eq!(status, 2, "{line}: {printed}");
        assert!(
            printed.contains("management account") && printed.contains("delegated administrator"),
            "{line}: {printed}"
        );
    }
}

/// A label of a name has at most 63 characters, so that a resolver refuses this one without asking anybody: tests reach nothing but this
/// machine. <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>
#[test]
fn a_region_that_aws_does_not_have_gets_the_nearest_ones() {
    let account = Sandbox::start().account();
    let nowhere = format!("http://ssm.eu-central-9.{}.example", "x".repeat(64));
    let tools = ["ssm-agentcheck", "ssm-role", "ssm-prefs", "ssm-run"];
    for tool in TOOLS.iter().filter(|tool| tools.contains(&tool.name)) {
        let run = account
            .tool(tool.exe().as_os_str())
            .args(["--region", "eu-central-9"]);
        let run = match tool.name {
            "ssm-run" => run.args(["--tag", "a=b", "--", "uname"]),
            _ => run.args(["show"]),
        };
        let output = run.env("AWS_ENDPOINT_URL", &nowhere).run();
        output
            .assert_status(2)
            .assert_complains("check the network, and that the region is one of AWS's")
            .assert_complains("did you mean eu-central-1 or eu-central-2?");
    }
}

/// Runs all that calls Organizations, and returns each line with its exit status and what it prints. `gaps -f` and `replay` call
/// nobody.
fn calling_organizations(account: &Account) -> Vec<(String, i32, String)> {
    for name in ["scp.json", "events.json"] {
        let desired = repository().join("scripts/rollout.d").join(name);
        std::fs::copy(desired, account.home().join(name)).unwrap();
    }
    let mut lines: Vec<String> = [
        "ssm-scp show",
        "ssm-scp gaps",
        "ssm-scp check -f scp.json",
        "ssm-scp plan -f scp.json",
        "ssm-scp impact -f scp.json",
        "ssm-scp simulate --principal arn:aws:iam::111122223333:role/dev",
    ]
    .map(str::to_owned)
    .to_vec();
    let of_accounts = "--accounts org --assume-role arn:aws:iam::{account}:role/Audit";
    for tool in ["ssm-agentcheck", "ssm-role", "ssm-prefs"] {
        lines.push(format!("{tool} show {of_accounts}"));
    }
    lines.push(format!("ssm-events show {of_accounts} -f events.json"));
    lines.push(format!("ssm-run {of_accounts} --tag a=b -- uname"));
    let printed = lines.into_iter().map(|line| {
        let output = typed(account, &line);
        let printed = format!("{}{}", output.stdout, output.stderr);
        (line, output.status, printed)
    });
    printed.collect()
}

/// A single account: nothing that is said of it leaves open whether a policy was missing or could not be read.
#[test]
fn outside_an_organization_one_line_says_what_to_use() {
    let account = Sandbox::start().account();
    for (line, status, printed) in calling_organizations(&account) {
        // For `check` it is a finding: that there is no guard is known.
        let expected = if line.starts_with("ssm-scp check") {
            1
        } else {
            2
        };
        assert_eq!(status, expected, "{line}: {printed}");
        assert_eq!(printed.lines().count(), 1, "{line}: {printed}");
        assert!(
            printed.contains("management account") && printed.contains("delegated administrator"),
            "{line}: {printed}"
        );
        assert!(
            printed.contains("in no organization") || printed.contains("AWSOrganizationsNotInUse"),
            "{line}: {printed}"
        );
    }
}

#[test]
fn without_credentials_one_line_says_how_to_get_some() {
    let account = Sandbox::start().account();
    let guard = account.home().join("guard.json");
    std::fs::write(guard, TOOLS[3].desired).unwrap();
    let mut lines = Vec::new();
    for tool in TOOLS.iter().filter(|tool| tool.first_read.is_some()) {
        let reading = ["show", "check", "plan", "history", "sessions"];
        let verbs = reading.iter().filter(|verb| tool.can(verb));
        lines.extend(verbs.map(|verb| (tool, vec![*verb])));
        if tool.can("apply") {
            lines.push((tool, vec!["apply"]));
        }
    }
    let [_, _, _, scp, _, run, _] = &TOOLS;
    lines.push((scp, vec!["impact", "-f", "guard.json"]));
    lines.push((scp, vec!["gaps"]));
    lines.push((
        scp,
        vec![
            "simulate",
            "--principal",
            "arn:aws:iam::111122223333:role/x",
        ],
    ));
    lines.push((run, vec!["--tag", "a=b", "--", "uname"]));
    assert!(lines.len() > 20);
    for (tool, words) in lines {
        let stdin = match words[0] {
            "apply" => json!({"kind": "plan", "tool": tool.name, "changes": [],
                "target": {"account": "111122223333", "region": "us-east-1"}})
            .to_string(),
            "history" | "sessions" => String::new(),
            _ => tool.desired.to_owned(),
        };
        let run = account.tool(tool.exe().as_os_str()).args(&words);
        let run = run.env_remove("AWS_ACCESS_KEY_ID");
        let run = run.env_remove("AWS_SECRET_ACCESS_KEY");
        let run = run.env("WEBHOOK", "https://hooks.slack.com/services/T/B/x");
        let output = run.stdin(stdin).run();
        let expected = format!(
            "{}: GetCallerIdentity: no credentials: run `aws sso login --profile NAME`",
            tool.name
        );
        assert!(
            output.stderr.starts_with(&expected),
            "{words:?}: {}",
            output.stderr
        );
        output.assert_status(2);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
}
