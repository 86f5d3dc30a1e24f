//! Where mistakes are, and what an override makes of its base.

use serde::Deserialize;
use serde_json::json;

use super::{DesiredState, Linted, base_of, column, is_ours};
use crate::{Finding, FindingKind, Severity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Desired {
    #[serde(default)]
    days: u32,
}

fn lint(text: &str) -> Vec<(String, String)> {
    lint_over(text, None)
}

fn lint_over(text: &str, base: Option<&serde_json::Value>) -> Vec<(String, String)> {
    let desired = DesiredState {
        what: "desired days",
        invalid: "x.desired.invalid",
        other: "x.desired.other",
    };
    let rules = |desired: &Desired| {
        let finding = Finding {
            kind: FindingKind::Finding,
            is_unread: false,
            id: "x.days.many".to_owned(),
            severity: Severity::Warning,
            target: None,
            resource: "$.days".to_owned(),
            message: String::new(),
            fix: String::new(),
        };
        if desired.days > 9 {
            vec![finding]
        } else {
            Vec::new()
        }
    };
    let linted = Linted {
        source: "a.json",
        text,
        base,
    };
    let findings = desired.lint(&linted, rules).into_iter();
    findings
        .map(|finding| (finding.id, finding.resource))
        .collect()
}

#[test]
fn a_mistake_is_at_its_line_and_column() {
    let one = |id: &str, resource: &str| vec![(id.to_owned(), resource.to_owned())];
    let invalid = |resource: &str| one("x.desired.invalid", resource);
    for (text, expected) in [
        ("{\"days\": 1, // a few\n}", Vec::new()),
        (
            "// many\n{ \"days\": 10 }",
            one("x.days.many", "a.json:2:3 $.days"),
        ),
        ("/* é */\n{ \"day\": 1 }", invalid("a.json:2:7 $.day")),
        ("{\"days\": \"é\"}", invalid("a.json:1:12 $.days")),
        ("{\"days\": 1\n", invalid("a.json:2:1 $")),
        ("{\"days\": 1, \"days\": 2}", invalid("a.json:1:18 $")),
        (" ", invalid("a.json:1:1 $")),
        (
            "{\"policy_name\": \"p\"}",
            one("x.desired.other", "a.json:1:1 $"),
        ),
        (
            "{\"kind\": \"plan\"}",
            one("x.desired.other", "a.json:1:1 $"),
        ),
        (
            "{\"for\": {\"region\": \"r\"}, \"reason\": \"y\", \"desired\": {}}",
            Vec::new(),
        ),
        (
            "{\"for\": {\"region\": \"r\"}, \"reason\": \" \", \"desired\": {}}",
            invalid("a.json:1:26 $.reason"),
        ),
        (
            "{}\n{\"for\": {}, \"reason\": \"y\", \"desired\": {}}",
            invalid("a.json $.for"),
        ),
    ] {
        assert_eq!(lint(text), expected, "{text}");
    }
}

/// `plan` refuses what an override makes of its base: `lint` says so before, where it stands.
#[test]
fn an_override_is_judged_by_what_it_makes_of_its_base() {
    let layer = |desired: &str| {
        format!("{{\"for\": {{\"region\": \"r\"}}, \"reason\": \"y\",\n\"desired\": {desired}}}")
    };
    let invalid = |resource: &str| vec![("x.desired.invalid".to_owned(), resource.to_owned())];
    let many = |resource: &str| vec![("x.days.many".to_owned(), resource.to_owned())];
    let (good, long) = (json!({"days": 1}), json!({"days": 10}));
    for (desired, base, expected) in [
        ("{\"days\": 2}", None, Vec::new()),
        ("{\"days\": 10}", None, Vec::new()),
        ("{\"dys\": 1}", None, invalid("a.json:2:13 $.desired.dys")),
        (
            "{\"dys\": 1}",
            Some(&good),
            invalid("a.json:2:13 $.desired.dys"),
        ),
        (
            "{\"days\": [1]}",
            Some(&good),
            invalid("a.json:2:13 $.desired.days"),
        ),
        (
            "{\"days\": 10}",
            Some(&good),
            many("a.json:2:13 $.desired.days"),
        ),
        ("{\"days\": 2}", Some(&good), Vec::new()),
        // What the base has is the base's.
        ("{}", Some(&long), Vec::new()),
        ("{\"days\": 10}", Some(&json!({"day": 1})), Vec::new()),
    ] {
        let text = layer(desired);
        assert_eq!(lint_over(&text, base), expected, "{desired} {base:?}");
    }
    let both = format!("{{}}\n{}", layer("{\"days\": 10}"));
    assert_eq!(lint(&both), many("a.json $.desired.days"));
    let texts = |all: &[&str]| {
        let all = all.iter().map(|text| (String::new(), (*text).to_owned()));
        all.collect::<Vec<_>>()
    };
    let over = layer("{}");
    assert_eq!(base_of(&texts(&["{\"days\": 1}", &over])), Some(good));
    assert_eq!(base_of(&texts(&["{}", "{}"])), None);
    assert_eq!(base_of(&texts(&[&over])), None);
}

#[test]
fn policies_are_known_from_what_is_ours() {
    for (text, expected) in [
        ("// mine\n{\"days\": 1}", true),
        ("{\"Version\": \"2012-10-17\", \"Statement\": []}", false),
        ("{\"Statment\": []}", false),
        ("{}", false),
        ("[]", false),
        ("{", false),
    ] {
        assert_eq!(is_ours(text), expected, "{text}");
    }
}

#[test]
fn columns_are_characters() {
    assert_eq!(column("é: x", 1, 5), 4);
    assert_eq!(column("", 1, 1), 1);
}
