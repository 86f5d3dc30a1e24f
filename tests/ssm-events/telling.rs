//! `format`: what the flags change, and the forms for other programs.

use serde_json::{Value, json};
use testbed::{Home, Output, offline, repository};

use crate::EXE;

fn record(path: &str) -> String {
    let path = repository().join("tests/fixtures/cloudtrail").join(path);
    std::fs::read_to_string(path).unwrap()
}

fn session(more: Value) -> String {
    let mut record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": "2026-07-01T22:30:00Z",
        "awsRegion": "eu-central-1", "recipientAccountId": "111122223333", "eventID": "e-1",
        "requestParameters": {"target": "i-0123456789abcdef0"}});
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    record.to_string()
}

fn format(arguments: &[&str], input: &str) -> Output {
    let output = offline(EXE)
        .args(["format"])
        .args(arguments)
        .stdin(input)
        .run();
    output.assert_status(0).assert_stderr("");
    output
}

fn file(home: &Home, name: &str, text: &str) -> String {
    let path = home.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn times_are_reported_in_the_zone_and_nodes_by_name() {
    let home = Home::create();
    let nodes = json!({"kind": "node", "target": {"account": "111122223333", "region": "eu-central-1"},
        "instance_id": "i-0123456789abcdef0", "platform": {}, "managed_by": "hybrid", "tags": {"Name": "web 1", "Other": "x"}});
    let nodes = file(&home, "nodes.jsonl", &nodes.to_string());
    let reported = format(
        &[
            "--to",
            "text",
            "--time-zone",
            "Europe/Berlin",
            "--nodes",
            &nodes,
        ],
        &session(json!({})),
    )
    .stdout;
    assert!(
        reported.contains("time=\"2026-07-02 00:30:00 CEST\""),
        "{reported}"
    );
    assert!(
        reported.contains("node=\"web 1 (i-0123456789abcdef0)\""),
        "{reported}"
    );
    let wrong = offline(EXE)
        .args(["format", "--to", "text", "--time-zone", "Mars/Olympus"])
        .stdin("")
        .run();
    wrong
        .assert_status(2)
        .assert_complains("'Mars/Olympus' is not a time zone such as Europe/Berlin");
}

#[test]
fn the_first_rule_that_fits_mentions_and_colours() {
    let home = Home::create();
    let rules = file(&home, "rules.json", &json!({"rules": [
        {"when": {"errorCode": [{"prefix": "AccessDenied"}]}, "mention": "here", "color": "#ff00ff"},
        {"when": {"userIdentity": {"type": ["Root"]}}, "mention": {"group": "S012AB3CD"}},
        {"when": {"eventName": ["StartSession"]}, "color": "#123456"}]}).to_string());
    let look = |more: Value| {
        let message = format(&["--to", "slack", "--rules", &rules], &session(more)).json();
        (
            message["attachments"][0]["color"]
                .as_str()
                .unwrap()
                .to_owned(),
            message["text"].as_str().unwrap().to_owned(),
        )
    };
    let (color, text) = look(json!({"errorCode": "AccessDenied"}));
    assert!(color == "#ff00ff" && text.ends_with("<!here>"), "{text}");
    let (color, text) = look(json!({"userIdentity": {"type": "Root"}}));
    assert!(
        color == "#2e7d32" && text.ends_with("<!subteam^S012AB3CD>"),
        "{text}"
    );
    let (color, text) = look(json!({}));
    assert!(color == "#123456" && !text.contains('<'), "{text}");
    // People write the rules, and say why.
    let commented = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("// Ours.\n{commented}")).unwrap();
    assert_eq!(look(json!({})).0, "#123456");
    for (wrong, why) in [
        (
            json!({"rules": [{"when": {"a": "b"}}]}),
            "Event pattern is not valid. Reason: \"a\" must be an object or an array",
        ),
        (
            json!({"rules": [{"when": {"a": ["b"]}, "color": "red"}]}),
            "'red' is not a color",
        ),
        (
            json!({"rules": [{"when": {"a": ["b"]}, "mention": {"user": "<!channel>"}}]}),
            "is not an ID of Slack such as U012AB3CD",
        ),
    ] {
        let rules = file(&home, "wrong.json", &wrong.to_string());
        let refused = offline(EXE)
            .args(["format", "--to", "slack", "--rules", &rules])
            .stdin("{}")
            .run();
        refused.assert_status(2).assert_complains(why);
    }
}

#[test]
fn a_template_of_ones_own_gets_the_event_escaped_and_not() {
    let home = Home::create();
    let template = file(
        &home,
        "template.jq",
        r#"{text: "\(.mrkdwn.who.session_name) on \(.mrkdwn.nodes[0]): \(.mrkdwn.reason)", event: .event.event_id}"#,
    );
    let hostile = record("StartSession/hostile.json");
    let message = format(&["--jq-file", &template], &hostile).json();
    assert!(
        !message["text"].as_str().unwrap().contains('<'),
        "{message}"
    );
    let id = serde_json::from_str::<Value>(&hostile).unwrap()["eventID"].clone();
    assert_eq!(message["event"], id);
    let broken = file(&home, "broken.jq", ".[");
    let refused = offline(EXE)
        .args(["format", "--jq-file", &broken])
        .stdin(hostile)
        .run();
    refused.assert_status(2).assert_complains("broken.jq");
}

#[test]
fn csv_has_a_header_and_no_formula() {
    let input = session(
        json!({"requestParameters": {"reason": "=HYPERLINK(\"http://evil\",\"x\")", "target": "a,b"}}),
    );
    let csv = format(&["--to", "csv"], &input).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].split(',').count(), 20);
    assert!(
        lines[1].contains("\"'=HYPERLINK(\"\"http://evil\"\",\"\"x\"\")\"")
            && lines[1].contains("\"a,b\""),
        "{}",
        lines[1]
    );
}

#[test]
fn ocsf_is_api_activity_with_the_attributes_that_it_requires() {
    for (path, status, severity) in [
        ("StartSession/allowed.json", 1, 1),
        ("StartSession/denied.json", 2, 3),
        ("SendCommand/failed.json", 2, 2),
    ] {
        let event = format(&["--to", "ocsf"], &record(path)).json();
        // Required by https://schema.ocsf.io/1.4.0/classes/api_activity
        for required in [
            "activity_id",
            "actor",
            "api",
            "category_uid",
            "class_uid",
            "cloud",
            "metadata",
            "severity_id",
            "src_endpoint",
            "time",
            "type_uid",
        ] {
            assert!(!event[required].is_null(), "{path}: {required}");
        }
        assert_eq!(
            (
                event["class_uid"].as_u64(),
                event["type_uid"].as_u64().map(|uid| uid / 100)
            ),
            (Some(6003), Some(6003))
        );
        assert_eq!(
            (event["status_id"].as_u64(), event["severity_id"].as_u64()),
            (Some(status), Some(severity)),
            "{path}"
        );
        assert!(
            event["time"].as_i64().unwrap() > 1_700_000_000_000,
            "milliseconds"
        );
        assert_eq!(event["api"]["operation"], path.split('/').next().unwrap());
    }
}

#[test]
fn whatever_wraps_records_is_formatted_and_what_is_none_is_counted() {
    let all: String = [
        "envelope",
        "log-file",
        "lookup-events",
        "sqs-lambda",
        "digest",
    ]
    .map(|name| record(&format!("wrapped/{name}.json")))
    .concat();
    let output = offline(EXE)
        .args(["format", "--to", "text"])
        .stdin(all)
        .run();
    output
        .assert_status(0)
        .assert_stderr("ssm-events: passed over 1 object that is not a record of a call\n");
    assert_eq!(output.stdout.lines().count(), 1 + 3 + 3 + 2);
    let none = offline(EXE)
        .args(["format", "--to", "text"])
        .stdin(record("wrapped/digest.json"))
        .run();
    none.assert_status(2)
        .assert_complains("no CloudTrail record, EventBridge event or log file among 1 object");
}

#[test]
fn a_webhook_in_the_wrong_place_is_never_quoted() {
    let url = "https://hooks.slack.com/services/T0/B0/c4n4ry";
    for (webhook, complaint) in [
        (json!(url), "$.webhook: "),
        (
            json!({"env": url}),
            "$.webhook.env: expected the name of an environment variable",
        ),
        (
            json!({"env": "services/c4n4ry"}),
            "$.webhook.env: expected the name of an environment variable",
        ),
        (
            json!({"file": url}),
            "$.webhook.file: expected where the webhook's URL is kept",
        ),
        (
            json!({"parameter": url}),
            "$.webhook.parameter: expected where the webhook's URL is kept",
        ),
        (
            json!({"secret": url}),
            "$.webhook.secret: expected where the webhook's URL is kept",
        ),
        (json!({url: "env"}), "$.webhook"),
    ] {
        let desired = json!({ "webhook": webhook }).to_string();
        let output = offline(EXE).args(["pattern"]).stdin(desired).run();
        output.assert_status(2).assert_complains(complaint);
        output.assert_complains(" at line 1 column ");
        let printed = format!("{}{}", output.stdout, output.stderr);
        assert!(
            !printed.contains("c4n4ry") && !printed.contains("hooks."),
            "{printed}"
        );
    }
    // As a flag, which is an argument that everybody on the machine may read anyway, but logs need not keep.
    for source in [url.to_owned(), format!("env:{url}"), format!("file:{url}")] {
        let output = offline(EXE)
            .args(["send", "--webhook", &source, "--spool", "spool"])
            .stdin("")
            .run();
        output
            .assert_status(2)
            .assert_complains("the URL itself is a secret and no argument");
        assert!(!output.stderr.contains("c4n4ry"), "{}", output.stderr);
    }
}
