//! Runs the `sh` examples of the README as they stand there, each in a fresh account with the nodes of the demo.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, repository};

/// The sentences before the examples. Each has a test below.
const COUNT_VERSIONS: &str = "How many nodes run which version of the agent:";
const KEEP_PLAN: &str = "Look at a plan, keep it, apply exactly that:";
const UNDO: &str = "Apply, regret, undo:";
const GATE: &str = "Fail a CI job for errors, not for warnings:";
const RENDER: &str =
    "The policy document alone, for another tool to deploy, and what the linter says to it:";

#[test]
fn every_example_has_a_test() {
    let named = [COUNT_VERSIONS, KEEP_PLAN, UNDO, GATE, RENDER];
    let written: Vec<String> = examples().into_iter().map(|(lead, _)| lead).collect();
    assert_eq!(written, named);
}

#[test]
fn counts_agent_versions() {
    let (account, example) = (account(), example(COUNT_VERSIONS));
    let output = run(&account, &example);
    assert!(output.stdout.contains("2.3.672.0"), "{}", output.stdout);
    assert!(output.stdout.contains("none"), "{}", output.stdout);
    let versions: Vec<&str> = output
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let position = |wanted| versions.iter().position(|version| *version == wanted);
    assert!(position("3.3.987.0") < position("3.10.1.0"), "{versions:?}");
    assert!(account.writes().is_empty());
}

#[test]
fn applies_a_kept_plan() {
    let (account, example) = (account(), example(KEEP_PLAN));
    let output = run(&account, &example);
    for action in ["create_key", "create_bucket", "create_log_group"] {
        assert!(output.stdout.contains(action), "{}", output.stdout);
    }
    let result = record(&account, "result.json");
    let statuses: Vec<&Value> = result["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|applied| &applied["status"])
        .collect();
    // A new bucket has a public access block already.
    let good = |status: &&&Value| {
        ["done", "unchanged"]
            .iter()
            .any(|word| status == &&&json!(word))
    };
    assert_eq!(statuses.iter().filter(good).count(), 10, "{result}");
    let again =
        format!("{example}\n[ \"$(jq -s 'map(.changes | length) | add' plan.json)\" -eq 0 ]");
    run(&account, &again);
}

#[test]
fn undoes_what_it_applied() {
    let (account, example) = (account(), example(UNDO));
    let before = run(&account, "ssm-role show").stdout;
    let output = run(&account, &example);
    assert!(output.stdout.contains(r#""status":"done""#), "{output:?}");
    assert!(!account.writes().is_empty());
    assert_eq!(run(&account, "ssm-role show").stdout, before);
}

#[test]
fn counts_errors() {
    let (account, example) = (account(), example(GATE));
    let output = run(&account, &example);
    let n_errors = output.stdout.trim().strip_suffix(" errors");
    let n_errors: usize = n_errors.and_then(|n| n.parse().ok()).expect("N errors");
    assert!(n_errors > 5, "{n_errors}");
}

#[test]
fn renders_the_policy() {
    let (account, example) = (account(), example(RENDER));
    let output = run(&account, &example);
    assert!(
        output.stdout.ends_with("takes the exemption\n"),
        "{}",
        output.stdout
    );
    let sids = record(&account, "guard.json")["Statement"][0]["Sid"].clone();
    assert_eq!(sids, "OnlyExemptPrincipals");
    assert!(account.calls().is_empty(), "it needs no AWS");
}

/// Returns the fenced `sh` blocks of the README with the line before each.
fn examples() -> Vec<(String, String)> {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let mut examples = Vec::new();
    let mut pieces = readme.split("\n```sh\n");
    let mut before = pieces.next().unwrap_or_default();
    for piece in pieces {
        let lead = before.lines().last().unwrap_or_default().to_owned();
        let example = piece.split("\n```").next().unwrap_or_default().to_owned();
        examples.push((lead, example));
        before = piece;
    }
    examples
}

fn example(lead: &str) -> String {
    let found = examples().into_iter().find(|(before, _)| before == lead);
    found
        .unwrap_or_else(|| panic!("the README has no '{lead}'"))
        .1
}

/// Returns a fresh account that holds what the demo has in its first member account.
fn account() -> Account {
    const MODEL: &str = "222222222222";
    let account = Sandbox::start().account();
    let path = repository().join("tests/sandbox/estates/demo.json");
    let demo: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut estate = json!({"latest_agent": demo["latest_agent"]});
    for kind in ["roles", "service_settings", "documents", "nodes"] {
        let mut items = demo[kind].as_array().unwrap().clone();
        items.retain(|item| item["account"] == MODEL);
        for item in &mut items {
            item["account"] = json!(account.id());
        }
        estate[kind] = Value::Array(items);
    }
    account.seed(&estate);
    // The examples read the desired files by the paths they have in the repository.
    let scripts = account.home().join("scripts");
    std::os::unix::fs::symlink(repository().join("scripts"), scripts).unwrap();
    account
}

#[track_caller]
fn run(account: &Account, example: &str) -> Output {
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", binaries().display());
    let output = account
        .tool("/bin/sh")
        .args(["-ec", example])
        .env("PATH", path)
        .run();
    output.assert_status(0);
    output
}

/// Returns `target/PROFILE`, where the tools are beside the directory of this test.
fn binaries() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let directory = test.ancestors().nth(2).unwrap().to_owned();
    assert!(
        directory.join("ssm-prefs").exists(),
        "no ssm-prefs in {}: run `cargo build` first",
        directory.display()
    );
    directory
}

fn record(account: &Account, name: &str) -> Value {
    let path: PathBuf = Path::new(account.home()).join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
