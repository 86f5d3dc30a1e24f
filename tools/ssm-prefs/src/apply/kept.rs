//! Writes what keeps transcripts from being removed: Object Lock of the bucket, deletion protection of the log group.

use anyhow::Context;
use aws_sdk_s3::types as s3;
use awsconf::describe;
use serde_json::Value;

use crate::model::{Retention, RetentionMode};
use crate::observe::Clients;

/// Sets what every new object is locked with; without a retention it removes the rule, and what is locked stays so.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html>
pub(super) async fn put_object_lock(
    clients: &Clients,
    bucket: &str,
    to: &Value,
) -> anyhow::Result<()> {
    let retention: Option<Retention> = serde_json::from_value(to["retention"].clone())?;
    let rule = retention.map(|retention| {
        let mode = match retention.mode {
            RetentionMode::Governance => s3::ObjectLockRetentionMode::Governance,
            RetentionMode::Compliance => s3::ObjectLockRetentionMode::Compliance,
        };
        let default = s3::DefaultRetention::builder()
            .mode(mode)
            .days(retention.days);
        s3::ObjectLockRule::builder()
            .default_retention(default.build())
            .build()
    });
    let wanted = s3::ObjectLockConfiguration::builder()
        .object_lock_enabled(s3::ObjectLockEnabled::Enabled)
        .set_rule(rule);
    let request = clients.s3.put_object_lock_configuration().bucket(bucket);
    let request = request.object_lock_configuration(wanted.build());
    let sent = request.send().await;
    sent.map(drop)
        .map_err(|error| describe(format!("PutObjectLockConfiguration {bucket}"), error))
}

/// Holds a transcript, or releases it; `object` is `BUCKET/KEY`. Only the version that is there now is held.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html>
pub(super) async fn put_legal_hold(
    clients: &Clients,
    object: &str,
    to: &Value,
) -> anyhow::Result<()> {
    let (bucket, key) = object.split_once('/').context("expected BUCKET/KEY")?;
    let status = match to["legal_hold"] == true {
        true => s3::ObjectLockLegalHoldStatus::On,
        false => s3::ObjectLockLegalHoldStatus::Off,
    };
    let hold = s3::ObjectLockLegalHold::builder().status(status).build();
    let request = clients.s3.put_object_legal_hold().bucket(bucket).key(key);
    let sent = request.legal_hold(hold).send().await;
    sent.map(drop)
        .map_err(|error| describe(format!("PutObjectLegalHold {object}"), error))
}

/// Turns deletion protection of a log group on or off.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protecting-log-groups-from-deletion.html>
pub(super) async fn put_deletion_protection(
    clients: &Clients,
    log_group: &str,
    to: &Value,
) -> anyhow::Result<()> {
    let request = clients.logs.put_log_group_deletion_protection();
    let request = request.log_group_identifier(log_group);
    let is_on = to["deletion_protection"].as_bool().unwrap_or_default();
    let sent = request.deletion_protection_enabled(is_on).send().await;
    sent.map(drop)
        .map_err(|error| describe(format!("PutLogGroupDeletionProtection {log_group}"), error))
}
