//! What passes by itself: how long each service may take to show what was written, and the refusals that end when it does.
//! One table for all tools; which call answers what, until when, and where AWS says so.

use std::time::Duration;

use crate::{Deadline, call_error, sleep};

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
#[derive(Clone, Copy, Debug)]
pub struct PassingRefusal {
    /// Operations; empty for every one.
    pub operations: &'static [&'static str],
    /// The code of the answer.
    pub code: &'static str,
    /// Part of the message, where the same code also means something that lasts; empty for any message.
    pub words: &'static str,
    /// For how long the call is tried again.
    pub within_seconds: u64,
}

/// Every refusal that passes by itself.
#[rustfmt::skip] // A row a line.
pub const PASSING_REFUSALS: &[PassingRefusal] = &[
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
    // "A conflicting conditional operation is currently in progress against this resource"; for minutes after a bucket of
    // that name was deleted.
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    any("OperationAborted", 120),
    // A bucket of a moment ago is not known everywhere.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
    on(&["PutBucketEncryption", "PutBucketPolicy", "PutBucketVersioning", "PutPublicAccessBlock",
         "PutBucketLifecycleConfiguration", "GetBucketLifecycleConfiguration", "PutObjectLockConfiguration"], "NoSuchBucket", 90),
    // "You must wait 60 seconds after deleting a queue before you can create another queue with the same name".
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    on(&["CreateQueue"], "QueueDeletedRecently", 90),
    on(&["CreateQueue"], "AWS.SimpleQueueService.QueueDeletedRecently", 90),
    on(&["SetQueueAttributes", "GetQueueUrl"], "QueueDoesNotExist", 60),
    on(&["SetQueueAttributes", "GetQueueUrl"], "AWS.SimpleQueueService.NonExistentQueue", 60),
    // A new role, profile or policy is not known everywhere at once. The services that a role is given to say so in codes
    // that they have for other mistakes too, and in words that no page lists.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
    on(&["AttachRolePolicy", "PutRolePolicy", "AddRoleToInstanceProfile"], "NoSuchEntity", 120),
    on(&["UpdateServiceSetting", "PutTargets"], "ValidationException", 60),
    on(&["AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"], "InvalidParameterValue", 60),
    on(&["CreateFunction", "UpdateFunctionConfiguration", "PutFunctionEventInvokeConfig"],
       "InvalidParameterValueException", 60),
    with(&["PutBucketPolicy"], "MalformedPolicy", "nvalid principal", 60),
    with(&["SetQueueAttributes", "CreateQueue"], "InvalidAttributeValue", "olicy", 60),
    // What was taken off a role or a profile a moment ago still counts.
    on(&["DeleteRole", "DeleteInstanceProfile"], "DeleteConflict", 60),
    // A new key, alias or key policy: seconds, sometimes minutes.
    // https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
    on(&["CreateAlias", "EnableKeyRotation", "PutKeyPolicy"], "NotFoundException", 180),
    on(&["CreateLogGroup", "AssociateKmsKey"], "InvalidParameterException", 60),
    with(&["CreateLogGroup", "AssociateKmsKey"], "AccessDeniedException", "KMS", 60),
    // A function that is Pending, or whose update is InProgress, takes no other.
    // https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    on(&["UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction"], "ResourceConflictException", 180),
    with(&["AddPermission", "RemovePermission"], "ResourceConflictException", "in progress", 180),
    on(&["AddPermission", "PutFunctionEventInvokeConfig"], "ResourceNotFoundException", 60),
    // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/data-consistency.html
    on(&["CreateTrail", "UpdateTrail"], "InsufficientS3BucketPolicyException", 60),
    on(&["CreateTrail", "UpdateTrail"], "S3BucketDoesNotExistException", 60),
    on(&["StartLogging", "StopLogging", "UpdateTrail"], "TrailNotFoundException", 60),
    // Its targets were removed, or what used it deleted, a moment ago.
    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
    with(&["DeleteRule"], "ValidationException", "targets", 60),
    on(&["PutTargets", "CreateApiDestination"], "ResourceNotFoundException", 60),
    on(&["DeleteConnection"], "ResourceInUseException", 60),
    // One of this name is being deleted.
    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteConnection.html
    on(&["CreateConnection"], "ResourceAlreadyExistsException", 90),
    // A document, or a version of one, of a moment ago.
    // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocumentDefaultVersion.html
    on(&["UpdateDocument", "UpdateDocumentDefaultVersion"], "InvalidDocument", 60),
    on(&["UpdateDocumentDefaultVersion"], "InvalidDocumentVersion", 60),
    // A policy of a moment ago, one that was detached a moment ago, or a policy type that is being enabled.
    // https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html
    on(&["AttachPolicy", "UpdatePolicy"], "PolicyNotFoundException", 60),
    on(&["DeletePolicy"], "PolicyInUseException", 60),
    on(&["AttachPolicy"], "PolicyTypeNotEnabledException", 90),
];

const fn any(code: &'static str, within_seconds: u64) -> PassingRefusal {
    with(&[], code, "", within_seconds)
}

const fn on(
    operations: &'static [&'static str],
    code: &'static str,
    within_seconds: u64,
) -> PassingRefusal {
    with(operations, code, "", within_seconds)
}

const fn with(
    operations: &'static [&'static str],
    code: &'static str,
    words: &'static str,
    within_seconds: u64,
) -> PassingRefusal {
    PassingRefusal {
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
    let row = PASSING_REFUSALS.iter().find(|row| {
        (row.operations.is_empty() || row.operations.contains(&error.operation()))
            && row.code == code
            && error.message().contains(row.words)
    });
    row.map(|row| Duration::from_secs(row.within_seconds))
}

/// Makes a call until it is not refused any more in a way that passes by itself, or the time for that is over: for the
/// second and later calls of a change, which find what the first one has made.
///
/// # Errors
/// The last one of the call.
pub async fn retried<T>(call: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut deadline = None;
    let mut pause = Duration::from_millis(300);
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(within) = passes_within(&error) else {
            return Err(error);
        };
        if deadline
            .get_or_insert_with(|| Deadline::after(within))
            .has_passed()
        {
            return Err(error);
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(5));
    }
}
