//! The calls that are watched, and read back, when nothing else is said.

/// Calls that open a way into a node, run something there, or change who may and what is recorded.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html>
pub(crate) const EVENTS: [&str; 53] = [
    "StartSession",
    "ResumeSession",
    "TerminateSession",
    "SendCommand",
    "CancelCommand",
    "StartAutomationExecution",
    "StopAutomationExecution",
    "StartChangeRequestExecution",
    "CreateAssociation",
    "CreateAssociationBatch",
    "UpdateAssociation",
    "StartAssociationsOnce",
    "DeleteAssociation",
    "CreateDocument",
    "UpdateDocument",
    "UpdateDocumentDefaultVersion",
    // Approves a change template.
    "UpdateDocumentMetadata",
    "DeleteDocument",
    "ModifyDocumentPermission",
    "UpdateServiceSetting",
    "ResetServiceSetting",
    // Default Host Management: on, onto another role, off. Its setting is changed by the two above as well.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html
    "RegisterDefaultHostManagementConfiguration",
    "DeregisterDefaultHostManagementConfiguration",
    "CreateActivation",
    "DeleteActivation",
    // Also of an instance that Default Host Management takes in.
    "RegisterManagedInstance",
    "DeregisterManagedInstance",
    "UpdateManagedInstanceRole",
    "RegisterTaskWithMaintenanceWindow",
    "UpdateMaintenanceWindowTask",
    "RegisterTargetWithMaintenanceWindow",
    "UpdateMaintenanceWindowTarget",
    // A baseline may name a repository, whose packages are installed as root.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-how-it-works-alt-source-repository.html
    "CreatePatchBaseline",
    "UpdatePatchBaseline",
    "RegisterDefaultPatchBaseline",
    "RegisterPatchBaselineForPatchGroup",
    // Desktops of Windows nodes in the console, and whether they are recorded.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-remote-desktop-connections.html
    "StartConnection",
    "UpdateConnectionRecordingPreferences",
    "DeleteConnectionRecordingPreferences",
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
    "UpdateConfigurationManager",
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
const QUICK_SETUP: [&str; 5] = [
    "CreateConfigurationManager",
    "UpdateConfigurationManager",
    "UpdateConfigurationDefinition",
    "DeleteConfigurationManager",
    "UpdateServiceSettings",
];

/// So are desktops.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanagerguiconnect.html>
const GUI_CONNECT: [&str; 3] = [
    "StartConnection",
    "UpdateConnectionRecordingPreferences",
    "DeleteConnectionRecordingPreferences",
];

/// Returns the service whose call a watched name is, as `eventSource` has it without its domain.
pub(crate) fn service(name: &str) -> &'static str {
    match name {
        _ if QUICK_SETUP.contains(&name) => "ssm-quicksetup",
        _ if GUI_CONNECT.contains(&name) => "ssm-guiconnect",
        _ => "ssm",
    }
}

#[cfg(test)]
mod tests;
