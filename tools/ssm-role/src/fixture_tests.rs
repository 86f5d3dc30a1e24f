//! Walks `tests/fixtures/ssm-role/<case>`: desired and observed in, plan (or why there is none) and findings out.
//! BLESS=1 rewrites the latter.

use std::path::Path;

use serde_json::{Value, json};

use super::plan;
use crate::check::check;
use crate::model::{Desired, Observed};
use crate::step;

#[test]
fn fixtures() {
    let root = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/ssm-role"
    ));
    let mut n_cases = 0;
    for entry in std::fs::read_dir(root).unwrap() {
        check_case(&entry.unwrap().path());
        n_cases += 1;
    }
    assert!(n_cases > 0);
}

fn check_case(case: &Path) {
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap_or_default();
    let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
    let observed: Observed = serde_json::from_str(&read("observed.json")).unwrap();
    let planned = plan(&desired, &observed);
    if let Ok(plan) = &planned {
        step::plans(vec![plan.clone()])
            .unwrap_or_else(|error| panic!("{}: {error:#}", case.display()));
    }
    let planned = planned.map_or_else(
        |error| json!({ "error": error.to_string() }),
        |plan| json!(plan),
    );
    settle(case, "plan.json", &planned);
    settle(case, "findings.json", &json!(check(&desired, &observed)));
}

fn settle(case: &Path, name: &str, found: &Value) {
    let path = case.join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, format!("{found:#}\n")).unwrap();
        return;
    }
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default())
        .unwrap_or_default();
    assert_eq!(found, &expected, "{}: found {found:#}", path.display());
}
