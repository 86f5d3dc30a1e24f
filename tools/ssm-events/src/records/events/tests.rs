//! Every call of these services that changes something is watched, or left out for a reason.

use std::collections::BTreeSet;
use std::process::Command;

use super::{EVENTS, service};

const SERVICES: [&str; 3] = ["ssm", "ssm-guiconnect", "ssm-quicksetup"];

/// Prints the operations of services, without those that read by their names.
const PRINT: &str = "
import sys, botocore.session
session = botocore.session.get_session()
for service in sys.argv[1:]:
    for name in session.get_service_model(service).operation_names:
        if not name.startswith(('Describe', 'Get', 'List')):
            print(service + ':' + name)
";

/// What no model has, as consoles and agents call it, and CloudTrail records: `tests/fixtures/cloudtrail` has it.
const NOT_IN_MODELS: [&str; 2] = [
    "ssm-guiconnect:StartConnection",
    "ssm:RegisterManagedInstance",
];

const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "it is about items of OpsCenter and data about applications, and runs nothing",
        &[
            "ssm:AssociateOpsItemRelatedItem",
            "ssm:CreateOpsItem",
            "ssm:CreateOpsMetadata",
            "ssm:DeleteOpsItem",
            "ssm:DeleteOpsMetadata",
            "ssm:DisassociateOpsItemRelatedItem",
            "ssm:UpdateOpsItem",
            "ssm:UpdateOpsMetadata",
        ],
    ),
    (
        "it is about inventory, which says what is installed and not what was done",
        &[
            "ssm:CreateResourceDataSync",
            "ssm:DeleteInventory",
            "ssm:DeleteResourceDataSync",
            "ssm:UpdateResourceDataSync",
        ],
    ),
    (
        "nodes call it, all day",
        &[
            "ssm:PutComplianceItems",
            "ssm:PutInventory",
            "ssm:UpdateAssociationStatus",
        ],
    ),
    (
        "deployments call it, for every value: who wants it names it",
        &[
            "ssm:DeleteParameter",
            "ssm:DeleteParameters",
            "ssm:LabelParameterVersion",
            "ssm:PutParameter",
            "ssm:UnlabelParameterVersion",
        ],
    ),
    (
        "it says when the tasks of a window run, not which",
        &["ssm:CreateMaintenanceWindow", "ssm:UpdateMaintenanceWindow"],
    ),
    (
        "it takes away a task, a target or a baseline, or the run of a window",
        &[
            "ssm:CancelMaintenanceWindowExecution",
            "ssm:DeleteMaintenanceWindow",
            "ssm:DeletePatchBaseline",
            "ssm:DeregisterPatchBaselineForPatchGroup",
            "ssm:DeregisterTargetFromMaintenanceWindow",
            "ssm:DeregisterTaskFromMaintenanceWindow",
        ],
    ),
    (
        "it tries something out, and changes nothing",
        &["ssm:StartExecutionPreview", "ssm:ValidateCloudConnector"],
    ),
    (
        "tags of a configuration, by which nobody may start a session",
        &["ssm-quicksetup:TagResource", "ssm-quicksetup:UntagResource"],
    ),
];

#[test]
fn every_call_that_changes_something_is_watched_or_left_out_for_a_reason() {
    let python = testbed::repository().join(".venv/bin/python");
    let mut run = Command::new(python);
    let output = run.args(["-c", PRINT]).args(SERVICES).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let known: BTreeSet<&str> = printed.lines().chain(NOT_IN_MODELS).collect();
    assert!(known.len() > 80, "{known:?}");
    let watched: BTreeSet<String> = EVENTS
        .iter()
        .map(|name| format!("{}:{name}", service(name)))
        .collect();
    assert_eq!(watched.len(), EVENTS.len(), "a name is there twice");
    let mut left_out = BTreeSet::new();
    for (why, names) in LEFT_OUT {
        assert!(names.is_sorted(), "{why}");
        for name in *names {
            assert!(!watched.contains(*name), "{name} is watched");
            assert!(left_out.insert((*name).to_owned()), "{name} is there twice");
        }
    }
    let placed: BTreeSet<&str> = watched.union(&left_out).map(String::as_str).collect();
    let unplaced: Vec<_> = known.difference(&placed).collect();
    assert!(
        unplaced.is_empty(),
        "neither watched nor left out: {unplaced:?}"
    );
    let gone: Vec<_> = placed.difference(&known).collect();
    assert!(gone.is_empty(), "not there any more: {gone:?}");
}
