//! What people see: tables, colors, wrapped lines and the next command, on pseudo-terminals; and the captures of the README.

#[path = "terminal/applying.rs"]
mod applying;
#[path = "terminal/asking.rs"]
mod asking;
#[path = "terminal/ending.rs"]
mod ending;
#[path = "terminal/folding.rs"]
mod folding;
#[path = "terminal/guarding.rs"]
mod guarding;
#[path = "terminal/next.rs"]
mod next;
#[path = "terminal/places.rs"]
mod places;
#[path = "terminal/waiting.rs"]
mod waiting;

use serde_json::json;
use testbed::{Account, Output, Run, Sandbox, repository};

/// An account with the nodes of the README.
fn account() -> Account {
    let account = Sandbox::start().account();
    let node = |number: u32, name: &str, agent: serde_json::Value| {
        json!({"account": account.id(), "region": "us-east-1", "instance_id": format!("i-02a000000000000{number:02}"),
            "name": name, "profile": "web", "agent": agent})
    };
    let nodes = [
        node(1, "web-1", json!({"version": "3.3.987.0"})),
        node(8, "web-2", json!({"version": "3.1.1732.0"})),
        node(
            15,
            "batch-1",
            json!({"version": "3.3.987.0", "ping": "ConnectionLost", "last_ping": "2026-11-24T09:12:05Z"}),
        ),
    ];
    let web = json!({"account": account.id(), "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
        "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]});
    account.seed(&json!({"roles": [web], "nodes": nodes}));
    for name in ["agent", "events", "prefs", "scp"] {
        let desired = repository().join(format!("scripts/rollout.d/{name}.json"));
        std::fs::copy(desired, account.home().join(format!("{name}.json"))).unwrap();
    }
    account
}

fn binary(tool: &str) -> std::path::PathBuf {
    repository().join("target/debug").join(tool)
}

/// Prepares a tool on a terminal of so many columns, without a bar.
fn on_terminal(account: &Account, columns: u16, line: &str) -> Run {
    prepared(account, &[], columns, line)
}

fn prepared(account: &Account, flags: &[&str], columns: u16, line: &str) -> Run {
    let script = repository().join("tests/testbed/terminal.py");
    let run = account.tool(repository().join(".venv/bin/python").as_os_str());
    let mut words = line.split(' ');
    let tool = binary(words.next().unwrap());
    run.args([script.as_os_str()])
        .args(flags)
        .args([columns.to_string()])
        .args([tool])
        .args(words)
        .env("TERM", "xterm-256color")
}

fn without_colors(output: &Output) -> String {
    let mut text = String::new();
    let mut pieces = output.stdout.split('\u{1b}');
    text.push_str(pieces.next().unwrap());
    pieces.for_each(|piece| text.push_str(piece.split_once('m').unwrap().1));
    text
}

/// Holds what is shown at 80 and 200 columns to what was recorded, and that it is the same without colors. `prepare` returns a run on
/// a terminal of so many columns, and the accounts in it: the first is recorded as 111111111111, the second as 222222222222.
fn looks_as_recorded(name: &str, mut prepare: impl FnMut(u16) -> (Run, Vec<String>)) {
    for columns in [80, 200] {
        let mut shown = |is_plain: bool| {
            let (run, accounts) = prepare(columns);
            let run = if is_plain {
                run.env("NO_COLOR", "1")
            } else {
                run
            };
            let mut output = run.run();
            for (account, digit) in accounts.iter().zip(["1", "2"]) {
                output.stdout = output.stdout.replace(account, &digit.repeat(12));
            }
            output.stdout = without_commands(&output.stdout);
            output
        };
        let (colored, plain) = (shown(false), shown(true));
        assert_eq!(without_colors(&colored), plain.stdout, "{name}");
        assert!(!plain.stdout.contains('\u{1b}'), "{name}");
        let golden = format!("terminal/{name}-{columns}.txt");
        let text = colored.stdout.replace('\u{1b}', "\\e");
        testbed::expect_text(&testbed::fixture(&golden), &text);
    }
}

/// Returns text without the IDs of commands, which are new each time.
fn without_commands(text: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|word| match word.strip_suffix(')') {
            Some(inner) if is_id(inner) => "COMMAND)",
            _ if is_id(word) => "COMMAND",
            _ => word,
        });
        words.collect::<Vec<_>>().join(" ") + "\n"
    });
    lines.collect()
}

/// Returns what the README shows below a command.
fn capture(command: &str) -> String {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, below) = readme.split_once(&format!("$ {command}\n")).unwrap();
    let end = below.find("\n\n$ ").into_iter().chain(below.find("\n```"));
    below[..end.min().unwrap()].to_owned()
}

#[test]
fn the_readme_shows_what_is_printed() {
    let account = account();
    for (command, status) in [
        ("ssm-agentcheck show", 0),
        ("ssm-agentcheck check -f agent.json", 1),
    ] {
        let output = on_terminal(&account, 110, command).run();
        output.assert_status(status);
        let printed = without_colors(&output).replace(account.id(), "222222222222");
        let expected = capture(command);
        assert!(printed.starts_with(&expected), "{printed}\n--\n{expected}");
        let rest = printed[expected.len()..].trim_start();
        let lines = rest
            .lines()
            .all(|line| line.starts_with("ssm-agentcheck: "));
        assert!(lines, "the README leaves out: {rest}");
    }
}

/// Has a trail write digests with two hours between them, and returns how to verify them.
fn digests(account: &Account) -> String {
    account.start_trail();
    let update = ["cloudtrail", "update-trail", "--name", "all"];
    account.aws(&[&update[..], &["--enable-log-file-validation"]].concat());
    let time = |hour: u32| format!("2025-11-03T{hour:02}:00:00Z");
    for hour in [10, 11, 14] {
        let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": time(hour)});
        let place = json!({"trail": "all", "region": "us-east-1", "time": time(hour), "records": [record],
            "from": time(hour), "to": time(hour + 1), "restart": hour == 14});
        account.deliver("log-files", &place);
        account.deliver("digests", &place);
    }
    let times = "--since 2025-11-03T10:00:00Z --until 2025-11-03T15:00:00Z";
    format!(
        "ssm-events history --s3 s3://trail-{} --event SendCommand --verify {times}",
        account.id()
    )
}

/// What lists look like, at two widths, with and without colors.
#[test]
fn lists_are_tables() {
    let account = account();
    let records = testbed::fixture("terminal/records.jsonl");
    std::fs::copy(records, account.home().join("records.jsonl")).unwrap();
    let webhook = |name: &str| json!({"slack_webhook": {"env": name}});
    let rules = [
        json!({"name": "commands", "pattern": {"eventName": ["SendCommand"]}, "mute": {"reason": "reviewed in OPS-17"}}),
        json!({"name": "denied", "severities": ["error"], "to": ["security", "ops"]}),
    ];
    let routes = json!({"destinations": {"ops": webhook("OPS"), "security": webhook("SECURITY")}, "default": ["ops"],
        "reason_pattern": "[A-Z]+-[0-9]+", "rules": rules});
    std::fs::write(account.home().join("routes.json"), routes.to_string()).unwrap();
    // What two nodes end with comes in any order.
    let ids = ["i-02a00000000000001", "i-02a00000000000015"];
    std::fs::write(account.home().join("nodes.txt"), ids.join("\n")).unwrap();
    let verify = digests(&account);
    for (name, command) in [
        ("nodes", "ssm-agentcheck show"),
        ("preferences", "ssm-prefs show --region us-east-1,eu-west-1"),
        ("roles", "ssm-role show --region us-east-1,eu-west-1"),
        // Who begins has one account and one region.
        ("preferences_of_one_region", "ssm-prefs show"),
        ("roles_of_one_region", "ssm-role show"),
        ("alerts_of_one_region", "ssm-events show -f events.json"),
        ("report", "ssm-events report -f records.jsonl"),
        ("history", "ssm-events history records.jsonl"),
        (
            "routing",
            "ssm-events send --routes routes.json --explain -f records.jsonl",
        ),
        ("integrity", &verify),
        ("run", "ssm-run -f nodes.txt -- uname"),
    ] {
        for columns in [80, 200] {
            let colored = on_terminal(&account, columns, command).run();
            let plain = on_terminal(&account, columns, command)
                .env("NO_COLOR", "1")
                .run();
            let uncolored = without_commands(&without_colors(&colored));
            assert_eq!(uncolored, without_commands(&plain.stdout), "{command}");
            assert!(!plain.stdout.contains('\u{1b}'), "{command}");
            let text = without_commands(&colored.stdout).replace(account.id(), "222222222222");
            let shown = text.replace('\u{1b}', "\\e");
            let golden = format!("terminal/{name}-{columns}.txt");
            testbed::expect_text(&testbed::fixture(&golden), &shown);
        }
    }
}

#[test]
fn lines_fit_the_terminal() {
    let account = account();
    for columns in [60, 80, 200] {
        for command in [
            "ssm-agentcheck show",
            "ssm-agentcheck check -f agent.json",
            "ssm-prefs check -f prefs.json",
            "ssm-prefs plan -f prefs.json",
            "ssm-role show",
            "ssm-prefs render -f prefs.json",
            "ssm-events pattern -f events.json",
            "ssm-scp render -f scp.json",
            "ssm-role policy --for operator --target 111122223333/us-east-1 --tag Team=web",
        ] {
            let output = prepared(&account, &["--bar"], columns, command)
                .env("NO_COLOR", "1")
                .run();
            assert!(
                output.status == 0 || output.status == 1,
                "{command}: {}",
                output.stdout
            );
            // A bar is drawn over itself, and what comes next can be copied as a whole.
            let lines = output.stdout.lines().map(|line| {
                let line = line.rsplit(['\r', '\u{1b}']).next().unwrap();
                line.trim_start_matches("[2K")
            });
            // A text of JSON cannot be wrapped.
            let is_whole = |line: &&str| {
                let line = line.trim_start();
                line.starts_with("ssm-prefs plan ")
                    || line.contains(" | ssm-")
                    || line.starts_with('"')
            };
            for line in lines.filter(|line| !is_whole(line)) {
                let n_columns = line.chars().count();
                assert!(
                    n_columns <= usize::from(columns),
                    "{command} at {columns}: {line}"
                );
            }
        }
    }
}

#[test]
fn colors_are_for_terminals_that_want_them() {
    let account = account();
    let check = "ssm-agentcheck check -f agent.json";
    let colored = on_terminal(&account, 80, check).run();
    assert!(
        colored
            .stdout
            .contains("\u{1b}[1m\u{1b}[31merror  \u{1b}[0m"),
        "{}",
        colored.stdout
    );
    let plain = without_colors(&colored);
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let output = on_terminal(&account, 80, check).env(name, value).run();
        assert_eq!(output.stdout, plain, "{name}={value}");
    }
    let piped = account.tool(binary("ssm-agentcheck").as_os_str());
    let piped = piped
        .args(["check", "-f", "agent.json", "-o", "text"])
        .run();
    assert!(!piped.stdout.contains('\u{1b}'));
}
