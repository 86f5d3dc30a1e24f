//! Records of nodes in, the problem out; the smallest record that shows each rule's turn.

use records::Node;
use records::Target;
use records::Timestamp;
use serde_json::{Value, json};

use super::{Hints, diagnose};

const HINTS: Hints = Hints {
    roles: "find its role",
    evidence: "look closer",
};

/// A record as `show` prints it, with some fields replaced.
fn node(changes: Value) -> Node {
    let mut record = json!({
        "kind": "node",
        "target": {"account": "111122223333", "region": "eu-central-1"},
        "instance_id": "i-0123456789abcdef0",
        "state": "running",
        "platform": {"type": "Linux", "name": "Amazon Linux", "version": "2023"},
        "agent": {"version": "3.3.40.0", "latest": true, "ping": "Online", "last_ping": "2026-01-31T09:30:00Z"},
        "imds": {"endpoint": "enabled", "tokens": "required", "hop_limit": 1},
        "profile": null,
        "role": "dhmc",
        "managed_by": "dhmc",
        "tags": {}
    });
    for (key, value) in changes.as_object().unwrap() {
        record[key] = value.clone();
    }
    serde_json::from_value(record).unwrap()
}

fn now() -> Timestamp {
    "2026-01-31T09:31:00Z".parse().unwrap()
}

fn ping(status: &str) -> Value {
    json!({"version": "3.3.40.0", "latest": true, "ping": status, "last_ping": null})
}

#[test]
fn each_record_has_the_reason_that_comes_first() {
    let no_imds = json!({"endpoint": "disabled", "tokens": "required", "hop_limit": 1});
    let connection = |reading: Value| {
        json!({"evidence": {"connection": reading,
        "host_management": {"state": "absent"}, "ways": {"state": "absent"}}})
    };
    for (changes, expected) in [
        (json!({}), None),
        (json!({"imds": no_imds}), None),
        (
            connection(json!({"state": "present", "value": "connected"})),
            None,
        ),
        (connection(json!({"state": "absent"})), None),
        (
            connection(json!({"state": "unknown", "value": "AccessDenied"})),
            None,
        ),
        (
            connection(json!({"state": "present", "value": "notconnected"})),
            Some("agentcheck.connection.none"),
        ),
        (
            json!({"state": "stopped", "imds": no_imds}),
            Some("agentcheck.node.stopped"),
        ),
        (
            json!({"state": "pending", "agent": null}),
            Some("agentcheck.node.stopped"),
        ),
        (json!({"agent": null}), Some("agentcheck.agent.missing")),
        (
            json!({"agent": null, "imds": no_imds}),
            Some("agentcheck.imds.disabled"),
        ),
        (
            json!({"agent": null, "state": null, "imds": null}),
            Some("agentcheck.node.unknown"),
        ),
        (
            json!({"agent": ping("ConnectionLost")}),
            Some("agentcheck.ping.lost"),
        ),
        (
            json!({"agent": ping("ConnectionLost"), "imds": no_imds}),
            Some("agentcheck.imds.disabled"),
        ),
        (
            json!({"agent": ping("Inactive")}),
            Some("agentcheck.ping.inactive"),
        ),
        (
            json!({"agent": ping("Odd")}),
            Some("agentcheck.ping.unknown"),
        ),
    ] {
        let found = diagnose(&node(changes.clone()), None, now(), &HINTS);
        assert_eq!(
            found.map(|cause| cause.id()).as_deref(),
            expected,
            "{changes}"
        );
    }
}

#[test]
fn the_cure_speaks_the_words_of_the_asker() {
    let fix = |changes| diagnose(&node(changes), None, now(), &HINTS).unwrap().fix;
    assert_eq!(fix(json!({"agent": null})), "look closer");
    let profile = "arn:aws:iam::111122223333:instance-profile/web";
    assert_eq!(
        fix(json!({"agent": null, "profile": profile})),
        "find its role; if the role is fine, install or start the agent"
    );
}

#[test]
fn a_finding_says_where_the_node_is() {
    let node = node(json!({"state": "stopped"}));
    let finding = diagnose(&node, None, now(), &HINTS)
        .unwrap()
        .into_finding(&node);
    assert_eq!(finding.target.as_ref(), Some(&node.target));
    assert_eq!(finding.resource, "i-0123456789abcdef0");
    assert_eq!(
        finding.message,
        "it is stopped; its agent cannot be checked"
    );
}

#[test]
fn a_node_that_nobody_knows_is_reported_as_such() {
    let target: Target = "111122223333/eu-central-1".parse().unwrap();
    for id in ["i-0123456789abcdef0", "mi-0123456789abcdef0"] {
        let node = crate::unknown_node(&target, id);
        let cause = diagnose(&node, None, now(), &HINTS).unwrap();
        assert_eq!(cause.problem, "node.unknown", "{id}");
        assert!(!cause.fix.is_empty());
    }
}
