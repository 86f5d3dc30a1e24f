//! A CloudFormation template that makes what a plan for an empty account and region would make. Never touches the world.
//!
//! Every change of that plan becomes a resource or a part of one, so that a template and `apply` cannot differ.

use anyhow::{Context, bail};
use cli::{Change, Reading};
use cloudformation::{Resource, Template, reference};
use serde_json::{Value, json};

use crate::model::{
    Action, Desired, Encryption, Key, Observed, PublicAccessBlock, Retention, RetentionMode,
};
use crate::{plan, policies, resource_state};

/// The logical IDs. CloudFormation would replace a resource whose ID changes.
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
    let mut made = Made(json!({}));
    for change in plan::plan(desired, &empty, &target, &partition)? {
        made.add(&change)?;
    }
    made.written()
}

/// The properties of each resource by its logical ID.
struct Made(Value);

impl Made {
    fn add(&mut self, change: &Change<Action>) -> anyhow::Result<()> {
        let name = change.resource.as_str();
        let to = &self.resolve(&change.to)?;
        match change.action {
            Action::CreateKey => {
                self.0[KEY] = json!({
                    "Description": policies::key_description(name),
                    "EnableKeyRotation": to["rotation"],
                    "KeyPolicy": to["policy"],
                });
                self.0[ALIAS] = json!({ "AliasName": name, "TargetKeyId": reference(KEY) });
            }
            Action::CreateBucket => {
                // Such a bucket is given a prefix in place of a name, which nothing else in the template could refer to.
                if name.ends_with(resource_state::ACCOUNT_REGIONAL) {
                    bail!(
                        "$.s3.bucket: a bucket of the account-regional namespace cannot be rendered: make it by `apply`, or choose a name \
                         that does not end in -an"
                    );
                }
                self.0[BUCKET] = json!({ "BucketName": name });
                if to["object_lock"] == true {
                    self.0[BUCKET]["ObjectLockEnabled"] = json!(true);
                }
            }
            Action::PutObjectLockConfiguration => {
                let retention: Retention = serde_json::from_value(to["retention"].clone())?;
                let mode = match retention.mode {
                    RetentionMode::Governance => "GOVERNANCE",
                    RetentionMode::Compliance => "COMPLIANCE",
                };
                self.0[BUCKET]["ObjectLockConfiguration"] = json!({
                    "ObjectLockEnabled": "Enabled",
                    "Rule": { "DefaultRetention": { "Mode": mode, "Days": retention.days } },
                });
            }
            Action::PutPublicAccessBlock => {
                let block: PublicAccessBlock = serde_json::from_value(to.clone())?;
                self.0[BUCKET]["PublicAccessBlockConfiguration"] = json!({
                    "BlockPublicAcls": block.block_public_acls,
                    "BlockPublicPolicy": block.block_public_policy,
                    "IgnorePublicAcls": block.ignore_public_acls,
                    "RestrictPublicBuckets": block.restrict_public_buckets,
                });
            }
            Action::PutBucketEncryption => {
                let encryption: Encryption = serde_json::from_value(to.clone())?;
                self.0[BUCKET]["BucketEncryption"] = json!({ "ServerSideEncryptionConfiguration": [{
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
                self.0[BUCKET]["VersioningConfiguration"] = json!({ "Status": status });
            }
            Action::PutBucketPolicy => {
                self.0[BUCKET_POLICY] =
                    json!({ "Bucket": reference(BUCKET), "PolicyDocument": to["policy"] });
            }
            Action::PutBucketLifecycle => {
                self.0[BUCKET]["LifecycleConfiguration"] = json!({ "Rules": [{
                    "Id": resource_state::LIFECYCLE_RULE,
                    "Status": "Enabled",
                    "Prefix": "",
                    "ExpirationInDays": to["expire_days"],
                }] });
            }
            Action::CreateLogGroup => {
                self.0[LOG_GROUP] = json!({ "LogGroupName": name });
                if !to["kms_key"].is_null() {
                    self.0[LOG_GROUP]["KmsKeyId"] = to["kms_key"].clone();
                }
            }
            Action::PutRetentionPolicy => {
                self.0[LOG_GROUP]["RetentionInDays"] = to["retention_days"].clone();
            }
            Action::PutLogGroupDeletionProtection => {
                self.0[LOG_GROUP]["DeletionProtectionEnabled"] = to["deletion_protection"].clone();
            }
            Action::CreateDocument => {
                self.0[DOCUMENT] = json!({
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
            Action::PutObjectLegalHold
            | Action::EnableKeyRotation
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
        if !self.0[KEY].is_null() {
            world.key = Reading::Present(Key {
                arn: reference(&format!("{KEY}.Arn")),
                state: "Enabled".to_owned(),
                spec: "SYMMETRIC_DEFAULT".to_owned(),
                rotation: Reading::Absent,
                policy: Reading::Absent,
            });
        }
        let resolved = resource_state::resolve(to, &world);
        // A log group wants the ARN of a key, and no function of CloudFormation returns that of an alias.
        // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
        let named = resolved["kms_key"].as_str();
        if let Some(alias) = named.filter(|key| key.contains("alias/")) {
            bail!(
                "desired preferences: $.kms_key: a template cannot know which key {alias} is: set create, or name the key by its ARN"
            );
        }
        Ok(resolved)
    }

    /// Returns the template of what was made. What holds records, or decrypts them, outlives the stack; the document does not.
    fn written(mut self) -> anyhow::Result<Value> {
        let mut template = Template::new("Session Manager preferences, and what they log to");
        let mut before_document = Vec::new();
        for (logical_id, kind) in [
            (KEY, "AWS::KMS::Key"),
            (ALIAS, "AWS::KMS::Alias"),
            (BUCKET, "AWS::S3::Bucket"),
            (BUCKET_POLICY, "AWS::S3::BucketPolicy"),
            (LOG_GROUP, "AWS::Logs::LogGroup"),
        ] {
            let resource = Resource::new(kind, self.0[logical_id].take()).kept();
            if resource.is_wanted() {
                template.resource(logical_id, resource);
                before_document.push(logical_id);
            }
        }
        // It names what must be there when the first session starts.
        let document = Resource::new("AWS::SSM::Document", self.0[DOCUMENT].take());
        template.resource(DOCUMENT, document.after(&before_document));
        template.finish().context("desired preferences")
    }
}
