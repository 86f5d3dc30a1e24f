//! Manual pages: every verb has one, with examples that are run.

use testbed::{Sandbox, repository};

use super::{TOOLS, Tool};

/// The sections that each page has.
const SECTIONS: [&str; 6] = [
    "NAME",
    "SYNOPSIS",
    "OPTIONS",
    "EXAMPLES",
    "\"EXIT STATUS\"",
    "ENVIRONMENT",
];

/// What examples end with 2 for, as a reader has it and an empty account has not; each by what names it. All others run.
const ABSENT: [(&str, &str); 12] = [
    ("result.json | ", "a result with an undo"),
    (
        "role.template.json",
        "an account whose hybrid role a stack may change",
    ),
    ("probe --node", "the session-manager-plugin"),
    ("ssm-scp ", "an organization"),
    ("send --webhook", "Slack"),
    ("routes.json", "routes"),
    ("s3://audit", "the bucket of a trail"),
    ("objects.json", "saved lists"),
    ("echo i-0123456789abcdef0", "a node"),
    ("ssm-agentcheck show | ssm-run", "nodes"),
    ("invocations.jsonl", "what the collector printed"),
    ("patches.jsonl", "what a scan printed"),
];

/// What a page says, by section: of its own verb, and no other.
const CONTENTS: [(&str, &str, &str, &[&str]); 14] = [
    (
        "ssm-run",
        "",
        "\"EXIT STATUS\"",
        &["1", "It failed or timed out on a node"],
    ),
    (
        "ssm-run",
        "",
        "\"EXIT STATUS\"",
        &["2", "A node was not reached"],
    ),
    (
        "ssm-run",
        "",
        "ENVIRONMENT",
        &["NO_COLOR", "CLICOLOR_FORCE", "TERM", "AWS_PROFILE"],
    ),
    (
        "ssm-prefs",
        "plan",
        "\"EXIT STATUS\"",
        &["1", "With --exit-code: when something needs to change."],
    ),
    (
        "ssm-prefs",
        "check",
        "\"EXIT STATUS\"",
        &["1", "On findings."],
    ),
    (
        "ssm-prefs",
        "probe",
        "\"EXIT STATUS\"",
        &["1", "When it is not where it should be."],
    ),
    (
        "ssm-prefs",
        "apply",
        "\"EXIT STATUS\"",
        &["130", "printed with its undo"],
    ),
    (
        "ssm-vulns",
        "match",
        "\"EXIT STATUS\"",
        &["1", "When a package needs an update."],
    ),
    ("ssm-vulns", "match", "ENVIRONMENT", &["NO_COLOR"]),
    ("ssm-events", "send", "ENVIRONMENT", &["SLACK_WEBHOOK_URL"]),
    ("ssm-events", "plan", "ENVIRONMENT", &["SLACK_WEBHOOK_URL"]),
    ("ssm-events", "lint", "FILES", &["rollout.d/*.json"]),
    (
        "ssm-scp",
        "plan",
        "FILES",
        &["~/.aws/config", "rollout.d/*.json"],
    ),
    (
        "ssm-agentcheck",
        "host",
        "\"EXIT STATUS\"",
        &["1", "On findings."],
    ),
];

/// Returns the examples in the help of a verb, or of a tool without verbs.
fn examples(tool: &Tool, verb: &[&str]) -> Vec<String> {
    let help = tool.offline(&[verb, &["--help"]].concat()).run().stdout;
    let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
    let lines = examples.lines().take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().to_owned()).collect()
}

fn verbs(tool: &Tool) -> Vec<&[&'static str]> {
    match tool.verbs {
        [] => vec![&[]],
        verbs => verbs.chunks(1).collect(),
    }
}

/// Returns a page as man shows it, with its headings.
fn shown(mut text: String) -> String {
    for (roff, shown) in [
        ("\\-", "-"),
        ("\\*(Aq", "'"),
        ("\\fB", ""),
        ("\\fR", ""),
        ("\\\\", "\\"),
        ("\\&", ""),
    ] {
        text = text.replace(roff, shown);
    }
    text
}

#[test]
fn pages_say_what_holds_for_their_verb() {
    let page = |name: &str, verb: &str| {
        let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let verb: Vec<&str> = [verb].into_iter().filter(|verb| !verb.is_empty()).collect();
        shown(
            tool.offline(&[&verb[..], &["--generate", "man"]].concat())
                .run()
                .stdout,
        )
    };
    let section = |page: &str, heading: &str| {
        let (_, below) = page.split_once(&format!(".SH {heading}\n")).unwrap();
        below.split(".SH ").next().unwrap().to_owned()
    };
    for (name, verb, heading, words) in CONTENTS {
        let text = section(&page(name, verb), heading);
        for word in words {
            assert!(
                text.contains(word),
                "{name} {verb} {heading}: {word}: {text}"
            );
        }
    }
    // What never happens is not said.
    let show = section(&page("ssm-prefs", "show"), "\"EXIT STATUS\"");
    assert!(!show.contains("\n1\n") && !show.contains("undo"), "{show}");
}

#[test]
fn every_verb_has_a_page_with_all_sections() {
    for tool in TOOLS {
        for verb in verbs(&tool) {
            let page = tool.offline(&[verb, &["--generate", "man"]].concat()).run();
            page.assert_status(0).assert_stderr("");
            let help = tool.offline(&[verb, &["--help"]].concat()).run().stdout;
            let mut sections = SECTIONS.to_vec();
            if help.contains("--profile") {
                sections.push("FILES");
            }
            sections.extend((!verb.is_empty()).then_some("\"SEE ALSO\""));
            for section in sections {
                let heading = format!(".SH {section}\n");
                assert!(
                    page.stdout.contains(&heading),
                    "{} {verb:?}: no {section}",
                    tool.name
                );
            }
            let text = shown(page.stdout);
            let usage = help.lines().find_map(|line| line.strip_prefix("Usage: "));
            let (_, synopsis) = text.split_once(".SH SYNOPSIS\n").unwrap();
            assert!(
                synopsis.starts_with(&format!("{}\n", usage.unwrap())),
                "{} {verb:?}: {usage:?}: {synopsis}",
                tool.name
            );
            for example in examples(&tool, verb) {
                assert!(
                    text.contains(&format!("{example}\n")),
                    "{} {verb:?}: {example}",
                    tool.name
                );
            }
        }
    }
}

#[test]
fn examples_run() {
    let account = Sandbox::start().account();
    for name in ["agent", "events", "prefs", "role", "scp"] {
        let desired = repository().join(format!("scripts/rollout.d/{name}.json"));
        std::fs::copy(desired, account.home().join(format!("{name}.json"))).unwrap();
    }
    std::fs::write(account.home().join("delivered.jsonl"), "").unwrap();
    for tool in TOOLS {
        let binaries = tool.exe().parent().unwrap().display().to_string();
        for verb in verbs(&tool) {
            let examples = examples(&tool, verb);
            // What is longer is broken, and can not be copied.
            let is_whole = |line: &String| line.len() <= 96;
            assert!(examples.iter().all(is_whole), "{examples:?}");
            assert!(
                !examples.is_empty(),
                "{} {verb:?} has no example",
                tool.name
            );
            for example in examples {
                let run = account.tool("/bin/sh").args(["-c", &example]);
                let run = run.env("PATH", format!("{binaries}:/usr/local/bin:/usr/bin:/bin"));
                let run = run.env(
                    "SLACK_WEBHOOK_URL",
                    "https://hooks.slack.com/services/T/B/x",
                );
                let output = run.run();
                for sign in [
                    "For more information, try",
                    "not found\n",
                    "Syntax error",
                    "--jq '",
                ] {
                    assert!(
                        !output.stderr.contains(sign),
                        "{example}: {}",
                        output.stderr
                    );
                }
                let may_fail = ABSENT.iter().any(|(named, _)| example.contains(named));
                assert!(
                    output.status <= 1 || output.status == 2 && may_fail,
                    "{example}: {output:?}"
                );
            }
        }
    }
}
