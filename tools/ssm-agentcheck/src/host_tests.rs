//! Walks `tests/fixtures/ssm-agentcheck/host/<case>`: desired and host in, findings out. BLESS=1 rewrites the latter.

use serde_json::json;

use super::{Host, check};
use crate::model::Desired;

#[test]
fn fixtures() {
    for case in testbed::fixtures("ssm-agentcheck/host") {
        let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
        let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
        let host: Host = serde_json::from_str(&read("host.json")).unwrap();
        testbed::expect(&case.join("findings.json"), &json!(check(&desired, &host)));
    }
}
