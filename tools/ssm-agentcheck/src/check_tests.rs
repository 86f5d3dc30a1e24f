//! Walks `tests/fixtures/ssm-agentcheck/<case>`: desired and observed in, findings and summary out. BLESS=1 rewrites the latter.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{check, summary};
use crate::model::{Desired, Node};
use crate::timestamp::Timestamp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observed {
    now: Timestamp,
    nodes: Vec<Node>,
}

#[test]
fn fixtures() {
    let root = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/ssm-agentcheck"
    ));
    let mut n_cases = 0;
    for entry in std::fs::read_dir(root).unwrap() {
        check_case(&entry.unwrap().path());
        n_cases += 1;
    }
    assert!(n_cases > 0);
}

fn check_case(case: &Path) {
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap_or_default();
    let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
    let observed: Observed = serde_json::from_str(&read("observed.json")).unwrap();
    let findings = check(&desired, &observed.nodes, observed.now);
    let found = json!({ "summary": summary(&observed.nodes, &findings), "findings": findings });
    let path = case.join("findings.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, format!("{found:#}\n")).unwrap();
        return;
    }
    let expected: Value = serde_json::from_str(&read("findings.json")).unwrap_or_default();
    assert_eq!(found, expected, "{}: found {found:#}", case.display());
}
