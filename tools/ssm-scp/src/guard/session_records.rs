//! The statements that keep what sessions leave: nobody but named principals removes it or shortens how long it is kept.

use serde_json::{Value, json};
use transcripts::{DESTROYS_KEY, REMOVES_LOGS, REMOVES_OBJECTS, SHORTENS_BUCKET, STOPS_TRAIL};

use super::{ROLE_ACTIONS, is_own_role};
use crate::model::SessionRecords;

/// What takes a bucket of transcripts away, or lets others in, besides what shortens it.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
const CHANGES_BUCKET: [&str; 9] = [
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
];

/// Grants give the use of a key past its policy, or take it from who has it.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>
const CHANGES_KEY: [&str; 4] = [
    "kms:CreateGrant",
    "kms:DeleteImportedKeyMaterial",
    "kms:RetireGrant",
    "kms:RevokeGrant",
];

/// What leaves events of a log group unreadable or masked.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html>
const CHANGES_LOG_GROUP: [&str; 3] = [
    "logs:AssociateKmsKey",
    "logs:DisassociateKmsKey",
    "logs:PutDataProtectionPolicy",
];

/// What silences an alert. Targets of the same ID are replaced by PutTargets.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>
const SILENCES_RULE: [&str; 5] = [
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
];

/// Returns all actions that are denied on one of the kinds of resources.
pub(crate) fn actions() -> Vec<&'static str> {
    let mut actions = [
        &REMOVES_OBJECTS[..],
        &SHORTENS_BUCKET,
        &CHANGES_BUCKET,
        &DESTROYS_KEY,
        &CHANGES_KEY,
        &REMOVES_LOGS,
        &CHANGES_LOG_GROUP,
        &STOPS_TRAIL,
        &SILENCES_RULE,
    ]
    .concat();
    actions.sort_unstable();
    actions
}

/// Returns a statement for each kind of resource that is named.
pub(super) fn statements(records: &SessionRecords, partition: &str) -> Vec<Value> {
    let named = &records.0;
    let patterns: Vec<&str> = named
        .exempt_principals
        .iter()
        .map(|principal| principal.0.as_str())
        .collect();
    let mut statements = Vec::new();
    let mut deny = |sid: &str, actions: &[&[&str]], resources: Vec<String>| {
        if resources.is_empty() {
            return;
        }
        let mut actions = actions.concat();
        actions.sort_unstable();
        statements.push(
            json!({"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources,
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": patterns}}}),
        );
    };
    let buckets = named.buckets.iter();
    let buckets = buckets.flat_map(|bucket| {
        let arn = format!("arn:{partition}:s3:::{}", bucket.0);
        let objects = format!("{arn}/*");
        [arn, objects]
    });
    deny(
        "ProtectTranscriptBuckets",
        &[&REMOVES_OBJECTS, &SHORTENS_BUCKET, &CHANGES_BUCKET],
        buckets.collect(),
    );
    let keys = named.keys.iter().map(|key| key.0.clone());
    deny(
        "ProtectTranscriptKeys",
        &[&DESTROYS_KEY, &CHANGES_KEY],
        keys.collect(),
    );
    // Policies name a log group with and without the ending, and its streams behind it.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    let groups = named.log_groups.iter().flat_map(|group| {
        let arn = format!("arn:{partition}:logs:*:*:log-group:{}", group.0);
        let streams = format!("{arn}:*");
        [arn, streams]
    });
    deny(
        "ProtectTranscriptLogGroups",
        &[&REMOVES_LOGS, &CHANGES_LOG_GROUP],
        groups.collect(),
    );
    let trails = named.trails.iter();
    let trails = trails.map(|trail| format!("arn:{partition}:cloudtrail:*:*:trail/{}", trail.0));
    deny("ProtectTrails", &[&STOPS_TRAIL], trails.collect());
    let rules = named.rules.iter();
    let rules = rules.map(|rule| format!("arn:{partition}:events:*:*:rule/{}", rule.0));
    deny("ProtectAlertRules", &[&SILENCES_RULE], rules.collect());
    // Whoever may change the role of somebody named is somebody named.
    let keepers = patterns.iter().filter(|pattern| is_own_role(pattern));
    let keepers = keepers.map(|pattern| (*pattern).to_owned()).collect();
    deny("ProtectRecordKeepers", &[&ROLE_ACTIONS], keepers);
    statements
}
