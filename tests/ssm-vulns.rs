//! `ssm-vulns` as a user meets it: exit status, stdout and stderr of both verbs. No test needs AWS.

#[path = "ssm-vulns/advisories.rs"]
mod advisories;
#[path = "ssm-vulns/backports.rs"]
mod backports;
#[path = "ssm-vulns/containers.rs"]
mod containers;
#[path = "ssm-vulns/coverage.rs"]
mod coverage;
#[path = "ssm-vulns/distributions.rs"]
mod distributions;
#[path = "ssm-vulns/foreign.rs"]
mod foreign;
#[path = "ssm-vulns/forms.rs"]
mod forms;
#[path = "ssm-vulns/gaps.rs"]
mod gaps;
#[path = "ssm-vulns/patches.rs"]
mod patches;
#[path = "ssm-vulns/releases.rs"]
mod releases;
#[path = "ssm-vulns/reports.rs"]
mod reports;
#[path = "ssm-vulns/sboms.rs"]
mod sboms;
#[path = "ssm-vulns/support.rs"]
mod support;
#[path = "ssm-vulns/tars.rs"]
mod tars;
#[path = "ssm-vulns/unread.rs"]
mod unread;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testbed::{Home, Output, Run, offline};

const EXE: &str = env!("CARGO_BIN_EXE_ssm-vulns");

fn run(arguments: &[&str], input: &str) -> Run {
    offline(EXE).args(arguments).stdin(input)
}

/// Returns what the collector prints on a node with these packages.
fn inventory(id: &str, version: &str, packages: &[&str]) -> String {
    let mut lines = vec![
        format!("os\t{id}\t{version}\t\t\tp"),
        "arch\tx86_64".to_owned(),
        "kernel\t1\t".to_owned(),
    ];
    lines.extend(packages.iter().map(|one| (*one).to_owned()));
    format!(
        "ssm-inventory 1 plain\n{}\nend\t{}\t-\n",
        lines.join("\n"),
        lines.len()
    )
}

/// Returns the record of a node that printed a text.
fn invocation(instance_id: &str, stdout: &str) -> Value {
    json!({"kind": "invocation", "target": {"account": "111111111111", "region": "us-east-1"}, "instance_id": instance_id, "name": null,
        "command_id": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "document": "AWS-RunShellScript", "status": "Success", "status_details": "Success",
        "exit_code": 0, "started": null, "ended": "2026-11-27T06:00:01Z", "stdout": stdout, "stderr": "",
        "truncated": {"stdout": false, "stderr": false}, "reason": null})
}

/// Returns the record of a node with these packages.
fn node(id: &str, version: &str, packages: &[&str]) -> String {
    invocation("i-0123456789abcdef0", &inventory(id, version, packages)).to_string()
}

/// Returns an advisory in OSV about everything before a version; `more` goes over it.
fn osv(id: &str, ecosystem: &str, name: &str, fixed: &str, more: Value) -> Value {
    let mut advisory = json!({"schema_version": "1.6.0", "id": id, "modified": "2026-01-01T00:00:00Z", "affected": [{
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}]});
    for (key, value) in more.as_object().unwrap() {
        advisory[key] = value.clone();
    }
    advisory
}

/// A directory of a test's own.
struct Directory(Home);

impl Directory {
    fn new() -> Directory {
        Directory(Home::create())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Matches nodes with the advisories in a file or directory, whatever their age.
fn matched(path: &Path, input: &str, more: &[&str]) -> Output {
    let path = path.to_str().unwrap();
    run(
        &[&["match", "--max-age", "0", "--advisories", path], more].concat(),
        input,
    )
    .run()
}

/// Matches nodes with advisories one after another.
fn judged(advisories: &[Value], input: &str) -> Output {
    let directory = Directory::new();
    let lines: Vec<String> = advisories.iter().map(Value::to_string).collect();
    let path = directory.write("advisories.jsonl", lines.join("\n"));
    matched(&path, input, &[])
}

/// Returns `ADVISORY PACKAGE FIXED` of each match, a `?` behind what is uncertain, and `ID` of each gap.
fn listed(output: &Output) -> Vec<String> {
    let line = |record: &Value| match record["kind"].as_str().unwrap() {
        "match" => {
            let fixed = record["fixed"].as_str().unwrap_or("-");
            let uncertain = if record["uncertain"] == true { "?" } else { "" };
            format!(
                "{} {} {fixed}{uncertain}",
                record["advisory"].as_str().unwrap(),
                record["package"].as_str().unwrap()
            )
        }
        _ => record["reason"]["id"].as_str().unwrap().to_owned(),
    };
    let records = output.records();
    // What they say is for tests of their own.
    let listed = records
        .iter()
        .filter(|one| one["kind"] != "foreign_packages");
    let mut lines: Vec<String> = listed.map(line).collect();
    lines.sort_unstable();
    lines
}
