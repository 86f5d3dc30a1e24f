//! The calls that are watched, and read back, when nothing else is said.

/// Calls that open a way into a node, run something there, or change who may and what is recorded.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html>
pub(crate) const EVENTS: [&str; 31] = [
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
    "RegisterManagedInstance",
    "DeregisterManagedInstance",
    "UpdateManagedInstanceRole",
    "RegisterTaskWithMaintenanceWindow",
    "UpdateMaintenanceWindowTask",
    "StartAccessRequest",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    // Tags decide who may start sessions where policies ask for them.
    "AddTagsToResource",
    "RemoveTagsFromResource",
];
