//! A stdout that nothing can be written to: closed from the start, or on a full disk.

use serde_json::json;
use testbed::{Account, Output, Run, Sandbox, offline};

use super::{TOOLS, Tool};

/// Runs that print, and their input.
const PRINT: [(&str, &[&str], &str); 8] = [
    ("ssm-agentcheck", &["show"], ""),
    ("ssm-role", &["show"], ""),
    ("ssm-prefs", &["show"], ""),
    ("ssm-prefs", &["render"], r#"{"idle_timeout_minutes": 15}"#),
    ("ssm-scp", &["render"], GUARD),
    ("ssm-scp", &["gaps", "-f", "-"], GUARD),
    (
        "ssm-events",
        &["show"],
        r#"{"webhook": {"env": "WEBHOOK"}}"#,
    ),
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
fn a_stdout_that_was_closed_from_the_start_is_an_error_of_every_verb_that_writes() {
    for tool in &TOOLS {
        let check = |arguments: &[&str]| {
            let plan = json!({"kind": "plan", "tool": tool.name, "changes": [],
                "target": {"account": "111122223333", "region": "us-east-1"}});
            let input = offline("/bin/sh").stdin(plan.to_string());
            let closed = redirected(input, tool, ">&-", arguments);
            let said = format!("{}: stdout is closed", tool.name);
            assert_eq!(closed.status, 2, "{} {arguments:?}", tool.name);
            assert!(
                closed.stderr.starts_with(&said),
                "{} {arguments:?}: {}",
                tool.name,
                closed.stderr
            );
        };
        if tool.verbs.contains(&"apply") {
            check(&["apply"]);
        }
        if tool.verbs.is_empty() {
            check(&["--", "id"]);
        }
    }
}

/// `>&-` and `subprocess.DEVNULL` look the same to a program, and whoever uses the latter wants the status alone.
#[test]
fn a_verb_that_reads_goes_on_without_a_stdout() {
    for tool in &TOOLS {
        let closed = redirected(offline("/bin/sh"), tool, ">&-", &["--help"]);
        assert_eq!((closed.status, &*closed.stderr), (0, ""), "{}", tool.name);
    }
    let render = named("ssm-scp");
    let input = offline("/bin/sh").stdin(GUARD);
    assert_eq!(redirected(input, render, ">&-", &["render"]).status, 0);
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
