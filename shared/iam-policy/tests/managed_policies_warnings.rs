//! AWS's own managed policies, as moto has them: none gets a warning that is not true of it.

use std::process::Command;

use iam_policy::{PolicyType, Problem, Rule, lint};
use serde_json::Value;

/// Name, document, problems.
fn linted() -> Vec<(String, Value, Vec<Problem>)> {
    let python = testbed::repository().join(".venv/bin/python");
    let script =
        "from moto.iam.aws_managed_policies import aws_managed_policies_data as data; print(data)";
    let printed = Command::new(&python).args(["-c", script]).output();
    let printed = printed.unwrap_or_else(|error| panic!("run {}: {error}", python.display()));
    assert!(
        printed.status.success(),
        "{}",
        String::from_utf8_lossy(&printed.stderr)
    );
    let policies: serde_json::Map<String, Value> = serde_json::from_slice(&printed.stdout).unwrap();
    assert!(policies.len() > 1_000, "only {}", policies.len());
    policies
        .into_iter()
        .map(|(name, policy)| {
            let document = policy["Document"].clone();
            let problems = lint(&document.to_string(), PolicyType::Identity);
            (name, document, problems)
        })
        .collect()
}

fn statement<'d>(document: &'d Value, problem: &Problem) -> &'d Value {
    let path = &problem.position.path;
    let index = path
        .strip_prefix("$.Statement[")
        .and_then(|rest| rest.split(']').next());
    let statements = &document["Statement"];
    index.map_or(statements, |index| {
        &statements[index.parse::<usize>().unwrap()]
    })
}

#[test]
fn warnings_about_policies_of_aws_are_true() {
    let mut n_missing_keys = 0;
    for (name, document, problems) in linted() {
        let has = |rule: Rule, place: &Value| {
            let mut all = problems.iter();
            all.any(|one| one.rule == rule && statement(&document, one) == place)
        };
        for problem in &problems {
            let place = statement(&document, problem);
            let action = &place["Action"];
            match problem.rule {
                Rule::IfExists => {
                    n_missing_keys += 1;
                    // AWS's tagging pattern: with a demanded tag the keys are there.
                    let tags = place["Condition"]["StringEquals"].as_object();
                    let demanded = tags.is_some_and(|keys| {
                        keys.keys().any(|key| key.starts_with("aws:RequestTag/"))
                    });
                    assert!(
                        !(demanded && problem.message.contains("aws:TagKeys")),
                        "{name}: {problem:?}"
                    );
                }
                Rule::ForeignSessions => {
                    assert!(action != "*" && action != "ssm:*", "{name}: {problem:?}");
                    assert!(
                        action.is_string() || action.is_array(),
                        "{name}: {problem:?}"
                    );
                }
                Rule::MissingDocument => {
                    assert!(
                        !has(Rule::DocumentAccessCheck, place),
                        "{name}: {problem:?}"
                    );
                }
                _ => {}
            }
        }
    }
    // 319 before what a statement demands by itself was looked at; each of these was read.
    assert!((1..=90).contains(&n_missing_keys), "{n_missing_keys}");
}
