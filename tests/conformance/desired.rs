//! Desired states as people write them: with comments, by one example that has all fields, and linted alike by every tool.

use std::fmt::Write as _;

use serde_json::Value;
use testbed::{Output, Sandbox, repository};

use super::{TOOLS, Tool};

/// The tools that have a desired state.
fn tools() -> impl Iterator<Item = &'static Tool> {
    static ALL: [Tool; 7] = TOOLS;
    ALL.iter().filter(|tool| tool.can("plan"))
}

fn example(tool: &Tool) -> String {
    let example = tool.offline(&["--generate", "example"]).run();
    example.assert_status(0).assert_stderr("");
    example.stdout
}

/// Returns an example with the fields that are comments, too, for who looks for all of them: code that is a comment is indented
/// behind its mark.
fn with_all(example: &str) -> Value {
    let mut lines: Vec<&str> = Vec::new();
    for line in example.lines() {
        let code = line
            .strip_prefix("//")
            .filter(|rest| rest.starts_with("  "));
        let line = code.unwrap_or(line);
        if line.trim_start().starts_with("//") {
            continue;
        }
        // A comma behind the last field is not JSON.
        if let Some(last) = lines
            .last_mut()
            .filter(|_| line.trim_start().starts_with('}'))
        {
            *last = last.trim_end_matches(',');
        }
        lines.push(line);
    }
    let text = lines.join("\n");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Fails for a field that the schema has and the value lacks.
fn holds_all(document: &Value, schema: &Value, value: &Value, path: &str) {
    let schema = match schema["anyOf"].as_array() {
        Some(choice) => choice.iter().find(|one| one["type"] != "null").unwrap(),
        None => schema,
    };
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document
            .pointer(reference.strip_prefix('#').unwrap())
            .unwrap();
        return holds_all(document, target, value, path);
    }
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    for part in variants.chain([schema]) {
        for (name, field) in part["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            let inner = value
                .get(name)
                .unwrap_or_else(|| panic!("the example lacks {path}"));
            holds_all(document, field, inner, &path);
        }
    }
}

#[test]
fn an_example_has_every_field_and_says_what_it_is_for() {
    for tool in tools() {
        let example = example(tool);
        let schema = tool.offline(&["--generate", "schema"]).run().stdout;
        let schema: Value = serde_json::from_str(&schema).unwrap();
        holds_all(
            &schema,
            &schema["$defs"]["desired"],
            &with_all(&example),
            tool.name,
        );
        let mut before = "";
        for line in example.lines() {
            // Each field has a comment above it.
            if line.trim_start_matches('/').trim_start().starts_with('"') {
                let is_comment = before.trim_start().starts_with("// ");
                assert!(is_comment, "{}: nothing is said of {line}", tool.name);
            }
            before = line;
        }
    }
}

#[test]
fn an_example_is_accepted_with_its_comments() {
    for tool in tools() {
        let account = Sandbox::start().account();
        let example = example(tool);
        std::fs::write(account.home().join("example.jsonc"), &example).unwrap();
        let lint = tool.run(&account, &["lint", "example.jsonc"]).run();
        lint.assert_status(0).assert_stderr("");
        let is_note = |finding: &Value| finding["severity"] == "info";
        assert!(lint.records().iter().all(is_note), "{}", lint.stdout);
        let from_file = tool
            .run(&account, &["check", "-f", "example.jsonc"])
            .env(WEBHOOK, URL)
            .run();
        let from_stdin = tool
            .run(&account, &["check"])
            .env(WEBHOOK, URL)
            .stdin(&*example)
            .run();
        assert!(
            from_file.status < 2 || tool.name == "ssm-scp",
            "{}: {}",
            tool.name,
            from_file.stderr
        );
        assert!(
            !from_file.stderr.contains("read desired"),
            "{}",
            from_file.stderr
        );
        assert_eq!(from_file.stdout, from_stdin.stdout, "{}", tool.name);
        // Those of the others are templates, which not every desired state can become.
        if ["ssm-prefs", "ssm-scp"].contains(&tool.name) {
            let render = ["render", "-f", "example.jsonc"];
            tool.run(&account, &render).run().assert_status(0);
        }
    }
}

const WEBHOOK: &str = "SLACK_WEBHOOK_URL";
const URL: &str = "https://hooks.slack.com/services/T/B/x";

/// The reference prints what the tools print.
#[test]
fn the_reference_has_the_examples() {
    let path = repository().join("docs/desired.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, _) = text.split_once("<!-- examples -->\n").unwrap();
    let mut expected = format!("{head}<!-- examples -->\n");
    for tool in tools() {
        write!(
            expected,
            "\n## {}\n\n```jsonc\n{}```\n",
            tool.name,
            example(tool)
        )
        .unwrap();
    }
    testbed::expect_text(&path, &expected);
}

#[test]
fn a_mistake_below_comments_is_at_its_line_and_column() {
    for tool in tools() {
        let text = "// of everywhere\n{ /* a\n  b */ \"surprise\": 1, }";
        let output = tool.offline(&["plan"]).stdin(text).run();
        tool.complains(&output, "$.surprise: unknown field `surprise`");
        tool.complains(&output, "at line 3 column 17");
        let lint = tool.offline(&["lint"]).stdin(text).run();
        lint.assert_status(1).assert_stderr("");
        let found = lint.json();
        assert_eq!(found["resource"], "stdin:3:17 $.surprise", "{}", tool.name);
        assert!(
            found["id"].as_str().unwrap().ends_with(".desired.invalid"),
            "{found}"
        );
    }
}

#[test]
fn a_key_that_is_there_twice_is_found_whatever_the_file_is() {
    let twice =
        r#"{"schemaVersion": "1.0", "sessionType": "Standard_Stream", "sessionType": "Port"}"#;
    for tool in tools() {
        let lint = tool.offline(&["lint", "-"]).stdin(twice).run();
        lint.assert_status(1).assert_stderr("");
        assert!(
            lint.stdout.contains("sessionType"),
            "{}: {}",
            tool.name,
            lint.stdout
        );
    }
}

fn lint(tool: &Tool, files: &[&str]) -> Output {
    let files: Vec<String> = files
        .iter()
        .map(|name| {
            repository()
                .join("scripts/rollout.d")
                .join(name)
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let words: Vec<&str> = ["lint"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    tool.offline(&words).run()
}

#[test]
fn what_a_tool_does_not_judge_is_said_of_each_file() {
    let own = [
        "agent.json",
        "role.json",
        "prefs.json",
        "scp.json",
        "events.json",
    ];
    for (tool, own) in tools().zip(own) {
        lint(tool, &[own]).assert_status(0).assert_stderr("");
        let all = lint(tool, &[""]);
        all.assert_status(1).assert_stderr("");
        let findings = all.records();
        assert_eq!(findings.len(), 4, "{}: {}", tool.name, all.stdout);
        for finding in &findings {
            assert!(
                finding["id"].as_str().unwrap().ends_with(".desired.other"),
                "{finding}"
            );
            assert_eq!(finding["severity"], "warning");
            assert!(
                finding["message"]
                    .as_str()
                    .unwrap()
                    .contains("a desired state of ssm-"),
                "{finding}"
            );
        }
        let plan = format!("{{\"kind\": \"plan\", \"tool\": \"{}\"}}", tool.name);
        let record = tool.offline(&["lint"]).stdin(plan).run();
        record.assert_status(1);
        let message = record.json()["message"].clone();
        assert!(
            message.as_str().unwrap().contains("a record of kind plan"),
            "{message}"
        );
        let nothing = tool.offline(&["lint"]).run();
        tool.complains(&nothing, "the input is empty: name files, or pipe JSON in");
    }
}
