//! The actions by which somebody removes what sessions leave, or shortens how long it is kept: what `check` looks for in policies
//! is what a guard denies.

/// What makes unreadable whatever a key encrypts.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html>
pub const DESTROYS_KEY: [&str; 3] = [
    "kms:ScheduleKeyDeletion",
    "kms:DisableKey",
    "kms:PutKeyPolicy",
];

/// What stops a trail from recording, or from recording this.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html>
pub const STOPS_TRAIL: [&str; 4] = [
    "cloudtrail:StopLogging",
    "cloudtrail:DeleteTrail",
    "cloudtrail:UpdateTrail",
    "cloudtrail:PutEventSelectors",
];

/// What deletes objects of a bucket or takes their lock, besides [`OVERWRITES`].
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
pub const REMOVES_OBJECTS: [&str; 3] = [
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:BypassGovernanceRetention",
];

/// What replaces an object where no versions are kept. Whoever uploads transcripts needs it, so no guard can deny it.
pub const OVERWRITES: &str = "s3:PutObject";

/// What has a bucket keep objects for less long.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html>
pub const SHORTENS_BUCKET: [&str; 2] = [
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutLifecycleConfiguration",
];

/// What deletes a log group or parts of it, or shortens how long it keeps events.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html>
pub const REMOVES_LOGS: [&str; 4] = [
    "logs:DeleteLogGroup",
    "logs:DeleteLogStream",
    "logs:PutLogGroupDeletionProtection",
    "logs:PutRetentionPolicy",
];
