//! What passes by itself: how long each service may take to show what was written, and the refusals that end when it does.
//! One table for all tools; which call answers what, until when, and where AWS says so.

use std::time::Duration;

use crate::call_error;

/// A service that a tool writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Service {
    CloudTrail,
    CloudWatchLogs,
    Ec2,
    EventBridge,
    Iam,
    Kms,
    Lambda,
    Organizations,
    S3,
    Sqs,
    Ssm,
}

impl Service {
    /// Returns how long after a write a read may still answer as before it.
    #[must_use]
    pub fn shows_within(self) -> Duration {
        Duration::from_secs(match self {
            // "In most cases .. less than a few seconds .. in some cases, several minutes".
            // https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
            Service::Kms => 180,
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
            Service::Iam => 120,
            // A function is Pending, and its update InProgress, for some time.
            // https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
            Service::Lambda => 180,
            // "The deletion process takes up to 60 seconds", and so does a change of attributes.
            // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
            // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
            Service::Sqs => 90,
            // EnablePolicyType is "an asynchronous request".
            // https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html
            Service::Organizations => 90,
            // Buckets and their settings: "changes .. might not be visible for some time".
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
            Service::S3 => 90,
            // Connections are CREATING, AUTHORIZING or DELETING first.
            // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeConnection.html
            Service::EventBridge => 90,
            // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/data-consistency.html (CloudTrail)
            Service::CloudTrail | Service::CloudWatchLogs | Service::Ec2 | Service::Ssm => 60,
        })
    }
}

/// A refusal that passes by itself.
struct Passing {
    /// Operations; empty for every one.
    operations: &'static [&'static str],
    code: &'static str,
    /// Part of the message, where the same code also means something that lasts; empty for any message.
    words: &'static str,
    within_seconds: u64,
}

const IAM: u64 = 120;

/// Every refusal that passes by itself.
const PASSING: &[Passing] = &[
    // Throttling, whatever the service calls it: an account's bucket of requests fills up again.
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    any("ThrottlingException", 120),
    any("Throttling", 120),
    any("ThrottledException", 120),
    any("RequestLimitExceeded", 120),
    any("RequestThrottled", 120),
    any("RequestThrottledException", 120),
    any("TooManyRequestsException", 120),
    any("SlowDown", 120),
    any("PriorRequestNotComplete", 120),
    // Two writers at once, or a change of a moment ago that is not finished. "Try again later" in the services' models.
    // https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html
    any("ConcurrentModificationException", 60),
    any("ConcurrentModification", 60),
    any("FinalizingOrganizationException", 120),
    any("PolicyChangesInProgressException", 120),
    // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateServiceSetting.html
    any("TooManyUpdates", 60),
    // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    any("OperationAbortedException", 60),
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: "A conflicting conditional operation is
    // currently in progress against this resource"; for minutes after a bucket of that name was deleted.
    any("OperationAborted", 120),
    // A bucket of a moment ago is not known everywhere.
    on(
        &[
            "PutBucketEncryption",
            "PutBucketPolicy",
            "PutBucketVersioning",
        ],
        "NoSuchBucket",
        90,
    ),
    on(
        &["PutBucketLifecycleConfiguration", "PutPublicAccessBlock"],
        "NoSuchBucket",
        90,
    ),
    on(&["GetBucketLifecycleConfiguration"], "NoSuchBucket", 90),
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html: "You must wait 60
    // seconds after deleting a queue before you can create another queue with the same name".
    on(&["CreateQueue"], "QueueDeletedRecently", 90),
    on(
        &["CreateQueue"],
        "AWS.SimpleQueueService.QueueDeletedRecently",
        90,
    ),
    on(
        &["SetQueueAttributes", "GetQueueUrl"],
        "QueueDoesNotExist",
        60,
    ),
    on(
        &["SetQueueAttributes", "GetQueueUrl"],
        "AWS.SimpleQueueService.NonExistentQueue",
        60,
    ),
    // A new role, profile or policy is not known everywhere at once.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
    on(
        &[
            "AttachRolePolicy",
            "PutRolePolicy",
            "AddRoleToInstanceProfile",
        ],
        "NoSuchEntity",
        IAM,
    ),
    on(
        &["DeleteRole", "DeleteInstanceProfile"],
        "DeleteConflict",
        60,
    ),
    with(
        &["UpdateServiceSetting"],
        "ValidationException",
        "role",
        IAM,
    ),
    with(
        &["AssociateIamInstanceProfile"],
        "InvalidParameterValue",
        "rofile",
        IAM,
    ),
    with(
        &["CreateFunction", "UpdateFunctionConfiguration"],
        "InvalidParameterValueException",
        "role",
        IAM,
    ),
    with(
        &["PutFunctionEventInvokeConfig"],
        "InvalidParameterValueException",
        "role",
        IAM,
    ),
    with(&["PutTargets"], "ValidationException", "ole", IAM),
    with(
        &["PutBucketPolicy"],
        "MalformedPolicy",
        "nvalid principal",
        IAM,
    ),
    // A new key, alias or key policy: seconds, sometimes minutes.
    // https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
    on(
        &[
            "CreateAlias",
            "EnableKeyRotation",
            "PutKeyPolicy",
            "GetKeyPolicy",
        ],
        "NotFoundException",
        180,
    ),
    with(
        &["CreateLogGroup", "AssociateKmsKey"],
        "AccessDeniedException",
        "KMS",
        120,
    ),
    with(
        &["CreateLogGroup", "AssociateKmsKey"],
        "InvalidParameterException",
        "KMS",
        120,
    ),
    // A function that is Pending, or whose update is InProgress, takes no other.
    // https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    with(
        &[
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "DeleteFunction",
        ],
        "ResourceConflictException",
        "",
        180,
    ),
    with(
        &["AddPermission"],
        "ResourceConflictException",
        "in progress",
        180,
    ),
    on(
        &["AddPermission", "PutFunctionEventInvokeConfig"],
        "ResourceNotFoundException",
        60,
    ),
    // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/data-consistency.html
    on(
        &["CreateTrail", "UpdateTrail"],
        "InsufficientS3BucketPolicyException",
        60,
    ),
    on(
        &["CreateTrail", "UpdateTrail"],
        "S3BucketDoesNotExistException",
        60,
    ),
    on(
        &["StartLogging", "StopLogging", "UpdateTrail"],
        "TrailNotFoundException",
        60,
    ),
    // Its targets were removed, or its destination deleted, a moment ago.
    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
    with(&["DeleteRule"], "ValidationException", "targets", 60),
    on(
        &["PutTargets", "CreateApiDestination"],
        "ResourceNotFoundException",
        60,
    ),
    on(
        &["DeleteConnection", "CreateConnection"],
        "ResourceInUseException",
        60,
    ),
    with(
        &["CreateConnection"],
        "ResourceAlreadyExistsException",
        "delet",
        60,
    ),
    // A document of a moment ago.
    on(
        &["UpdateDocument", "UpdateDocumentDefaultVersion"],
        "InvalidDocument",
        60,
    ),
    on(
        &["UpdateDocumentDefaultVersion"],
        "InvalidDocumentVersion",
        60,
    ),
    // A policy of a moment ago, or one that was detached a moment ago.
    on(
        &["AttachPolicy", "UpdatePolicy"],
        "PolicyNotFoundException",
        60,
    ),
    on(&["DeletePolicy"], "PolicyInUseException", 60),
    on(&["AttachPolicy"], "PolicyTypeNotEnabledException", 90),
];

const fn any(code: &'static str, within_seconds: u64) -> Passing {
    with(&[], code, "", within_seconds)
}

const fn on(
    operations: &'static [&'static str],
    code: &'static str,
    within_seconds: u64,
) -> Passing {
    with(operations, code, "", within_seconds)
}

const fn with(
    operations: &'static [&'static str],
    code: &'static str,
    words: &'static str,
    within_seconds: u64,
) -> Passing {
    Passing {
        operations,
        code,
        words,
        within_seconds,
    }
}

/// Returns how long to try a call again that ended in this error; `None` when the error does not pass by itself.
#[must_use]
pub fn passes_within(error: &anyhow::Error) -> Option<Duration> {
    let error = call_error(error)?;
    let code = error.code()?;
    let row = PASSING.iter().find(|row| {
        (row.operations.is_empty() || row.operations.contains(&error.operation()))
            && row.code == code
            && error.message().contains(row.words)
    });
    row.map(|row| Duration::from_secs(row.within_seconds))
}
