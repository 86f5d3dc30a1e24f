//! What is typed behind `--generate policy`: its help, wrong flags and wrong files.

use serde_json::{Value, json};
use testbed::{Output, Sandbox, offline, repository};

use super::{TOOLS, bin, policy};

fn generate(tool: &str, arguments: &[&str]) -> Output {
    let run = offline(bin(tool)).args(["--generate", "policy"]);
    run.args(arguments).run()
}

#[test]
fn help_is_for_people_and_no_error() {
    for tool in TOOLS {
        let help = generate(tool, &["--help"]);
        help.assert_status(0).assert_stderr("");
        let usage = format!("\n\nUsage: {tool} --generate policy [OPTIONS]\n\n");
        assert!(help.stdout.contains(&usage), "{}", help.stdout);
        let begin = "Print the IAM policy that a tool or a verb needs\n";
        assert!(help.stdout.starts_with(begin), "{}", help.stdout);
        let takes_file = help.stdout.contains("--file");
        assert_eq!(takes_file, tool != "ssm-run", "{tool}");
    }
    let run = offline(bin("ssm-role")).args(["check", "--generate=policy", "-h"]);
    let help = run.run();
    help.assert_status(0);
    let usage = "Usage: ssm-role check --generate policy [OPTIONS]\n";
    assert!(help.stdout.contains(usage), "{}", help.stdout);
    assert!(!help.stdout.contains("--for"), "{}", help.stdout);
}

#[test]
fn a_wrong_flag_keeps_the_lines_of_its_message() {
    for tool in TOOLS {
        let wrong = generate(tool, &["--prefs", "prefs.json"]);
        wrong.assert_status(2).assert_stderr(&format!(
            "error: unexpected argument '--prefs' found\n\nUsage: {tool} --generate policy [OPTIONS]\n\nFor more information, try '--help'.\n"
        ));
        assert_eq!(wrong.stdout, "");
    }
}

#[test]
fn a_wrong_file_is_named() {
    let account = Sandbox::start().account();
    let surprise = account.home().join("surprise.json");
    std::fs::write(&surprise, "{\"surprise\": 1}").unwrap();
    let surprise = surprise.to_str().unwrap();
    let other = |tool: &str| match tool {
        "ssm-prefs" => ("role.json", "this looks like a desired state of ssm-role"),
        _ => ("prefs.json", "this looks like a desired state of ssm-prefs"),
    };
    for tool in TOOLS {
        let (other, says) = other(tool);
        let other = repository().join("scripts/rollout.d").join(other);
        let of_other = generate(tool, &["-f", other.to_str().unwrap()]);
        let of_surprise = generate(tool, &["-f", surprise]);
        if tool == "ssm-run" {
            for output in [of_other, of_surprise] {
                output.assert_status(2).assert_complains("leave -f out");
            }
            continue;
        }
        of_other.assert_status(2).assert_complains(says);
        let path = format!("{surprise}: $.surprise: unknown field `surprise`");
        of_surprise.assert_status(2).assert_complains(&path);
        assert!(of_surprise.stderr.contains("at line 1 column"), "{tool}");
    }
}

/// What a desired state of agents leaves alone is not read; what it names is enough.
#[test]
fn agents_that_are_not_associated_need_no_association() {
    let account = Sandbox::start().account();
    let reads = [
        "ec2:GetInstanceMetadataDefaults",
        "ssm:DescribeAssociation",
        "ssm:ListAssociations",
    ];
    for (name, desired, expected) in [
        ("none", json!({}), &[][..]),
        ("imds", json!({"imds": {"require_v2": true}}), &reads[..1]),
        ("association", json!({"association": {}}), &reads[1..]),
    ] {
        // A policy is asked for once for each file.
        let path = account.home().join(format!("{name}.json"));
        std::fs::write(&path, desired.to_string()).unwrap();
        let narrowed = policy(
            "ssm-agentcheck",
            &["--for=read", "-f", path.to_str().unwrap()],
        );
        let narrowed: Value = serde_json::from_str(&narrowed).unwrap();
        let statements = narrowed["Statement"].as_array().unwrap().iter();
        let actions = statements.flat_map(|one| super::texts(&one["Action"]));
        let mut actions: Vec<&str> = actions.filter(|one| reads.contains(one)).collect();
        actions.sort_unstable();
        assert_eq!(actions, expected, "{desired}");
        for verb in ["plan", "check"] {
            let run = account.tool(bin("ssm-agentcheck"));
            let run = run.args([verb]).stdin(desired.to_string());
            let output = run.narrowed_by(&path).run();
            assert!(output.status < 2, "{desired} {verb}: {}", output.stderr);
        }
    }
}
