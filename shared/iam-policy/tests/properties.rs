//! What holds for all policies and requests: nothing that a table of examples could show.

use iam_policy::{Compiled, Context, Policies, Policy, Request, Verdict, decide, glob, lint};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const ACTIONS: &[&str] = &["ssm:StartSession", "ssm:SendCommand", "s3:GetObject"];
const PATTERNS: &[&str] = &[
    "*",
    "ssm:*",
    "ssm:Start*",
    "SSM:sendcommand",
    "s3:Get?bject",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:ec2:*:*:instance/*",
    "arn:aws:ssm",
    "arn:aws:s3:::b/${aws:username}/*",
    "arn:aws:s3:::b/${aws:username, 'all'}/*",
];
const ARNS: &[&str] = &[
    "*",
    "arn:aws:ec2:eu-central-1:111122223333:instance/i-1",
    "arn:aws:ssm:eu-central-1::document/AWS-RunShellScript",
    "arn:aws:s3:::b/ann/x",
];
const KEYS: &[&str] = &[
    "aws:PrincipalArn",
    "aws:username",
    "aws:SourceIp",
    "aws:TagKeys",
];
const VALUES: &[&str] = &[
    "arn:aws:iam::111122223333:role/ops",
    "arn:aws:iam::*:role/*",
    "ann",
    "ANN",
    "203.0.113.7",
    "203.0.113.0/24",
    "true",
    "7",
    "2026-11-24",
    "${aws:username}",
];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotLike",
    "StringLikeIfExists",
    "ArnLike",
    "ArnNotLike",
    "ArnNotLikeIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringNotEquals",
    "IpAddress",
    "NotIpAddress",
    "NumericLessThan",
    "DateGreaterThan",
    "Bool",
    "BinaryEquals",
    "Null",
];

fn texts(from: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let list = prop::collection::vec(select(from), 1..3).prop_map(|texts| json!(texts));
    prop_oneof![select(from).prop_map(|text| json!(text)), list]
}

/// Valid conditions only: a value that does not suit its operator is a mistake, and no policy.
fn conditions() -> impl Strategy<Value = Value> {
    let one = (select(OPERATORS), select(KEYS), texts(VALUES));
    let conditions = prop::collection::vec(one, 0..3).prop_map(|conditions| {
        let mut object = json!({});
        for (operator, key, values) in conditions {
            object[operator][key] = values;
        }
        object
    });
    conditions.prop_filter("valid", |conditions| {
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": conditions}});
        Policy::parse(&policy.to_string()).policy().is_ok()
    })
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    let statement = (
        select(&["Allow", "Deny"][..]),
        any::<bool>(),
        texts(PATTERNS),
        any::<bool>(),
        texts(RESOURCES),
        conditions(),
    );
    let statement = statement.prop_map(
        |(effect, not_action, actions, not_resource, resources, conditions)| {
            let mut statement = json!({"Effect": effect});
            statement[if not_action { "NotAction" } else { "Action" }] = actions;
            statement[if not_resource {
                "NotResource"
            } else {
                "Resource"
            }] = resources;
            if conditions != json!({}) {
                statement["Condition"] = conditions;
            }
            statement
        },
    );
    prop::collection::vec(statement, 1..4)
}

fn contexts() -> impl Strategy<Value = Vec<(&'static str, Vec<String>)>> {
    let values = prop::collection::vec(select(VALUES).prop_map(str::to_owned), 0..3);
    prop::collection::vec((select(KEYS), values), 0..4)
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn compile(document: &Value) -> Compiled {
    let policy = Policy::parse(&document.to_string()).policy().unwrap();
    Compiled::new("p", &policy).unwrap()
}

fn request(action: &str, resource: &str, keys: &[(&str, Vec<String>)], complete: bool) -> Request {
    let mut context = if complete {
        Context::complete()
    } else {
        Context::partial()
    };
    for (key, values) in keys {
        context.set(key, values.clone());
    }
    Request::new(action, resource, context)
}

fn verdict(policy: &Compiled, request: &Request) -> Verdict {
    let identity = [policy];
    let policies = Policies {
        identity: Some(&identity),
        ..Policies::default()
    };
    decide(&policies, request).verdict
}

/// The definition, without a thought of speed.
fn naive_glob(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|swallowed| naive_glob(rest, &text[swallowed..])),
        Some(('?', rest)) => !text.is_empty() && naive_glob(rest, &text[1..]),
        Some((character, rest)) => text.first() == Some(character) && naive_glob(rest, &text[1..]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_deny_added_allows_nothing(
        given in statements(), added in statements(), action in select(ACTIONS), arn in select(ARNS), keys in contexts(),
    ) {
        let request = request(action, arn, &keys, true);
        let denials = added.into_iter().filter(|statement| statement["Effect"] == "Deny");
        let more: Vec<Value> = given.iter().cloned().chain(denials).collect();
        let before = verdict(&compile(&document(&given)), &request);
        let after = verdict(&compile(&document(&more)), &request);
        prop_assert!(before != Verdict::Denied || after == Verdict::Denied);
    }

    #[test]
    fn printing_and_parsing_change_nothing(given in statements()) {
        let policy = Policy::parse(&document(&given).to_string()).policy().unwrap();
        let printed = policy.to_json();
        let again = Policy::parse(&printed.to_string()).policy().unwrap();
        prop_assert_eq!(&policy, &again);
        prop_assert_eq!(printed, again.to_json());
        let pretty = Policy::parse(&format!("{:#}", document(&given))).policy().unwrap();
        prop_assert_eq!(policy, pretty);
    }

    #[test]
    fn what_is_known_stays_so_when_more_is_known(
        given in statements(), action in select(ACTIONS), arn in select(ARNS), keys in contexts(), more in contexts(),
    ) {
        let policy = compile(&document(&given));
        let partial = verdict(&policy, &request(action, arn, &keys, false));
        // Later values replace earlier ones, so what is known comes last.
        let all: Vec<_> = more.into_iter().chain(keys).collect();
        let complete = verdict(&policy, &request(action, arn, &all, true));
        prop_assert_ne!(complete, Verdict::Unknown);
        prop_assert!(partial == Verdict::Unknown || partial == complete, "{:?} {:?}", partial, complete);
    }

    #[test]
    fn an_unknown_resource_hides_no_answer(
        given in statements(), action in select(ACTIONS), arn in select(ARNS), keys in contexts(),
    ) {
        let policy = compile(&document(&given));
        let known = request(action, arn, &keys, true);
        let unknown = verdict(&policy, &Request::on_unknown_resource(action, known.context.clone()));
        prop_assert!(unknown == Verdict::Unknown || unknown == verdict(&policy, &known));
    }

    #[test]
    fn the_order_of_statements_means_nothing(
        given in statements(), action in select(ACTIONS), arn in select(ARNS), keys in contexts(), complete in any::<bool>(),
    ) {
        let request = request(action, arn, &keys, complete);
        let reversed: Vec<Value> = given.iter().rev().cloned().collect();
        prop_assert_eq!(
            verdict(&compile(&document(&given)), &request),
            verdict(&compile(&document(&reversed)), &request)
        );
    }

    #[test]
    fn globs_are_as_defined(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(glob(&pattern, &text), naive_glob(&characters(&pattern), &characters(&text)));
    }

    #[test]
    fn no_text_makes_the_linter_fail(text in "[\\[\\]{}\":,a-z/*\\n -]{0,60}") {
        let n_lines = text.split('\n').count();
        for problem in lint(&text, iam_policy::PolicyType::Identity) {
            prop_assert!((1..=n_lines).contains(&problem.position.line) && problem.position.column >= 1);
        }
    }
}
