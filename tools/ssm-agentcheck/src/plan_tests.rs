//! Walks `tests/fixtures/ssm-agentcheck/plan/<case>`: desired and observed in, the plan or why there is none out.
//! BLESS=1 rewrites the latter.

use std::path::Path;

use cli::Target;
use records::Node;
use serde::Deserialize;
use serde_json::json;

use super::{Association, plan};
use crate::model::Desired;
use crate::validated_change::steps;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observed {
    target: Target,
    nodes: Vec<Node>,
    #[serde(default)]
    associations: Vec<Association>,
}

#[test]
fn fixtures() {
    for case in testbed::fixtures("ssm-agentcheck/plan") {
        check_case(&case);
    }
}

fn check_case(case: &Path) {
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
    let desired: Desired = serde_json::from_str(&read("desired.json")).unwrap();
    let observed: Observed = serde_json::from_str(&read("observed.json")).unwrap();
    let planned = plan(
        &desired,
        &observed.target,
        &observed.nodes,
        &observed.associations,
    );
    let shown = match &planned {
        Ok(planned) => {
            steps(&planned.plan).unwrap_or_else(|error| panic!("{}: {error:#}", case.display()));
            json!({ "plan": planned.plan, "offline": planned.offline })
        }
        Err(error) => json!({ "error": error.to_string() }),
    };
    testbed::expect(&case.join("plan.json"), &shown);
}
