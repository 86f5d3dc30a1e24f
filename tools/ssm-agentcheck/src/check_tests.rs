//! Walks `tests/fixtures/ssm-agentcheck/check/<case>`: desired and observed in, findings and summary out. BLESS=1 rewrites the latter.

use std::path::Path;

use diagnosis::Roles;
use records::{HostManagement, Node, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::{Summary, check};
use crate::model::Desired;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observed {
    now: Timestamp,
    nodes: Vec<Node>,
    /// What `ssm-role show` prints.
    #[serde(default)]
    roles: Vec<HostManagement>,
}

#[test]
fn fixtures() {
    for case in testbed::fixtures("ssm-agentcheck/check") {
        check_case(&case);
    }
}

fn check_case(case: &Path) {
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
    let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
    let observed: Observed = serde_json::from_str(&read("observed.json")).unwrap();
    let roles = (!observed.roles.is_empty()).then(|| Roles::of(observed.roles));
    let (mut findings, mut tally) = (Vec::new(), Summary::default());
    for node in &observed.nodes {
        let (found, verdict) = check(&desired, roles.as_ref(), node, observed.now);
        tally.count(&found, verdict);
        findings.extend(found);
    }
    let found = json!({ "summary": tally.to_string(), "findings": findings });
    testbed::expect(&case.join("findings.json"), &found);
}
