//! The contract that all tools keep, held by every binary: help, versions, schemas, exit status, bad input.

#[path = "conformance/architecture.rs"]
mod architecture;
#[path = "conformance/desired.rs"]
mod desired;
#[path = "conformance/help.rs"]
mod help;
#[path = "conformance/input.rs"]
mod input;
#[path = "conformance/manuals.rs"]
mod manuals;
#[path = "conformance/paths.rs"]
mod paths;
#[path = "conformance/refused_calls.rs"]
mod refused_calls;
#[path = "conformance/reports.rs"]
mod reports;
#[path = "conformance/stdout.rs"]
mod stdout;
#[path = "conformance/wrong_invocations.rs"]
mod wrong_invocations;
#[path = "conformance/wrong_lines.rs"]
mod wrong_lines;

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox, offline};

/// A tool, all verbs that it has in the order of its help, and an input that it takes.
#[derive(Clone, Copy)]
struct Tool {
    name: &'static str,
    verbs: &'static [&'static str],
    /// What comes before and after the flags of a run that reads.
    reads: (&'static [&'static str], &'static [&'static str]),
    desired: &'static str,
    /// The first call after the identity is known, to be refused and throttled; none of a tool that calls nobody.
    first_read: Option<(&'static str, &'static str)>,
}

const CHECK: (&[&str], &[&str]) = (&["check"], &[]);

const TOOLS: [Tool; 7] = [
    Tool {
        name: "ssm-agentcheck",
        verbs: &["show", "check", "plan", "apply", "lint", "host"],
        reads: CHECK,
        desired: "{}",
        first_read: Some(("ssm", "DescribeInstanceInformation")),
    },
    Tool {
        name: "ssm-role",
        verbs: &["show", "check", "plan", "apply", "lint", "render", "policy"],
        reads: CHECK,
        desired: r#"{"default_host_management": {}}"#,
        first_read: Some(("ssm", "GetServiceSetting")),
    },
    Tool {
        name: "ssm-prefs",
        verbs: &["show", "check", "plan", "apply", "lint", "render", "probe"],
        reads: CHECK,
        desired: r#"{"idle_timeout_minutes": 15}"#,
        first_read: Some(("ssm", "DescribeDocument")),
    },
    Tool {
        name: "ssm-scp",
        verbs: &[
            "show", "check", "plan", "apply", "lint", "render", "impact", "gaps", "simulate",
            "replay",
        ],
        reads: CHECK,
        desired: r#"{"policy_name": "p", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["r-abcd"]}"#,
        first_read: Some(("organizations", "DescribeOrganization")),
    },
    Tool {
        name: "ssm-events",
        verbs: &[
            "show",
            "check",
            "plan",
            "apply",
            "lint",
            "render",
            "history",
            "sessions",
            "report",
            "format",
            "send",
            "reconcile",
            "pattern",
            "match",
        ],
        reads: CHECK,
        desired: r#"{"webhook": {"env": "WEBHOOK"}}"#,
        first_read: Some(("events", "DescribeRule")),
    },
    Tool {
        name: "ssm-run",
        verbs: &[],
        reads: (&[], &["--", "id"]),
        desired: "i-0123456789abcdef0",
        first_read: Some(("ssm", "DescribeInstanceInformation")),
    },
    Tool {
        name: "ssm-vulns",
        verbs: &["sbom", "match", "patches"],
        reads: (&["match"], &["--advisories", "/"]),
        desired: "{}",
        first_read: None,
    },
];

/// The tools that call AWS, each with its first call.
fn calling_aws() -> impl Iterator<Item = (Tool, (&'static str, &'static str))> {
    let with_call = |tool: Tool| tool.first_read.map(|call| (tool, call));
    TOOLS.into_iter().filter_map(with_call)
}

impl Tool {
    /// The binary beside this test; `make test` builds all of them first.
    fn exe(&self) -> PathBuf {
        let test = std::env::current_exe().unwrap();
        let exe = test.ancestors().nth(2).unwrap().join(self.name);
        assert!(exe.exists(), "{exe:?} is missing: build all targets before");
        exe
    }

    fn offline(&self, arguments: &[&str]) -> Run {
        offline(self.exe()).args(arguments)
    }

    fn run(&self, account: &Account, arguments: &[&str]) -> Run {
        account
            .tool(self.exe())
            .args(arguments)
            .env("WEBHOOK", "https://hooks.slack.com/services/T/B/x")
    }

    /// A run that reads: `check`, of the tools that have verbs.
    fn reads(&self, account: &Account, flags: &[&str]) -> Run {
        let (before, after) = self.reads;
        self.run(account, &[before, flags, after].concat())
    }

    fn can(&self, verb: &str) -> bool {
        self.verbs.contains(&verb)
    }

    /// Every complaint is one line that starts with the tool's name.
    fn complains(&self, output: &Output, part: &str) {
        output.assert_status(2).assert_complains(part);
        assert_eq!(output.stdout, "", "{}", self.name);
        let prefix = format!("{}: ", self.name);
        assert!(
            output.stderr.lines().all(|line| line.starts_with(&prefix)),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn help_is_the_one_that_was_reviewed_and_lists_every_verb() {
    for tool in TOOLS {
        let help = tool.offline(&["--help"]).run();
        help.assert_status(0).assert_stderr("");
        assert_eq!(help::verbs(&help.stdout), tool.verbs, "{}", tool.name);
        testbed::expect_text(
            &testbed::fixture(&format!("{}/help.txt", tool.name)),
            &help.stdout,
        );
        let version = tool.offline(&["--version"]).run();
        version.assert_status(0).assert_stderr("");
        let target = format!("{}-unknown-linux-", std::env::consts::ARCH);
        let expected = format!("{} 0.1.0 (unreleased, {target}", tool.name);
        assert!(version.stdout.starts_with(&expected), "{}", version.stdout);
    }
}

/// Each verb has a help of its own, and none takes what it does not know.
#[test]
fn every_verb_has_help_and_refuses_unknown_flags() {
    for tool in TOOLS {
        for verb in tool.verbs {
            let help = tool.offline(&[verb, "--help"]).run();
            help.assert_status(0).assert_stderr("");
            assert!(
                help.stdout
                    .contains(&format!("Usage: {} {verb}", tool.name))
            );
            let wrong = tool.offline(&[verb, "--dance"]).run();
            wrong.assert_status(2).assert_complains("'--dance'");
            assert_eq!(wrong.stdout, "", "{} {verb}", tool.name);
        }
    }
}

#[test]
fn generates_man_page_completions_and_schemas() {
    for tool in TOOLS {
        for artefact in ["man", "bash", "zsh", "fish"] {
            let made = tool.offline(&["--generate", artefact]).run();
            made.assert_status(0).assert_stderr("");
            assert!(made.stdout.contains(tool.name), "{} {artefact}", tool.name);
        }
        let schema = tool.offline(&["--generate", "schema"]).run();
        schema.assert_status(0).assert_stderr("");
        let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
        assert_eq!(schema["$id"], format!("urn:{}:records:1", tool.name));
        let records = match tool.can("apply") {
            true => &["finding", "plan", "result", "unreachable"][..],
            false => &["unreachable"],
        };
        for record in records {
            assert!(
                schema["$defs"][record].is_object(),
                "{} {record}",
                tool.name
            );
        }
        tool.offline(&["--generate", "poem"]).run().assert_status(2);
    }
}

/// Who reads records relies on their fields: one that goes, or is called otherwise, needs another version in the `$id`, and
/// with it another file.
#[test]
fn no_field_of_a_record_goes_without_a_new_version() {
    for tool in TOOLS {
        let schema = tool.offline(&["--generate", "schema"]).run();
        let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
        let version = schema["$id"].as_str().unwrap().rsplit(':').next().unwrap();
        let reviewed = testbed::fixture(&format!("{}/records-{version}.txt", tool.name));
        let paths = paths::paths(&schema);
        let before = std::fs::read_to_string(&reviewed).unwrap_or_default();
        let gone: Vec<&str> = before
            .lines()
            .filter(|path| !paths.iter().any(|one| one == path))
            .collect();
        assert!(
            gone.is_empty(),
            "{} version {version} has lost {gone:#?}",
            tool.name
        );
        testbed::expect_text(&reviewed, &format!("{}\n", paths.join("\n")));
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for tool in TOOLS {
        for arguments in [
            &[][..],
            &["dance"],
            &["check", "--dance"],
            &["check", "--region", "nowhere"],
        ] {
            let wrong = tool.offline(arguments).run();
            wrong.assert_status(2);
            assert_eq!(wrong.stdout, "", "{} {arguments:?}", tool.name);
        }
    }
}

#[test]
fn bad_input_is_refused_before_the_first_call() {
    let account = Sandbox::start().account();
    for tool in TOOLS {
        let check = |input: &str| tool.reads(&account, &[]).stdin(input).run();
        tool.complains(
            &check("{"),
            "EOF while parsing an object at line 1 column 1",
        );
        tool.complains(
            &check("{\"surprise\": 1}"),
            "$.surprise: unknown field `surprise`",
        );
        // What an agent must be like has defaults, and nothing is written by them.
        if tool.name != "ssm-agentcheck" {
            tool.complains(&check(""), "the input is empty");
        }
        let filter = tool
            .reads(&account, &["--jq", ".["])
            .stdin(tool.desired)
            .run();
        tool.complains(&filter, "--jq '.['");
    }
    assert!(account.calls().is_empty());
}

#[test]
fn no_region_and_an_unknown_profile_are_errors_with_a_way_out() {
    let account = Sandbox::start().account();
    for (tool, _) in calling_aws() {
        let check = || tool.reads(&account, &[]).stdin(tool.desired);
        let no_region = "no region: pass --region or set AWS_REGION";
        tool.complains(&check().env_remove("AWS_REGION").run(), no_region);
        // As a script leaves it whose own variable is not set.
        tool.complains(&check().env("AWS_REGION", "").run(), no_region);
        let unknown = tool
            .reads(&account, &["--profile", "nobody"])
            .stdin(tool.desired)
            .run();
        tool.complains(&unknown, "profile 'nobody' is not in the AWS config files");
    }
    assert!(account.calls().is_empty());
}

#[test]
fn an_explicit_profile_wins_over_keys_in_the_environment() {
    let (account, other) = (Sandbox::start().account(), Sandbox::start().account());
    let credentials = account.home().join("credentials");
    let keys = format!(
        "[other]\naws_access_key_id = {}\naws_secret_access_key = x\n",
        other.access_key()
    );
    std::fs::write(&credentials, keys).unwrap();
    for (tool, _) in calling_aws() {
        let check = tool
            .reads(&account, &["--profile", "other"])
            .stdin(tool.desired);
        check.env("AWS_SHARED_CREDENTIALS_FILE", &credentials).run();
    }
    assert!(
        account.calls().is_empty(),
        "the environment's keys were used"
    );
    assert!(!other.calls().is_empty());
}

#[test]
fn a_refused_read_is_never_a_pass() {
    for (tool, (service, operation)) in calling_aws() {
        let account = Sandbox::start().account();
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        let check = tool.reads(&account, &[]).stdin(tool.desired).run();
        check.assert_status(2);
        assert!(account.writes().is_empty());
    }
}

#[test]
fn throttling_once_changes_nothing() {
    for (tool, (service, operation)) in calling_aws() {
        let account = Sandbox::start().account();
        let check = || tool.reads(&account, &[]).stdin(tool.desired).run();
        let calm = check();
        account.fault(json!({"service": service, "operation": operation, "kind": "throttle"}));
        let throttled = check();
        assert_eq!(
            (calm.status, &calm.stdout),
            (throttled.status, &throttled.stdout),
            "{}",
            tool.name
        );
    }
}

#[test]
fn apply_takes_only_a_plan_of_this_tool_for_this_account() {
    let account = Sandbox::start().account();
    for tool in TOOLS.iter().filter(|tool| tool.can("apply")) {
        let apply = |input: String| tool.run(&account, &["apply"]).stdin(input).run();
        let plan = |name: &str, account: &str, region: &str| {
            json!({"kind": "plan", "tool": name, "target": {"account": account, "region": region}, "changes": []})
                .to_string()
        };
        assert_eq!(
            apply(String::new()).status,
            2,
            "{}: nothing on stdin",
            tool.name
        );
        assert_eq!(
            apply(plan("ssm-other", account.id(), "us-east-1")).status,
            2,
            "{}: another tool",
            tool.name
        );
        let elsewhere = apply(plan(tool.name, "999999999999", "us-east-1"));
        tool.complains(
            &elsewhere,
            "plan is for account 999999999999, but the credentials belong to account",
        );
        let region = tool.run(&account, &["apply", "--region", "eu-west-1"]);
        let region = region
            .stdin(plan(tool.name, account.id(), "us-east-1"))
            .run();
        tool.complains(
            &region,
            "plan is for region us-east-1, but --region is eu-west-1",
        );
    }
    assert!(account.writes().is_empty());
}
