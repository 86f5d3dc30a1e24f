//! What many nodes have in common, which is there once.

use serde_json::json;
use testbed::Sandbox;

use super::{binary, on_terminal, without_colors};

/// Seven nodes with the same trouble are one finding and one change, each with a count and a few names.
#[test]
fn what_many_nodes_share_is_said_once() {
    let account = Sandbox::start().account();
    let node = |number: u32| {
        let agent = match number {
            1..=7 => json!({"version": format!("3.1.{number}.0")}),
            8..=14 => json!({"version": "3.3.987.0", "ping": "ConnectionLost",
                "last_ping": format!("2026-11-{number:02}T09:12:05Z")}),
            _ => json!({"version": "3.3.987.0"}),
        };
        json!({"account": account.id(), "region": "us-east-1", "instance_id": format!("i-{number:017x}"),
            "name": format!("web-{number}"), "profile": "web", "agent": agent})
    };
    let web = json!({"account": account.id(), "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
        "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]});
    let nodes: Vec<serde_json::Value> = (1..=15).map(node).collect();
    account.seed(&json!({"roles": [web], "nodes": nodes}));
    let desired = json!({"update": {"waves": ["100%"]}}).to_string();
    std::fs::write(account.home().join("agent.json"), desired).unwrap();
    for (name, command) in [
        ("alike", "ssm-agentcheck check -f agent.json"),
        ("alike_plan", "ssm-agentcheck plan -f agent.json"),
    ] {
        let output = on_terminal(&account, 80, command)
            .env("NO_COLOR", "1")
            .run();
        let text = output.stdout.replace(account.id(), "222222222222");
        testbed::expect_text(&testbed::fixture(&format!("terminal/{name}-80.txt")), &text);
    }
}

/// As `clush -b` does: what many nodes print alike is there once, what one prints is not lost among them.
#[test]
fn equal_outputs_of_many_nodes_are_one() {
    let account = Sandbox::start().account();
    let id = |number: usize| format!("i-{number:017x}");
    let node = |number: usize| {
        let output = match number {
            4 => json!({"stdout": "5.10\n"}),
            7 => json!({"stdout": "6.1\n", "exit_code": 3}),
            _ => json!({"stdout": "6.1\n"}),
        };
        json!({"account": account.id(), "region": "us-east-1", "instance_id": id(number),
            "agent": {"version": "3.3.987.0", "run_output": [output]}})
    };
    let nodes: Vec<serde_json::Value> = (1..=11).map(node).collect();
    account.seed(&json!({"nodes": nodes}));
    let write = |name: &str, n: usize| {
        let ids: Vec<String> = (1..=n).map(id).collect();
        std::fs::write(account.home().join(name), ids.join("\n")).unwrap();
    };
    write("eleven.txt", 11);
    write("ten.txt", 10);
    let output = on_terminal(&account, 200, "ssm-run -f eleven.txt -- uname -r").run();
    output.assert_status(1);
    let text = without_colors(&output);
    let alike = text
        .lines()
        .filter(|line| line.starts_with("9 nodes: Success: i-"));
    let alike: Vec<&str> = alike.collect();
    assert_eq!(alike.len(), 1, "{text}");
    assert!(text.contains("] and 1 more\n    6.1\n"), "{text}");
    let place = format!("[{}/us-east-1]", account.id());
    for alone in [
        format!("{} {place}: Success\n    5.10\n", id(4)),
        format!("{} {place}: Failed 3\n    6.1\n", id(7)),
    ] {
        assert!(text.contains(&alone), "{alone}: {text}");
    }
    assert_eq!(text.matches("6.1\n").count(), 2, "{text}");
    assert!(
        text.contains("ssm-run: 11 nodes: 10 Success, 1 Failed\n"),
        "{text}"
    );
    // Ten lines are read one by one, and records are never folded.
    let output = on_terminal(&account, 200, "ssm-run -f ten.txt -- uname -r").run();
    assert_eq!(
        without_colors(&output)
            .matches(": Success\n    6.1\n")
            .count(),
        8
    );
    let piped = account.tool(binary("ssm-run").as_os_str());
    let piped = piped.args(["-f", "eleven.txt", "--", "uname", "-r"]).run();
    assert_eq!(piped.stdout.matches("\"kind\":\"invocation\"").count(), 11);
}

/// What is wrong in every region alike is one entry, and what is done there alike is shown once.
#[test]
fn what_many_regions_share_is_said_once() {
    let account = Sandbox::start().account();
    let there = "--region us-east-1,us-west-2,eu-west-1";
    for (name, text) in [
        ("role.json", "{\"default_host_management\": {}}"),
        (
            "prefs.json",
            "{\"kms_key\": {\"alias\": \"alias/x\", \"create\": true}}",
        ),
    ] {
        std::fs::write(account.home().join(name), text).unwrap();
    }
    let shown = |command: &str| {
        let output = on_terminal(&account, 200, &format!("{command} {there}")).run();
        without_colors(&output)
    };
    let places = format!(
        "role.dhmc.disabled [3 regions of {}: us-east-1, us-west-2, eu-west-1]",
        account.id()
    );
    let text = shown("ssm-role check -f role.json");
    assert_eq!(text.matches("role.dhmc.disabled").count(), 1, "{text}");
    assert!(text.contains(&places), "{text}");
    let text = shown("ssm-prefs plan -f prefs.json");
    let same = format!(
        "the same changes as in {}/us-east-1, but for the names",
        account.id()
    );
    assert_eq!(text.matches(&same).count(), 2, "{text}");
    assert_eq!(text.matches("create_key").count(), 1, "{text}");
    // Records are never folded.
    let piped = account.tool(binary("ssm-role").as_os_str());
    let words = format!("check -f role.json {there}");
    let piped = piped.args(words.split(' ')).run();
    assert_eq!(piped.stdout.matches("role.dhmc.disabled").count(), 3);
}
