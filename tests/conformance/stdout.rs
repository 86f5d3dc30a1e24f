//! A stdout that nothing can be written to: closed from the start, or on a full disk. Only a reader that has gone is no error.

use serde_json::json;
use testbed::{Account, Output, Run, Sandbox, offline};

use super::{TOOLS, Tool};

/// What a verb cannot be asked without.
const NEEDED: [(&str, &str, &[&str]); 8] = [
    ("ssm-role", "policy", &["--for", "operator"]),
    ("ssm-role", "render", &["--cloudformation"]),
    ("ssm-prefs", "probe", &["i-0123456789abcdef0"]),
    ("ssm-events", "match", &["pattern.json"]),
    ("ssm-events", "render", &["--cloudformation"]),
    ("ssm-events", "format", &["--to", "slack"]),
    (
        "ssm-events",
        "send",
        &["--webhook", "env:WEBHOOK", "--spool", "spool"],
    ),
    ("ssm-events", "reconcile", &["--delivered", "spool"]),
];

/// Runs that print, and their input.
const PRINT: [(&str, &[&str], &str); 8] = [
    ("ssm-agentcheck", &["show"], ""),
    ("ssm-role", &["show"], ""),
    ("ssm-prefs", &["show"], ""),
    ("ssm-prefs", &["render"], r#"{"idle_timeout_minutes": 15}"#),
    ("ssm-scp", &["render"], GUARD),
    ("ssm-scp", &["gaps", "-f", "-"], GUARD),
    ("ssm-events", &["show"], ""),
    (
        "ssm-events",
        &["pattern"],
        r#"{"webhook": {"env": "WEBHOOK"}}"#,
    ),
];
const GUARD: &str = r#"{"policy_name": "p", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["r-abcd"]}"#;

/// Runs a tool with its stdout as a shell says.
fn redirected(run: Run, tool: &Tool, stdout: &str, arguments: &[&str]) -> Output {
    let script = format!("exec \"$@\" {stdout}");
    let run = run.args(["-c", &script, "sh", tool.exe().to_str().unwrap()]);
    run.args(arguments).run()
}

fn named(name: &str) -> &'static Tool {
    TOOLS.iter().find(|tool| tool.name == name).unwrap()
}

#[test]
fn a_stdout_that_was_closed_from_the_start_is_an_error_of_every_verb() {
    for tool in &TOOLS {
        let check = |arguments: &[&str]| {
            let closed = redirected(offline("/bin/sh"), tool, ">&-", arguments);
            let said = format!("{}: stdout is closed", tool.name);
            assert_eq!(closed.status, 2, "{} {arguments:?}", tool.name);
            assert!(
                closed.stderr.starts_with(&said),
                "{} {arguments:?}: {}",
                tool.name,
                closed.stderr
            );
        };
        for verb in tool.verbs {
            let needed = NEEDED
                .iter()
                .find(|one| (one.0, one.1) == (tool.name, *verb));
            let needed = needed.map_or(&[][..], |one| one.2);
            check(&[&[*verb][..], needed].concat());
            check(&[verb, "--help"]);
        }
        if tool.verbs.is_empty() {
            check(&["--", "id"]);
        }
        for arguments in [
            &["--help"][..],
            &["--version"],
            &["--generate", "schema"],
            &["--generate", "man"],
        ] {
            check(arguments);
        }
    }
}

#[test]
fn a_full_disk_is_an_error_however_the_output_is_shaped() {
    let account = seeded();
    let says = |full: &Output, what: &str| {
        assert_eq!(full.status, 2, "{what}: {}", full.stderr);
        assert!(
            full.stderr
                .contains("write to stdout: No space left on device"),
            "{what}: {}",
            full.stderr
        );
    };
    for tool in &TOOLS {
        for arguments in [
            &["--help"][..],
            &["--version"],
            &["--generate", "schema"],
            &["--generate", "bash"],
        ] {
            let full = redirected(offline("/bin/sh"), tool, ">/dev/full", arguments);
            says(&full, &format!("{} {arguments:?}", tool.name));
        }
    }
    for (name, arguments, input) in PRINT {
        for shape in [&[][..], &["--jq", "."], &["-o", "text"]] {
            let arguments = [arguments, shape].concat();
            let what = format!("{name} {arguments:?}");
            let tool = named(name);
            let printed = tool.run(&account, &arguments).stdin(input).run();
            assert!(
                printed.status < 2 && !printed.stdout.is_empty(),
                "{what}: {}",
                printed.stderr
            );
            let shell = account.tool("/bin/sh").stdin(input);
            says(&redirected(shell, tool, ">/dev/full", &arguments), &what);
        }
    }
    // A reader that has gone is nobody's mistake.
    for (name, arguments, input) in PRINT {
        let gone = named(name)
            .run(&account, arguments)
            .stdin(input)
            .stdout_closed()
            .run();
        assert!(gone.status < 2, "{name} {arguments:?}: {}", gone.stderr);
    }
}

/// Returns an account with a node, so that there is something to print.
fn seeded() -> Account {
    let account = Sandbox::start().account();
    let node = json!({"account": account.id(), "region": "us-east-1", "instance_id": "i-0a000000000000001",
        "agent": {"version": "3.3.987.0"}});
    account.seed(&json!({"nodes": [node]}));
    account
}
