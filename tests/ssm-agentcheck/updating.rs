//! `plan` and `apply`: agents brought up to date by Run Command, wave by wave, and the association.

use serde_json::{Value, json};
use testbed::{Account, Output};

use super::{account, tool};

const UPDATE: &str = r#"{"update": {}}"#;

fn outdated(number: usize, outcome: &str) -> Value {
    json!({"instance_id": format!("i-{number:017x}"), "profile": "web",
        "agent": {"version": "3.1.1.0", "run_command": outcome}})
}

fn plan(account: &Account, desired: &str) -> Output {
    let output = tool(account, &["plan"]).stdin(desired).run();
    output.assert_status(0);
    output
}

fn apply(account: &Account, plan: &Output) -> Output {
    tool(account, &["apply"]).stdin(&plan.stdout).run()
}

fn statuses(result: &Output) -> Vec<String> {
    let results = result.json()["results"].as_array().unwrap().clone();
    let status = |one: &Value| one["status"].as_str().unwrap().to_owned();
    results.iter().map(status).collect()
}

fn sent(account: &Account) -> Vec<Value> {
    let calls = account.calls();
    let sent = calls
        .into_iter()
        .filter(|call| call["operation"] == "SendCommand");
    sent.map(|call| call["params"].clone()).collect()
}

#[test]
fn outdated_agents_are_updated_in_waves_and_only_once() {
    let account = account(&(1..=12).map(|n| outdated(n, "Success")).collect::<Vec<_>>());
    let planned = plan(&account, UPDATE);
    assert!(account.writes().is_empty());
    let result = apply(&account, &planned);
    result.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&result), vec!["done"; 12]);
    assert_eq!(result.json()["undo"], Value::Null);
    let sizes: Vec<usize> = sent(&account)
        .iter()
        .map(|call| call["InstanceIds"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [1, 1, 10]);
    for call in sent(&account) {
        assert_eq!(call["DocumentName"], "AWS-UpdateSSMAgent");
        assert_eq!(call["Parameters"], json!({"allowDowngrade": ["false"]}));
        assert_eq!(call["MaxErrors"], "0");
    }
    account.forget_calls();
    let again = apply(&account, &planned);
    again.assert_status(0);
    assert_eq!(statuses(&again), vec!["unchanged"; 12]);
    assert!(account.writes().is_empty() && account.problems().is_empty());
    let planned = plan(&account, UPDATE);
    assert_eq!(planned.json()["changes"], json!([]));
}

#[test]
fn large_waves_go_in_commands_of_fifty() {
    let account = account(
        &(1..=120)
            .map(|n| outdated(n, "Success"))
            .collect::<Vec<_>>(),
    );
    let desired = r#"{"update": {"waves": ["100%"], "max_concurrency": 100}}"#;
    let result = apply(&account, &plan(&account, desired));
    result.assert_status(0);
    assert_eq!(statuses(&result), vec!["done"; 120]);
    let mut sizes: Vec<usize> = sent(&account)
        .iter()
        .map(|call| call["InstanceIds"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [20, 50, 50]);
}

#[test]
fn a_wave_over_its_error_limit_is_the_last() {
    let mut nodes: Vec<Value> = (1..=10).map(|n| outdated(n, "Success")).collect();
    nodes[0] = outdated(1, "Failed");
    let account = account(&nodes);
    let result = apply(&account, &plan(&account, UPDATE));
    result.assert_status(2);
    let mut expected = vec!["skipped"; 10];
    expected[0] = "failed";
    assert_eq!(statuses(&result), expected);
    let results = &result.json()["results"];
    let error = results[0]["error"].as_str().unwrap();
    assert!(
        error.starts_with("Failed") && error.contains("command "),
        "{error}"
    );
    assert_eq!(results[1]["error"], "not tried: in wave 1 1 failed, 0 may");
    assert_eq!(sent(&account).len(), 1);
}

#[test]
fn errors_within_the_limit_do_not_stop_the_rollout() {
    let nodes = [
        outdated(1, "TimedOut"),
        outdated(2, "Success"),
        outdated(3, "Success"),
    ];
    let account = account(&nodes);
    let desired = r#"{"update": {"max_errors": 1}}"#;
    let result = apply(&account, &plan(&account, desired));
    result.assert_status(2);
    assert_eq!(statuses(&result), ["failed", "done", "done"]);
}

#[test]
fn a_version_that_is_still_too_old_is_a_failure() {
    let account = account(&[outdated(1, "Success")]);
    account.seed(&json!({"nodes": [{"account": account.id(), "region": "us-east-1",
        "instance_id": "i-0000000000000000f", "agent": {"version": "3.10.0.0"}}], "latest_agent": "3.2.1.0"}));
    let result = apply(&account, &plan(&account, UPDATE));
    result.assert_status(2);
    let error = result.json()["results"][0]["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        error,
        "the command succeeded, but the agent is 3.2.1.0, not 3.2.582.0 or newer"
    );
}

#[test]
fn a_pinned_version_is_installed_and_nothing_is_downgraded() {
    let mut newer = outdated(2, "Success");
    newer["agent"]["version"] = json!("3.10.0.0");
    let account = account(&[outdated(1, "Success"), newer]);
    let planned = plan(&account, r#"{"update": {"version": "3.3.987.0"}}"#);
    assert_eq!(planned.json()["changes"].as_array().unwrap().len(), 1);
    let result = apply(&account, &planned);
    result.assert_status(0);
    let shown = tool(&account, &["show", "--jq", ".agent.version", "-r"]).run();
    assert_eq!(shown.stdout, "3.3.987.0\n3.10.0.0\n");
}

#[test]
fn a_plan_that_would_downgrade_is_refused() {
    let account = account(&[]);
    let change = |resource: &str, from: &str, to: &str, at_least: &str| {
        json!({"kind": "plan", "tool": "ssm-agentcheck", "target": {"account": account.id(), "region": "us-east-1"},
            "changes": [{"id": "a", "action": "update_agent", "resource": resource, "from": {"version": from}, "why": "",
                "to": {"version": to, "at_least": at_least, "wave": 1, "max_concurrency": 1, "max_errors": 0,
                    "timeout_seconds": 600}}]})
    };
    for (plan, complaint) in [
        (
            change("i-0000000000000000a", "3.3.0.0", "3.2.0.0", "3.2.0.0"),
            "agents are never downgraded",
        ),
        (
            change("i-0000000000000000a", "3.1.0.0", "3.2.0.0", "3.3.0.0"),
            "agents are never downgraded",
        ),
        (
            change("*", "3.1.0.0", "latest", "3.2.0.0"),
            "'*' is not a node ID: expected i-0123456789abcdef0 or mi-0123456789abcdef0",
        ),
    ] {
        let output = tool(&account, &["apply"]).stdin(plan.to_string()).run();
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "");
    }
    assert!(account.calls().is_empty());
}

#[test]
fn nodes_that_changed_since_the_plan_are_left_alone() {
    let account = account(&[outdated(1, "Success"), outdated(2, "Success")]);
    let planned = plan(&account, UPDATE);
    let text = planned.stdout.replacen("\"3.1.1.0\"", "\"3.0.0.0\"", 1);
    let result = tool(&account, &["apply"]).stdin(text).run();
    result.assert_status(2);
    assert_eq!(statuses(&result), ["failed", "done"]);
    let error = result.json()["results"][0]["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        error.starts_with("the plan expects version") && error.contains("but there is 3.1.1.0")
    );
}

#[test]
fn a_refused_command_stops_before_the_next_wave() {
    let account = account(&(1..=3).map(|n| outdated(n, "Success")).collect::<Vec<_>>());
    let planned = plan(&account, UPDATE);
    account.fault(
        json!({"service": "ssm", "operation": "SendCommand", "kind": "denied", "times": -1}),
    );
    let result = apply(&account, &planned);
    result.assert_status(2);
    assert_eq!(statuses(&result), ["failed", "skipped", "skipped"]);
    let error = result.json()["results"][0]["error"].to_string();
    assert!(
        error.contains("SendCommand AWS-UpdateSSMAgent: AccessDeniedException"),
        "{error}"
    );
}

#[test]
fn lost_looks_do_not_lose_the_command() {
    let account = account(&[outdated(1, "Success")]);
    let planned = plan(&account, UPDATE);
    account.fault(json!({"service": "ssm", "operation": "ListCommandInvocations", "kind": "drop", "times": 4}));
    let result = apply(&account, &planned);
    result.assert_status(0);
    assert_eq!(statuses(&result), ["done"]);
    assert_eq!(sent(&account).len(), 1);
}

#[test]
fn ctrl_c_says_what_was_done() {
    let account = account(&[
        outdated(1, "Success"),
        outdated(2, "InProgress"),
        outdated(3, "Success"),
    ]);
    let desired = r#"{"update": {"waves": [1, 2, "100%"]}}"#;
    let planned = plan(&account, desired);
    let running = tool(&account, &["apply"]).stdin(&planned.stdout).spawn();
    while sent(&account).len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let result = running.wait();
    result.assert_status(130);
    let found = statuses(&result);
    assert_eq!(found[0], "done");
    assert_ne!(found[1], "done");
    assert_eq!(found[2], "skipped");
}

#[test]
fn nodes_from_a_pipe_narrow_the_plan() {
    let account = account(&[outdated(1, "Success"), outdated(2, "Success")]);
    let shown = tool(
        &account,
        &["show", "--jq", "select(.instance_id | endswith(\"2\"))"],
    )
    .run();
    let desired = account.home().join("agent.json");
    std::fs::write(&desired, UPDATE).unwrap();
    let arguments = ["plan", "-f", desired.to_str().unwrap(), "--nodes", "-"];
    let planned = tool(&account, &arguments).stdin(shown.stdout).run();
    planned.assert_status(0);
    assert_eq!(
        planned.json()["changes"][0]["resource"],
        "i-00000000000000002"
    );
    assert_eq!(planned.json()["changes"].as_array().unwrap().len(), 1);
    let none = tool(&account, &arguments).stdin("").run();
    none.assert_status(0);
    assert_eq!(none.json()["changes"], json!([]));
    let gap = json!({"kind": "unreachable", "tool": "ssm-agentcheck", "error": "denied",
        "target": {"account": account.id(), "region": "eu-central-1"}});
    let output = tool(&account, &arguments).stdin(gap.to_string()).run();
    output.assert_status(2);
    assert_eq!(output.records()[1], gap);
}

#[test]
fn plan_says_by_status_that_something_needs_to_change() {
    let account = account(&[outdated(1, "Success")]);
    let output = tool(&account, &["plan", "--exit-code"]).stdin(UPDATE).run();
    output.assert_status(1);
    let output = tool(&account, &["plan", "--exit-code"]).stdin("{}").run();
    output.assert_status(0);
}

#[test]
fn the_association_is_made_changed_and_taken_back() {
    let account = account(&[]);
    let made = apply(&account, &plan(&account, r#"{"association": {}}"#));
    made.assert_status(0);
    assert_eq!(statuses(&made), ["done"]);
    let list = || account.aws(&["ssm", "list-associations"])["Associations"].clone();
    assert_eq!(list()[0]["Name"], "AWS-UpdateSSMAgent");
    assert_eq!(
        list()[0]["Targets"],
        json!([{"Key": "InstanceIds", "Values": ["*"]}])
    );
    assert_eq!(list()[0]["ScheduleExpression"], "rate(14 days)");
    account.forget_calls();
    let planned = plan(&account, r#"{"association": {}}"#);
    assert_eq!(planned.json()["changes"], json!([]));
    let desired = r#"{"association": {"schedule_expression": "rate(1 day)", "max_errors": "10%"}}"#;
    let planned = plan(&account, desired);
    let changed = apply(&account, &planned);
    changed.assert_status(0);
    assert_eq!(list()[0]["ScheduleExpression"], "rate(1 day)");
    let again = apply(&account, &planned);
    again.assert_status(0);
    assert_eq!(statuses(&again), ["unchanged"]);
    for (result, expected) in [(&changed, "rate(14 days)"), (&made, "")] {
        let undo = result.json()["undo"].to_string();
        let undone = tool(&account, &["apply"]).stdin(undo).run();
        undone.assert_status(0);
        let left = list()[0]["ScheduleExpression"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(left, expected);
    }
    assert_eq!(list(), json!([]));
    assert!(account.problems().is_empty());
}

#[test]
fn an_association_that_changed_since_the_plan_is_left_alone() {
    let account = account(&[]);
    let planned = plan(&account, r#"{"association": {}}"#);
    let other = r#"{"association": {"schedule_expression": "rate(1 day)"}}"#;
    apply(&account, &plan(&account, other)).assert_status(0);
    account.forget_calls();
    let result = apply(&account, &planned);
    result.assert_status(2);
    let result = result.json();
    let error = result["results"][0]["error"].as_str().unwrap();
    assert!(
        error.starts_with("the plan expects null, but there is"),
        "{error}"
    );
    assert!(account.writes().is_empty());
}
