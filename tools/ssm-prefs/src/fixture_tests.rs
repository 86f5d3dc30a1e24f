//! Walks `tests/fixtures/ssm-prefs`: a directory a rule, with what goes in and what must come out.
//! `BLESS=1` rewrites the expected files, to be read in the diff before they are committed.

use cli::Target;
use records::HostManagement;
use serde_json::{Value, json};

use crate::model::{Desired, Observed};
use crate::roles::{RoleRecords, Roles};
use crate::{check, lint, owners, plan, preflight, session_document, template};

fn target() -> Target {
    Target {
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
    }
}

/// Returns every case directory that holds a file of this name.
fn cases(expected: &str) -> Vec<std::path::PathBuf> {
    let cases = testbed::fixtures("ssm-prefs");
    let cases: Vec<_> = cases
        .into_iter()
        .filter(|case| case.join(expected).exists())
        .collect();
    assert!(!cases.is_empty(), "no fixture has {expected}");
    cases
}

fn read(case: &std::path::Path, name: &str) -> Option<Value> {
    let path = case.join(name);
    let text = std::fs::read_to_string(&path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn parsed<T: serde::de::DeserializeOwned + Default>(case: &std::path::Path, name: &str) -> T {
    let value = read(case, name);
    value.map_or_else(T::default, |value| {
        serde_path_to_error::deserialize(value)
            .unwrap_or_else(|error| panic!("{}: {error}", case.join(name).display()))
    })
}

fn role_records(case: &std::path::Path) -> Roles {
    let read = |name| {
        let record = read(case, name)?;
        Some(serde_json::from_value::<HostManagement>(record).unwrap())
    };
    Roles {
        nodes: read("roles.json").map(|record| RoleRecords::new(vec![record], Vec::new())),
        operators: RoleRecords::new(read("operators.json").into_iter().collect(), Vec::new()),
        organization: None,
    }
}

#[test]
fn plans() {
    for case in cases("plan.json") {
        let (desired, observed): (Desired, Observed) = (
            parsed(&case, "desired.json"),
            parsed(&case, "observed.json"),
        );
        let actual = match plan::plan(&desired, &observed, &target(), "aws") {
            Ok(changes) => json!(changes),
            Err(error) => json!({ "error": error.to_string() }),
        };
        testbed::expect(&case.join("plan.json"), &actual);
    }
}

#[test]
fn owners_of_other_accounts() {
    for case in cases("owners.json") {
        let desired: Desired = parsed(&case, "desired.json");
        let statements = owners::statements(&desired, &target(), "aws");
        testbed::expect(&case.join("owners.json"), &json!(statements));
    }
}

#[test]
fn findings() {
    for case in cases("findings.json") {
        let (desired, observed): (Desired, Observed) = (
            parsed(&case, "desired.json"),
            parsed(&case, "observed.json"),
        );
        let findings = check::check(&desired, &observed, &role_records(&case), &target(), "aws");
        testbed::expect(&case.join("findings.json"), &json!(findings));
    }
}

#[test]
fn refused_sessions_after_a_plan() {
    for case in cases("preflight.json") {
        let (desired, observed): (Desired, Observed) = (
            parsed(&case, "desired.json"),
            parsed(&case, "observed.json"),
        );
        let changes = plan::plan(&desired, &observed, &target(), "aws").unwrap();
        let after = plan::after(&observed, &changes, &target(), "aws");
        let content = &after.document.present().unwrap().latest.content;
        let findings = preflight::preflight(content, &after, &role_records(&case), &target());
        testbed::expect(&case.join("preflight.json"), &json!(findings));
    }
}

#[test]
fn lints() {
    for case in cases("lint.json") {
        let text = std::fs::read_to_string(case.join("input.json")).unwrap();
        let findings = lint::lint(&cli::Linted {
            source: "input.json",
            text: &text,
            base: None,
        });
        testbed::expect(&case.join("lint.json"), &json!(findings));
    }
}

#[test]
fn renders() {
    for case in cases("document.json") {
        let desired: Desired = parsed(&case, "desired.json");
        let live = read(&case, "live.json");
        let document = session_document::render(&desired, live.as_ref(), Some(&target()));
        testbed::expect(&case.join("document.json"), &document);
    }
}

#[test]
fn templates() {
    for case in cases("template.json") {
        let actual = match template::template(&parsed(&case, "desired.json")) {
            Ok(template) => template,
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        testbed::expect(&case.join("template.json"), &actual);
    }
}

/// Too long for a fixture that anybody would read.
#[test]
fn content_above_64_kb_is_found() {
    let content = |length| {
        let inputs = json!({ "s3BucketName": "logs", "s3KeyPrefix": "x".repeat(length) });
        lint::lint_content(
            &json!({ "schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs }),
        )
    };
    assert!(content(65_000).is_empty());
    assert_eq!(content(65_536)[0].id, "prefs.content.size");
}
