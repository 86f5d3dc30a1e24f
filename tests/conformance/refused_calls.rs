//! What a tool says when AWS does not answer as it should: no credentials, another account than it takes, no such region.

use serde_json::json;
use testbed::{Sandbox, repository};

use super::TOOLS;
use super::wrong_invocations::typed;

/// The cure of what AWS says, or of what never reaches it.
#[test]
fn an_error_of_a_call_says_what_to_do() {
    let account = Sandbox::start().account();
    account.fault(json!({"service": "organizations", "kind": "error", "code": "AccessDeniedException", "status": 400,
        "message": "You don't have permissions to access this resource.", "times": -1}));
    let desired = repository().join("scripts/rollout.d/scp.json");
    std::fs::copy(desired, account.home().join("scp.json")).unwrap();
    // All verbs that call Organizations: `gaps -f` and `replay` call nobody.
    for line in [
        "ssm-scp show",
        "ssm-scp gaps",
        "ssm-scp check -f scp.json",
        "ssm-scp plan -f scp.json",
        "ssm-scp impact -f scp.json",
        "ssm-scp simulate --principal arn:aws:iam::111122223333:role/dev",
        "ssm-agentcheck show --accounts org --assume-role arn:aws:iam::{account}:role/Audit",
    ] {
        let output = typed(&account, line);
        output.assert_status(2);
        let printed = format!("{}{}", output.stdout, output.stderr);
        assert!(
            printed.contains("management account") && printed.contains("delegated administrator"),
            "{line}: {printed}"
        );
    }
    let tool = TOOLS.iter().find(|tool| tool.name == "ssm-prefs").unwrap();
    let nowhere = account
        .tool(tool.exe().as_os_str())
        .args(["show", "--region", "eu-central-9"]);
    let nowhere = nowhere.env_remove("AWS_ENDPOINT_URL").run();
    nowhere
        .assert_status(2)
        .assert_complains("check the network, and that the region is one of AWS's")
        .assert_complains("did you mean eu-central-1 or eu-central-2?");
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
