//! Walks `tests/fixtures/ssm-role/plan/<case>`: desired and observed in, plan (or why there is none) and findings out.
//! BLESS=1 rewrites the latter.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::{PlanContext, plan};
use crate::check::check;
use crate::model::{Desired, Observed};
use crate::preferences::{of_document, partition_of, preferences};
use crate::{template, validated_change};

#[test]
fn fixtures() {
    for case in testbed::fixtures("ssm-role/plan") {
        check_case(&case);
    }
}

/// Walks `tests/fixtures/ssm-role/template/<case>`: desired and document in, template (or why there is none) out.
#[test]
fn templates() {
    for case in testbed::fixtures("ssm-role/template") {
        let read = |name: &str| std::fs::read_to_string(case.join(name));
        let desired: Desired = serde_json::from_str(&read("desired.json").unwrap()).unwrap();
        let document = read("document.json").ok().map(|text| {
            let document = serde_json::from_str(&text).unwrap();
            of_document(&document, &cloudformation::target()).unwrap()
        });
        let actual = match template::template(&desired, document.as_ref()) {
            Ok(template) => template,
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        testbed::expect(&case.join("template.json"), &actual);
    }
}

fn check_case(case: &Path) {
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
    let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
    let observed: Observed = serde_json::from_str(&read("observed.json")).unwrap();
    let preferences = std::fs::read_to_string(case.join("prefs.json"))
        .ok()
        .map(|text| {
            let record = serde_json::from_str(&text).unwrap();
            preferences(&record, partition_of).unwrap()
        });
    let given = PlanContext {
        preferences: preferences.as_ref(),
        is_narrowed: case.to_string_lossy().contains("narrowed"),
        accepts_excluded: case.to_string_lossy().contains("accepted"),
    };
    let planned = plan(&desired, &observed, given);
    if let Ok(plan) = &planned {
        validated_change::validate(plan)
            .unwrap_or_else(|error| panic!("{}: {error:#}", case.display()));
    }
    let planned = planned.map_or_else(
        |error| json!({ "error": error.to_string() }),
        |plan| json!(plan),
    );
    testbed::expect(&case.join("plan.json"), &planned);
    testbed::expect(
        &case.join("findings.json"),
        &json!(check(
            &desired,
            &observed,
            preferences.as_ref(),
            &Arc::default()
        )),
    );
}
