//! The way through Lambda: made, delivering, failing, mended, taken back.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Account, Output, Reply, Slack};

use crate::delivery::{NODE, start_session};
use crate::{EXE, account, statuses};

/// Packs what this test runs, as `make lambda` packs the release.
fn package(account: &Account, name: &str, binary: &str) -> PathBuf {
    let zip = account.home().join(name);
    let code = "import sys, zipfile
entry = zipfile.ZipInfo('bootstrap', (1980, 1, 1, 0, 0, 0)); entry.external_attr = 0o100755 << 16
entry.compress_type = zipfile.ZIP_DEFLATED
zipfile.ZipFile(sys.argv[2], 'w').writestr(entry, open(sys.argv[1], 'rb').read())";
    let packed = account
        .tool("python3")
        .args(["-c", code, binary])
        .args([&zip])
        .env("PATH", std::env::var("PATH").unwrap())
        .run();
    packed.assert_status(0);
    zip
}

fn desired(zip: &std::path::Path) -> Value {
    json!({"webhook": {"parameter": "/slack"}, "role_name": "ssm-events-function", "function": {"zip": zip}})
}

fn run(account: &Account, arguments: &[&str], input: &Value) -> Output {
    account
        .tool(EXE)
        .args(arguments)
        .stdin(input.to_string())
        .run()
}

/// An account with the function rolled out.
fn rolled_out(slack: &Slack) -> (Account, Value, Output) {
    let account = account();
    let parameter =
        json!({"Name": "/slack", "Type": "SecureString", "Value": slack.url()}).to_string();
    account.aws(&["ssm", "put-parameter", "--cli-input-json", &parameter]);
    // A real package is small; the debug binary with its symbols is not.
    let stripped = account.home().join("stripped");
    let strip = std::process::Command::new("strip")
        .arg("-o")
        .args([&stripped])
        .arg(EXE)
        .status();
    assert!(strip.unwrap().success());
    let zip = package(&account, "function.zip", stripped.to_str().unwrap());
    let desired = desired(&zip);
    let plan = run(&account, &["plan"], &desired);
    plan.assert_status(0).assert_stderr("");
    assert!(!plan.stdout.contains("c4n4ry"));
    let applied = account.tool(EXE).args(["apply"]).stdin(plan.stdout).run();
    applied.assert_status(0).assert_stderr("");
    (account, desired, applied)
}

/// Puts a record on the bus as CloudTrail does.
fn happens(account: &Account, id: &str) {
    let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id, "errorCode": "AccessDenied",
        "errorMessage": "<!channel>", "eventTime": "2026-11-24T03:00:00Z", "awsRegion": "us-east-1",
        "recipientAccountId": account.id(), "requestParameters": null, "readOnly": false});
    account.happens("us-east-1", &record);
}

fn wait(what: &str, mut until: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !until() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_denied_session_is_reported_in_red_by_the_function() {
    let slack = Slack::start();
    let (account, desired, applied) = rolled_out(&slack);
    account.start_trail();
    assert_eq!(
        statuses(&applied),
        [
            "done create_role",
            "done create_queue",
            "done create_function",
            "done put_function_event_invoke_config",
            "done put_rule",
            "done add_permission",
            "done put_targets"
        ]
    );
    happens(&account, "e-1");
    wait("Slack got nothing", || !slack.messages().is_empty());
    let message = slack.messages()[0].clone();
    assert_eq!(message["attachments"][0]["color"], "#d00000");
    assert!(
        message.to_string().contains("&lt;!channel&gt;"),
        "{message}"
    );
    run(&account, &["check"], &desired)
        .assert_status(0)
        .assert_stderr("");
    let tested = run(
        &account,
        &["check", "--send-test", "--patience", "1"],
        &desired,
    );
    tested.assert_status(0).assert_stderr("");
    wait("the test event did not come", || {
        slack.messages().len() == 2
    });
    let text = slack.messages()[1]["text"].to_string();
    assert!(
        text.contains("TEST: "),
        "a test says that it is one: {text}"
    );
    account.forget_calls();
    assert_eq!(
        run(&account, &["plan"], &desired).json()["changes"],
        json!([])
    );
    assert!(account.writes().is_empty());
    assert!(account.problems().is_empty(), "{:?}", account.problems());
    let undone = run(&account, &["apply"], &applied.json()["undo"]);
    undone.assert_status(0).assert_stderr("");
    assert!(statuses(&undone).contains(&"done delete_function".to_owned()));
}

#[test]
fn a_session_is_reported_through_trail_bus_and_function() {
    let slack = Slack::start();
    let (account, mut desired, _) = rolled_out(&slack);
    account.seed(
        &json!({"roles": [{"account": account.id(), "name": "node", "trust": "ec2.amazonaws.com", "instance_profile": true,
        "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}],
        "nodes": [{"account": account.id(), "region": "us-east-1", "instance_id": NODE, "profile": "node",
        "agent": {"version": "3.3.1611.0", "ping": "Online"}}]}),
    );
    start_session(&account);
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        slack.posts().is_empty(),
        "without a trail EventBridge receives no call"
    );
    desired["trail"] = json!({"name": "audit", "home_region": "us-east-1", "bucket": format!("audit-{}", account.id())});
    let plan = run(&account, &["plan"], &desired);
    let applied = account.tool(EXE).args(["apply"]).stdin(plan.stdout).run();
    applied.assert_status(0).assert_stderr("");
    start_session(&account);
    wait("Slack got nothing", || !slack.messages().is_empty());
    let message = slack.messages()[0].to_string();
    assert!(
        message.contains("StartSession") && message.contains(NODE) && message.contains("INC-1"),
        "{message}"
    );
    assert!(
        !message.contains("wss://") && !message.contains("tokenValue"),
        "{message}"
    );
}

#[test]
fn what_the_function_cannot_deliver_waits_in_the_queue() {
    let slack = Slack::start();
    let (account, desired, _) = rolled_out(&slack);
    account.start_trail();
    slack.always(Reply::Status(404, "no_service"));
    happens(&account, "e-1");
    let mut ids = Vec::new();
    wait("nothing came into the queue", || {
        let found = run(&account, &["check"], &desired).records();
        ids = found
            .iter()
            .map(|finding| finding["id"].as_str().unwrap().to_owned())
            .collect();
        !ids.is_empty()
    });
    assert_eq!(ids, ["events.queue.not_empty"]);
    assert!(slack.posts().len() >= 3, "Lambda tries three times");
}

#[test]
fn other_code_and_another_setup_are_found_and_mended() {
    let slack = Slack::start();
    let (account, mut desired, _) = rolled_out(&slack);
    account.start_trail();
    desired["function"]["zip"] = json!(package(&account, "other.zip", "/bin/true"));
    desired["function"]["time_zone"] = json!("Europe/Berlin");
    account.aws(&[
        "lambda",
        "remove-permission",
        "--function-name",
        "ssm-events",
        "--statement-id",
        "ssm-events",
    ]);
    let found = run(&account, &["check"], &desired);
    found.assert_status(1);
    let ids: Vec<Value> = found
        .records()
        .iter()
        .map(|finding| finding["id"].clone())
        .collect();
    assert_eq!(
        ids,
        [
            "events.function.outdated",
            "events.function.drifted",
            "events.function.denied"
        ]
    );
    let plan = run(&account, &["plan"], &desired);
    let mended = account.tool(EXE).args(["apply"]).stdin(plan.stdout).run();
    mended.assert_status(0).assert_stderr("");
    assert_eq!(
        statuses(&mended),
        [
            "done update_function_code",
            "done update_function_configuration",
            "done add_permission"
        ]
    );
    run(&account, &["check"], &desired).assert_status(0);
    let undone = run(&account, &["apply"], &mended.json()["undo"]);
    undone.assert_status(0).assert_stderr("");
    // The code that was there before is nowhere kept.
    assert_eq!(
        statuses(&undone),
        ["done add_permission", "done update_function_configuration"]
    );
    let left = run(&account, &["check"], &desired).records();
    let ids: Vec<Value> = left.iter().map(|finding| finding["id"].clone()).collect();
    assert_eq!(ids, ["events.function.drifted", "events.function.denied"]);
}

#[test]
fn a_webhook_of_this_machine_or_no_package_is_refused_before_the_first_call() {
    let account = account();
    let mut desired = desired(&account.home().join("missing.zip"));
    run(&account, &["plan"], &desired)
        .assert_status(2)
        .assert_complains("`make lambda` makes it");
    desired["webhook"] = json!({"env": "X"});
    run(&account, &["plan"], &desired)
        .assert_status(2)
        .assert_complains("a function reads it from `parameter` or `secret`");
    assert!(account.calls().is_empty());
}
