//! The files of `scripts/send.d`: that they are read, and that what they make is what the services' documentation asks for.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Front, Home, Slack, offline, repository};

use crate::EXE;

fn example(name: &str) -> PathBuf {
    repository().join("scripts/send.d").join(name)
}

/// Records of every kind: each call of every principal, EventBridge's own, and one of which everything is long and hostile.
fn inputs() -> String {
    let mut input = String::new();
    for directory in ["StartSession", "SendCommand", "TerminateSession", "wrapped"] {
        let directory = repository()
            .join("tests/fixtures/cloudtrail")
            .join(directory);
        for file in std::fs::read_dir(directory).unwrap() {
            input.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
            input.push('\n');
        }
    }
    let long = "[x](https://evil.example) <at>all</at> \u{202e}é".repeat(500);
    let hostile = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "errorCode": "AccessDenied",
        "errorMessage": long, "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{long}")},
        "requestParameters": {"target": long, "reason": long}});
    let bare = json!({"eventName": "", "eventSource": ""});
    input + &format!("{hostile}\n{bare}\n")
}

/// Sends everything through a filter, and returns what arrives.
fn sent(filter: &str, more: &[&str]) -> Vec<Value> {
    let (service, home) = (Slack::json(), Home::create());
    let front = Front::start(service.address(), home.path());
    let run = offline(EXE)
        .args([
            "send",
            "--url",
            "env:URL",
            "--allow-local-address",
            "--interval",
            "0",
            "--spool",
        ])
        .args([home.path().join("spool")])
        .args(["--reason-pattern", "[A-Z]+-[0-9]+", "--jq-file"])
        .args([example(filter)])
        .args(more)
        .env("URL", format!("{}/x", front.url()))
        .env("KEY", "0123456789abcdef0123456789abcdef")
        .env("AWS_CA_BUNDLE", front.certificate());
    // The one without a name is damaged, and sent.
    run.stdin(inputs())
        .run()
        .assert_status(2)
        .assert_complains("cannot be read: its eventName is empty");
    let messages = service.messages();
    assert!(messages.len() > 20, "{} messages", messages.len());
    messages
}

/// <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>, and its OpenAPI document in PagerDuty/api-schema.
#[test]
fn pagerduty_gets_events_of_its_api() {
    let mut severities = Vec::new();
    for message in sent("pagerduty.jq", &["--field", "routing_key=env:KEY"]) {
        let known = [
            "routing_key",
            "event_action",
            "dedup_key",
            "client",
            "client_url",
            "links",
            "payload",
        ];
        let members = message.as_object().unwrap();
        assert!(
            members.keys().all(|name| known.contains(&name.as_str())),
            "{message}"
        );
        assert_eq!(message["routing_key"].as_str().unwrap().len(), 32);
        assert_eq!(message["event_action"], "trigger");
        if let Some(key) = message.get("dedup_key") {
            assert!(
                (1..=255).contains(&key.as_str().unwrap().chars().count()),
                "{message}"
            );
        }
        let payload = &message["payload"];
        let known = [
            "summary",
            "timestamp",
            "severity",
            "source",
            "component",
            "group",
            "class",
            "custom_details",
        ];
        assert!(
            payload
                .as_object()
                .unwrap()
                .keys()
                .all(|name| known.contains(&name.as_str())),
            "{message}"
        );
        let text = |name: &str| payload[name].as_str().unwrap_or_default();
        assert!(
            (1..=1024).contains(&text("summary").chars().count()),
            "{message}"
        );
        assert!(!text("source").is_empty(), "{message}");
        assert!(
            ["critical", "error", "warning", "info"].contains(&text("severity")),
            "{message}"
        );
        assert!(
            payload
                .get("timestamp")
                .is_none_or(|time| time.as_str().unwrap().ends_with('Z')),
            "{message}"
        );
        assert!(payload["custom_details"].is_object());
        // "The size of the entire event is limited to 512 KB."
        assert!(message.to_string().len() < 512 * 1024);
        severities.push(text("severity").to_owned());
    }
    for one in ["error", "warning", "info"] {
        assert!(
            severities.iter().any(|severity| severity == one),
            "{severities:?}"
        );
    }
}

/// <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>,
/// <https://adaptivecards.io/explorer/RichTextBlock.html>
#[test]
fn teams_gets_adaptive_cards() {
    for message in sent("teams.jq", &[]) {
        assert_eq!(message["type"], "message");
        assert_eq!(message["attachments"].as_array().unwrap().len(), 1);
        let attachment = &message["attachments"][0];
        assert_eq!(
            attachment["contentType"],
            "application/vnd.microsoft.card.adaptive"
        );
        let card = &attachment["content"];
        assert_eq!(
            (&card["type"], &card["version"]),
            (&json!("AdaptiveCard"), &json!("1.4"))
        );
        let body = card["body"].as_array().unwrap();
        assert!(!body.is_empty());
        for block in body {
            // A TextBlock or a FactSet would make links of Markdown that a caller has written.
            assert_eq!(block["type"], "RichTextBlock", "{message}");
            let runs = block["inlines"].as_array().unwrap();
            for run in runs {
                assert_eq!(run["type"], "TextRun");
                assert!(!run["text"].as_str().unwrap().is_empty(), "{message}");
                assert!(
                    ["Attention", "Warning", "Good"]
                        .contains(&run["color"].as_str().unwrap_or("Good"))
                );
            }
        }
        for action in card["actions"].as_array().unwrap() {
            assert_eq!(action["type"], "Action.OpenUrl");
            assert!(
                action["url"].as_str().unwrap().starts_with("https://"),
                "{message}"
            );
        }
        // "The message size limit is 28 KB."
        assert!(
            message.to_string().len() < 28 * 1024,
            "{} bytes",
            message.to_string().len()
        );
    }
}

#[test]
fn a_file_beside_the_desired_state_is_printed_by_the_verb_that_reads_it() {
    for (verb, name) in [("send", "routes.json"), ("check", "acknowledged.json")] {
        let printed = offline(EXE).args([verb, "--generate", "example"]).run();
        printed.assert_status(0).assert_stderr("");
        let file = std::fs::read_to_string(example(name)).unwrap();
        assert_eq!(printed.stdout, file);
    }
    let file = std::fs::read_to_string(example("routes.json")).unwrap();
    let none = offline(EXE).args(["report", "--generate", "example"]).run();
    none.assert_status(2)
        .assert_complains("report reads no file of its own");
    let schema = offline(EXE).args(["--generate", "schema"]).run().stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    // Each field of the schema is in the example, one of each destination as well.
    for name in ["routes", "acknowledgements"] {
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
    let rule = schema.pointer("/$defs/RoutingRule/properties").unwrap();
    let fields = rule
        .as_object()
        .unwrap()
        .keys()
        .chain(
            ["slack_webhook", "slack_bot", "https", "sns_topic"]
                .map(str::to_owned)
                .iter(),
        )
        .cloned()
        .collect::<Vec<_>>();
    for field in fields {
        assert!(
            file.contains(&format!("\"{field}\":")),
            "the example lacks {field}"
        );
    }
}

#[test]
fn the_routes_and_the_acknowledgements_are_read() {
    let routes = example("routes.json");
    let routes = routes.to_str().unwrap();
    let run = |record: Value| {
        let explained = offline(EXE)
            .args(["send", "--explain", "--routes", routes])
            .stdin(record.to_string())
            .run();
        explained.assert_status(0).assert_stderr("");
        let record = explained.json();
        (record["rule"].clone(), record["to"].clone())
    };
    let call = |more: Value| {
        let mut record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "recipientAccountId": "111122223333",
            "eventTime": "2026-11-24T10:00:00Z", "requestParameters": {"target": "i-0a", "reason": "OPS-1"}});
        record
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        record
    };
    let by = |role: &str| {
        json!({"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/x"),
        "sessionContext": {"sessionIssuer": {"arn": format!("arn:aws:iam::111122223333:role/{role}")}}})
    };
    assert_eq!(run(call(json!({}))), (Value::Null, json!(["ops"])));
    assert_eq!(
        run(call(json!({"userIdentity": by("break-glass-admin")}))),
        (Value::Null, json!(["security", "on-call"]))
    );
    assert_eq!(
        run(call(json!({"errorCode": "AccessDenied"}))),
        (json!("denied"), json!(["security", "archive"]))
    );
    assert_eq!(
        run(call(json!({"eventTime": "2026-11-24T22:00:00Z"}))),
        (json!("production at night"), json!(["on-call", "ops"]))
    );
    assert_eq!(
        run(call(json!({"requestParameters": {"reason": "a look"}}))),
        (json!("no ticket"), json!(["ops", "teams"]))
    );
    let patch = json!({"eventName": "SendCommand", "userIdentity": by("patch-automation"),
        "requestParameters": {"documentName": "AWS-RunPatchBaseline"}});
    assert_eq!(run(call(patch)), (json!("patching"), json!([])));
    let account = crate::account();
    let acknowledged = example("acknowledged.json");
    let checked = [
        "check",
        "--routes",
        routes,
        "--acknowledged",
        acknowledged.to_str().unwrap(),
    ];
    let checked = crate::tool(&account, &checked).stdin(crate::DESIRED).run();
    assert_eq!(
        checked.status, 1,
        "the files are read, and the account has nothing yet: {}",
        checked.stderr
    );
}
