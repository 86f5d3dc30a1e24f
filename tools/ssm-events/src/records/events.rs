//! The calls that are watched, and read back, when nothing else is said.

/// Calls that open a way into a node, run something there, or change who may and what is recorded.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html>
pub(crate) const EVENTS: [&str; 39] = [
    "StartSession",
    "ResumeSession",
    "TerminateSession",
    "SendCommand",
    "CancelCommand",
    "StartAutomationExecution",
    "StopAutomationExecution",
    "CreateAssociation",
    "CreateAssociationBatch",
    "UpdateAssociation",
    "StartAssociationsOnce",
    "DeleteAssociation",
    "CreateDocument",
    "UpdateDocument",
    "UpdateDocumentDefaultVersion",
    "DeleteDocument",
    "ModifyDocumentPermission",
    "UpdateServiceSetting",
    "ResetServiceSetting",
    "CreateActivation",
    "DeleteActivation",
    // Also of an instance that Default Host Management takes in.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html
    "RegisterManagedInstance",
    "DeregisterManagedInstance",
    "UpdateManagedInstanceRole",
    "RegisterTaskWithMaintenanceWindow",
    "UpdateMaintenanceWindowTask",
    // Just-in-time access: asked for, and approved or denied. GetAccessToken, a read, would make a rule see every read.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-just-in-time-node-access-approve-deny-requests.html
    "StartAccessRequest",
    "SendAutomationSignal",
    // Nodes of other clouds.
    // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateCloudConnector.html
    "CreateCloudConnector",
    "UpdateCloudConnector",
    "DeleteCloudConnector",
    // Quick Setup puts roles, associations and settings into every account.
    // https://docs.aws.amazon.com/quick-setup/latest/APIReference/API_Operations.html
    "CreateConfigurationManager",
    "UpdateConfigurationDefinition",
    "DeleteConfigurationManager",
    "UpdateServiceSettings",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    // Tags decide who may start sessions where policies ask for them.
    "AddTagsToResource",
    "RemoveTagsFromResource",
];

/// Quick Setup is a service of its own.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanagerquicksetup.html>
const QUICK_SETUP: [&str; 4] = [
    "CreateConfigurationManager",
    "UpdateConfigurationDefinition",
    "DeleteConfigurationManager",
    "UpdateServiceSettings",
];

/// Returns the service whose call a watched name is, as `eventSource` has it without its domain.
pub(crate) fn service(name: &str) -> &'static str {
    match QUICK_SETUP.contains(&name) {
        true => "ssm-quicksetup",
        false => "ssm",
    }
}
