//! No policy that AWS itself manages has an error: the 1,500 and more that the local AWS ships are all linted.

use std::process::Command;

use iam_policy::{PolicyType, Severity, lint};
use serde_json::Value;

/// Prints each policy as a line of JSON: name and document.
const PRINT: &str = "
import json
from moto.iam.aws_managed_policies import aws_managed_policies_data as policies
for name, policy in json.loads(policies).items():
    print(json.dumps([name, policy['Document']]))
";

#[test]
fn no_policy_of_aws_has_an_error() {
    let python = testbed::repository().join(".venv/bin/python");
    let output = Command::new(python).args(["-c", PRINT]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let (mut n_policies, mut errors) = (0, Vec::new());
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (name, document): (String, Value) = serde_json::from_str(line).unwrap();
        n_policies += 1;
        let problems = lint(&document.to_string(), PolicyType::Identity).into_iter();
        for problem in problems.filter(|problem| problem.severity == Severity::Error) {
            let (id, place) = (problem.rule.id(), &problem.position);
            errors.push(format!("{name}: {id}: {place}: {}", problem.message));
        }
    }
    assert!(n_policies > 1_500, "{n_policies}");
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
