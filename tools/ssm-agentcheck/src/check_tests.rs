//! Walks `tests/fixtures/ssm-agentcheck/<case>`: desired and observed in, findings and summary out. BLESS=1 rewrites the latter.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;

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
    for case in testbed::fixtures("ssm-agentcheck") {
        check_case(&case);
    }
}

fn check_case(case: &Path) {
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
    let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
    let observed: Observed = serde_json::from_str(&read("observed.json")).unwrap();
    let findings = check(&desired, &observed.nodes, observed.now);
    let found = json!({ "summary": summary(&observed.nodes, &findings), "findings": findings });
    testbed::expect(&case.join("findings.json"), &found);
}
