//! One AWS write per action.

use anyhow::Context;
use aws_sdk_s3::types as s3;
use aws_sdk_ssm::operation::update_document::UpdateDocumentError;
use aws_sdk_ssm::types::{DocumentFormat, DocumentType};
use awsconf::{Session, describe};
use cli::{Change, Reading};
use serde_json::Value;

use super::{kept, key};
use crate::model::{Action, DOCUMENT, Encryption, Observed, PublicAccessBlock};
use crate::observe::{Clients, wait_until_active};
use crate::resource_state::{self, LIFECYCLE_RULE};
use crate::session_document::normalized;

/// Makes one change; `to` has the key's alias resolved.
pub(super) async fn write(
    clients: &Clients,
    session: &Session,
    change: &Change<Action>,
    to: &Value,
    before: &Observed,
) -> anyhow::Result<()> {
    let name = change.resource.as_str();
    match change.action {
        Action::CreateKey => key::create(clients, name, to).await,
        Action::EnableKeyRotation | Action::DisableKeyRotation | Action::PutKeyPolicy => {
            let key = before
                .key
                .present()
                .with_context(|| format!("key {name} is gone"))?;
            key::change(clients, &key.arn, change.action, to).await
        }
        Action::CreateLogGroup | Action::PutRetentionPolicy | Action::AssociateKmsKey => {
            change_log_group(clients, name, change.action, to).await
        }
        Action::PutLogGroupDeletionProtection => {
            kept::put_deletion_protection(clients, name, to).await
        }
        Action::PutObjectLockConfiguration => kept::put_object_lock(clients, name, to).await,
        Action::PutObjectLegalHold => kept::put_legal_hold(clients, name, to).await,
        Action::CreateDocument | Action::UpdateDocument | Action::DeleteDocument => {
            change_document(clients, change.action, to, before).await
        }
        Action::CreateBucket => create_bucket(clients, session, name, to).await,
        Action::PutBucketLifecycle => put_lifecycle(clients, name, to).await,
        Action::PutPublicAccessBlock
        | Action::PutBucketEncryption
        | Action::PutBucketVersioning
        | Action::PutBucketPolicy
        | Action::DeleteBucketPolicy => change_bucket(clients, name, change.action, to).await,
    }
}

async fn create_bucket(
    clients: &Clients,
    session: &Session,
    name: &str,
    to: &Value,
) -> anyhow::Result<()> {
    let region = session.target.region.as_str();
    // us-east-1 must not be named: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    let place = (region != "us-east-1").then(|| {
        s3::CreateBucketConfiguration::builder()
            .location_constraint(region.into())
            .build()
    });
    let sent = clients
        .s3
        .create_bucket()
        .bucket(name)
        .set_create_bucket_configuration(place)
        .set_object_lock_enabled_for_bucket(to["object_lock"].as_bool())
        .set_bucket_namespace(
            name.ends_with(resource_state::ACCOUNT_REGIONAL)
                .then_some(s3::BucketNamespace::AccountRegional),
        )
        .send()
        .await;
    sent.map(drop)
        .map_err(|error| describe(format!("CreateBucket {name}"), error))
}

async fn change_bucket(
    clients: &Clients,
    name: &str,
    action: Action,
    to: &Value,
) -> anyhow::Result<()> {
    match action {
        Action::PutPublicAccessBlock => {
            let wanted: PublicAccessBlock = serde_json::from_value(to.clone())?;
            let block = s3::PublicAccessBlockConfiguration::builder()
                .block_public_acls(wanted.block_public_acls)
                .ignore_public_acls(wanted.ignore_public_acls)
                .block_public_policy(wanted.block_public_policy)
                .restrict_public_buckets(wanted.restrict_public_buckets)
                .build();
            let sent = clients.s3.put_public_access_block().bucket(name);
            let sent = sent.public_access_block_configuration(block).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutPublicAccessBlock {name}"), error))
        }
        Action::PutBucketEncryption => {
            let wanted: Encryption = serde_json::from_value(to.clone())?;
            let has_bucket_key = wanted.has_bucket_key();
            let default = s3::ServerSideEncryptionByDefault::builder()
                .sse_algorithm(wanted.algorithm.as_str().into())
                .set_kms_master_key_id(wanted.kms_key)
                .build()?;
            let rule = s3::ServerSideEncryptionRule::builder()
                .apply_server_side_encryption_by_default(default)
                .bucket_key_enabled(has_bucket_key)
                .build();
            let rules = s3::ServerSideEncryptionConfiguration::builder()
                .rules(rule)
                .build()?;
            let sent = clients.s3.put_bucket_encryption().bucket(name);
            let sent = sent
                .server_side_encryption_configuration(rules)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutBucketEncryption {name}"), error))
        }
        Action::PutBucketVersioning => {
            let on = to["versioning"].as_bool().unwrap_or_default();
            let status = if on {
                s3::BucketVersioningStatus::Enabled
            } else {
                s3::BucketVersioningStatus::Suspended
            };
            let wanted = s3::VersioningConfiguration::builder()
                .status(status)
                .build();
            let sent = clients
                .s3
                .put_bucket_versioning()
                .bucket(name)
                .versioning_configuration(wanted)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutBucketVersioning {name}"), error))
        }
        Action::DeleteBucketPolicy => {
            let sent = clients.s3.delete_bucket_policy().bucket(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteBucketPolicy {name}"), error))
        }
        _ => {
            let sent = clients
                .s3
                .put_bucket_policy()
                .bucket(name)
                .policy(to["policy"].to_string())
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutBucketPolicy {name}"), error))
        }
    }
}

/// Replaces this tool's own rule. The call takes the whole configuration, so the other rules are read and sent along.
async fn put_lifecycle(clients: &Clients, name: &str, to: &Value) -> anyhow::Result<()> {
    let read = clients
        .s3
        .get_bucket_lifecycle_configuration()
        .bucket(name)
        .send()
        .await;
    let call = || format!("GetBucketLifecycleConfiguration {name}");
    let mut rules = match awsconf::reading(call(), &["NoSuchLifecycleConfiguration"], read) {
        Reading::Present(answer) => answer.rules.unwrap_or_default(),
        Reading::Absent => Vec::new(),
        Reading::Unknown(reason) => anyhow::bail!(reason),
    };
    rules.retain(|rule| rule.id() != Some(LIFECYCLE_RULE));
    if let Some(days) = to["expire_days"].as_i64() {
        let days = i32::try_from(days).context("expire_days is too large")?;
        let rule = s3::LifecycleRule::builder()
            .id(LIFECYCLE_RULE)
            .status(s3::ExpirationStatus::Enabled)
            .filter(s3::LifecycleRuleFilter::builder().prefix("").build())
            .expiration(s3::LifecycleExpiration::builder().days(days).build())
            .build()?;
        rules.push(rule);
    }
    if rules.is_empty() {
        let sent = clients
            .s3
            .delete_bucket_lifecycle()
            .bucket(name)
            .send()
            .await;
        return sent
            .map(drop)
            .map_err(|error| describe(format!("DeleteBucketLifecycle {name}"), error));
    }
    let wanted = s3::BucketLifecycleConfiguration::builder()
        .set_rules(Some(rules))
        .build()?;
    let sent = clients
        .s3
        .put_bucket_lifecycle_configuration()
        .bucket(name)
        .lifecycle_configuration(wanted);
    sent.send()
        .await
        .map(drop)
        .map_err(|error| describe(format!("PutBucketLifecycleConfiguration {name}"), error))
}

async fn change_log_group(
    clients: &Clients,
    name: &str,
    action: Action,
    to: &Value,
) -> anyhow::Result<()> {
    let key = to["kms_key"].as_str().map(str::to_owned);
    match (action, key) {
        (Action::CreateLogGroup, key) => {
            let sent = clients
                .logs
                .create_log_group()
                .log_group_name(name)
                .set_kms_key_id(key)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("CreateLogGroup {name}"), error))
        }
        (Action::AssociateKmsKey, Some(key)) => {
            let sent = clients
                .logs
                .associate_kms_key()
                .log_group_name(name)
                .kms_key_id(key)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("AssociateKmsKey {name}"), error))
        }
        (Action::AssociateKmsKey, None) => {
            let sent = clients
                .logs
                .disassociate_kms_key()
                .log_group_name(name)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("DisassociateKmsKey {name}"), error))
        }
        _ => match to["retention_days"].as_i64() {
            Some(days) => {
                let days = i32::try_from(days).context("retention_days is too large")?;
                let sent = clients
                    .logs
                    .put_retention_policy()
                    .log_group_name(name)
                    .retention_in_days(days)
                    .send()
                    .await;
                sent.map(drop)
                    .map_err(|error| describe(format!("PutRetentionPolicy {name}"), error))
            }
            None => {
                let sent = clients
                    .logs
                    .delete_retention_policy()
                    .log_group_name(name)
                    .send()
                    .await;
                sent.map(drop)
                    .map_err(|error| describe(format!("DeleteRetentionPolicy {name}"), error))
            }
        },
    }
}

async fn change_document(
    clients: &Clients,
    action: Action,
    to: &Value,
    before: &Observed,
) -> anyhow::Result<()> {
    let ssm = &clients.ssm;
    match (action, before.document.present()) {
        (Action::DeleteDocument, _) => {
            let sent = ssm.delete_document().name(DOCUMENT).send().await;
            return sent
                .map(drop)
                .map_err(|error| describe(format!("DeleteDocument {DOCUMENT}"), error));
        }
        (_, None) => {
            let sent = ssm
                .create_document()
                .name(DOCUMENT)
                .document_type(DocumentType::Session)
                .document_format(DocumentFormat::Json)
                .content(to["content"].to_string())
                .send()
                .await;
            sent.map_err(|error| describe(format!("CreateDocument {DOCUMENT}"), error))?;
            return wait_until_active(ssm).await;
        }
        (_, Some(document))
            if normalized(&document.latest.content) == normalized(&to["content"]) =>
        {
            return set_default(clients, &document.latest.version).await;
        }
        _ => {}
    }
    // By its number instead of $LATEST, so that AWS refuses when somebody has made another version since.
    // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocument.html
    let document = before.document.present();
    let sent = ssm
        .update_document()
        .name(DOCUMENT)
        .set_document_version(document.map(|document| document.latest.version.clone()))
        .document_format(DocumentFormat::Json)
        .content(to["content"].to_string())
        .send()
        .await;
    let version = match sent {
        Ok(answer) => answer
            .document_description()
            .and_then(|d| d.document_version())
            .map(str::to_owned),
        // Somebody wrote the same content a moment ago; it still has to become the default.
        Err(error)
            if matches!(
                error.as_service_error(),
                Some(UpdateDocumentError::DuplicateDocumentContent(_))
            ) =>
        {
            None
        }
        Err(error) => return Err(describe(format!("UpdateDocument {DOCUMENT}"), error)),
    };
    wait_until_active(ssm).await?;
    let version = match version {
        Some(version) => version,
        None => {
            let described = ssm.describe_document().name(DOCUMENT).send().await;
            let described = described
                .map_err(|error| describe(format!("DescribeDocument {DOCUMENT}"), error))?;
            let latest = described
                .document()
                .and_then(|document| document.latest_version())
                .map(str::to_owned);
            latest.context("DescribeDocument: answer without latest version")?
        }
    };
    set_default(clients, &version).await
}

/// A new version is not in force until it is the default one.
async fn set_default(clients: &Clients, version: &str) -> anyhow::Result<()> {
    let sent = clients
        .ssm
        .update_document_default_version()
        .name(DOCUMENT)
        .document_version(version)
        .send()
        .await;
    sent.map(drop).map_err(|error| {
        describe(
            format!("UpdateDocumentDefaultVersion {DOCUMENT} to {version}"),
            error,
        )
    })
}
