//! How calls and status changes ended: what failed without a code is not allowed, and looks like what failed in every form.

use serde_json::{Value, json};
use testbed::{Home, Output, offline, repository};

use crate::EXE;
use crate::routes::Scene;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>
fn sign_in(name: &str, response: &str, message: Option<&str>) -> Value {
    let mut record = json!({"eventVersion": "1.08", "eventName": name, "eventSource": "signin.amazonaws.com", "eventID": name,
        "eventTime": "2026-11-20T10:00:00Z", "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
        "eventType": "AwsConsoleSignIn", "sourceIPAddress": "198.51.100.7", "requestParameters": null,
        "responseElements": {name: response}, "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"}});
    if let Some(message) = message {
        record["errorMessage"] = message.into();
    }
    record
}

fn of(arguments: &[&str], record: &Value) -> Output {
    let run = offline(EXE).args(arguments).stdin(record.to_string()).run();
    run.assert_status(0);
    run
}

#[test]
fn a_failed_sign_in_is_a_failure_in_every_form() {
    let home = Home::create();
    let file = home.path().join("record.json");
    for (record, result) in [
        (
            sign_in("ConsoleLogin", "Failure", Some("Failed authentication")),
            "failed: Failed authentication",
        ),
        (
            sign_in("SwitchRole", "Failure", Some("Failed authentication")),
            "failed: Failed authentication",
        ),
        (sign_in("CheckMfa", "Failure", None), "failed"),
    ] {
        let csv = of(&["format", "--to", "csv"], &record).stdout;
        assert!(csv.contains(",failed,"), "{csv}");
        let ocsf = of(&["format", "--to", "ocsf"], &record).json();
        assert_eq!(
            (&ocsf["status"], &ocsf["status_id"]),
            (&json!("Failure"), &json!(2))
        );
        let text = of(&["format", "--to", "text"], &record).stdout;
        assert!(text.starts_with("FAILED: "), "{text}");
        let refused = of(&["report"], &record).records();
        assert_eq!(refused.len(), 1, "{refused:?}");
        std::fs::write(&file, record.to_string()).unwrap();
        let history = offline(EXE)
            .args(["history", "--event", "all", "-o", "text"])
            .args([&file])
            .run();
        history.assert_status(0);
        assert!(history.stdout.contains(result), "{}", history.stdout);
        // As grave as a call that failed with a code.
        let mut coded = record.clone();
        coded["errorCode"] = "ThrottlingException".into();
        let color = |record: &Value| {
            let message = of(&["format", "--to", "slack"], record).json();
            message["attachments"][0]["color"].clone()
        };
        assert_eq!(color(&record), color(&coded));
    }
    let good = sign_in("ConsoleLogin", "Success", None);
    let csv = of(&["format", "--to", "csv"], &good).stdout;
    assert!(csv.contains(",allowed,"), "{csv}");
}

#[test]
fn the_rules_take_a_failed_sign_in_for_a_warning() {
    let scene = Scene::new();
    let routes = scene.routes(
        &json!({"rules": [{"name": "failures", "severities": ["warning"], "to": ["security"]}]}),
    );
    let record = sign_in("ConsoleLogin", "Failure", Some("Failed authentication"));
    let explained = scene.tool(&routes, &["--explain"]);
    let explained = explained.stdin(record.to_string()).run();
    explained.assert_status(0);
    assert_eq!(explained.json()["rule"], "failures", "{}", explained.stdout);
}

/// Prints every status that Systems Manager gives what EventBridge has events of.
const STATUSES: &str = "
import botocore.session
model = botocore.session.get_session().get_service_model('ssm')
for shape in ['AccessRequestStatus', 'AssociationStatusName', 'AutomationExecutionStatus', 'CommandInvocationStatus',
              'CommandPluginStatus', 'CommandStatus', 'MaintenanceWindowExecutionStatus', 'OpsItemStatus']:
    for status in model.shape_for(shape).enum:
        print(status)
";
/// Those of what has not ended, or ended well. All others are failures.
const NO_FAILURES: [&str; 20] = [
    "Approved",
    "CANCELLING",
    "Cancelling",
    "ChangeCalendarOverrideApproved",
    "Closed",
    "CompletedWithSuccess",
    "Delayed",
    "IN_PROGRESS",
    "InProgress",
    "Open",
    "PENDING",
    "Pending",
    "PendingApproval",
    "PendingChangeCalendarOverride",
    "Resolved",
    "RunbookInProgress",
    "SUCCESS",
    "Scheduled",
    "Success",
    "Waiting",
];

fn status_change(status: &str) -> String {
    let event = json!({"version": "0", "id": "n", "detail-type": "EC2 Automation Execution Status-change Notification",
        "source": "aws.ssm", "account": "111122223333", "time": "2026-11-20T10:00:00Z", "region": "eu-central-1", "resources": [],
        "detail": {"ExecutionId": "1", "Definition": "Doc", "Status": status}});
    format!("{event}\n")
}

#[test]
fn every_status_that_is_not_a_success_is_a_failure() {
    let python = repository().join(".venv/bin/python");
    let run = std::process::Command::new(python)
        .args(["-c", STATUSES])
        .output()
        .unwrap();
    let printed = String::from_utf8(run.stdout).unwrap();
    // Details have words of their own.
    let details = [
        "Delivery Timed Out",
        "ExecutionTimedOut",
        "Incomplete",
        "Rate Exceeded",
    ];
    let statuses: Vec<&str> = printed.lines().chain(details).collect();
    assert!(statuses.len() > 50, "{printed}");
    let events: String = statuses
        .iter()
        .map(|status| status_change(status))
        .collect();
    let csv = offline(EXE)
        .args(["format", "--to", "csv"])
        .stdin(events)
        .run();
    csv.assert_status(0);
    for (status, line) in statuses.into_iter().zip(csv.stdout.lines().skip(1)) {
        let outcome = match NO_FAILURES.contains(&status) {
            true => "allowed",
            false => "failed",
        };
        assert!(line.contains(&format!(",{outcome},")), "{status}: {line}");
    }
}

/// Whoever turns Default Host Management on, off or onto another role changes who may, and a change request runs something.
#[test]
fn calls_that_change_default_host_management_are_watched() {
    let home = Home::create();
    let file = home.path().join("records.jsonl");
    let calls = [
        ("ssm", "RegisterDefaultHostManagementConfiguration"),
        ("ssm", "DeregisterDefaultHostManagementConfiguration"),
        ("ssm", "StartChangeRequestExecution"),
        ("ssm", "RegisterTargetWithMaintenanceWindow"),
        ("ssm-quicksetup", "UpdateConfigurationManager"),
        ("ssm-guiconnect", "StartConnection"),
        ("ssm-guiconnect", "DeleteConnectionRecordingPreferences"),
    ];
    let lines = calls.map(|(service, name)| {
        json!({"eventName": name, "eventSource": format!("{service}.amazonaws.com"), "eventID": name}).to_string()
    });
    std::fs::write(&file, lines.join("\n")).unwrap();
    let history = offline(EXE).args(["history"]).args([&file]).run();
    history.assert_status(0);
    let found = history.records();
    let names = found.iter().map(|one| one["eventName"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), calls.map(|(_, name)| name));
    let desired = r#"{"webhook": {"env": "X"}}"#;
    let pattern = offline(EXE).args(["pattern"]).stdin(desired).run();
    pattern.assert_status(0);
    let pattern = home.path().join("pattern.json").to_str().map(|path| {
        std::fs::write(path, &pattern.stdout).unwrap();
        path.to_owned()
    });
    let events = calls.map(|(service, name)| {
        json!({"source": format!("aws.{service}"), "detail-type": "AWS API Call via CloudTrail",
            "detail": {"eventName": name, "eventSource": format!("{service}.amazonaws.com")}})
        .to_string()
    });
    let matched = offline(EXE)
        .args(["match", &pattern.unwrap()])
        .stdin(events.join("\n"))
        .run();
    matched.assert_status(1);
    assert_eq!(matched.records().len(), calls.len(), "{}", matched.stdout);
}
