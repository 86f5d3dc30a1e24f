//! `ssm-run` as a user meets it: exit status, stdout and stderr of every flag against the local AWS.

#[path = "ssm-run/choosing.rs"]
mod choosing;
#[path = "ssm-run/files.rs"]
mod files;
#[path = "ssm-run/following.rs"]
mod following;
#[path = "ssm-run/outputs.rs"]
mod outputs;
#[path = "ssm-run/places.rs"]
mod places;
#[path = "ssm-run/resuming.rs"]
mod resuming;
#[path = "ssm-run/sending.rs"]
mod sending;
#[path = "ssm-run/waves.rs"]
mod waves;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox};

const EXE: &str = env!("CARGO_BIN_EXE_ssm-run");

fn account(nodes: &[Value]) -> Account {
    let account = Sandbox::start().account();
    seed(&account, "us-east-1", nodes);
    account
}

fn seed(account: &Account, region: &str, nodes: &[Value]) {
    let mut nodes = nodes.to_vec();
    for node in &mut nodes {
        node["account"] = json!(account.id());
        node["region"] = json!(region);
    }
    account.seed(&json!({"nodes": nodes}));
}

fn id(number: usize) -> String {
    format!("i-{number:017x}")
}

fn node(number: usize) -> Value {
    json!({"instance_id": id(number), "agent": {"version": "3.3.987.0"}})
}

/// A node whose command ends as `outcome` says.
fn ends(number: usize, outcome: &str) -> Value {
    json!({"instance_id": id(number), "agent": {"version": "3.3.987.0", "run_command": outcome}})
}

/// A node whose command prints and ends as `output` says.
fn prints(number: usize, output: Value) -> Value {
    json!({"instance_id": id(number), "agent": {"version": "3.3.987.0", "run_output": [output]}})
}

fn windows(number: usize) -> Value {
    json!({"instance_id": id(number), "agent": {"version": "3.3.987.0"},
        "platform": {"type": "Windows", "name": "Windows Server", "version": "10.0"}})
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> String {
    let lines = numbers
        .into_iter()
        .map(|number| format!("{}\n", id(number)));
    lines.collect()
}

fn tool(account: &Account, arguments: &[&str]) -> Run {
    account.tool(EXE).args(arguments)
}

/// The tool with pauses as long as they are on AWS: commands of the local AWS take seconds of the watch.
fn by_the_watch(account: &Account, arguments: &[&str]) -> Run {
    tool(account, arguments).env("SSM_TIME_DIVISOR", "1")
}

/// Runs on the nodes with these numbers.
fn run(account: &Account, numbers: impl IntoIterator<Item = usize>, arguments: &[&str]) -> Output {
    tool(account, arguments).stdin(ids(numbers)).run()
}

/// The records of nodes, by ID.
fn invocations(output: &Output) -> Vec<Value> {
    let mut records = output.records();
    records.retain(|record| record["kind"] == "invocation");
    records.sort_by_key(|record| record["instance_id"].as_str().unwrap().to_owned());
    records
}

fn column(records: &[Value], key: &str) -> Value {
    json!(
        records
            .iter()
            .map(|record| record[key].clone())
            .collect::<Vec<_>>()
    )
}

/// The requests of one operation.
fn requests(account: &Account, operation: &str) -> Vec<Value> {
    let calls = account.calls().into_iter();
    let calls = calls.filter(|call| call["operation"] == operation);
    calls.map(|call| call["params"].clone()).collect()
}

/// How often each node has run a command.
fn runs(account: &Account) -> Vec<(String, u64)> {
    let runs = account.runs().into_iter().map(|run| {
        let id = run["instance_id"].as_str().unwrap().to_owned();
        (id, run["runs"].as_u64().unwrap())
    });
    let mut runs: Vec<(String, u64)> = runs.collect();
    runs.sort();
    runs
}
