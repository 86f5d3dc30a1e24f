//! "Which sessions would be refused, or go unlogged, and why?" - the document against the key, bucket, log group and
//! roles behind it. What agents do with each setting: <https://github.com/aws/amazon-ssm-agent>,
//! `agent/session/shell/shell.go` (validate, initializeLogger) and `agent/session/datachannel`.

use cli::{Finding, Reading, Target};
use iam_policy::{Arn, Verdict};
use serde_json::Value;

use crate::finding::{error, warning};
use crate::model::{Bucket, Key, LogGroup, Observed};
use crate::roles::{NodeRoles, Role, may_use_key};
use crate::session_document::Inputs;

/// The roles whose policies are known: those of nodes and those of the people who start sessions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles {
    /// None when nobody gave them.
    pub(crate) nodes: Option<NodeRoles>,
    pub(crate) operators: Vec<Role>,
}

/// Returns what would keep sessions from starting, or from being logged, with this document in force.
pub(crate) fn preflight(
    content: &Value,
    observed: &Observed,
    roles: &Roles,
    target: &Target,
) -> Vec<Finding> {
    let inputs = Inputs::of(content);
    let mut findings = Vec::new();
    let nodes = match roles.nodes.as_ref().map(|nodes| nodes.at(target)) {
        None => Vec::new(),
        Some(Ok(nodes)) => nodes,
        Some(Err(reason)) => {
            findings.push(warning(
                "roles.unknown",
                "roles",
                format!("the roles of the nodes were not judged: {reason}"),
                "run `ssm-role show` for this account and region, and pass what it prints to --roles",
            ));
            Vec::new()
        }
    };
    if let Some(name) = inputs.text("kmsKeyId") {
        let asked = (nodes.as_slice(), roles.operators.as_slice());
        session_key(name, &observed.key, asked, target, &mut findings);
    }
    if let Some(name) = inputs.text("s3BucketName") {
        let prefix = inputs.text("s3KeyPrefix").unwrap_or_default();
        let transcripts = Transcripts {
            name,
            prefix,
            demanded: inputs.on("s3EncryptionEnabled"),
        };
        bucket(&transcripts, observed, &nodes, target, &mut findings);
    }
    if let Some(name) = inputs.text("cloudWatchLogGroupName") {
        let demanded = inputs.on("cloudWatchEncryptionEnabled");
        log_group(
            name,
            demanded,
            &observed.log_group,
            &nodes,
            target,
            &mut findings,
        );
    }
    findings
}

fn session_key(
    name: &str,
    key: &Reading<Key>,
    (nodes, operators): (&[Role], &[Role]),
    target: &Target,
    findings: &mut Vec<Finding>,
) {
    let key = match key {
        Reading::Present(key) => key,
        Reading::Absent => {
            let message = "the key does not exist here: every session is refused when the handshake asks for a data key";
            return findings.push(error(
                "key.missing",
                name,
                message,
                "create the key (kms_key.create) or name an existing one",
            ));
        }
        Reading::Unknown(reason) => {
            return findings.push(warning(
                "key.unknown",
                name,
                format!("the key could not be read: {reason}"),
                "allow kms:DescribeKey, kms:GetKeyPolicy and kms:GetKeyRotationStatus",
            ));
        }
    };
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
    if let Some(Arn {
        region, account, ..
    }) = Arn::parse(&key.arn)
    {
        if region != target.region {
            findings.push(error("key.region", name, format!("the key is in {region}: agents and clients of {} ask KMS of their own region, so every session is refused", target.region), "name a key of this region"));
        }
        if account != target.account {
            findings.push(warning("key.cross_account", name, format!("the key belongs to account {account}: hybrid nodes (mi-) cannot use it, and both sides need its key policy"), "use a key of this account where there are hybrid nodes"));
        }
    }
    let policy = key.policy.present();
    for role in nodes {
        let verdict = may_use_key(role, policy, "kms:Decrypt", &key.arn);
        let doubt = "its sessions are refused: Fetching data key failed";
        judge(
            role,
            verdict,
            "role.kms_decrypt",
            "kms:Decrypt on the session key",
            doubt,
            findings,
        );
    }
    for role in operators {
        let verdict = may_use_key(role, policy, "kms:GenerateDataKey", &key.arn);
        let doubt = "its sessions are refused: KMSEncryption failed on client";
        judge(
            role,
            verdict,
            "operator.kms_generate_data_key",
            "kms:GenerateDataKey on the session key",
            doubt,
            findings,
        );
    }
}

/// Where transcripts go in S3, and whether the document demands that it is encrypted.
struct Transcripts<'a> {
    name: &'a str,
    prefix: &'a str,
    demanded: bool,
}

fn bucket(
    to: &Transcripts<'_>,
    observed: &Observed,
    nodes: &[Role],
    target: &Target,
    findings: &mut Vec<Finding>,
) {
    let name = to.name;
    let outcome = if to.demanded {
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
        Reading::Unknown(reason) => {
            return findings.push(warning("bucket.unknown", name, format!("the bucket could not be read: {reason}"), "allow s3:ListBucket and s3:GetEncryptionConfiguration, or check with credentials of its account"));
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
        Reading::Unknown(reason) => findings.push(warning("bucket.unknown", name, format!("its encryption could not be read: {reason}"), "allow s3:GetEncryptionConfiguration")),
        Reading::Absent if to.demanded => findings.push(error("bucket.not_encrypted", name, "the document demands encryption and the bucket has no default encryption: every session is refused", "set default encryption on the bucket")),
        Reading::Present(encryption) if encryption.algorithm == "aws:kms:dsse" && to.demanded => {
            findings.push(error("bucket.dsse", name, "the bucket uses DSSE-KMS, which agents take for no encryption: every session is refused", "use SSE-KMS (aws:kms)"));
        }
        _ => {}
    }
    let partition = "*";
    for role in nodes {
        if to.demanded {
            let verdict = role_on(
                role,
                "s3:GetEncryptionConfiguration",
                &format!("arn:{partition}:s3:::{name}"),
            );
            judge(
                role,
                verdict,
                "role.s3_encryption",
                "s3:GetEncryptionConfiguration on the bucket",
                "its sessions are refused: unable to validate encryption on Amazon S3 bucket",
                findings,
            );
        }
        let folder = if to.prefix.is_empty() {
            String::new()
        } else {
            format!("{}/", to.prefix)
        };
        let verdict = role_on(
            role,
            "s3:PutObject",
            &format!("arn:{partition}:s3:::{name}/{folder}session.log"),
        );
        judge(
            role,
            verdict,
            "role.s3_put",
            "s3:PutObject in the bucket",
            "its transcripts are lost",
            findings,
        );
        let key = bucket
            .encryption
            .present()
            .filter(|encryption| encryption.algorithm == "aws:kms");
        if let Some(key) = key.and_then(|encryption| encryption.kms_key.as_deref()) {
            // The bucket's key is often the session key, whose policy is known; of another key only the role's side is.
            let same = observed
                .key
                .present()
                .filter(|session_key| session_key.arn == key);
            let verdict = match same {
                Some(session_key) => may_use_key(
                    role,
                    session_key.policy.present(),
                    "kms:GenerateDataKey",
                    key,
                ),
                None => role.may("kms:GenerateDataKey", key),
            };
            judge(
                role,
                verdict,
                "role.s3_kms",
                "kms:GenerateDataKey on the bucket's key",
                "its transcripts are lost",
                findings,
            );
        }
    }
}

fn log_group(
    name: &str,
    demanded: bool,
    group: &Reading<LogGroup>,
    nodes: &[Role],
    target: &Target,
    findings: &mut Vec<Finding>,
) {
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
            findings.push(warning(
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
    let Target { account, region } = target;
    for role in nodes {
        let all = format!("arn:*:logs:{region}:{account}:log-group:*");
        let describe = role_on(role, "logs:DescribeLogGroups", &all);
        let result = if demanded {
            "its sessions are refused, with a message about encryption"
        } else {
            "its sessions start and are not logged"
        };
        judge(
            role,
            describe,
            "role.logs_describe",
            "logs:DescribeLogGroups",
            result,
            findings,
        );
        // Both are authorised on the stream: refusals of CreateLogStream name it, as in
        // https://github.com/aws-solutions/aws-crr-monitor/issues/8.
        let stream = format!("arn:*:logs:{region}:{account}:log-group:{name}:log-stream:session");
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            judge(
                role,
                role_on(role, action, &stream),
                "role.logs_write",
                action,
                "its sessions are not logged",
                findings,
            );
        }
    }
}

/// Asks for a resource whose partition is left open; policies name `aws`, `aws-cn`, .. or `*`.
fn role_on(role: &Role, action: &str, resource: &str) -> Verdict {
    let partition = Arn::parse(&role.arn).map_or("aws", |arn| arn.partition);
    role.may(
        action,
        &resource.replacen("arn:*:", &format!("arn:{partition}:"), 1),
    )
}

fn judge(
    role: &Role,
    verdict: Verdict,
    id: &str,
    needed: &str,
    consequence: &str,
    findings: &mut Vec<Finding>,
) {
    match verdict {
        Verdict::Allowed => {}
        Verdict::Denied => {
            let message = format!("the role may not use {needed}: {consequence}");
            findings.push(error(
                id,
                &role.arn,
                message,
                &format!("allow {needed} in a policy of the role"),
            ));
        }
        Verdict::Unknown => {
            let message = format!(
                "whether the role may use {needed} depends on conditions or on a policy that was not read; if not, {consequence}"
            );
            findings.push(warning(
                &format!("{id}_unknown"),
                &role.arn,
                message,
                "start one session on a node with this role",
            ));
        }
    }
}
