//! What AWS documents, as tables: policies and requests with the documented outcome, and broken policies with every
//! mistake in them. `tests/fixtures/iam-policy/{evaluate,lint}`; `BLESS=1` rewrites the expected problems of the latter.

mod cases;

use cases::{Case, Documents};
use iam_policy::{MAX_SCP_CHARACTERS, PolicyType, Rule, Severity, lint};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// The page that states the outcome.
    source: String,
    /// What it states, in other words.
    says: String,
    policies: Documents,
    requests: Vec<Case>,
}

#[test]
fn outcomes_are_as_documented() {
    let directory = testbed::fixture("iam-policy/evaluate");
    let mut n_requests = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let table: Table = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(table.source.starts_with("https://"), "{}", path.display());
        for (index, case) in table.requests.iter().enumerate() {
            let found = cases::answer(&table.policies, case);
            let place = format!("{} request {index}: {}", path.display(), table.says);
            assert_eq!(found.verdict, case.expected, "{place}: {}", found.decision);
            if case.by.is_some() {
                assert_eq!(found.by, case.by, "{place}");
            }
            n_requests += 1;
        }
    }
    assert!(n_requests > 2, "only {n_requests}");
}

/// `<case>/policy.txt` is the text, `type.txt` says what it is for: scp, rcp, identity or resource.
#[test]
fn every_mistake_is_found() {
    for case in testbed::fixtures("iam-policy/lint") {
        let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
        let policy_type = match read("type.txt").trim() {
            "scp" => PolicyType::ServiceControl {
                max_characters: MAX_SCP_CHARACTERS,
            },
            "identity" => PolicyType::Identity,
            "resource" => PolicyType::Resource,
            "rcp" => PolicyType::ResourceControl,
            other => panic!("{}: no type {other}", case.display()),
        };
        let problems = lint(&read("policy.txt"), policy_type);
        let problems: Vec<Value> = problems
            .iter()
            .map(|problem| {
                json!({
                    "rule": problem.rule.id(),
                    "severity": match problem.severity {
                        Severity::Error => "error",
                        Severity::Warning => "warning",
                        Severity::Info => "info",
                    },
                    "position": problem.position.to_string(),
                    "message": problem.message,
                    "fix": problem.fix,
                })
            })
            .collect();
        testbed::expect(&case.join("problems.json"), &json!(problems));
    }
}

#[test]
fn every_rule_is_shown_by_a_case() {
    let mut shown = String::new();
    for case in testbed::fixtures("iam-policy/lint") {
        shown.push_str(&std::fs::read_to_string(case.join("problems.json")).unwrap());
    }
    let missing: Vec<&str> = Rule::ALL
        .iter()
        .map(|rule| rule.id())
        .filter(|id| !shown.contains(&format!("{id:?}")))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}
