//! A CloudFormation template that makes what a plan for an empty account and region would make. Never touches the world.
//!
//! Every change of that plan becomes a resource or a part of one, so that a template and `apply` cannot differ.

use anyhow::{Context, bail};
use cloudformation::{Resource, Template, reference};
use serde_json::{Value, json};
use toolio::{Change, Reading};

use crate::model::{Action, Desired, Encryption, Key, Observed, PublicAccessBlock};
use crate::{plan, policies, state};

/// The logical ids. CloudFormation would replace a resource whose id changes.
const KEY: &str = "SessionKey";
const ALIAS: &str = "SessionKeyAlias";
const BUCKET: &str = "TranscriptBucket";
const BUCKET_POLICY: &str = "TranscriptBucketPolicy";
const LOG_GROUP: &str = "SessionLogGroup";
const DOCUMENT: &str = "Preferences";

/// Returns the template.
///
/// # Errors
/// The desired state names a key by an alias that the stack does not make, or a text that no template can hold.
pub(crate) fn template(desired: &Desired) -> anyhow::Result<Value> {
    let empty = Observed::default();
    let (target, partition) = (cloudformation::target(), cloudformation::partition());
    let mut parts = Parts::default();
    for change in plan::plan(desired, &empty, &target, &partition)? {
        parts.add(&change)?;
    }
    parts.written()
}

/// The properties of each resource; null for one that is not made.
#[derive(Default)]
struct Parts {
    key: Value,
    alias: Value,
    bucket: Value,
    bucket_policy: Value,
    log_group: Value,
    document: Value,
}

impl Parts {
    fn add(&mut self, change: &Change<Action>) -> anyhow::Result<()> {
        let name = change.resource.as_str();
        let to = &self.resolve(&change.to)?;
        match change.action {
            Action::CreateKey => {
                self.key = json!({
                    "Description": policies::key_description(name),
                    "EnableKeyRotation": to["rotation"],
                    "KeyPolicy": to["policy"],
                });
                self.alias = json!({ "AliasName": name, "TargetKeyId": reference(KEY) });
            }
            Action::CreateBucket => self.bucket = json!({ "BucketName": name }),
            Action::PutPublicAccessBlock => {
                let block: PublicAccessBlock = serde_json::from_value(to.clone())?;
                self.bucket["PublicAccessBlockConfiguration"] = json!({
                    "BlockPublicAcls": block.block_public_acls,
                    "BlockPublicPolicy": block.block_public_policy,
                    "IgnorePublicAcls": block.ignore_public_acls,
                    "RestrictPublicBuckets": block.restrict_public_buckets,
                });
            }
            Action::PutBucketEncryption => {
                let encryption: Encryption = serde_json::from_value(to.clone())?;
                self.bucket["BucketEncryption"] = json!({ "ServerSideEncryptionConfiguration": [{
                    "BucketKeyEnabled": encryption.has_bucket_key(),
                    "ServerSideEncryptionByDefault": {
                        "SSEAlgorithm": encryption.algorithm,
                        "KMSMasterKeyID": encryption.kms_key,
                    },
                }] });
            }
            Action::PutBucketVersioning => {
                let on = to["versioning"].as_bool().unwrap_or_default();
                let status = if on { "Enabled" } else { "Suspended" };
                self.bucket["VersioningConfiguration"] = json!({ "Status": status });
            }
            Action::PutBucketPolicy => {
                self.bucket_policy =
                    json!({ "Bucket": reference(BUCKET), "PolicyDocument": to["policy"] });
            }
            Action::PutBucketLifecycle => {
                self.bucket["LifecycleConfiguration"] = json!({ "Rules": [{
                    "Id": state::LIFECYCLE_RULE,
                    "Status": "Enabled",
                    "Prefix": "",
                    "ExpirationInDays": to["expire_days"],
                }] });
            }
            Action::CreateLogGroup => {
                self.log_group = json!({ "LogGroupName": name });
                if !to["kms_key"].is_null() {
                    self.log_group["KmsKeyId"] = to["kms_key"].clone();
                }
            }
            Action::PutRetentionPolicy => {
                self.log_group["RetentionInDays"] = to["retention_days"].clone();
            }
            Action::CreateDocument => {
                self.document = json!({
                    "Name": name,
                    "DocumentType": "Session",
                    "DocumentFormat": "JSON",
                    // The very text that apply sends, for CloudFormation may turn the switches of an object into strings. It is
                    // joined because cfn-lint takes no plain text for a document.
                    "Content": { "Fn::Join": ["", [to["content"].to_string()]] },
                    // The other method replaces the document, which a fixed name does not allow.
                    // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html
                    "UpdateMethod": "NewVersion",
                });
            }
            Action::EnableKeyRotation
            | Action::DisableKeyRotation
            | Action::PutKeyPolicy
            | Action::AssociateKmsKey
            | Action::UpdateDocument
            | Action::DeleteDocument
            | Action::DeleteBucketPolicy => bail!("{}: a new account has no {name}", change.id),
        }
        Ok(())
    }

    /// Returns the state with the key of the stack in place of its alias.
    fn resolve(&self, to: &Value) -> anyhow::Result<Value> {
        let mut world = Observed::default();
        if !self.key.is_null() {
            world.key = Reading::Present(Key {
                arn: reference(&format!("{KEY}.Arn")),
                state: "Enabled".to_owned(),
                spec: "SYMMETRIC_DEFAULT".to_owned(),
                rotation: Reading::Absent,
                policy: Reading::Absent,
            });
        }
        let resolved = state::resolve(to, &world);
        // A log group wants the ARN of a key, and no function of CloudFormation tells that of an alias.
        // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
        let named = resolved["kms_key"].as_str();
        if let Some(alias) = named.filter(|key| key.contains("alias/")) {
            bail!(
                "desired preferences: $.kms_key: a template cannot tell which key {alias} is: set create, or name the key by its ARN"
            );
        }
        Ok(resolved)
    }

    /// What holds records, or decrypts them, outlives the stack; the document does not.
    fn written(self) -> anyhow::Result<Value> {
        let mut template = Template::new("Session Manager preferences, and what they log to");
        let key = Resource::new("AWS::KMS::Key", self.key).kept();
        let alias = Resource::new("AWS::KMS::Alias", self.alias).kept();
        let bucket = Resource::new("AWS::S3::Bucket", self.bucket).kept();
        let policy = Resource::new("AWS::S3::BucketPolicy", self.bucket_policy).kept();
        let log_group = Resource::new("AWS::Logs::LogGroup", self.log_group).kept();
        let mut made = Vec::new();
        for (logical_id, resource) in [
            (KEY, key),
            (ALIAS, alias),
            (BUCKET, bucket),
            (BUCKET_POLICY, policy),
            (LOG_GROUP, log_group),
        ] {
            if resource.is_wanted() {
                template.resource(logical_id, resource);
                made.push(logical_id);
            }
        }
        // The document names what must be there when the first session starts.
        let document = Resource::new("AWS::SSM::Document", self.document).after(&made);
        template.resource(DOCUMENT, document);
        template.finish().context("desired preferences")
    }
}
