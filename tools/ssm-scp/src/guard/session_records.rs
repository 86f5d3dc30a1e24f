//! The statements that keep what sessions leave: nobody but named principals removes it or shortens how long it is kept.

use serde_json::{Value, json};
use transcripts::{DESTROYS_KEY, REMOVES_LOGS, REMOVES_OBJECTS, SHORTENS_BUCKET, STOPS_TRAIL};

use super::{ROLE_ACTIONS, is_own_role};
use crate::model::SessionRecords;

/// What takes a bucket of transcripts away, or lets others in or copies it to them, besides what shortens it. Not
/// `s3:PutObjectAcl`, which lets others read an object: nodes need it to upload to a bucket of another account.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
const CHANGES_BUCKET: [&str; 11] = [
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutReplicationConfiguration",
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

/// What keeps an alert from where it is sent. No rule names its connection, so that all of them are meant.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html>
const CUTS_OFF_ALERTS: [&str; 5] = [
    "events:DeauthorizeConnection",
    "events:DeleteApiDestination",
    "events:DeleteConnection",
    "events:UpdateApiDestination",
    "events:UpdateConnection",
];

/// Each kind of records: the Sid of its statement, and what nobody else may do to it.
const KINDS: [(&str, &[&[&str]]); 6] = [
    (
        "ProtectTranscriptBuckets",
        &[&REMOVES_OBJECTS, &SHORTENS_BUCKET, &CHANGES_BUCKET],
    ),
    ("ProtectTranscriptKeys", &[&DESTROYS_KEY, &CHANGES_KEY]),
    (
        "ProtectTranscriptLogGroups",
        &[&REMOVES_LOGS, &CHANGES_LOG_GROUP],
    ),
    ("ProtectTrails", &[&STOPS_TRAIL]),
    ("ProtectAlertRules", &[&SILENCES_RULE]),
    ("ProtectAlertDestinations", &[&CUTS_OFF_ALERTS]),
];

const KEEPERS: &str = "ProtectRecordKeepers";

/// The records of one kind: what nobody else may do to them.
pub(crate) struct Protected {
    sid: &'static str,
    pub(crate) actions: Vec<&'static str>,
    /// Patterns of ARNs.
    pub(crate) resources: Vec<String>,
}

/// Returns all actions that are denied on one of the kinds of resources.
pub(crate) fn actions() -> Vec<&'static str> {
    let mut actions: Vec<&str> = KINDS.iter().flat_map(|(_, sets)| sets.concat()).collect();
    actions.sort_unstable();
    actions
}

/// Returns each statement that there may be: its Sid and its actions.
pub(super) fn written() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let kinds = KINDS.iter().map(|(sid, sets)| (*sid, sets.concat()));
    kinds.chain([(KEEPERS, ROLE_ACTIONS.to_vec())])
}

/// Returns the kinds of which any is named.
pub(crate) fn protected(records: &SessionRecords, partition: &str) -> Vec<Protected> {
    let named = &records.0;
    let buckets = named.buckets.iter();
    let buckets = buckets.flat_map(|bucket| {
        let arn = format!("arn:{partition}:s3:::{}", bucket.0);
        let objects = format!("{arn}/*");
        [arn, objects]
    });
    let keys = named.keys.iter().map(|key| key.0.clone());
    // Policies name a log group with and without the ending, and its streams behind it.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    let groups = named.log_groups.iter().flat_map(|group| {
        let arn = format!("arn:{partition}:logs:*:*:log-group:{}", group.0);
        let streams = format!("{arn}:*");
        [arn, streams]
    });
    let trails = named.trails.iter();
    let trails = trails.map(|trail| format!("arn:{partition}:cloudtrail:*:*:trail/{}", trail.0));
    let rules = named.rules.iter();
    let rules = rules.map(|rule| format!("arn:{partition}:events:*:*:rule/{}", rule.0));
    let destinations = match named.rules.is_empty() {
        true => &[][..],
        false => &["api-destination", "connection"],
    };
    let destinations = destinations.iter();
    let destinations = destinations.map(|kind| format!("arn:{partition}:events:*:*:{kind}/*"));
    let resources: [Vec<String>; KINDS.len()] = [
        buckets.collect(),
        keys.collect(),
        groups.collect(),
        trails.collect(),
        rules.collect(),
        destinations.collect(),
    ];
    let kinds = KINDS.iter().zip(resources);
    let named = kinds.filter(|(_, resources)| !resources.is_empty());
    named
        .map(|((sid, sets), resources)| {
            let mut actions = sets.concat();
            actions.sort_unstable();
            Protected {
                sid,
                actions,
                resources,
            }
        })
        .collect()
}

/// Returns a statement for each kind of resource that is named.
pub(super) fn statements(records: &SessionRecords, partition: &str) -> Vec<Value> {
    let patterns: Vec<&str> = keepers(records).collect();
    let deny = |sid: &str, actions: &[&str], resources: &[String]| {
        json!({"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources,
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": patterns}}})
    };
    let protected = protected(records, partition);
    let mut statements: Vec<Value> = protected
        .iter()
        .map(|one| deny(one.sid, &one.actions, &one.resources))
        .collect();
    // Whoever may change the role of somebody named is somebody named.
    let roles = patterns.iter().filter(|pattern| is_own_role(pattern));
    let roles: Vec<String> = roles.map(|pattern| (*pattern).to_owned()).collect();
    if !roles.is_empty() {
        let mut actions = ROLE_ACTIONS;
        actions.sort_unstable();
        statements.push(deny(KEEPERS, &actions, &roles));
    }
    statements
}

/// Returns the patterns of who may still change them.
pub(crate) fn keepers(records: &SessionRecords) -> impl Iterator<Item = &str> {
    let principals = records.0.exempt_principals.iter();
    principals.map(|principal| principal.0.as_str())
}
