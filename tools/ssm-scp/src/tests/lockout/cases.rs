//! What the cases are made of: statements, the changes that attach them, and the risks that are expected.

use serde_json::{Value, json};

use super::agreement;
use super::scene::{BREAK_GLASS, Scene, W, attach, create, lettered};

pub(super) const SESSIONS: [&str; 3] = ["ssm:ResumeSession", "ssm:SendCommand", "ssm:StartSession"];
pub(super) const ADMIN: &str = "arn:aws:iam::*:role/Admin";
pub(super) const NODES: &str = "arn:aws:iam::*:role/Nodes";
/// What a denial of everything risks, in the order in which they are printed.
pub(super) const ALL: [&str; 7] = [
    "break_glass",
    "nodes_offline",
    "assume_role",
    "logging",
    "repair",
    "assign_access",
    "other",
];

pub(super) fn deny(actions: Value, condition: Value) -> Value {
    let mut statement =
        json!({"Sid": "Deny", "Effect": "Deny", "Action": actions, "Resource": "*"});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

pub(super) fn but(principals: &[&str]) -> Value {
    json!({"ArnNotLike": {"aws:PrincipalArn": principals}})
}

pub(super) fn only(principals: &[&str]) -> Value {
    json!({"ArnLike": {"aws:PrincipalArn": principals}})
}

/// Returns the statement of a guard that spares some principals.
pub(super) fn guard(exempt: &[&str]) -> Value {
    deny(json!(SESSIONS), but(exempt))
}

/// Returns the changes that attach statements to W.
pub(super) fn on_w(statements: Value) -> Vec<Value> {
    vec![create("guard", statements), attach("guard", W)]
}

/// Returns the changes of a guard that spares the break-glass role, with one more statement.
pub(super) fn with(statement: Value) -> Vec<Value> {
    on_w(json!([guard(&[BREAK_GLASS]), statement]))
}

/// Returns the names of risks in A and in B.
pub(super) fn both(kinds: &[&str]) -> Vec<String> {
    let accounts = ["A", "B"].iter();
    let named =
        accounts.flat_map(|account| kinds.iter().map(move |kind| format!("{kind}:{account}")));
    named.collect()
}

/// Returns the names of risks where a pattern matches nobody and no other spares anybody.
pub(super) fn nobody_matches(pattern: &str) -> Vec<String> {
    let mut expected = vec![format!("unmatched:{pattern}")];
    expected.extend(both(&["break_glass"]));
    expected
}

/// Runs a case in an organization of its own.
#[track_caller]
pub(super) fn check(name: &str, expected: &[String], plan: impl Fn(&mut Scene) -> Vec<Value>) {
    let mut scene = Scene::new();
    let changes = plan(&mut scene);
    let risks = scene.judged(&changes);
    agreement::check(name, &scene, &changes, &risks);
    assert_eq!(lettered(risks), expected, "{name}");
}
