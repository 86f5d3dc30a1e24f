//! What AWS itself writes is right: the 1,500 and more managed policies that the local AWS ships are all linted. None has an
//! error, and no warning is one that is not true of it.

use std::process::Command;
use std::sync::LazyLock;

use iam_policy::{PolicyType, Problem, Rule, Severity, lint};
use serde_json::Value;

/// Prints each policy as a line of JSON: name and document.
const PRINT: &str = "
import json
from moto.iam.aws_managed_policies import aws_managed_policies_data as policies
for name, policy in json.loads(policies).items():
    print(json.dumps([name, policy['Document']]))
";

struct Linted {
    name: String,
    document: Value,
    problems: Vec<Problem>,
}

/// Linted once for all tests.
static LINTED: LazyLock<Vec<Linted>> = LazyLock::new(|| {
    let python = testbed::repository().join(".venv/bin/python");
    let output = Command::new(python).args(["-c", PRINT]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let linted: Vec<Linted> = printed.lines().map(linted).collect();
    assert!(linted.len() > 1_500, "{}", linted.len());
    linted
});

fn linted(line: &str) -> Linted {
    let (name, document): (String, Value) = serde_json::from_str(line).unwrap();
    let problems = lint(&document.to_string(), PolicyType::Identity);
    Linted {
        name,
        document,
        problems,
    }
}

#[test]
fn no_policy_of_aws_has_an_error() {
    let mut errors = Vec::new();
    for Linted { name, problems, .. } in LINTED.iter() {
        let found = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error);
        errors.extend(found.map(|problem| format!("{name}: {}: {problem}", problem.rule.id())));
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
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
    for Linted {
        name,
        document,
        problems,
    } in LINTED.iter()
    {
        let has = |rule: Rule, place: &Value| {
            let mut all = problems.iter();
            all.any(|one| one.rule == rule && statement(document, one) == place)
        };
        for problem in problems {
            let place = statement(document, problem);
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
