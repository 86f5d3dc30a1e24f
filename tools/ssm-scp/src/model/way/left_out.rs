//! What changes something in Systems Manager, EC2 Instance Connect and Step Functions and is still not a way onto a node, so that a
//! newer service reference adds no action that nobody has looked at.

use std::collections::BTreeSet;

use iam_policy::AGENT_ACTIONS;
use iam_policy::reference::{self, Level};

use super::catalogue;

/// The services, besides all whose prefix begins with `ssm`.
const OTHERS: [&str; 2] = ["ec2-instance-connect", "states"];

/// Names by the reason for which they are left out.
const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "it ends something, or takes it away",
        &[
            "ssm-contacts:DeactivateContactChannel",
            "ssm-contacts:DeleteContact",
            "ssm-contacts:DeleteContactChannel",
            "ssm-contacts:DeleteRotation",
            "ssm-contacts:DeleteRotationOverride",
            "ssm-contacts:StopEngagement",
            "ssm-guiconnect:CancelConnection",
            "ssm-incidents:DeleteIncidentRecord",
            "ssm-incidents:DeleteReplicationSet",
            "ssm-incidents:DeleteResourcePolicy",
            "ssm-incidents:DeleteResponsePlan",
            "ssm-incidents:DeleteTimelineEvent",
            "ssm-quicksetup:DeleteConfigurationManager",
            "ssm-sap:DeleteResourcePermission",
            "ssm-sap:DeregisterApplication",
            "ssm-sap:StopApplication",
            "ssm:CancelCommand",
            "ssm:CancelMaintenanceWindowExecution",
            "ssm:DeleteActivation",
            "ssm:DeleteAssociation",
            "ssm:DeleteCloudConnector",
            "ssm:DeleteDocument",
            "ssm:DeleteInventory",
            "ssm:DeleteMaintenanceWindow",
            "ssm:DeleteOpsItem",
            "ssm:DeleteOpsMetadata",
            "ssm:DeleteParameter",
            "ssm:DeleteParameters",
            "ssm:DeletePatchBaseline",
            "ssm:DeleteResourceDataSync",
            "ssm:DeleteResourcePolicy",
            "ssm:DeregisterManagedInstance",
            "ssm:DeregisterPatchBaselineForPatchGroup",
            "ssm:DeregisterTargetFromMaintenanceWindow",
            "ssm:DeregisterTaskFromMaintenanceWindow",
            "ssm:DisassociateOpsItemRelatedItem",
            "ssm:StopAutomationExecution",
            "ssm:TerminateSession",
            "ssm:UnlabelParameterVersion",
            "states:DeleteActivity",
            "states:DeleteStateMachine",
            "states:DeleteStateMachineAlias",
            "states:DeleteStateMachineVersion",
            "states:StopExecution",
        ],
    ),
    (
        "a node calls it, for a new key of its own",
        &["ssm:UpdateManagedInstancePublicKey"],
    ),
    (
        "it says when the tasks of a window run, not which",
        &[
            "ssm:CreateMaintenanceWindow",
            "ssm:PutCalendar",
            "ssm:UpdateMaintenanceWindow",
        ],
    ),
    (
        "it records something, or sends records elsewhere, and runs nothing",
        &[
            "ssm-guiconnect:DeleteConnectionRecordingPreferences",
            "ssm-guiconnect:UpdateConnectionRecordingPreferences",
            "ssm-incidents:CreateReplicationSet",
            "ssm-incidents:CreateTimelineEvent",
            "ssm-incidents:UpdateDeletionProtection",
            "ssm-incidents:UpdateIncidentRecord",
            "ssm-incidents:UpdateRelatedItems",
            "ssm-incidents:UpdateReplicationSet",
            "ssm-incidents:UpdateTimelineEvent",
            "ssm:AssociateOpsItemRelatedItem",
            "ssm:CreateOpsItem",
            "ssm:CreateOpsMetadata",
            "ssm:CreateResourceDataSync",
            "ssm:UpdateOpsItem",
            "ssm:UpdateOpsMetadata",
            "ssm:UpdateResourceDataSync",
        ],
    ),
    (
        "it shares what is there with accounts, whose calls it does not make",
        &["ssm-incidents:PutResourcePolicy", "ssm:PutResourcePolicy"],
    ),
    (
        "protect_dhmc denies it for the setting that gives nodes a role",
        &["ssm:ResetServiceSetting", "ssm:UpdateServiceSetting"],
    ),
    (
        "it is about the role that reads for Explorer",
        &["ssm-quicksetup:UpdateServiceSettings"],
    ),
    (
        "it calls people",
        &[
            "ssm-contacts:AcceptPage",
            "ssm-contacts:ActivateContactChannel",
            "ssm-contacts:AssociateContact",
            "ssm-contacts:CreateContact",
            "ssm-contacts:CreateContactChannel",
            "ssm-contacts:CreateRotation",
            "ssm-contacts:CreateRotationOverride",
            "ssm-contacts:PutContactPolicy",
            "ssm-contacts:SendActivationCode",
            "ssm-contacts:StartEngagement",
            "ssm-contacts:UpdateContact",
            "ssm-contacts:UpdateContactChannel",
            "ssm-contacts:UpdateRotation",
        ],
    ),
    (
        "it runs what AWS has written for SAP, and nothing that the caller writes",
        &[
            "ssm-sap:BackupDatabase",
            "ssm-sap:GetResourcePermission",
            "ssm-sap:PutResourcePermission",
            "ssm-sap:RegisterApplication",
            "ssm-sap:RestoreDatabase",
            "ssm-sap:StartApplication",
            "ssm-sap:StartApplicationRefresh",
            "ssm-sap:StartConfigurationChecks",
            "ssm-sap:UpdateApplicationSettings",
            "ssm-sap:UpdateHANABackupSettings",
        ],
    ),
    (
        "it runs a workflow as somebody has written it, or chooses among its versions",
        &[
            "states:CreateStateMachineAlias",
            "states:PublishStateMachineVersion",
            "states:RedriveExecution",
            "states:StartExecution",
            "states:StartSyncExecution",
            "states:UpdateMapRun",
            "states:UpdateStateMachineAlias",
        ],
    ),
    (
        "workers of a workflow ask for their work, and answer it",
        &[
            "states:CreateActivity",
            "states:GetActivityTask",
            "states:InvokeHTTPEndpoint",
            "states:SendTaskFailure",
            "states:SendTaskHeartbeat",
            "states:SendTaskSuccess",
        ],
    ),
];

#[test]
fn whatever_changes_systems_manager_is_a_way_or_left_out_for_a_reason() {
    let is_meant = |prefix: &str| prefix.starts_with("ssm") || OTHERS.contains(&prefix);
    let prefixes = reference::services().filter(|prefix| is_meant(prefix));
    let services = prefixes.filter_map(reference::service);
    let actions = services.flat_map(|service| &service.actions);
    let changing =
        actions.filter(|action| matches!(action.level, Level::Write | Level::Permissions));
    let changing: BTreeSet<String> = changing.map(reference::Action::full_name).collect();
    assert!(changing.len() > 100, "{}", changing.len());
    let ways: BTreeSet<&str> = catalogue()
        .flat_map(|entry| entry.actions)
        .copied()
        .collect();
    let mut left_out: BTreeSet<&str> = BTreeSet::new();
    for (why, names) in LEFT_OUT {
        assert!(names.is_sorted(), "{why}");
        for name in *names {
            assert!(changing.contains(*name), "{name} is not there any more");
            assert!(!ways.contains(name), "{name} is a way");
            assert!(left_out.insert(name), "{name} is there twice");
        }
    }
    let unseen = changing.iter().filter(|name| {
        let name = name.as_str();
        !ways.contains(name) && !left_out.contains(name) && !AGENT_ACTIONS.contains(&name)
    });
    let unseen: Vec<&String> = unseen.collect();
    assert!(unseen.is_empty(), "neither a way nor left out: {unseen:?}");
}

#[test]
fn the_page_on_guards_has_what_is_left_out_with_the_reasons() {
    let page = testbed::repository().join("docs/guard.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- left out -->\n", "<!-- end of left out -->\n");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let mut table = "| actions | no way, because |\n|---|---|\n".to_owned();
    for (why, names) in LEFT_OUT {
        table.push_str(&format!("| {} | {why} |\n", names.join(", ")));
    }
    testbed::expect_text(&page, &format!("{before}{begin}{table}{end}{after}"));
}
