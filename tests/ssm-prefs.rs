//! `ssm-prefs` as a user meets it: exit status, stdout and stderr of every verb against the local AWS.

#[path = "ssm-prefs/applying.rs"]
mod applying;
#[path = "ssm-prefs/keeping.rs"]
mod keeping;
#[path = "ssm-prefs/probe_causes.rs"]
mod probe_causes;
#[path = "ssm-prefs/probe_denied.rs"]
mod probe_denied;
#[path = "ssm-prefs/probe_plugin.rs"]
mod probe_plugin;
#[path = "ssm-prefs/probing.rs"]
mod probing;
#[path = "ssm-prefs/reads.rs"]
mod reads;
#[path = "ssm-prefs/writing.rs"]
mod writing;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox, offline};

const EXE: &str = env!("CARGO_BIN_EXE_ssm-prefs");
const DOCUMENT: &str = "SSM-SessionManagerRunShell";
const DESIRED: &str = r#"{
    "kms_key": {"alias": "alias/sessions", "create": true},
    "s3": {"bucket": "logs-{account}-{region}", "create": true, "expire_days": 400},
    "cloudwatch": {"log_group": "/sessions", "create": true, "retention_days": 400},
    "idle_timeout_minutes": 20, "shell": "bash"}"#;
const TIMEOUT: &str = r#"{"idle_timeout_minutes": 15}"#;

fn account() -> Account {
    Sandbox::start().account()
}

fn tool(account: &Account, arguments: &[&str]) -> Run {
    account.tool(EXE).args(arguments)
}

fn run(account: &Account, verb: &str, input: &str) -> Output {
    tool(account, &[verb]).stdin(input).run()
}

fn statuses(output: &Output) -> Vec<String> {
    let results = output.json()["results"].clone();
    let text = |value: &Value| {
        format!(
            "{} {}",
            value["status"].as_str().unwrap(),
            value["action"].as_str().unwrap()
        )
    };
    results.as_array().unwrap().iter().map(text).collect()
}

fn ids(output: &Output) -> Vec<String> {
    output
        .records()
        .iter()
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

fn live(account: &Account) -> Value {
    let answer = account.aws(&["ssm", "get-document", "--name", DOCUMENT]);
    serde_json::from_str(answer["Content"].as_str().unwrap()).unwrap()
}

#[test]
fn what_may_not_be_read_is_unknown_in_check_and_stops_a_plan() {
    for (service, operation, id) in [
        ("kms", "DescribeKey", "prefs.key.unknown"),
        ("s3", "GetBucketEncryption", "prefs.bucket.unknown"),
        ("logs", "DescribeLogGroups", "prefs.log_group.unknown"),
        ("ssm", "DescribeDocument", "prefs.document.unknown"),
    ] {
        let account = account();
        let plan = run(&account, "plan", DESIRED).stdout;
        run(&account, "apply", &plan).assert_status(0);
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        let found = run(&account, "check", DESIRED);
        found.assert_status(2);
        assert!(
            ids(&found).contains(&id.to_owned()),
            "{operation}: {}",
            found.stdout
        );
        let stopped = run(&account, "plan", DESIRED);
        stopped
            .assert_status(2)
            .assert_complains("could not be read");
        assert_eq!(stopped.stdout, "", "{operation}: no half plan");
    }
}

#[test]
fn finds_a_log_group_on_the_second_page() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    run(&account, "apply", &plan).assert_status(0);
    let longer =
        r#"{"cloudwatch": {"log_group": "/sessions-z", "encrypted": false, "create": true}}"#;
    for n in 0..51 {
        account.aws(&[
            "logs",
            "create-log-group",
            "--log-group-name",
            &format!("/sessions-z{n:02}"),
        ]);
    }
    account.aws(&[
        "logs",
        "create-log-group",
        "--log-group-name",
        "/sessions-z",
    ]);
    let plan = run(&account, "plan", longer).json();
    let creates = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .any(|change| change["action"] == "create_log_group");
    assert!(!creates, "{plan}");
}

#[test]
fn throttling_is_waited_out() {
    let account = account();
    account.fault(json!({"service": "ssm", "operation": "DescribeDocument", "kind": "throttle"}));
    run(&account, "show", "").assert_status(0).assert_stderr("");
}

#[test]
fn plans_every_region_that_is_named() {
    let account = account();
    let plans = tool(&account, &["plan", "--region", "us-east-1,eu-central-1"])
        .stdin(TIMEOUT)
        .run();
    plans.assert_status(0).assert_stderr("");
    let regions: Vec<Value> = plans
        .records()
        .iter()
        .map(|plan| plan["target"]["region"].clone())
        .collect();
    assert_eq!(regions, ["us-east-1", "eu-central-1"]);
    run(&account, "apply", &plans.stdout).assert_status(0);
}

#[test]
fn plan_warns_of_sessions_that_it_would_refuse() {
    let account = account();
    let roles = account.home().join("roles.json");
    let role = json!({"kind": "host_management", "roles": [{"arn": format!("arn:aws:iam::{}:role/web", account.id()), "inline_policies": {}}]});
    std::fs::write(&roles, role.to_string()).unwrap();
    let plan = tool(&account, &["plan", "--roles", roles.to_str().unwrap()])
        .stdin(DESIRED)
        .run();
    plan.assert_status(0)
        .assert_complains("warning: after this plan: prefs.role.kms_decrypt");
    let quiet = tool(
        &account,
        &["plan", "-q", "--roles", roles.to_str().unwrap()],
    )
    .stdin(DESIRED)
    .run();
    quiet.assert_status(0).assert_stderr("");
}

#[test]
fn render_and_lint_need_neither_keys_nor_network() {
    let rendered = offline(EXE)
        .args(["render"])
        .stdin(r#"{"shell": "bash"}"#)
        .run();
    rendered.assert_status(0).assert_stderr("");
    assert_eq!(
        rendered.json()["inputs"]["shellProfile"]["linux"],
        "[ -x /bin/bash ] && exec /bin/bash"
    );
    offline(EXE)
        .args(["lint"])
        .stdin(rendered.stdout)
        .run()
        .assert_status(0)
        .assert_stderr("");
    let found = offline(EXE)
        .args(["lint"])
        .stdin(r#"{"idle_timeout_minutes": 61}"#)
        .run();
    found.assert_status(1).assert_stderr("");
    assert_eq!(found.json()["id"], "prefs.content.range");
}

#[test]
fn bad_input_is_one_line_with_its_place_and_nothing_is_called() {
    let account = account();
    for (input, complaint) in [
        (
            "{\"s3\":\n {\"buckett\": \"x\"}}",
            "$.s3.buckett: unknown field `buckett`",
        ),
        ("{\"s3\":", "EOF while parsing a value at line 1 column 6"),
        (
            "{\"idle_timeout_minutes\": \"20\"}",
            "$.idle_timeout_minutes: invalid type: string",
        ),
        (
            "{\"idle_timeout_minutes\": 90}",
            "read desired preferences from stdin: $.idle_timeout_minutes: \"90\"",
        ),
        (
            "{\"kms_key\": {}}",
            "$.kms_key: exactly one of alias and arn",
        ),
        ("", "the input is empty"),
        ("{} {}", "expected one JSON value, found 2"),
    ] {
        let output = run(&account, "plan", input);
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(
            (output.stdout.as_str(), output.stderr.lines().count()),
            ("", 1),
            "{input}"
        );
    }
    assert!(account.calls().is_empty());
}

#[test]
fn show_of_an_account_without_preferences_says_absent() {
    let account = account();
    let shown = run(&account, "show", "");
    shown.assert_status(0).assert_stderr("");
    let record = shown.json();
    assert_eq!(record["kind"], "preferences");
    assert_eq!(record["document"], json!({"state": "absent"}));
    assert_eq!(record["versions_differ"], Value::Null);
    assert_eq!(
        record["target"],
        json!({"account": account.id(), "region": "us-east-1"})
    );
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn show_and_check_find_session_documents_of_every_page() {
    let account = account();
    let documents: Vec<Value> = (0..60)
        .map(|n| {
            let content = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {}});
            json!({"account": account.id(), "region": "us-east-1", "name": format!("Session-{n:02}"),
                "type": "Session", "versions": [content]})
        })
        .collect();
    account.seed(&json!({ "documents": documents }));
    let shown = run(&account, "show", "");
    shown.assert_status(0).assert_stderr("");
    for name in ["Session-00", "Session-59"] {
        assert!(shown.stdout.contains(name), "{name}: {}", shown.stdout);
    }
    let found = run(&account, "check", TIMEOUT);
    found.assert_status(1).assert_stderr("");
    let names: Vec<Value> = found
        .records()
        .iter()
        .filter(|finding| finding["severity"] == "warning")
        .map(|finding| finding["resource"].clone())
        .filter(|name| name.as_str().unwrap().starts_with("Session-"))
        .collect();
    assert_eq!(names.len(), 60);
    let pages = account.operations();
    let pages = pages.iter().filter(|call| *call == "ssm:ListDocuments");
    assert!(pages.count() >= 4, "two pages for each of the two runs");
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn plan_says_by_its_status_whether_something_needs_to_change() {
    let account = account();
    let status = |expected| {
        let plan = tool(&account, &["plan", "--exit-code"])
            .stdin(TIMEOUT)
            .run();
        plan.assert_status(expected).assert_stderr("");
        plan.stdout
    };
    let plan = status(1);
    assert_eq!(run(&account, "plan", TIMEOUT).stdout, plan, "same bytes");
    run(&account, "apply", &plan).assert_status(0);
    status(0);
}

/// Sessions start on a terminal, where the shell reads the profile line by line; python3 makes one.
#[test]
fn the_bash_profile_starts_bash_where_it_is_and_stays_in_sh_where_it_is_not() {
    let script = r#"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.environ["PS1"] = "$ "
    os.execv("/bin/sh", ["sh"])
os.write(terminal, (sys.argv[1] + "\necho is-$" + "{BASH_VERSION:+bash}\nexit\nexit\n").encode())
seen = b""
try:
    while chunk := os.read(terminal, 4096):
        seen += chunk
except OSError:
    pass
print("bash" if b"is-bash" in seen else "sh")
"#;
    let shell = |profile: &str| {
        let output = std::process::Command::new("python3")
            .args(["-c", script, profile])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let rendered = offline(EXE)
        .args(["render"])
        .stdin(r#"{"shell": "bash"}"#)
        .run()
        .json();
    let profile = rendered["inputs"]["shellProfile"]["linux"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(shell(&profile), "bash");
    assert_eq!(shell(&profile.replace("/bin/bash", "/nowhere/bash")), "sh");
}
