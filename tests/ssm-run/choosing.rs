//! What is run on which node, by IDs and records, by platform, and what is reported of nodes that nothing reaches.

use serde_json::{Value, json};

use super::{
    account, by_the_watch, column, ends, id, invocations, node, prints, requests, run, runs, tool,
    windows,
};

#[test]
fn one_command_to_ids_one_record_each() {
    let account = account(&[
        json!({"instance_id": id(1), "agent": {"version": "3.3.987.0", "run_command": "sh"}}),
        ends(2, "Success"),
    ]);
    let output = run(&account, [1, 2], &["--", "echo", "hello; echo there >&2"]);
    output
        .assert_status(0)
        .assert_stderr("ssm-run: 2 nodes: 2 Success\n");
    let records = output.records();
    assert_eq!(records[0]["kind"], "command");
    assert_eq!(records[0]["instance_ids"], json!([id(1), id(2)]));
    assert_eq!(records[0]["n_nodes"], 2);
    let found = invocations(&output);
    let expected = json!({
        "kind": "invocation", "target": {"account": account.id(), "region": "us-east-1"}, "instance_id": id(1),
        "name": found[0]["name"], "command_id": records[0]["command_id"], "document": "AWS-RunShellScript",
        "status": "Success", "status_details": "Success", "exit_code": 0, "started": found[0]["started"],
        "ended": found[0]["ended"], "stdout": "hello\n", "stderr": "there\n",
        "truncated": {"stdout": false, "stderr": false}, "reason": null,
    });
    assert_eq!(found[0], expected);
    let keys: Vec<&String> = found[0].as_object().unwrap().keys().collect();
    let order: Vec<&String> = expected.as_object().unwrap().keys().collect();
    assert_eq!(keys, order);
    assert!(found[0]["started"].as_str().unwrap().ends_with('Z'));
    assert_eq!(runs(&account), [(id(1), 1), (id(2), 1)]);
    assert_eq!(account.problems(), Vec::<Value>::new());
}

#[test]
fn each_platform_gets_its_shell() {
    let account = account(&[node(1), windows(2)]);
    let output = run(&account, [1, 2], &["--", "hostname"]);
    output.assert_status(0);
    let documents = column(&invocations(&output), "document");
    let expected = ["AWS-RunShellScript", "AWS-RunPowerShellScript"];
    assert_eq!(documents, json!(expected));
    assert_eq!(runs(&account), [(id(1), 1), (id(2), 1)]);
}

#[test]
fn a_script_goes_to_its_platform_and_others_are_reported() {
    let account = account(&[node(1), windows(2)]);
    let (shell, power) = (
        account.home().join("scan.sh"),
        account.home().join("scan.ps1"),
    );
    std::fs::write(&shell, "uname -r\n").unwrap();
    std::fs::write(&power, "Get-HotFix\n").unwrap();
    let (shell, power) = (shell.to_str().unwrap(), power.to_str().unwrap());
    for (arguments, statuses) in [
        (vec!["--script", shell], ["Success", "NotSent"]),
        (vec!["--script", power], ["NotSent", "Success"]),
        (vec!["--windows-script", power], ["NotSent", "Success"]),
    ] {
        let output = run(&account, [1, 2], &arguments);
        output.assert_status(2);
        let found = invocations(&output);
        assert_eq!(column(&found, "status"), json!(statuses), "{arguments:?}");
        let mut left = found.iter().filter(|one| one["status"] == "NotSent");
        assert_eq!(
            left.next().unwrap()["reason"]["id"],
            "run.platform.no_script"
        );
    }
    let output = run(
        &account,
        [1, 2],
        &["--script", shell, "--windows-script", power],
    );
    output.assert_status(0);
    let texts: Vec<Value> = requests(&account, "SendCommand")
        .iter()
        .rev()
        .take(2)
        .map(|call| call["Parameters"]["commands"].clone())
        .collect();
    assert!(texts.contains(&json!(["uname -r\n"])) && texts.contains(&json!(["Get-HotFix\n"])));
    run(
        &account,
        [1],
        &["--script", power, "--windows-script", power],
    )
    .assert_status(2)
    .assert_complains("two scripts for Windows");
    run(&account, [1], &["--script", "missing.sh"])
        .assert_status(2)
        .assert_complains("read script missing.sh: No such file");
}

#[test]
fn a_document_takes_parameters_and_a_version() {
    let account = account(&[node(1)]);
    let arguments = [
        "--document",
        "AWS-RunShellScript",
        "--document-version",
        "$LATEST",
        "--parameter",
        "commands=id",
        "--parameter",
        "commands=uname",
        "--parameter",
        "workingDirectory=/tmp",
        "--timeout",
        "60",
        "--execution-timeout",
        "30",
        "--comment",
        "CVE-2026-1",
    ];
    run(&account, [1], &arguments).assert_status(0);
    let call = &requests(&account, "SendCommand")[0];
    let parameters = json!({"commands": ["id", "uname"], "executionTimeout": ["30"], "workingDirectory": ["/tmp"]});
    assert_eq!(call["Parameters"], parameters);
    assert_eq!(call["DocumentVersion"], "$LATEST");
    assert_eq!(call["TimeoutSeconds"], 60);
    let comment = call["Comment"].as_str().unwrap();
    assert!(
        comment.starts_with("ssm-run ") && comment.ends_with(": CVE-2026-1"),
        "{comment}"
    );
    assert_eq!(account.problems(), Vec::<Value>::new());
    let unknown = run(&account, [1], &["--document", "Nobody-Knows"]);
    unknown.assert_status(2);
    let found = invocations(&unknown);
    assert_eq!(column(&found, "status"), json!(["NotSent"]));
    assert_eq!(found[0]["reason"]["id"], "run.send.failed");
    let message = found[0]["reason"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("SendCommand Nobody-Knows: InvalidDocument"),
        "{message}"
    );
}

#[test]
fn dark_nodes_are_reported_at_once_with_their_reason() {
    let account = account(&[
        json!({"instance_id": id(1), "state": "stopped", "agent": {"version": "3.3.987.0"}}),
        json!({"instance_id": id(2), "agent": {"version": "3.3.987.0", "ping": "ConnectionLost"}}),
        json!({"instance_id": id(3)}),
        node(4),
    ]);
    let output = run(&account, [1, 2, 3, 4, 5], &["--", "id"]);
    output
        .assert_status(2)
        .assert_stderr("ssm-run: 5 nodes: 4 Unreachable, 1 Success\n");
    let records = output.records();
    let reasons: Vec<&Value> = records.iter().map(|one| &one["reason"]["id"]).collect();
    let expected = [
        "agentcheck.node.stopped",
        "agentcheck.ping.lost",
        "agentcheck.agent.missing",
        "run.node.unknown",
    ];
    assert_eq!(json!(&reasons[..4]), json!(expected));
    assert_eq!(records[4]["kind"], "command");
    assert_eq!(records[5]["status"], "Success");
    let first = &records[0];
    assert_eq!(
        (&first["status"], &first["command_id"]),
        (&json!("Unreachable"), &json!(null))
    );
    // Which shell it would have been depends on the platform; of a scan for patches it is one document for all.
    assert_eq!(first["document"], Value::Null);
    let output = run(&account, [1], &["--patch-scan"]);
    let first = &output.assert_status(2).records()[0];
    assert_eq!(
        (&first["document"], &first["command_id"]),
        (&json!("AWS-RunPatchBaseline"), &json!(null))
    );
}

#[test]
fn records_are_believed_and_cost_no_call() {
    let account = account(&[node(1), node(2)]);
    let record = |number: usize, ping: &str| {
        json!({"kind": "node", "target": {"account": account.id(), "region": "us-east-1"}, "instance_id": id(number),
            "state": "running", "platform": {"type": "Linux", "name": null, "version": null},
            "agent": {"version": "3.3.987.0", "latest": null, "ping": ping, "last_ping": null}, "imds": null, "profile": null,
            "role": null, "managed_by": "instance-profile", "tags": {"Name": format!("web-{number}")}})
        .to_string()
    };
    let nodes = [record(1, "Online"), record(2, "ConnectionLost")].concat();
    let output = by_the_watch(&account, &["--", "id"]).stdin(nodes).run();
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["Success", "Unreachable"]));
    assert_eq!(column(&found, "name"), json!(["web-1", "web-2"]));
    let operations = account.operations();
    let expected = [
        "sts:GetCallerIdentity",
        "ssm:SendCommand",
        "ssm:ListCommandInvocations",
    ];
    assert_eq!(operations, expected);
}

/// What SSM calls connected is the channel of sessions; commands come by ec2messages, too.
#[test]
fn a19_commands_are_sent_to_nodes_that_no_session_reaches() {
    let account = account(&[node(1)]);
    let record = json!({"kind": "node", "target": {"account": account.id(), "region": "us-east-1"}, "instance_id": id(1),
        "state": "running", "platform": {"type": "Linux", "name": null, "version": null},
        "agent": {"version": "2.3.274.0", "latest": null, "ping": "Online", "last_ping": null}, "imds": null, "profile": null,
        "role": null, "managed_by": "instance-profile", "tags": {},
        "evidence": {"connection": {"state": "present", "value": "notconnected"}, "host_management": {"state": "absent"},
            "ways": {"state": "absent"}}});
    let output = tool(&account, &["--", "id"])
        .stdin(record.to_string())
        .run();
    output.assert_status(0);
    assert_eq!(column(&invocations(&output), "status"), json!(["Success"]));
}

#[test]
fn what_failed_can_be_piped_in_again() {
    let account = account(&[ends(1, "Failed"), node(2)]);
    let first = run(
        &account,
        [1, 2],
        &[
            "--jq",
            "select(.kind == \"invocation\" and .status != \"Success\")",
            "--",
            "id",
        ],
    );
    first.assert_status(1);
    let again = tool(&account, &["--", "id"])
        .stdin(first.stdout.as_str())
        .run();
    again.assert_status(1);
    assert_eq!(runs(&account), [(id(1), 1), (id(1), 1), (id(2), 1)]);
}

#[test]
fn nothing_to_run_and_nobody_to_run_it_are_errors() {
    let account = account(&[node(1)]);
    run(&account, [1], &[])
        .assert_status(2)
        .assert_complains("nothing to run: give -- COMMAND, --script, --document or --patch-scan");
    run(&account, [], &["--", "id"])
        .assert_status(2)
        .assert_complains("read nodes from stdin: the input is empty: pipe in what `ssm-agentcheck show` prints, or node IDs");
    run(
        &account,
        [1],
        &["--document", "AWS-RunShellScript", "--", "id"],
    )
    .assert_status(2);
    run(
        &account,
        [1],
        &["--region", "us-east-1,eu-west-1", "--", "id"],
    )
    .assert_status(2)
    .assert_complains("IDs alone do not name their region");
    run(&account, [1], &["--accounts", "org", "--", "id"])
        .assert_status(2)
        .assert_complains("--accounts goes with --tag or --resource-group");
    assert!(account.writes().is_empty());
}

#[test]
fn text_is_for_people() {
    let account = account(&[
        prints(
            1,
            json!({"stdout": "a\u{1b}[2Jb\n", "stderr": "c", "exit_code": 3}),
        ),
        windows(2),
    ]);
    let output = run(&account, [1], &["-o", "text", "--", "id"]);
    output.assert_status(1);
    let lines: Vec<&str> = output.stdout.lines().collect();
    let place = format!("[{}/us-east-1]", account.id());
    assert!(
        lines[0].starts_with(&format!("sent AWS-RunShellScript {place} to 1 node: ")),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with(&id(1)) && lines[1].ends_with(": Failed 3"),
        "{}",
        lines[1]
    );
    assert_eq!(
        &lines[2..4],
        [
            "    a\\u{1b}[2Jb",
            "  ! cfailed to run commands: exit status 3"
        ]
    );
}
