//! The rules. Each takes files and returns complaints.

use crate::source::{File, dependencies, tools};

/// Files of tools that are neither `main`, `commands`, `observe`, `apply` nor tests and still reach outside; with the reason.
pub(crate) const IMPURE: [(&str, &str); 1] = [(
    "tools/ssm-events/src/alerts/webhook.rs",
    "reads the secret from where the desired state says, never from the input itself",
)];

/// Files of shared crates that name tools; with the reason.
pub(crate) const NAMING: [(&str, &str); 4] = [
    (
        "shared/cli/src/mistakes.rs",
        "a mistake names the tool whose desired state was given; it is text for people, whoever prints it",
    ),
    (
        "shared/diagnosis/src/credentials.rs",
        "a cure names the tool that carries it out; it is text for people, whoever prints it",
    ),
    (
        "shared/organization/src/lib.rs",
        "a cure names the tool that prints what is missing; it is text for people, whoever prints it",
    ),
    (
        "shared/diagnosis/src/rules.rs",
        "a cure names the tool that carries it out; it is text for people, whoever prints it",
    ),
];

/// Files that wait by a clock of their own; with the reason.
const WAITING: [(&str, &str); 2] = [
    (
        "shared/awsconf/src/clock.rs",
        "the one place of waits for AWS",
    ),
    (
        "tools/ssm-events/src/commands/send/posting.rs",
        "the pace of others is not AWS's: --interval and Retry-After are seconds of the watch",
    ),
];

const MAX_LINES: usize = 400;

/// What the first word of an SDK call says when the call writes. A call of the SDK takes no argument: `.put_rule()`.
const WRITES: [&str; 30] = [
    "add",
    "associate",
    "attach",
    "authorize",
    "cancel",
    "create",
    "deauthorize",
    "delete",
    "deregister",
    "detach",
    "disable",
    "disassociate",
    "enable",
    "modify",
    "move",
    "put",
    "register",
    "remove",
    "reset",
    "restore",
    "resume",
    "revoke",
    "schedule",
    "send",
    "set",
    "start",
    "stop",
    "tag",
    "terminate",
    "update",
];

pub(crate) type Rule = (&'static str, fn(&[File]) -> Vec<String>);

pub(crate) const RULES: [Rule; 13] = [
    ("pure_files_are_pure", pure_files_are_pure),
    ("only_apply_writes", only_apply_writes),
    ("waits_go_through_awsconf", waits_go_through_awsconf),
    ("shared_crates_name_no_tool", shared_crates_name_no_tool),
    ("no_tool_needs_another", no_tool_needs_another),
    (
        "the_policy_library_stands_alone",
        the_policy_library_stands_alone,
    ),
    (
        "only_awsconf_makes_configurations",
        only_awsconf_makes_configurations,
    ),
    ("tools_are_binaries_only", tools_are_binaries_only),
    ("every_file_says_what_it_is", every_file_says_what_it_is),
    ("nothing_is_left_for_later", nothing_is_left_for_later),
    ("every_sdk_crate_is_used", every_sdk_crate_is_used),
    ("scripts_stop_at_errors", scripts_stop_at_errors),
    ("files_are_short", files_are_short),
];

/// The shared crates that decide or describe.
const PURE_CRATES: [&str; 6] = [
    "awsdata",
    "cloudformation",
    "diagnosis",
    "iam-policy",
    "records",
    "transcripts",
];

/// Model, plan, check, render, lint and the like decide; they get everything handed in. Clocks too.
fn pure_files_are_pure(files: &[File]) -> Vec<String> {
    let pure = |file: &&File| {
        let of_tool = file.in_tool().is_some_and(|(_, name)| {
            !["main.rs", "commands", "observe", "apply"]
                .iter()
                .any(|shell| name.starts_with(shell))
                && !name.ends_with("_tests.rs")
        });
        let of_shared = PURE_CRATES
            .iter()
            .any(|name| file.path.starts_with(&format!("shared/{name}/src/")));
        (of_tool || of_shared) && !IMPURE.iter().any(|(path, _)| *path == file.path)
    };
    let words = [
        "async ",
        ".await",
        "aws_sdk",
        "std::env",
        "SystemTime",
        // Of whichever clock: jiff's, the monotonic one, tokio's.
        "::now(",
        "Instant",
        "tokio",
    ];
    files
        .iter()
        .filter(pure)
        .flat_map(|file| file.lines_with(&words))
        .collect()
}

/// Whoever wants to know what a tool may change reads `apply` and nothing else.
fn only_apply_writes(files: &[File]) -> Vec<String> {
    let reads = |file: &&File| {
        let may_write = |name: &str| name.starts_with("apply") || name.ends_with("_tests.rs");
        let of_product = file.path.starts_with("shared/") && file.is_rust();
        of_product || file.in_tool().is_some_and(|(_, name)| !may_write(name))
    };
    let mut complaints = Vec::new();
    for file in files.iter().filter(reads) {
        for (number, line) in file.code() {
            if let Some(call) = written(line) {
                complaints.push(format!("{}:{number}: {call}", file.path));
            }
        }
    }
    complaints
}

/// One divisor makes every wait of the tests quick, so no wait may know another clock.
fn waits_go_through_awsconf(files: &[File]) -> Vec<String> {
    let of_product = |file: &&File| {
        let of_tests = file.path.contains("/tests/") || file.path.ends_with("tests.rs");
        (file.path.starts_with("shared/") || file.path.starts_with("tools/"))
            && file.is_rust()
            && !of_tests
            && !WAITING.iter().any(|(path, _)| *path == file.path)
    };
    let words = ["time::sleep", "thread::sleep", "time::interval"];
    files
        .iter()
        .filter(of_product)
        .flat_map(|file| file.lines_with(&words))
        .collect()
}

/// What reads and only sounds like a write: `.start_el()` is of the XML decoder, two are of associations, and a query of
/// Athena reads, though it may name the place first where it reads.
const READS: [&str; 4] = [
    "start_el",
    "schedule_offset",
    "schedule_expression",
    "start_query_execution",
];

/// Our own calls of EC2 that write; unlike the SDK's they take arguments.
const WRITES_OF_EC2: [&str; 3] = [
    "associate_iam_instance_profile",
    "replace_iam_instance_profile_association",
    "disassociate_iam_instance_profile",
];

/// Returns the SDK call that writes in a line of code, such as `put_rule`.
pub(crate) fn written(line: &str) -> Option<&str> {
    line.split('.').skip(1).find_map(|rest| {
        let (name, after) = rest.split_once('(')?;
        if WRITES_OF_EC2.contains(&name) {
            return Some(name);
        }
        let (first, object) = name.split_once('_')?;
        let plain = object.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let is_call = after.starts_with(')') && !READS.contains(&name);
        (plain && is_call && WRITES.contains(&first)).then_some(name)
    })
}

fn shared_crates_name_no_tool(files: &[File]) -> Vec<String> {
    let tools = tools(files);
    let names: Vec<&str> = tools.iter().map(String::as_str).collect();
    let shared = files.iter().filter(|file| {
        let is_naming = NAMING.iter().any(|(path, _)| *path == file.path);
        file.path.starts_with("shared/") && !is_naming
    });
    shared.flat_map(|file| file.lines_with(&names)).collect()
}

fn no_tool_needs_another(files: &[File]) -> Vec<String> {
    let tools = tools(files);
    let mut complaints = Vec::new();
    for (file, dependency) in dependencies(files) {
        if tools.contains(&dependency) {
            complaints.push(format!("{} depends on {dependency}", file.path));
        }
    }
    complaints
}

/// It is of use to others than this house, who need neither its other crates nor many of anybody.
fn the_policy_library_stands_alone(files: &[File]) -> Vec<String> {
    let needed = ["ipnet", "jiff", "jsonc-parser", "serde", "serde_json"];
    let for_tests = ["proptest", "testbed"];
    dependencies(files)
        .into_iter()
        .filter(|(file, name)| {
            file.path == "shared/iam-policy/Cargo.toml"
                && !needed.contains(&name.as_str())
                && !for_tests.contains(&name.as_str())
        })
        .map(|(file, name)| format!("{} depends on {name}", file.path))
        .collect()
}

/// Profiles, regions, retries and the HTTP client are the same in all tools.
fn only_awsconf_makes_configurations(files: &[File]) -> Vec<String> {
    let others = files
        .iter()
        .filter(|file| file.is_rust() && !file.path.starts_with("shared/awsconf/"));
    let config = [concat!("aws_", "config::")];
    others.flat_map(|file| file.lines_with(&config)).collect()
}

fn tools_are_binaries_only(files: &[File]) -> Vec<String> {
    let is_library = |file: &&File| file.in_tool().is_some_and(|(_, name)| name == "lib.rs");
    files
        .iter()
        .filter(is_library)
        .map(|file| file.path.clone())
        .collect()
}

fn every_file_says_what_it_is(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_rust() && !file.text.starts_with("//! "))
        .map(|file| format!("{}: no //! at its head", file.path))
        .collect()
}

fn nothing_is_left_for_later(files: &[File]) -> Vec<String> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let mut complaints = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                complaints.push(format!("{}:{}: {}", file.path, index + 1, line.trim()));
            }
        }
    }
    complaints
}

/// An SDK crate costs half a minute of building.
fn every_sdk_crate_is_used(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (manifest, dependency) in dependencies(files) {
        if !dependency.starts_with("aws-sdk-") {
            continue;
        }
        let sources = manifest.path.replace("Cargo.toml", "src/");
        let path = format!("{}::", dependency.replace('-', "_"));
        let used = files
            .iter()
            .any(|file| file.path.starts_with(&sources) && file.text.contains(&path));
        if !used {
            complaints.push(format!("{}: {dependency} is not used", manifest.path));
        }
    }
    complaints
}

/// A script is executable, says what runs it, and stops at errors itself or by what it sources first.
fn scripts_stop_at_errors(files: &[File]) -> Vec<String> {
    let in_place = |file: &&File| {
        (file.path.starts_with("scripts/") && file.path.ends_with(".sh"))
            || file.path.starts_with("tests/scripts/")
            || file.path.starts_with(".ci/")
    };
    let mut complaints = Vec::new();
    for file in files.iter().filter(in_place) {
        if file.text.starts_with("# shellcheck shell=bash") && !file.executable {
            continue; // Sourced by scripts, and bound by their settings.
        }
        let stops = |line: &str| line.starts_with("set -eu") || line.ends_with("/scene\"");
        // What runs on nodes finds no bash there.
        let shell = if file.path.starts_with("scripts/vulnscan.d/") {
            "#!/bin/sh\n"
        } else {
            "#!/usr/bin/env bash\n"
        };
        let names_shell = format!("does not start with {}", shell.trim_end());
        for (holds, rule) in [
            (file.executable, "is not executable"),
            (file.text.starts_with(shell), names_shell.as_str()),
            (file.text.lines().any(stops), "lacks set -eu"),
        ] {
            if !holds {
                complaints.push(format!("{} {rule}", file.path));
            }
        }
    }
    complaints
}

fn files_are_short(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let n_lines = file.text.lines().count();
        if n_lines > MAX_LINES {
            complaints.push(format!(
                "{}: {n_lines} lines, at most {MAX_LINES}",
                file.path
            ));
        }
    }
    complaints
}
