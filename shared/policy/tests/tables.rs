//! What AWS documents, as tables: policies and requests with the documented outcome, and broken policies with every
//! mistake in them. `tests/fixtures/policy/{evaluate,lint}`; `BLESS=1` rewrites the expected problems of the latter.

use std::collections::BTreeMap;

use policy::{
    Compiled, Context, MAX_SCP_CHARACTERS, Policies, Policy, PolicyType, Principal, Request, Rule,
    Severity, Verdict, decide, lint,
};
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

/// Missing kinds are not judged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Documents {
    /// From the root to the account.
    service_control: Option<Vec<Vec<Value>>>,
    identity: Option<Vec<Value>>,
    resource: Option<Value>,
    boundary: Option<Value>,
    session: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    action: String,
    resource: String,
    /// ARN of a user or role, or the name of a service.
    principal: Option<String>,
    /// ARN of the assumed role's session.
    session: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Vec<String>>,
    /// Whether nothing is known of the keys that are not named.
    #[serde(default)]
    partial: bool,
    /// allowed, denied or unknown.
    expected: String,
    /// Sid of the deciding statement, where the outcome has one.
    by: Option<String>,
}

fn compile(document: &Value) -> Compiled {
    let policy = Policy::parse(&document.to_string()).policy();
    let policy = policy.unwrap_or_else(|problem| panic!("{document}: {problem:?}"));
    Compiled::new("policy", &policy).unwrap()
}

fn request(case: &Case) -> Request {
    let mut context = if case.partial {
        Context::partial()
    } else {
        Context::complete()
    };
    for (key, values) in &case.context {
        context.set(key, values.clone());
    }
    let mut request = Request::new(&case.action, &case.resource, context);
    request.principal = case.principal.as_ref().map(|name| {
        if name.starts_with("arn:") {
            Principal::Aws {
                arn: name.clone(),
                session: case.session.clone(),
            }
        } else {
            Principal::Service(name.clone())
        }
    });
    request
}

#[test]
fn outcomes_are_as_documented() {
    let directory = testbed::fixture("policy/evaluate");
    let mut n_requests = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let table: Table = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(table.source.starts_with("https://"), "{}", path.display());
        let documents = &table.policies;
        let all = |documents: &Vec<Value>| documents.iter().map(compile).collect::<Vec<_>>();
        let levels: Option<Vec<Vec<Compiled>>> = documents
            .service_control
            .as_ref()
            .map(|levels| levels.iter().map(all).collect());
        let levels: Option<Vec<Vec<&Compiled>>> = levels
            .as_ref()
            .map(|levels| levels.iter().map(|level| level.iter().collect()).collect());
        let identity: Option<Vec<Compiled>> = documents.identity.as_ref().map(all);
        let identity: Option<Vec<&Compiled>> =
            identity.as_ref().map(|policies| policies.iter().collect());
        let one = |document: &Option<Value>| document.as_ref().map(compile);
        let (resource, boundary, session) = (
            one(&documents.resource),
            one(&documents.boundary),
            one(&documents.session),
        );
        let policies = Policies {
            service_control: levels.as_deref(),
            identity: identity.as_deref(),
            resource: resource.as_ref(),
            boundary: boundary.as_ref(),
            session: session.as_ref(),
        };
        for (index, case) in table.requests.iter().enumerate() {
            let decision = decide(&policies, &request(case));
            let found = match decision.verdict {
                Verdict::Allowed => "allowed",
                Verdict::Denied => "denied",
                Verdict::Unknown => "unknown",
            };
            let place = format!("{} request {index}: {}", path.display(), table.says);
            assert_eq!(found, case.expected, "{place}: {decision:?}");
            if case.by.is_some() {
                let by = decision.statement.map(|statement| statement.sid.to_owned());
                assert_eq!(by, case.by, "{place}");
            }
            n_requests += 1;
        }
    }
    assert!(n_requests > 2, "only {n_requests}");
}

/// `<case>/policy.txt` is the text, `type.txt` says what it is for: scp, identity or resource.
#[test]
fn every_mistake_is_found() {
    for case in testbed::fixtures("policy/lint") {
        let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
        let policy_type = match read("type.txt").trim() {
            "scp" => PolicyType::ServiceControl {
                max_characters: MAX_SCP_CHARACTERS,
            },
            "identity" => PolicyType::Identity,
            "resource" => PolicyType::Resource,
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
    for case in testbed::fixtures("policy/lint") {
        shown.push_str(&std::fs::read_to_string(case.join("problems.json")).unwrap());
    }
    let missing: Vec<&str> = Rule::ALL
        .iter()
        .map(|rule| rule.id())
        .filter(|id| !shown.contains(&format!("{id:?}")))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}
