//! What odd input and odd answers do to every tool: characters that hide, keys that are there twice, pipes that are closed.

use serde_json::json;
use testbed::Sandbox;

use crate::TOOLS;

/// Whatever AWS, a file or a person calls something: nothing of it is sent to a terminal, a spreadsheet or a reader unseen.
#[test]
fn control_and_bidi_characters_are_shown_in_every_output() {
    let hostile = include_str!("../fixtures/cloudtrail/StartSession/hostile.json");
    let name = "no\u{1b}[2J\u{9b}1m\u{7}\u{202e}\u{2066}\u{200b}\u{2028}.json";
    let (desired, plan) = (
        json!({ name: 1 }).to_string(),
        json!({"kind": "plan", "tool": name, "changes": []}).to_string(),
    );
    let lint =
        json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": { name: name }})
            .to_string();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": name, "Effect": "Allow", "Action": name, "Resource": name}]}).to_string();
    for (tool, arguments, input) in [
        ("ssm-events", &["format", "--to", "text"][..], hostile),
        ("ssm-events", &["format", "--to", "csv"], hostile),
        ("ssm-events", &["report", "--html"], hostile),
        ("ssm-events", &["report", "-o", "text"], hostile),
        ("ssm-prefs", &["render", "-f", name], ""),
        ("ssm-prefs", &["render"], &desired),
        ("ssm-prefs", &["apply"], &plan),
        ("ssm-prefs", &["lint", "-o", "text"], &lint),
        ("ssm-role", &["lint", "-o", "text"], &policy),
        ("ssm-scp", &["lint", "-o", "text"], &policy),
        ("ssm-scp", &["replay", "--policy", name], ""),
        (
            "ssm-agentcheck",
            &["check", "-f", name, "--nodes", name],
            "",
        ),
        ("ssm-run", &["--", "id"], name),
        ("ssm-vulns", &["sbom", "-f", name], ""),
    ] {
        let tool = TOOLS.iter().find(|one| one.name == tool).unwrap();
        let output = tool.offline(arguments).stdin(input).run();
        let printed = format!("{}{}", output.stdout, output.stderr);
        let is_hidden = |c: char| {
            (c.is_control() && c != '\n')
                || "\u{200b}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2028}\u{2029}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}".contains(c)
        };
        let hidden = printed.chars().find(|c| is_hidden(*c));
        assert_eq!(hidden, None, "{} {arguments:?}: {printed:?}", tool.name);
        // The name of a field that is not a word may be a secret.
        let ways = ["\\u{202e}", "\\\\u{202e}", "(a name, not shown)"];
        assert!(
            ways.iter().any(|way| printed.contains(way)),
            "{} {arguments:?}: {printed}",
            tool.name
        );
    }
}

/// A reviewer may read the first of two, and `apply` would carry out the last.
#[test]
fn a_plan_with_a_key_twice_is_refused() {
    for tool in TOOLS.iter().filter(|tool| tool.can("apply")) {
        let plan = format!(
            r#"{{"kind": "plan", "tool": "{}", "target": {{"account": "111122223333", "region": "eu-central-1"}},
            "changes": [{{"id": "a", "to": {{"x": 1, "x": 2}}}}]}}"#,
            tool.name
        );
        let output = tool.offline(&["apply"]).stdin(plan).run();
        tool.complains(&output, "$.changes[0].to: `x` is here twice");
    }
}

#[test]
fn a_closed_pipe_is_quiet() {
    let account = Sandbox::start().account();
    for tool in TOOLS {
        let closed = tool
            .run(&account, &["check"])
            .stdin(tool.desired)
            .stdout_closed()
            .run();
        assert!(
            !closed.stderr.contains("panic") && !closed.stderr.contains("write to stdout"),
            "{}",
            closed.stderr
        );
        let help = tool.offline(&["--help"]).stdout_closed().run();
        assert!(!help.stderr.contains("panic"), "{}", help.stderr);
    }
}
