//! What `gaps` must not call closed: denials that are about other resources, other sorts of principals or other accounts.

use serde_json::{Value, json};
use testbed::{Home, offline};

use super::EXE;

const MANAGEMENT: &str = "100000000001";
const MEMBER: &str = "111122223333";

/// Returns what `show` prints of an organization with one member, and with a policy of this statement on its root.
fn organization(statement: &Value) -> String {
    let full = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let policy = |name: &str, statement: &Value| {
        json!({"kind": "policy", "id": "p-1", "name": name, "aws_managed": false, "n_characters": 1, "attached_to": ["r-abcd"],
            "document": {"Version": "2012-10-17", "Statement": [statement]}})
    };
    let entity = |id: &str, kind: &str, policies: &[&str]| {
        let parent = (kind != "root").then_some("r-abcd");
        json!({"kind": "entity", "id": id, "type": kind, "name": id, "parent": parent, "path": id,
            "management": id == MANAGEMENT, "policies": policies})
    };
    let records = [
        entity("r-abcd", "root", &["FullAWSAccess", "perimeter"]),
        entity(
            "ou-abcd-elsewhere",
            "organizational_unit",
            &["FullAWSAccess"],
        ),
        entity(MANAGEMENT, "account", &["FullAWSAccess"]),
        entity(MEMBER, "account", &["FullAWSAccess"]),
        policy("FullAWSAccess", &full),
        policy("perimeter", statement),
    ];
    records.map(|record| format!("{record}\n")).concat()
}

/// Returns the gaps of such an organization.
fn gaps_in(statement: &Value) -> Vec<Value> {
    let home = Home::create();
    let path = home.path().join("organization.jsonl");
    std::fs::write(&path, organization(statement)).unwrap();
    let run = offline(EXE).args(["gaps", "-q", "--organization", path.to_str().unwrap()]);
    let output = run.run();
    output.assert_status(0).assert_stderr("");
    output.records()
}

fn deny_sessions(condition: &Value) -> Value {
    json!({"Effect": "Deny", "Action": ["ssm:StartSession", "ssm:ResumeSession"], "Resource": "*", "Condition": condition})
}

#[test]
fn the_usual_denial_without_tls_leaves_no_doubt() {
    let mut without_tls = deny_sessions(&json!({"Bool": {"aws:SecureTransport": "false"}}));
    without_tls["Action"] = json!("*");
    let found = gaps_in(&without_tls);
    assert!(found.len() > 5, "{found:?}");
    for gap in &found {
        assert_eq!(gap["answer"], "open", "{gap}");
    }
    // `simulate` answers by what it was given alone.
    let home = Home::create();
    let path = home.path().join("organization.jsonl");
    std::fs::write(&path, organization(&without_tls)).unwrap();
    let run = offline(EXE).args(["simulate", "--organization", path.to_str().unwrap()]);
    let principal = format!("arn:aws:iam::{MEMBER}:role/dev");
    let output = run
        .args(["--principal", &principal, "--action", "ssm:StartSession"])
        .run();
    assert_eq!(output.records()[0]["answer"], "unknown");
}
