//! SendCommand: 50 nodes a command, sent once whatever becomes of the answer, nodes that went away left out.

use serde_json::{Value, json};

use super::{account, column, id, ids, invocations, node, requests, run, runs, tool};

#[test]
fn commands_name_at_most_fifty_nodes() {
    let account = account(&(0..120).map(node).collect::<Vec<_>>());
    let output = run(&account, 0..120, &["--", "id"]);
    output.assert_status(0);
    assert_eq!(invocations(&output).len(), 120);
    let sizes: Vec<usize> = requests(&account, "SendCommand")
        .iter()
        .map(|call| call["InstanceIds"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [50, 50, 20]);
    assert!(runs(&account).iter().all(|(_, n_runs)| *n_runs == 1));
    assert_eq!(account.problems(), Vec::<Value>::new());
}

#[test]
fn a_throttled_send_is_tried_again() {
    let account = account(&[node(1)]);
    account.fault(json!({"operation": "SendCommand", "kind": "throttle", "times": 2}));
    run(&account, [1], &["--", "id"]).assert_status(0);
    assert_eq!(runs(&account), [(id(1), 1)]);
    assert_eq!(requests(&account, "SendCommand").len(), 3);
}

#[test]
fn a_command_whose_answer_is_lost_is_not_sent_again() {
    for kind in ["drop", "error", "cut"] {
        let account = account(&[node(1), node(2)]);
        account.fault(json!({"operation": "SendCommand", "kind": kind, "when": "after"}));
        let output = run(&account, [1, 2], &["--", "id"]);
        output.assert_status(0);
        assert_eq!(invocations(&output).len(), 2);
        assert_eq!(runs(&account), [(id(1), 1), (id(2), 1)], "{kind}");
        assert_eq!(requests(&account, "SendCommand").len(), 1, "{kind}");
    }
}

fn is_sent_again_after(kind: &str) {
    let account = account(&[node(1)]);
    account.fault(json!({"operation": "SendCommand", "kind": kind}));
    run(&account, [1], &["--", "id"]).assert_status(0);
    assert_eq!(runs(&account), [(id(1), 1)]);
    assert_eq!(requests(&account, "SendCommand").len(), 2);
    // It is looked for until the list cannot lag behind any more.
    assert_eq!(requests(&account, "ListCommands").len(), 4);
}

#[test]
fn a_command_whose_connection_broke_is_looked_for_and_sent_again() {
    is_sent_again_after("drop");
}

#[test]
fn a_command_that_failed_on_the_server_is_looked_for_and_sent_again() {
    is_sent_again_after("error");
}

#[test]
fn what_may_have_been_taken_and_cannot_be_looked_for_is_reported() {
    let account = account(&[node(1)]);
    account.fault(json!({"operation": "SendCommand", "kind": "drop", "when": "after"}));
    account.fault(json!({"operation": "ListCommands", "kind": "denied", "times": -1}));
    let output = run(&account, [1], &["--", "id"]);
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["NotSent"]));
    assert_eq!(found[0]["reason"]["id"], "run.send.unclear");
    assert_eq!(requests(&account, "SendCommand").len(), 1);
}

#[test]
fn a_node_that_went_away_does_not_keep_the_others() {
    let account = account(&[node(1), node(3)]);
    let stopped =
        json!({"instance_id": id(2), "state": "stopped", "agent": {"version": "3.3.987.0"}});
    super::seed(&account, "us-east-1", &[stopped]);
    // Its record is from before.
    let record = |number: usize| {
        json!({"kind": "node", "target": {"account": account.id(), "region": "us-east-1"}, "instance_id": id(number),
            "state": "running", "platform": {"type": "Linux", "name": null, "version": null},
            "agent": {"version": "3.3.987.0", "latest": null, "ping": "Online", "last_ping": null}, "imds": null,
            "profile": null, "role": null, "managed_by": "instance-profile", "tags": {}})
        .to_string()
    };
    let nodes: String = [1, 2, 3].map(record).concat();
    let output = tool(&account, &["--", "id"]).stdin(nodes).run();
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(
        column(&found, "status"),
        json!(["Success", "Unreachable", "Success"])
    );
    assert_eq!(found[1]["reason"]["id"], "agentcheck.node.stopped");
    assert_eq!(runs(&account), [(id(1), 1), (id(3), 1)]);
}

#[test]
fn who_may_not_send_is_reported_for_each_node() {
    let account = account(&[node(1), node(2)]);
    account.fault(json!({"operation": "SendCommand", "kind": "denied", "times": -1}));
    let output = run(&account, [1, 2], &["--", "id"]);
    output
        .assert_status(2)
        .assert_stderr("ssm-run: 2 nodes: 2 NotSent\n");
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["NotSent", "NotSent"]));
    let message = found[0]["reason"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("SendCommand AWS-RunShellScript: AccessDenied"),
        "{message}"
    );
}

#[test]
fn a_secret_in_a_command_is_warned_of_before_it_is_sent() {
    let account = account(&[node(1)]);
    let output = run(&account, [1], &["--", "deploy --password=hunter22"]);
    output
        .assert_status(0)
        .assert_complains("warning: this looks like a password or token: parameters stay readable");
    assert!(!output.stderr.contains("hunter22"));
    run(&account, [1], &["-q", "--", "deploy --password=hunter22"]).assert_stderr("");
    run(
        &account,
        [1],
        &["--", "deploy --password={{ssm:/app/password}}"],
    )
    .assert_stderr("");
}

#[test]
fn a_reader_that_has_gone_is_not_fine() {
    let account = account(&[node(1)]);
    let closed = tool(&account, &["--", "id"])
        .stdin(ids([1]))
        .stdout_closed()
        .run();
    closed.assert_status(2);
    closed.assert_complains("the output cannot be written");
    closed.assert_complains("`ssm-run --resume ");
}
