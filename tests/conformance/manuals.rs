//! Manual pages: every verb has one, with examples that are run.

use serde_json::json;
use testbed::{Account, Sandbox, Slack, repository, today};

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

/// Examples that end with 2, as the account lacks what their reader has: each as it is printed, with what it says then. All others run.
const ABSENT: [(&str, &str); 1] = [(
    "ssm-events history --s3 s3://audit --since 2026-11-01 --until 2026-12-01 --verify",
    "NoSuchBucket",
)];

/// What a page says, by section: of its own verb, and no other.
const CONTENTS: [(&str, &str, &str, &[&str]); 18] = [
    (
        "ssm-prefs",
        "",
        "\"EXIT STATUS\"",
        &[
            "0",
            "found nothing",
            "1",
            "check, lint: On findings.",
            "plan: With --exit-code: when something needs to change.",
        ],
    ),
    (
        "ssm-scp",
        "",
        "EXAMPLES",
        &["ssm-scp plan -f scp.json >plan.json"],
    ),
    (
        "ssm-scp",
        "",
        "\"SEE ALSO\"",
        &["ssm-scp-show(1),", "ssm-scp-impact(1)"],
    ),
    ("ssm-events", "", "ENVIRONMENT", &["SLACK_WEBHOOK_URL"]),
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
        // The tool has a page as well.
        let verbs = verbs(&tool).into_iter().chain([&[][..]]);
        for verb in verbs {
            let page = tool.offline(&[verb, &["--generate", "man"]].concat()).run();
            page.assert_status(0).assert_stderr("");
            let help = tool.offline(&[verb, &["--help"]].concat()).run().stdout;
            let mut sections = SECTIONS.to_vec();
            if help.contains("--profile") {
                sections.push("FILES");
            }
            sections.extend((!tool.verbs.is_empty()).then_some("\"SEE ALSO\""));
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

/// Returns the management account of an organization that has what the examples name.
fn account_of_examples() -> Account {
    let (account, member) = (Sandbox::start().account(), Sandbox::start().account());
    let (id, trust) = (account.id(), format!("arn:aws:iam::{}:root", account.id()));
    let administrator = ["arn:aws:iam::aws:policy/AdministratorAccess"];
    let role = |account: &Account, name: &str, path: &str| json!({"account": account.id(), "name": name, "path": path, "trust": trust, "managed_policies": administrator});
    let sso = "/aws-reserved/sso.amazonaws.com/us-east-1/";
    let inventory = "ssm-inventory 1 plain\nos\tdebian\t12\t\t\tp\narch\tx86_64\nkernel\t1\t\n\
                     deb\tbash\t5.2.15-2+b7\t\tbash\t5.2.15-2\nend\t4\t-\n";
    account.seed(&json!({
        "accounts": [{"id": id, "name": "management"}, {"id": member.id(), "name": "member"}],
        "organization": {"management_account": id, "id": "o-examples01", "root_id": "r-exam",
            "ous": [{"id": "ou-sand-workloads", "name": "workloads", "accounts": [member.id()]}]},
        "roles": [
            role(&account, "audit", "/"), role(&member, "audit", "/"), role(&member, "BreakGlass", "/ssm/"),
            role(&member, "AWSReservedSSO_SessionOperator_0123456789abcdef", sso),
            {"account": id, "name": "node", "trust": "ec2.amazonaws.com", "instance_profile": true,
                "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]},
        ],
        "nodes": [{"account": id, "region": "us-east-1", "instance_id": "i-0123456789abcdef0", "profile": "node",
            "platform": {"type": "Linux", "name": "Debian", "version": "12"},
            "agent": {"version": "3.1.1732.0", "run_output": [{"match": "ssm-inventory", "stdout": inventory}]}}],
    }));
    for name in ["agent", "events", "prefs", "role", "scp"] {
        let desired = repository().join(format!("scripts/rollout.d/{name}.json"));
        std::fs::copy(desired, account.home().join(format!("{name}.json"))).unwrap();
    }
    for name in [
        "routes.json",
        "acknowledged.json",
        "pagerduty.jq",
        "teams.jq",
    ] {
        let shipped = repository().join("scripts/send.d").join(name);
        std::fs::copy(shipped, account.home().join(name)).unwrap();
    }
    let advisory = json!({"schema_version": "1.6.0", "id": "DSA-1", "modified": today(), "affected": [{
        "package": {"ecosystem": "Debian:12", "name": "bash"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.2.15-2+deb12u1"}]}]}]});
    std::fs::create_dir(account.home().join("osv")).unwrap();
    for (name, text) in [
        ("osv/DSA-1.json", advisory.to_string()),
        ("delivered.jsonl", String::new()),
        ("records.jsonl", json!({"Records": []}).to_string()),
        ("objects.json", json!({"Contents": []}).to_string()),
        ("ended.json", json!({"Sessions": []}).to_string()),
        (
            "versions.json",
            json!({"DocumentVersions": [{"Name": "SSM-SessionManagerRunShell", "DocumentVersion": "1",
                "CreatedDate": "2026-01-01T00:00:00Z", "IsDefaultVersion": true, "Status": "Active"}]})
            .to_string(),
        ),
    ] {
        std::fs::write(account.home().join(name), text).unwrap();
    }
    account
}

/// What examples read that others print: of these the examples name the files alone.
const BEFORE: [&str; 4] = [
    "ssm-prefs show >prefs.jsonl",
    // Nobody has done anything here, and an empty file may be what a command left that failed.
    "(ssm-events history && echo) >history.jsonl",
    "echo i-0123456789abcdef0 | ssm-run --script \"$COLLECTOR\" >invocations.jsonl",
    "echo i-0123456789abcdef0 | ssm-run --patch-scan >patches.jsonl",
];

#[test]
fn examples_run() {
    let account = account_of_examples();
    let binaries = TOOLS[0].exe().parent().unwrap().display().to_string();
    let plugin = repository().join("tests/sandbox");
    let path = format!(
        "{binaries}:/usr/local/bin:/usr/bin:/bin:{}",
        plugin.display()
    );
    let (slack, security, bot) = (Slack::start(), Slack::start(), Slack::bot());
    // Slack's own names are somebody else's.
    let routes = account.home().join("routes.json");
    let shipped = std::fs::read_to_string(&routes).unwrap();
    let (channel, api) = (
        r#""channel": "C0123456789""#,
        format!("http://{}/api", bot.address()),
    );
    let here = shipped.replace(channel, &format!(r#"{channel}, "api": "{api}""#));
    assert_ne!(here, shipped);
    std::fs::write(routes, here).unwrap();
    let shell = |line: &str| {
        let run = account
            .tool("/bin/sh")
            .args(["-c", line])
            .env("PATH", &path);
        let collector = repository().join("scripts/vulnscan.d/collector.sh");
        let run = run.env("COLLECTOR", collector.display().to_string());
        let secrets = [
            ("SLACK_WEBHOOK_URL", slack.url()),
            ("SLACK_SECURITY_WEBHOOK_URL", security.url()),
            ("SLACK_BOT_TOKEN", "xoxb-0-0-z"),
            (
                "PAGERDUTY_URL",
                "https://events.pagerduty.invalid/v2/enqueue",
            ),
            ("PAGERDUTY_ROUTING_KEY", "0123456789abcdef0123456789abcdef"),
            ("TEAMS_URL", "https://teams.invalid/x"),
        ];
        let run = secrets
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        run.run()
    };
    for line in BEFORE {
        shell(line).assert_status(0);
    }
    let (mut n_absent, mut failed) = (0, Vec::new());
    for tool in TOOLS {
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
                let output = shell(&example);
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
                match ABSENT.iter().find(|(absent, _)| *absent == example) {
                    Some((_, says)) => {
                        output.assert_status(2).assert_complains(says);
                        n_absent += 1;
                    }
                    None if output.status > 1 => failed.push(format!("{example}: {output:?}")),
                    None => {}
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(n_absent, ABSENT.len(), "no tool has all of these examples");
    // One by the flags, one by the routes.
    for (name, slack) in [("the webhook", &slack), ("the bot", &bot)] {
        assert!(!slack.messages().is_empty(), "{name} has got nothing");
    }
}
