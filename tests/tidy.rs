//! The invariants of the architecture, read off the source text: what only some files may do, and what none may.
//! A rule takes files and returns complaints, so that each can be shown to fire on a bad file.

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/modules.rs"]
mod modules;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use crate::circles::STRUCTURE;
use crate::rules::{IMPURE, NAMING, RULES, written};
use crate::shape::SHAPE;
use crate::source::{File, dependencies, tools, tree};
use crate::words::ENGLISH;

#[test]
fn the_tree_is_tidy() {
    let files = tree();
    assert!(tools(&files).len() >= 5 && dependencies(&files).len() > 20);
    let mut complaints = Vec::new();
    let rules = RULES.into_iter().chain(STRUCTURE).chain(SHAPE);
    for (name, rule) in rules.chain(ENGLISH) {
        let found = rule(&files).into_iter();
        complaints.extend(found.map(|complaint| format!("{name}: {complaint}")));
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn no_exception_is_stale() {
    let files = tree();
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        &file
            .unwrap_or_else(|| panic!("{path} is gone: drop the exception"))
            .text
    };
    for (path, _) in IMPURE {
        assert!(
            text(path).contains("async ") || text(path).contains("std::env"),
            "{path} is pure now: drop the exception"
        );
    }
    let tools = tools(&files);
    for (path, _) in NAMING {
        assert!(
            tools.iter().any(|tool| text(path).contains(tool.as_str())),
            "{path} names no tool now: drop the exception"
        );
    }
}

/// The list of verbs knows the writes of today: every tool that applies is seen to write in its `apply`.
#[test]
fn writes_are_recognised_where_they_are() {
    let files = tree();
    for tool in ["ssm-role", "ssm-prefs", "ssm-scp", "ssm-events", "ssm-run"] {
        let writes = files.iter().any(|file| {
            file.in_tool()
                .is_some_and(|(name, path)| name == tool && path.starts_with("apply"))
                && file.code().any(|(_, line)| written(line).is_some())
        });
        assert!(writes, "no write is seen in apply of {tool}");
    }
    assert_eq!(
        written("let x = client.put_rule().name(n);"),
        Some("put_rule")
    );
    for harmless in [
        "client.get_document()",
        "x.set_name(n)",
        "map.remove(0)",
        "a.update_all(&b)",
    ] {
        assert_eq!(written(harmless), None, "{harmless}");
    }
}

#[test]
fn every_rule_fires() {
    let manifest = |text: &str| ("tools/ssm-x/Cargo.toml", text.to_owned(), false);
    let plain = |path: &'static str, text: &str| (path, text.to_owned(), false);
    let plan = "tools/ssm-x/src/plan.rs";
    let bad = [
        (
            "words_are_plain",
            plain("docs/x.md", concat!("It te", "lls you.\n")),
        ),
        (
            "words_are_plain",
            plain(plan, concat!("//! x\nfn a_te", "ll_tale() {}\n")),
        ),
        (
            "pure_files_are_pure",
            plain(plan, "//! x\nasync fn plan() {}\n"),
        ),
        (
            "pure_files_are_pure",
            plain(plan, "//! x\nuse std::time::SystemTime;\n"),
        ),
        (
            "pure_files_are_pure",
            plain(plan, "//! x\nuse std::env;\n#[cfg(test)]\nmod tests {}\n"),
        ),
        (
            "pure_files_are_pure",
            plain(
                "shared/diagnosis/src/rules.rs",
                "//! x\nuse aws_sdk_ssm::Client;\n",
            ),
        ),
        (
            "only_apply_writes",
            plain(
                "tools/ssm-x/src/observe/a.rs",
                "//! x\n  client\n    .delete_role()\n",
            ),
        ),
        (
            "only_apply_writes",
            plain("shared/y/src/lib.rs", "//! x\nclient.put_rule()\n"),
        ),
        (
            "only_apply_writes",
            plain(
                "tools/ssm-agentcheck/src/plan.rs",
                "//! x\nssm.send_command()\n",
            ),
        ),
        (
            "waits_go_through_awsconf",
            plain(
                "tools/ssm-x/src/apply.rs",
                "//! x\ntokio::time::sleep(PAUSE).await;\n",
            ),
        ),
        (
            "shared_crates_name_no_tool",
            plain("shared/y/src/lib.rs", "//! x\nlet tool = \"ssm-x\";\n"),
        ),
        (
            "no_tool_needs_another",
            manifest("[dependencies]\nssm-x = { path = \"../ssm-x\" }\n"),
        ),
        (
            "the_policy_library_stands_alone",
            plain(
                "shared/iam-policy/Cargo.toml",
                "[dependencies]\ncli.workspace = true\n",
            ),
        ),
        (
            "only_awsconf_makes_configurations",
            plain(
                "tools/ssm-x/src/main.rs",
                concat!("//! x\nuse aws_", "config::SdkConfig;\n"),
            ),
        ),
        (
            "tools_are_binaries_only",
            plain("tools/ssm-x/src/lib.rs", "//! x\n"),
        ),
        (
            "every_file_says_what_it_is",
            plain("tests/x.rs", "// x\nfn main() {}\n"),
        ),
        (
            "nothing_is_left_for_later",
            plain("scripts/x.sh", concat!("# TO", "DO later\n")),
        ),
        (
            "every_sdk_crate_is_used",
            manifest("[dependencies]\naws-sdk-iam.workspace = true\n"),
        ),
        (
            "scripts_stop_at_errors",
            (
                "scripts/x.sh",
                "#!/usr/bin/env bash\necho x\n".to_owned(),
                true,
            ),
        ),
        (
            "scripts_stop_at_errors",
            plain("scripts/x.sh", "#!/usr/bin/env bash\nset -eu\n"),
        ),
        (
            "scripts_stop_at_errors",
            (
                "scripts/vulnscan.d/x.sh",
                "#!/usr/bin/env bash\nset -eu\n".to_owned(),
                true,
            ),
        ),
        (
            "scripts_stop_at_errors",
            (".ci/run", "#!/bin/sh\nset -eu\n".to_owned(), true),
        ),
        (
            "files_are_short",
            plain("tests/x.rs", &"//! x\n".repeat(401)),
        ),
    ];
    for (name, rule) in RULES {
        assert!(
            bad.iter().any(|(of, _)| *of == name),
            "nothing shows {name}"
        );
        for (of, (path, text, executable)) in &bad {
            let mut files = vec![File {
                path: (*path).to_owned(),
                text: text.clone(),
                executable: *executable,
            }];
            if !path.ends_with("Cargo.toml") {
                files.push(File {
                    path: "tools/ssm-x/Cargo.toml".to_owned(),
                    text: String::new(),
                    executable: false,
                });
            }
            if *of == name {
                assert!(!rule(&files).is_empty(), "{name} accepts {text:?}");
            }
        }
    }
}
