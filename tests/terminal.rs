//! What people see: tables, colors, wrapped lines and the next command, on pseudo-terminals; and the captures of the README.

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
    for name in ["agent", "prefs"] {
        let desired = repository().join(format!("scripts/rollout.d/{name}.json"));
        std::fs::copy(desired, account.home().join(format!("{name}.json"))).unwrap();
    }
    account
}

fn binary(tool: &str) -> std::path::PathBuf {
    repository().join("target/debug").join(tool)
}

/// Prepares a tool on a terminal of so many columns.
fn on_terminal(account: &Account, columns: u16, line: &str) -> Run {
    let script = repository().join("tests/testbed/terminal.py");
    let run = account.tool(repository().join(".venv/bin/python").as_os_str());
    let mut words = line.split(' ');
    let tool = binary(words.next().unwrap());
    run.args([script.as_os_str()])
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

/// Returns what the README shows below a command.
fn capture(command: &str) -> String {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, below) = readme.split_once(&format!("$ {command}\n")).unwrap();
    let end = below.find("\n\n").into_iter().chain(below.find("\n```"));
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
        ] {
            let output = on_terminal(&account, columns, command).run();
            assert!(
                output.status == 0 || output.status == 1,
                "{command}: {}",
                output.stdout
            );
            let text = without_colors(&output);
            // Lines for people on stderr are sentences, which a terminal may wrap.
            for line in text.lines().filter(|line| !line.starts_with("ssm-")) {
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

#[test]
fn the_end_says_how_much_there_was_and_what_comes_next() {
    let account = account();
    for (command, end) in [
        (
            "ssm-agentcheck show",
            "ssm-agentcheck: 3 nodes\nssm-agentcheck: next: ssm-agentcheck check -f FILE\n",
        ),
        (
            "ssm-agentcheck check -f agent.json",
            "ssm-agentcheck: 3 nodes: 1 pass, 2 fail, 0 unknown\nssm-agentcheck: next: ssm-agentcheck plan -f agent.json\n",
        ),
        (
            "ssm-prefs plan -f prefs.json",
            " to create, 0 to change, 0 to delete\nssm-prefs: nothing is written yet; next: ssm-prefs plan -f prefs.json >plan.json && \
             ssm-prefs apply <plan.json\n",
        ),
    ] {
        let output = on_terminal(&account, 80, command).run();
        assert!(output.stdout.ends_with(end), "{command}: {}", output.stdout);
        let quiet = on_terminal(&account, 80, &format!("{command} -q")).run();
        assert!(!quiet.stdout.contains("next: "), "{command} -q");
    }
}
