//! Walks `tests/fixtures/ssm-events`: a directory a rule, with what goes in and what must come out.
//! `BLESS=1` rewrites the expected files, to be read in the diff before they are committed.

use std::path::{Path, PathBuf};

use serde_json::json;
use toolio::Target;

use crate::format::Style;
use crate::model::{Desired, Observed};
use crate::record::{self, Event};
use crate::{check, plan, rule};

/// What `{"env": ..}` stands for in the fixtures.
const SHA256: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

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

#[test]
fn plans() {
    for case in cases("plan.json") {
        let (desired, observed): (Desired, Observed) =
            (read(&case, "desired.json"), read(&case, "observed.json"));
        let actual = match plan::plan(&desired, SHA256, &observed, &target(), "aws") {
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
        let findings = check::check(&desired, SHA256, &observed, &target(), "aws");
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
fn formats() {
    for case in cases("formatted.json") {
        let (mut lines, mut messages) = (Vec::new(), Vec::new());
        let style = Style::default();
        for record in record::unwrap(read(&case, "event.json")).events {
            let event = Event::of(&record);
            lines.push(style.text(&event));
            messages.push(style.slack(&event, &record));
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
    let message = Style::default().slack(&Event::of(&record), &record);
    let blocks = message["attachments"][0]["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
    assert!(blocks[1]["text"]["text"].as_str().unwrap().chars().count() <= 3000);
}
