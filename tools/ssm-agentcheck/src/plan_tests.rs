//! Walks `tests/fixtures/ssm-agentcheck/plan/<case>`: desired and observed in, the plan or why there is none out.
//! BLESS=1 rewrites the latter.

use std::path::Path;

use cli::Target;
use serde_json::{Value, json};

use super::{Observed, plan};
use crate::model::Desired;
use crate::validated_change::steps;

#[test]
fn fixtures() {
    for case in testbed::fixtures("ssm-agentcheck/plan") {
        check_case(&case);
    }
}

fn check_case(case: &Path) {
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
    let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
    let mut observed: Value = serde_json::from_str(&read("observed.json")).unwrap();
    let target: Target = serde_json::from_value(observed["target"].take()).unwrap();
    observed.as_object_mut().unwrap().remove("target");
    let observed: Observed = serde_json::from_value(observed).unwrap();
    let is_accepted = case.to_string_lossy().contains("accepted");
    let planned = plan(&desired, &target, &observed, is_accepted);
    let shown = match &planned {
        Ok(planned) => {
            steps(&planned.plan).unwrap_or_else(|error| panic!("{}: {error:#}", case.display()));
            let mut shown = json!({ "plan": planned.plan, "offline": planned.offline });
            if !desired.exclude.is_empty() {
                shown["excluded"] = json!(planned.excluded);
                shown["notes"] = json!(planned.notes);
            }
            shown
        }
        Err(error) => json!({ "error": error.to_string() }),
    };
    testbed::expect(&case.join("plan.json"), &shown);
}
