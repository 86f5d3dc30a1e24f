//! "Which sessions would be refused, or go unlogged, and why?" - the document against the key, bucket, log group and
//! roles behind it. What agents do with each setting: <https://github.com/aws/amazon-ssm-agent>,
//! `agent/session/shell/shell.go` (validate, initializeLogger) and `agent/session/datachannel`.

mod permissions;

use cli::{Finding, Reading, Target};
use iam_policy::{Arn, Verdict};
use serde_json::Value;
use transcripts::{BucketEncryption, Preferences, data_key, logs_may_use, needs};

use crate::finding::{error, info, unread, warning};
use crate::model::{Bucket, Key, LogGroup, ObjectLock, Observed, is_aws_managed};
use crate::owners;
use crate::roles::{NotJudged, Roles};
use crate::session_document::Inputs;

/// Returns what would keep sessions from starting, or from being logged, with this document in force.
pub(crate) fn preflight(
    content: &Value,
    observed: &Observed,
    roles: &Roles,
    target: &Target,
) -> Vec<Finding> {
    let inputs = Inputs::of(content);
    let mut findings = Vec::new();
    let not_judged = |whose: &str, NotJudged { reason, fix }| {
        let message = format!("the roles of {whose} were not judged: {reason}");
        warning("roles.unknown", "roles", message, fix)
    };
    let nodes = match roles.of_nodes(target).unwrap_or(Ok(Vec::new())) {
        Ok(nodes) => nodes,
        Err(why) => {
            findings.push(not_judged("the nodes", why));
            Vec::new()
        }
    };
    let operators = match roles.of_operators(target) {
        Ok(operators) => operators,
        Err(why) => {
            findings.push(not_judged("the operators", why));
            Vec::new()
        }
    };
    if let Some(name) = inputs.text("kmsKeyId") {
        session_key(name, &observed.key, target, &mut findings);
    }
    if let Some(name) = inputs.text("s3BucketName") {
        let demanded = inputs.on("s3EncryptionEnabled");
        bucket(name, demanded, observed, target, &mut findings);
    }
    if let Some(name) = inputs.text("cloudWatchLogGroupName") {
        let demanded = inputs.on("cloudWatchEncryptionEnabled");
        log_group(name, demanded, &observed.log_group, &mut findings);
        log_group_key(name, observed, target, &mut findings);
    }
    let partition = awsdata::partition_of(&target.region).name;
    let preferences = preferences(content, observed, target, partition);
    let of_nodes = needs(partition, target, &preferences);
    for role in &nodes {
        permissions::judged(role, &of_nodes, &mut findings);
    }
    let keys = preferences.keys.iter();
    let of_operators: Vec<_> = keys.map(|key| data_key(partition, target, key)).collect();
    for role in &operators {
        permissions::judged(role, &of_operators, &mut findings);
    }
    findings
}

/// Returns what the document asks for, with what was read of it.
fn preferences(
    content: &Value,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> Preferences {
    let mut preferences = Preferences::default();
    preferences.take(&content["inputs"], target, partition);
    // Nobody may use a key that does not exist, whatever the roles say.
    if observed.key == Reading::Absent {
        preferences.keys.clear();
    }
    for key in &mut preferences.keys {
        match &observed.key {
            Reading::Present(read) => {
                key.arn = Some(read.arn.clone());
                key.policy = read.policy.clone();
            }
            Reading::Absent => {}
            Reading::Unknown(reason) => key.policy = Reading::Unknown(reason.clone()),
        }
    }
    for bucket in &mut preferences.buckets {
        let archive = observed.archived(&bucket.name);
        bucket.is_foreign = archive.is_some();
        bucket.owner = archive.map(|archive| archive.account.clone());
        match &observed.bucket {
            Reading::Present(read) => {
                bucket.policy = read.policy.clone();
                bucket.encryption = encryption(read, observed);
                // The bucket names its key by ARN; statements may name the same one by the alias of the document.
                if let BucketEncryption::Key { key, .. } = &mut bucket.encryption {
                    let mut same = preferences.keys.iter().filter(|one| one.arn == key.arn);
                    key.alias = key.alias.take().or_else(|| same.next()?.alias.clone());
                }
            }
            Reading::Absent => {
                // Of a bucket to come the role's own side is known.
                bucket.policy = Reading::Absent;
                bucket.encryption = BucketEncryption::NeedsNothing {
                    algorithm: "AES256".to_owned(),
                };
            }
            Reading::Unknown(reason) => {
                bucket.policy = Reading::Unknown(reason.clone());
                bucket.encryption = match archive {
                    Some(archive) => owners::encryption(archive, reason),
                    None => BucketEncryption::Unknown(reason.clone()),
                };
            }
        }
    }
    preferences
}

fn encryption(bucket: &Bucket, observed: &Observed) -> BucketEncryption {
    let encryption = match &bucket.encryption {
        Reading::Present(encryption) => encryption,
        Reading::Absent => {
            return BucketEncryption::NeedsNothing {
                algorithm: String::new(),
            };
        }
        Reading::Unknown(reason) => return BucketEncryption::Unknown(reason.clone()),
    };
    let algorithm = encryption.algorithm.clone();
    let named = encryption.kms_key.as_deref();
    let Some(name) = named.filter(|key| !is_aws_managed(key)) else {
        return BucketEncryption::NeedsNothing { algorithm };
    };
    let key = match observed.key_of(name, &observed.bucket_key) {
        Reading::Present(key) => transcripts::Key {
            arn: Some(key.arn.clone()),
            alias: None,
            policy: key.policy.clone(),
        },
        other => transcripts::Key {
            arn: Some(name.to_owned()).filter(|name| name.starts_with("arn:")),
            alias: Some(name.to_owned()).filter(|name| name.starts_with("alias/")),
            policy: match other {
                Reading::Unknown(reason) => Reading::Unknown(reason.clone()),
                _ => Reading::Unknown("the key does not exist".to_owned()),
            },
        },
    };
    BucketEncryption::Key {
        algorithm,
        key,
        has_bucket_key: encryption.has_bucket_key(),
    }
}

fn session_key(name: &str, key: &Reading<Key>, target: &Target, findings: &mut Vec<Finding>) {
    let arn = key.present().map_or(name, |key| key.arn.as_str());
    let named = Arn::parse(arn);
    let is_foreign = named.is_some_and(|arn| arn.account != target.account);
    if let Some(Arn {
        region, account, ..
    }) = named
    {
        if region != target.region {
            findings.push(error("key.region", name, format!("the key is in {region}: agents and clients of {} ask KMS of their own region, so every session is refused", target.region), "name a key of this region"));
        }
        if is_foreign {
            findings.push(warning("key.cross_account", name, format!("the key belongs to account {account}: hybrid nodes (mi-) cannot use it, and both sides need its key policy"), "use a key of this account where there are hybrid nodes"));
        }
    }
    match key {
        Reading::Absent => {
            let fix = match named {
                Some(arn) if arn.resource.starts_with("key/") => "name a key that exists",
                _ => "create the key (kms_key.create) or name an existing one",
            };
            let message = "the key does not exist here: every session is refused when the handshake asks for a data key";
            findings.push(error("key.missing", name, message, fix));
        }
        // The keys of others are theirs to show.
        Reading::Unknown(reason) if is_foreign => findings.push(warning(
            "key.unknown",
            name,
            format!("the key could not be read: {reason}"),
            "have the owner of the key allow kms:DescribeKey in its key policy, and look at the policy there",
        )),
        Reading::Unknown(reason) => findings.push(unread(
            "key.unknown",
            name,
            format!("the key could not be read: {reason}"),
            "allow kms:DescribeKey, kms:GetKeyPolicy and kms:GetKeyRotationStatus",
        )),
        Reading::Present(key) => {
            if key.state != "Enabled" {
                findings.push(error(
                    "key.disabled",
                    name,
                    format!("the key is {}: every session is refused", key.state),
                    "enable the key, or cancel its deletion",
                ));
            }
            if key.spec != "SYMMETRIC_DEFAULT" {
                findings.push(error("key.spec", name, format!("the key is {}: data keys come from symmetric keys only, so every session is refused", key.spec), "name a symmetric encryption key"));
            }
        }
    }
}

fn bucket(
    name: &str,
    demanded: bool,
    observed: &Observed,
    target: &Target,
    findings: &mut Vec<Finding>,
) {
    let outcome = if demanded {
        "every session is refused"
    } else {
        "sessions run, but their transcripts are lost"
    };
    let bucket: &Bucket = match &observed.bucket {
        Reading::Present(bucket) => bucket,
        Reading::Absent => {
            return findings.push(error(
                "bucket.missing",
                name,
                format!("the bucket does not exist: {outcome}"),
                "create the bucket (s3.create) or name an existing one",
            ));
        }
        Reading::Unknown(reason) if observed.archived(name).is_some() => {
            let account = observed
                .archived(name)
                .map_or("", |archive| &archive.account);
            return findings.push(warning("bucket.unknown", name, format!("the bucket of account {account} could not be read, so that only what the roles may by their own policies is judged: {reason}"), "have its owner add the statements that plan prints (for_owners), then start one session and look for its transcript"));
        }
        Reading::Unknown(reason) => {
            return findings.push(unread("bucket.unknown", name, format!("the bucket could not be read: {reason}"), "allow s3:ListBucket, s3:GetEncryptionConfiguration and s3:GetBucketPolicy to the caller, if it is another account's in its bucket policy as well"));
        }
    };
    if bucket.region != target.region {
        let message = format!(
            "the bucket is in {}: nodes that reach S3 through a gateway endpoint of {} cannot upload",
            bucket.region, target.region
        );
        findings.push(warning(
            "bucket.region",
            name,
            message,
            "use a bucket of this region",
        ));
    }
    match &bucket.encryption {
        Reading::Unknown(reason) => findings.push(unread("bucket.unknown", name, format!("its encryption could not be read: {reason}"), "allow s3:GetEncryptionConfiguration")),
        Reading::Absent if demanded => findings.push(error("bucket.not_encrypted", name, "the document demands encryption and the bucket has no default encryption: every session is refused", "set default encryption on the bucket")),
        Reading::Present(encryption) if encryption.algorithm == "aws:kms:dsse" && demanded => {
            findings.push(error("bucket.dsse", name, "the bucket uses DSSE-KMS, which agents do not recognize as encryption: every session is refused", "use SSE-KMS (aws:kms)"));
        }
        _ => {}
    }
    if let Reading::Present(ObjectLock {
        retention: Some(_), ..
    }) = bucket.object_lock
    {
        // https://github.com/aws/amazon-ssm-agent/issues/682
        findings.push(info("bucket.ecs_exec", name, "Object Lock demands a checksum that ECS Exec does not send: its transcripts never reach this bucket, while those of Session Manager do", "have ECS Exec log to another bucket, or to CloudWatch Logs"));
    }
    let key = bucket.encryption.present();
    if let Some(name) = key.and_then(|encryption| encryption.kms_key.as_deref()) {
        bucket_key(name, observed, findings);
    }
}

/// Finds a key of the bucket that S3 cannot use, whatever the roles may.
fn bucket_key(name: &str, observed: &Observed, findings: &mut Vec<Finding>) {
    let Reading::Present(key) = observed.key_of(name, &observed.bucket_key) else {
        return;
    };
    if key.state != "Enabled" {
        findings.push(error(
            "bucket.key_disabled",
            name,
            format!(
                "the key of the bucket is {}: no transcript reaches the bucket",
                key.state
            ),
            "enable the key, or cancel its deletion",
        ));
    }
}

fn log_group(name: &str, demanded: bool, group: &Reading<LogGroup>, findings: &mut Vec<Finding>) {
    let missing = if demanded {
        "every session is refused, with a message about encryption"
    } else {
        "logging fails open: sessions start and are not logged"
    };
    match group {
        Reading::Absent => {
            findings.push(error(
                "log_group.missing",
                name,
                format!("the log group does not exist: {missing}"),
                "create the log group (cloudwatch.create) or name an existing one",
            ));
        }
        Reading::Unknown(reason) => {
            findings.push(unread(
                "log_group.unknown",
                name,
                format!("the log group could not be read: {reason}"),
                "allow logs:DescribeLogGroups",
            ));
        }
        Reading::Present(group) if demanded && group.kms_key.is_none() => {
            findings.push(error("log_group.not_encrypted", name, "the document demands encryption and the log group has no KMS key: every session is refused", "associate a key with the log group, or turn cloudwatch.encrypted off"));
        }
        Reading::Present(_) => {}
    }
}

/// Finds a key of the log group that CloudWatch Logs cannot use: nothing is written there, and no key can be associated.
pub(crate) fn log_group_key(
    name: &str,
    observed: &Observed,
    target: &Target,
    findings: &mut Vec<Finding>,
) {
    let group = observed.log_group.present();
    let Some(arn) = group.and_then(|group| group.kms_key.as_deref()) else {
        return;
    };
    let unknown = |reason: &str| {
        unread(
            "log_group.key_unknown",
            name,
            format!(
                "whether CloudWatch Logs may use the key {arn} of the log group is not known: {reason}; if not, sessions are not logged"
            ),
            "allow kms:DescribeKey and kms:GetKeyPolicy on the key of the log group",
        )
    };
    let closed = |message: String, fix| error("log_group.key_closed", name, message, fix);
    let key = match observed.key_of(arn, &observed.log_group_key) {
        Reading::Present(key) => key,
        Reading::Unknown(reason) => return findings.push(unknown(reason)),
        Reading::Absent => {
            let message =
                format!("the key {arn} of the log group does not exist: sessions are not logged");
            return findings.push(closed(message, "associate another key with the log group"));
        }
    };
    if key.state != "Enabled" {
        let message = format!(
            "the key {arn} of the log group is {}: sessions are not logged",
            key.state
        );
        findings.push(closed(message, "enable the key, or cancel its deletion"));
    }
    let partition = awsdata::partition_of(&target.region).name;
    match &key.policy {
        Reading::Present(policy) => match logs_may_use((&key.arn, policy), partition, target, name) {
            Verdict::Allowed => {}
            Verdict::Denied => findings.push(closed(
                format!("the key policy of {arn} does not let logs.{} encrypt this log group: sessions are not logged, and the key cannot be associated", target.region),
                "set kms_key.create, or add the statement for CloudWatch Logs to the key policy",
            )),
            Verdict::Unknown => findings.push(unknown("it depends on the conditions of its key policy")),
        },
        Reading::Absent => findings.push(unknown("its key policy was not read")),
        Reading::Unknown(reason) => findings.push(unknown(reason)),
    }
}
