//! Walks `tests/fixtures/ssm-events`: a directory a rule, with what goes in and what must come out.
//! `BLESS=1` rewrites the expected files, to be read in the diff before they are committed.

use std::path::{Path, PathBuf};

use cli::{Reading, Target};
use serde_json::json;

use crate::alerts::model::{Desired, Hashes, Observed};
use crate::alerts::{check, plan, rule, template};
use crate::records::format::{Marks, Style};
use crate::records::record::{self, Event, Outcome};

/// What `{"env": ..}` is read as in the fixtures.
const SHA256: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

fn hashes() -> Hashes {
    Hashes {
        endpoint: Reading::Present(SHA256.to_owned()),
        code: Reading::Present(String::new()),
    }
}

fn target() -> Target {
    Target {
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
    }
}

fn cases(expected: &str) -> Vec<PathBuf> {
    let cases = testbed::fixtures("ssm-events").into_iter();
    let cases: Vec<_> = cases.filter(|case| case.join(expected).exists()).collect();
    assert!(!cases.is_empty(), "no fixture has {expected}");
    cases
}

fn read<T: serde::de::DeserializeOwned>(case: &Path, name: &str) -> T {
    let path = case.join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn slack(style: &Style, record: &serde_json::Value) -> serde_json::Value {
    let event = Event::of(record);
    style.slack(&event, record, &Marks::of(&event, None))
}

#[test]
fn plans() {
    for case in cases("plan.json") {
        let (desired, observed): (Desired, Observed) =
            (read(&case, "desired.json"), read(&case, "observed.json"));
        let actual = match plan::plan(&desired, &hashes(), &observed, &target(), "aws") {
            Ok(changes) => json!(changes),
            Err(error) => json!({ "error": error.to_string() }),
        };
        testbed::expect(&case.join("plan.json"), &actual);
    }
}

#[test]
fn findings() {
    for case in cases("findings.json") {
        let (desired, observed): (Desired, Observed) =
            (read(&case, "desired.json"), read(&case, "observed.json"));
        let findings = check::check(&desired, &hashes(), &observed, &target(), "aws");
        testbed::expect(&case.join("findings.json"), &json!(findings));
    }
}

#[test]
fn patterns() {
    for case in cases("pattern.json") {
        testbed::expect(
            &case.join("pattern.json"),
            &rule::pattern(&read(&case, "desired.json")),
        );
    }
}

#[test]
fn templates() {
    for case in cases("template.json") {
        let actual = match template::template(&read(&case, "desired.json")) {
            Ok(template) => template,
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        testbed::expect(&case.join("template.json"), &actual);
    }
}

#[test]
fn formats() {
    for case in cases("formatted.json") {
        let (mut lines, mut messages) = (Vec::new(), Vec::new());
        let style = Style::default();
        for record in record::unwrap(read(&case, "event.json")).events {
            let event = Event::of(&record);
            lines.push(style.text(&event));
            messages.push(slack(&style, &record));
        }
        assert!(!lines.is_empty(), "{}: no record", case.display());
        testbed::expect(
            &case.join("formatted.json"),
            &json!({ "text": lines, "slack": messages }),
        );
    }
}

#[test]
fn long_values_stay_within_the_limits_of_slack() {
    let record = json!({"eventName": "StartSession".repeat(50), "eventSource": "ssm.amazonaws.com",
        "requestParameters": {"reason": "<&>".repeat(5000), "instanceIds": vec!["i-0123456789abcdef0"; 500]}});
    let message = slack(&Style::default(), &record);
    let blocks = message["attachments"][0]["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
    assert!(blocks[1]["text"]["text"].as_str().unwrap().chars().count() <= 3000);
}

/// Returns every record of `tests/fixtures/cloudtrail` below a directory, or of all calls and principals.
fn records_of(directory: &str) -> Vec<(String, serde_json::Value)> {
    let root = testbed::repository().join("tests/fixtures/cloudtrail");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_wanted = if directory.is_empty() {
            name != "wrapped"
        } else {
            name == directory
        };
        if !path.is_dir() || !is_wanted {
            continue;
        }
        for file in std::fs::read_dir(&path).unwrap() {
            let file = file.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            found.push((
                file.display().to_string(),
                serde_json::from_str(&text).unwrap(),
            ));
        }
    }
    found
}

#[test]
fn every_call_of_every_principal_is_reported_in_full() {
    let records = records_of("");
    assert!(records.len() > 100);
    for (name, record) in records {
        let event = Event::of(&record);
        let message = slack(&Style::default(), &record).to_string();
        let (line, row) = (
            Style::default().text(&event),
            Style::default().csv(&event).unwrap(),
        );
        let refused =
            name.contains("denied") || name.contains("failed") || name.contains("throttled");
        assert_eq!(message.contains("#d00000"), refused, "{name}");
        assert_eq!(
            event.outcome == Outcome::Denied,
            name.contains("denied"),
            "{name}"
        );
        assert!(
            line.contains(&event.event) && row.contains(&event.event_id),
            "{name}"
        );
        assert!(
            event.who.name() != "" && line.contains("who="),
            "{name}: nobody did it"
        );
        let console = event.console().unwrap();
        let own = format!("https://{}.console.aws.amazon.com/", event.region);
        assert!(console.starts_with(&own), "{console}");
        for secret in ["wJalrXUtnFEMI", "AQoDYXdz", "data-channel", "hunter2"] {
            assert!(
                ![&message, &line, &row]
                    .iter()
                    .any(|text| text.contains(secret)),
                "{name}: {secret}"
            );
        }
        // Nothing of the event may begin what Slack makes of `<`: only this program's own link may.
        let hostile = message.replace(&format!("<{own}"), "");
        assert!(!hostile.contains('<'), "{name}: {hostile}");
        assert!(
            !line.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{name}"
        );
    }
}

#[test]
fn every_wrapping_is_seen_through() {
    let expected = [
        ("envelope", 1, 0),
        ("log-file", 3, 0),
        ("lookup-events", 3, 0),
        ("sqs-lambda", 2, 0),
        ("digest", 0, 1),
        ("insight", 0, 1),
        ("command-status", 1, 0),
        ("invocation-status", 1, 0),
        ("automation-status", 1, 0),
    ];
    let records = records_of("wrapped");
    assert_eq!(records.len(), expected.len());
    for (name, value) in records {
        let (_, n_events, n_others) = expected
            .iter()
            .find(|(kind, _, _)| name.ends_with(&format!("{kind}.json")))
            .unwrap();
        let unwrapped = record::unwrap(value);
        assert_eq!(
            (unwrapped.events.len(), unwrapped.n_others),
            (*n_events, *n_others),
            "{name}"
        );
        for record in &unwrapped.events {
            let message = slack(&Style::default(), record).to_string();
            assert!(
                !message.contains("hunter2"),
                "{name}: parameters are in clear"
            );
        }
    }
}

#[test]
fn the_console_is_that_of_the_partition() {
    let at = |region: &str| {
        let record = json!({"eventName": "SendCommand", "eventSource": "ssm.amazonaws.com", "awsRegion": region,
            "responseElements": {"command": {"commandId": "c-1"}}});
        Event::of(&record).console().unwrap_or_default()
    };
    assert_eq!(
        at("cn-north-1"),
        "https://cn-north-1.console.amazonaws.cn/systems-manager/run-command/c-1?region=cn-north-1"
    );
    assert!(at("us-gov-west-1").starts_with("https://us-gov-west-1.console.amazonaws-us-gov.com/"));
    assert_eq!(
        at("us-iso-east-1"),
        "",
        "no address is made up for a partition that is not known"
    );
    assert_eq!(at("evil.example/"), "");
}
