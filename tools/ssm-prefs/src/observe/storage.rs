//! Reads the bucket and the log group that transcripts go to.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_bucket_encryption::GetBucketEncryptionOutput;
use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention, ExpirationStatus, ObjectLockLegalHoldStatus,
    ObjectLockRetentionMode,
};
use aws_smithy_runtime_api::client::result::SdkError;
use awsconf::{Session, reading};
use cli::Reading;
use records::BucketEncryption;

use super::parse;
use crate::model::{
    Bucket, Encryption, LogGroup, ObjectLock, PublicAccessBlock, Retention, RetentionMode,
};

pub(super) async fn bucket(client: &aws_sdk_s3::Client, name: &str) -> Reading<Bucket> {
    let region = match client.head_bucket().bucket(name).send().await {
        Ok(answer) => answer.bucket_region().unwrap_or_default().to_owned(),
        Err(error) => {
            // HEAD answers carry no body, so the status and one header say it all.
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
            let response = error.raw_response();
            let status = response.map(|response| response.status().as_u16());
            return match (status, awsconf::bucket_region(&error), &error) {
                (Some(404), _, _) => Reading::Absent,
                (Some(301), Some(region), _) => Reading::Present(unread(region)),
                (Some(403), _, SdkError::ServiceError(_)) => Reading::Unknown(format!(
                    "HeadBucket {name}: 403: no permission, or the bucket belongs to another account"
                )),
                _ => Reading::Unknown(format!(
                    "{:#}",
                    awsconf::describe(format!("HeadBucket {name}"), error)
                )),
            };
        }
    };
    let encryption = default_encryption(client, name).await;
    let versioning = client.get_bucket_versioning().bucket(name).send().await;
    let versioning = reading(format!("GetBucketVersioning {name}"), &[], versioning);
    let access = client.get_public_access_block().bucket(name).send().await;
    let access = reading(
        format!("GetPublicAccessBlock {name}"),
        &["NoSuchPublicAccessBlockConfiguration"],
        access,
    );
    let policy = bucket_policy(client, name).await;
    let lifecycle = client
        .get_bucket_lifecycle_configuration()
        .bucket(name)
        .send()
        .await;
    let lifecycle = reading(
        format!("GetBucketLifecycleConfiguration {name}"),
        &["NoSuchLifecycleConfiguration"],
        lifecycle,
    );
    let object_lock = object_lock(client, name).await;
    Reading::Present(Bucket {
        region,
        object_lock,
        encryption,
        versioning: versioning.map(|answer| answer.status == Some(BucketVersioningStatus::Enabled)),
        public_access_block: access.and_then(|answer| {
            answer
                .public_access_block_configuration
                .map_or(Reading::Absent, |block| {
                    Reading::Present(PublicAccessBlock {
                        block_public_acls: block.block_public_acls.unwrap_or_default(),
                        ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
                        block_public_policy: block.block_public_policy.unwrap_or_default(),
                        restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
                    })
                })
        }),
        policy,
        expirations: lifecycle.map(|answer| {
            let enabled = answer.rules.unwrap_or_default().into_iter();
            let enabled = enabled.filter(|rule| rule.status == ExpirationStatus::Enabled);
            enabled
                .filter_map(|rule| Some((rule.id?, rule.expiration?.days?)))
                .collect()
        }),
    })
}

/// Returns a session in the region of a bucket.
pub(super) async fn session_of(
    client: &aws_sdk_s3::Client,
    session: &Session,
    name: &str,
) -> Session {
    let head = client.head_bucket().bucket(name).send().await;
    awsconf::at_bucket(session, head.as_ref().map(HeadBucketOutput::bucket_region))
}

/// Reads how a bucket encrypts by default, which whoever may upload may often see and nothing else.
pub(super) async fn default_encryption(
    client: &aws_sdk_s3::Client,
    name: &str,
) -> Reading<Encryption> {
    let answer = client.get_bucket_encryption().bucket(name).send().await;
    let none = ["ServerSideEncryptionConfigurationNotFoundError"];
    let answer = reading(format!("GetBucketEncryption {name}"), &none, answer);
    answer.and_then(|answer| {
        // Agents look at the first rule only: agent/s3util IsBucketEncrypted.
        let rules = answer
            .server_side_encryption_configuration
            .map(|all| all.rules)
            .unwrap_or_default();
        let default = rules
            .into_iter()
            .next()
            .and_then(|rule| rule.apply_server_side_encryption_by_default);
        default.map_or(Reading::Absent, |default| {
            Reading::Present(Encryption {
                algorithm: default.sse_algorithm.as_str().to_owned(),
                kms_key: default.kms_master_key_id,
            })
        })
    })
}

async fn object_lock(client: &aws_sdk_s3::Client, name: &str) -> Reading<ObjectLock> {
    let answer = client.get_object_lock_configuration().bucket(name).send();
    let call = format!("GetObjectLockConfiguration {name}");
    let none = ["ObjectLockConfigurationNotFoundError"];
    let answer = reading(call.clone(), &none, answer.await);
    answer.and_then(|answer| {
        let rule = answer.object_lock_configuration.and_then(|all| all.rule);
        match rule.and_then(|rule| rule.default_retention) {
            None => Reading::Present(ObjectLock::default()),
            Some(default) => match retention(&default) {
                Some(retention) => Reading::Present(ObjectLock {
                    retention: Some(retention),
                }),
                None => Reading::Unknown(format!("{call}: a default that is not known here")),
            },
        }
    })
}

/// Returns whether an object, `BUCKET/KEY`, is held; absent when there is none.
pub(super) async fn is_held(client: &aws_sdk_s3::Client, object: &str) -> Reading<bool> {
    let Some((bucket, key)) = object.split_once('/') else {
        return Reading::Absent;
    };
    let call = || format!("GetObjectLegalHold {object}");
    let answer = client.get_object_legal_hold().bucket(bucket).key(key);
    let answer = answer.send().await.map(Some);
    // Of an object that never was held there is no configuration.
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html
    let code = answer.as_ref().err().and_then(|error| error.code());
    if matches!(
        code,
        Some("NoSuchObjectLockConfiguration" | "ObjectLockConfigurationNotFoundError")
    ) {
        return Reading::Present(false);
    }
    let answer = reading(call(), &["NoSuchKey", "NoSuchBucket"], answer);
    answer.map(|answer| {
        let hold = answer.and_then(|answer| answer.legal_hold);
        hold.is_some_and(|hold| hold.status == Some(ObjectLockLegalHoldStatus::On))
    })
}

/// A default is in days or in years: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html>.
fn retention(default: &DefaultRetention) -> Option<Retention> {
    const DAYS_OF_YEAR: i32 = 365;
    let mode = match default.mode.as_ref()? {
        ObjectLockRetentionMode::Governance => RetentionMode::Governance,
        ObjectLockRetentionMode::Compliance => RetentionMode::Compliance,
        _ => return None,
    };
    // Servers write the one that is not there as 0 or leave it out.
    let days = default.days.filter(|days| *days > 0);
    let years = default.years.filter(|years| *years > 0);
    let days = days.or_else(|| years?.checked_mul(DAYS_OF_YEAR))?;
    Some(Retention { mode, days })
}

pub(super) async fn bucket_policy(
    client: &aws_sdk_s3::Client,
    name: &str,
) -> Reading<serde_json::Value> {
    let policy = client.get_bucket_policy().bucket(name).send().await;
    let none = ["NoSuchBucketPolicy", "NoSuchBucket"];
    let policy = reading(format!("GetBucketPolicy {name}"), &none, policy);
    policy.and_then(|answer| parse(&format!("policy of {name}"), answer.policy()))
}

/// Reads the default encryption alone, and whether the bucket is known to belong to another account: one that answers, but not when
/// it is to be this account's. The key is named as the bucket has it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
pub(super) async fn bucket_encryption(
    client: &aws_sdk_s3::Client,
    account: &str,
    name: &str,
) -> (Reading<BucketEncryption>, bool) {
    let request = client.get_bucket_encryption().bucket(name);
    let own = request.clone().expected_bucket_owner(account).send().await;
    let is_refused = own.as_ref().is_err_and(|error| {
        let response = error.raw_response();
        response.is_some_and(|response| response.status().as_u16() == 403)
    });
    let answer = match is_refused {
        true => request.send().await,
        false => own,
    };
    let is_of_another = is_refused && answer.is_ok();
    let call = format!("GetBucketEncryption {name}");
    let answer = reading(call, &["NoSuchBucket"], answer);
    let encryption = answer.and_then(|answer| as_records_have_it(answer, name));
    (encryption, is_of_another)
}

fn as_records_have_it(answer: GetBucketEncryptionOutput, name: &str) -> Reading<BucketEncryption> {
    let rules = answer.server_side_encryption_configuration;
    let rule = rules.and_then(|all| all.rules.into_iter().next());
    let bucket_key = rule.as_ref().and_then(|rule| rule.bucket_key_enabled);
    let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default);
    match default {
        Some(default) => Reading::Present(BucketEncryption {
            algorithm: default.sse_algorithm.as_str().to_owned(),
            kms_key: default.kms_master_key_id,
            kms_alias: None,
            bucket_key: bucket_key.unwrap_or_default(),
        }),
        None => Reading::Unknown(format!("GetBucketEncryption {name}: no rule in the answer")),
    }
}

/// A bucket of another region: only where it is is known.
fn unread(region: &str) -> Bucket {
    let elsewhere = || format!("the bucket is in {region}");
    Bucket {
        region: region.to_owned(),
        encryption: Reading::Unknown(elsewhere()),
        versioning: Reading::Unknown(elsewhere()),
        public_access_block: Reading::Unknown(elsewhere()),
        policy: Reading::Unknown(elsewhere()),
        expirations: Reading::Unknown(elsewhere()),
        object_lock: Reading::Unknown(elsewhere()),
    }
}

pub(super) async fn log_group(
    client: &aws_sdk_cloudwatchlogs::Client,
    name: &str,
) -> Reading<LogGroup> {
    // There is no call for one log group by name; the prefix may match others too.
    let mut pages = client
        .describe_log_groups()
        .log_group_name_prefix(name)
        .into_paginator()
        .items()
        .send();
    loop {
        match pages.try_next().await {
            Ok(Some(group)) if group.log_group_name() == Some(name) => {
                return Reading::Present(LogGroup {
                    arn: group.arn().unwrap_or_default().to_owned(),
                    kms_key: group.kms_key_id().map(str::to_owned),
                    retention_days: group.retention_in_days(),
                    deletion_protection: group.deletion_protection_enabled() == Some(true),
                });
            }
            Ok(Some(_)) => {}
            Ok(None) => return Reading::Absent,
            Err(error) => {
                let call = format!("DescribeLogGroups {name}");
                return Reading::Unknown(format!("{:#}", awsconf::describe(call, error)));
            }
        }
    }
}
