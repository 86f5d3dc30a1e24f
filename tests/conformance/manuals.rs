//! Manual pages: every verb has one, with examples that are run.

use testbed::{Sandbox, repository};

use super::{TOOLS, Tool};

/// The sections that each page has.
const SECTIONS: [&str; 5] = ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "\"EXIT STATUS\""];

/// Returns the examples in the help of a verb, or of a tool without verbs.
fn examples(tool: &Tool, verb: &[&str]) -> Vec<String> {
    let help = tool.offline(&[verb, &["--help"]].concat()).run().stdout;
    let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
    examples
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

fn verbs(tool: &Tool) -> Vec<&[&'static str]> {
    match tool.verbs {
        [] => vec![&[]],
        verbs => verbs.chunks(1).collect(),
    }
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
                sections.extend(["ENVIRONMENT", "FILES"]);
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
            // As man shows it.
            let mut text = page.stdout;
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
                assert!(output.status <= 2, "{example}: {output:?}");
            }
        }
    }
}
