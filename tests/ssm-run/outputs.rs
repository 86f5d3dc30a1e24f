//! Outputs: split, whole beyond what the API returns where a destination was given, and never passed off as whole.

use serde_json::{Value, json};
use testbed::Account;

use super::{account, id, ids, invocations, node, prints, requests, run, runs, tool};

fn bucket(account: &Account) -> String {
    let name = format!("out-{}", account.id());
    account.aws(&["s3api", "create-bucket", "--bucket", &name]);
    name
}

fn long(line: &str, n_lines: usize) -> String {
    format!("{line}\n").repeat(n_lines)
}

#[test]
fn short_outputs_cost_no_call_of_their_own() {
    let account = account(&[
        prints(1, json!({"stdout": "a\n", "stderr": "b\n", "exit_code": 3})),
        prints(2, json!({"stdout": "c\n"})),
    ]);
    let output = run(&account, [1, 2], &["--", "id"]);
    output.assert_status(1);
    let found = invocations(&output);
    assert_eq!(
        (&found[0]["stdout"], &found[0]["exit_code"]),
        (&json!("a\n"), &json!(3))
    );
    let stderr = found[0]["stderr"].as_str().unwrap();
    assert!(stderr.starts_with("b\n"), "{stderr}");
    assert_eq!(found[1]["stdout"], "c\n");
    assert!(requests(&account, "GetCommandInvocation").is_empty());
}

#[test]
fn what_looks_like_the_agents_own_line_is_asked_for() {
    let text = "a\n----------ERROR-------\nb";
    let account = account(&[prints(1, json!({"stdout": text}))]);
    let output = run(&account, [1], &["--", "id"]);
    let found = invocations(&output);
    assert_eq!(
        (&found[0]["stdout"], &found[0]["stderr"]),
        (&json!(text), &json!(""))
    );
    assert_eq!(requests(&account, "GetCommandInvocation").len(), 1);
}

#[test]
fn outputs_up_to_24000_characters_are_whole() {
    let text = long("0123456789", 1_000);
    let account = account(&[prints(1, json!({"stdout": text, "stderr": "x"}))]);
    let found = invocations(&run(&account, [1], &["--", "id"]));
    assert_eq!(
        (&found[0]["stdout"], &found[0]["stderr"]),
        (&json!(text), &json!("x"))
    );
    assert_eq!(
        found[0]["truncated"],
        json!({"stdout": false, "stderr": false})
    );
}

#[test]
fn a_cut_output_is_never_passed_off_as_whole() {
    let account = account(&[prints(1, json!({"stdout": long("0123456789", 5_000)}))]);
    let output = run(&account, [1], &["--", "id"]);
    output.assert_status(0);
    let found = invocations(&output);
    assert_eq!(
        found[0]["truncated"],
        json!({"stdout": true, "stderr": false})
    );
    assert_eq!(found[0]["reason"], json!(null));
}

#[test]
fn an_output_comes_back_whole_through_s3() {
    let (out, err) = (long("0123456789", 5_000), long("error", 3_000));
    let account = account(&[
        prints(1, json!({"stdout": out, "stderr": err, "exit_code": 1})),
        prints(2, json!({"stdout": "short\n"})),
    ]);
    let destination = format!("s3://{}/scan", bucket(&account));
    let output = run(&account, [1, 2], &["--output-s3", &destination, "--", "id"]);
    output.assert_status(1);
    let found = invocations(&output);
    assert_eq!(found[0]["stdout"], json!(out));
    assert!(found[0]["stderr"].as_str().unwrap().starts_with(&err));
    assert_eq!(
        found[0]["truncated"],
        json!({"stdout": false, "stderr": false})
    );
    assert_eq!(found[1]["stdout"], "short\n");
    assert_eq!(requests(&account, "GetObject").len(), 2);
    assert!(requests(&account, "GetCommandInvocation").is_empty());
}

/// HeadBucket names the Region of a bucket, also to who may not look into it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
#[test]
fn an_output_comes_back_from_a_bucket_in_another_region() {
    let out = long("0123456789", 5_000);
    let account = account(&[prints(1, json!({"stdout": out}))]);
    let name = format!("out-{}", account.id());
    let create = ["s3api", "create-bucket", "--region", "eu-west-1"];
    let constraint = "LocationConstraint=eu-west-1";
    let named = ["--bucket", &name, "--create-bucket-configuration"];
    account.aws(&[&create[..], &named, &[constraint]].concat());
    let destination = format!("s3://{name}/scan");
    let scan = || {
        let run = tool(&account, &["--output-s3", &destination, "--", "id"]);
        run.stdin(ids([1]))
    };
    for (output, n_refused) in [
        (scan().run(), 0),
        (scan().without("s3:ListBucket").run(), 1),
    ] {
        output.assert_status(0);
        assert_eq!(output.refused.len(), n_refused, "{:?}", output.refused);
        assert_eq!(invocations(&output)[0]["stdout"], json!(out));
    }
}

#[test]
fn a_stream_without_output_has_no_object_and_lacks_nothing() {
    let (out, err) = (long("0123456789", 5_000), long("error", 3_000));
    let title = format!("x\n----------ERROR-------\n{out}");
    let account = account(&[
        prints(1, json!({"stderr": err})),
        // It prints the agent's own line, and nothing to stderr.
        prints(2, json!({"stdout": title})),
    ]);
    let destination = format!("s3://{}/scan", bucket(&account));
    let output = run(&account, [1, 2], &["--output-s3", &destination, "--", "id"]);
    output.assert_status(0);
    let found = invocations(&output);
    assert_eq!(
        (&found[0]["stdout"], &found[0]["stderr"]),
        (&json!(""), &json!(err))
    );
    assert_eq!(
        (&found[1]["stdout"], &found[1]["stderr"]),
        (&json!(title), &json!(""))
    );
    for record in &found {
        assert_eq!(
            record["truncated"],
            json!({"stdout": false, "stderr": false})
        );
    }
}

#[test]
fn an_output_comes_back_whole_through_a_log_group() {
    let out = long("0123456789", 40_000);
    let account = account(&[prints(1, json!({"stdout": out}))]);
    let output = run(&account, [1], &["--output-log-group", "/scan", "--", "id"]);
    output.assert_status(0);
    let found = invocations(&output);
    // The agent's events carry no last line break.
    assert_eq!(found[0]["stdout"], json!(out.trim_end()));
    assert_eq!(
        found[0]["truncated"],
        json!({"stdout": false, "stderr": false})
    );
}

#[test]
fn a_destination_that_cannot_be_read_is_trouble() {
    let out = long("0123456789", 5_000);
    let account = account(&[prints(1, json!({"stdout": out}))]);
    let output = run(
        &account,
        [1],
        &["--output-s3", "s3://nobody-made-this/x", "--", "id"],
    );
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(found[0]["status"], "Success");
    assert_eq!(found[0]["truncated"]["stdout"], true);
    assert_eq!(found[0]["reason"]["id"], "run.output.unreadable");
    assert!(out.starts_with(found[0]["stdout"].as_str().unwrap().get(..20_000).unwrap()));
}

#[test]
fn an_invocation_that_ssm_does_not_know_yet_is_asked_for_again() {
    let account = account(&[prints(1, json!({"stdout": long("0123456789", 1_000)}))]);
    account.fault(json!({"operation": "GetCommandInvocation", "kind": "error", "code": "InvocationDoesNotExist", "status": 400}));
    let output = run(&account, [1], &["--", "id"]);
    output.assert_status(0);
    assert_eq!(requests(&account, "GetCommandInvocation").len(), 2);
}

#[test]
fn throttling_cuts_no_output() {
    let text = long("0123456789", 1_000);
    let account = account(&[prints(1, json!({"stdout": text}))]);
    account.fault(json!({"operation": "GetCommandInvocation", "kind": "throttle", "times": 5}));
    let output = run(&account, [1], &["--", "id"]);
    output.assert_status(0);
    assert_eq!(invocations(&output)[0]["stdout"], json!(text));
}

#[test]
fn steps_of_a_document_are_reported_one_by_one() {
    let account = account(&[
        json!({"instance_id": id(1), "agent": {"version": "3.3.987.0", "run_command": "sh"}}),
    ]);
    let step = |name: &str, command: &str| json!({"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": [command]}});
    let content = json!({"schemaVersion": "2.2", "description": "two steps",
        "mainSteps": [step("first", "echo a"), step("second", "echo b; exit 4")]});
    let document = json!({"account": account.id(), "region": "us-east-1", "name": "Two-Steps", "type": "Command", "versions": [content]});
    account.seed(&json!({"documents": [document]}));
    let output = run(&account, [1], &["--document", "Two-Steps"]);
    output.assert_status(1);
    let found = invocations(&output);
    assert_eq!(
        (&found[0]["exit_code"], &found[0]["stdout"]),
        (&json!(4), &json!("a\nb\n"))
    );
    let steps = found[0]["steps"].as_array().unwrap();
    let shown: Vec<Value> = steps
        .iter()
        .map(|step| json!([step["name"], step["exit_code"], step["stdout"]]))
        .collect();
    assert_eq!(
        json!(shown),
        json!([["first", 0, "a\n"], ["second", 4, "b\n"]])
    );
}

#[test]
fn a_patch_scan_reports_what_it_found() {
    let patched = json!({"instance_id": id(1), "agent": {"version": "3.3.987.0"},
        "patches": {"list": [{"kb_id": "kernel.x86_64", "state": "MISSING", "severity": "Critical", "compliance": "CRITICAL"}]}});
    let account = account(&[patched, node(2)]);
    let output = run(&account, [1, 2], &["--patch-scan"]);
    let states: Vec<Value> = output
        .records()
        .into_iter()
        .filter(|one| one["kind"] == "patch_state")
        .collect();
    assert_eq!(states.len(), 2, "{}", output.stdout);
    assert_eq!(states[0]["instance_id"], id(1));
    assert_eq!(states[0]["missing_count"], 1);
    assert_eq!(states[0]["operation"], "Scan");
    let sent = &requests(&account, "SendCommand")[0];
    assert_eq!(sent["Parameters"], json!({"Operation": ["Scan"]}));
    assert_eq!(runs(&account), [(id(1), 1), (id(2), 1)]);
    assert_eq!(account.problems(), Vec::<Value>::new());
}

/// SSM may show what an earlier scan left, for a moment or for good.
#[test]
fn the_result_of_an_earlier_patch_scan_is_not_that_of_this_one() {
    let stale = json!({"instance_id": id(1), "agent": {"version": "3.3.987.0"},
        "patches": {"result_of": "2026-10-01T06:00:00+00:00"}});
    let account = account(&[stale, node(2)]);
    let output = run(&account, [1, 2], &["--patch-scan"]);
    output.assert_status(2);
    let records = output.records();
    let states = records.iter().filter(|one| one["kind"] == "patch_state");
    let found: Vec<Value> = states
        .map(|one| {
            json!([
                one["instance_id"],
                one["missing_count"],
                one["reason"]["id"]
            ])
        })
        .collect();
    assert_eq!(
        json!(found),
        json!([[id(1), null, "run.patch_state.missing"], [id(2), 0, null]])
    );
}

#[test]
fn a_patch_scan_whose_result_cannot_be_read_is_trouble() {
    let account = account(&[node(1)]);
    account
        .fault(json!({"operation": "DescribeInstancePatchStates", "kind": "denied", "times": -1}));
    let output = run(&account, [1], &["--patch-scan"]);
    output.assert_status(2);
    let states: Vec<Value> = output
        .records()
        .into_iter()
        .filter(|one| one["kind"] == "patch_state")
        .collect();
    assert_eq!(states[0]["reason"]["id"], "run.patch_state.unreadable");
}
