//! From preferences to permissions: which action on what, in which context, and whose policies decide. Pure.
//!
//! What agents do with each setting: <https://github.com/aws/amazon-ssm-agent>, `agent/session/shell/shell.go` (validate,
//! finishLogging), `agent/session/datachannel`, `agent/s3util` and `agent/agentlogstocloudwatch`.

use iam_policy::{Arn, Context};
use records::{Feature, Reading, Target};
use serde_json::Value;

use crate::preferences::{Bucket, BucketEncryption, Key, LogGroup, Preferences};

/// The name of the ACL that agents upload with.
const ACL: &str = "bucket-owner-full-control";

/// One action that must be allowed.
#[derive(Clone, Debug)]
pub struct Need {
    /// What it is needed for.
    pub feature: Feature,
    /// The action, as policies name it.
    pub action: &'static str,
    /// ARN; `None` when it is not known on what.
    pub resource: Option<String>,
    /// An ARN that it may have: what allows it whichever it is allows this one.
    pub sample: Option<String>,
    /// The account whose resource it is; `None` when that is not known.
    pub owner: Option<String>,
    /// What is known of the request.
    pub context: Context,
    /// Whether it is not known if there is any need at all: only that everything is allowed settles it then.
    pub is_doubtful: bool,
    /// The policy of the resource itself.
    pub guard: Guard,
    /// What happens without it.
    pub consequence: Consequence,
    /// The header that agents send if they may read the bucket's encryption.
    pub(crate) header: Option<Box<Header>>,
}

/// Whose policy decides besides those of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nobody's.
    None,
    /// The key's, without which nobody may use it.
    Key {
        /// ARN of the key, or its alias; `None` when neither is known.
        name: Option<String>,
        /// Its policy.
        policy: Reading<Value>,
    },
    /// The bucket's, which may forbid, and allow by itself.
    Bucket {
        /// ARN of the bucket.
        name: String,
        /// Its policy; absent when it has none.
        policy: Reading<Value>,
        /// Whether it belongs to another account, so that both have to allow.
        is_foreign: bool,
    },
}

/// What happens to sessions without a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// They are refused.
    Refused,
    /// They run, and their transcripts do not reach the bucket.
    NotUploaded,
    /// They run, and transcripts of more than 5 MB do not reach the bucket.
    LongNotUploaded,
    /// They run, and are not logged in CloudWatch Logs.
    NotLogged,
    /// What does not depend on preferences.
    Other,
}

/// What an upload says of encryption.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// The read that the agent takes it from.
    pub(crate) read: Need,
    /// The algorithm and the key that it sends; `None` when the bucket's are not known.
    pub(crate) sent: Option<(String, Option<String>)>,
}

impl Need {
    /// Returns a need that depends on no preference.
    #[must_use]
    pub fn plain(feature: Feature, action: &'static str, resource: Option<&str>) -> Need {
        Need {
            feature,
            action,
            resource: resource.map(str::to_owned),
            sample: None,
            owner: None,
            context: Context::partial(),
            is_doubtful: false,
            guard: Guard::None,
            consequence: Consequence::Other,
            header: None,
        }
    }
}

/// Returns what the role of a node must be allowed.
#[must_use]
pub fn needs(partition: &str, target: &Target, preferences: &Preferences) -> Vec<Need> {
    let mut needs = Vec::new();
    for bucket in &preferences.buckets {
        of_bucket(partition, target, bucket, &mut needs);
    }
    for group in &preferences.log_groups {
        of_log_group(partition, target, group, &mut needs);
    }
    let decrypts = preferences.keys.iter();
    needs.extend(decrypts.map(|key| of_session(partition, target, key, "kms:Decrypt")));
    needs
}

/// Returns what whoever starts a session must be allowed: the data key, which the node decrypts.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-enable-encryption.html>
#[must_use]
pub fn data_key(partition: &str, target: &Target, key: &Key) -> Need {
    of_session(partition, target, key, "kms:GenerateDataKey")
}

/// Returns what is known of a call that agents and clients make themselves: they speak TLS, and no service stands between.
fn direct() -> Context {
    Context::partial()
        .with("aws:SecureTransport", "true")
        .with("aws:ViaAWSService", "false")
}

fn of_bucket(partition: &str, target: &Target, bucket: &Bucket, needs: &mut Vec<Need>) {
    let arn = format!("arn:{partition}:s3:::{}", bucket.name);
    let object = match bucket.prefix.as_str() {
        "" => format!("{arn}/session.log"),
        prefix => format!("{arn}/{prefix}/session.log"),
    };
    let guard = Guard::Bucket {
        name: arn.clone(),
        policy: bucket.policy.clone(),
        is_foreign: bucket.is_foreign,
    };
    let owner = match bucket.is_foreign {
        true => bucket.owner.clone(),
        false => Some(target.account.clone()),
    };
    let context = direct();
    let read = Need {
        context: context.clone(),
        owner: owner.clone(),
        guard: guard.clone(),
        consequence: Consequence::Refused,
        ..Need::plain(Feature::S3Log, "s3:GetEncryptionConfiguration", Some(&arn))
    };
    let sent = match &bucket.encryption {
        BucketEncryption::NeedsNothing { algorithm } => Some((algorithm.clone(), None)),
        BucketEncryption::Key { algorithm, key, .. } => Some((algorithm.clone(), key.arn.clone())),
        BucketEncryption::Unknown(_) => None,
    };
    if bucket.must_be_encrypted {
        needs.push(read.clone());
    }
    let put = Need {
        context: context.with("s3:x-amz-acl", ACL),
        owner,
        guard,
        consequence: Consequence::NotUploaded,
        header: Some(Box::new(Header { read, sent })),
        ..Need::plain(Feature::S3Log, "s3:PutObject", Some(&object))
    };
    needs.push(put.clone());
    if bucket.is_foreign {
        // https://repost.aws/knowledge-center/ssm-s3-bucket-logging-multiple-accounts
        needs.push(Need {
            action: "s3:PutObjectAcl",
            ..put
        });
    }
    needs.extend(of_bucket_key(partition, target, bucket, &arn, &object));
}

/// Returns how whoever uploads to a bucket uses its key with SSE-KMS: to encrypt and, for a transcript that goes up in parts, to
/// decrypt.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions>
fn of_bucket_key(
    partition: &str,
    target: &Target,
    bucket: &Bucket,
    arn: &str,
    object: &str,
) -> Vec<Need> {
    let context = Context::partial().with("kms:CallerAccount", &target.account);
    let need = match &bucket.encryption {
        BucketEncryption::NeedsNothing { .. } => return Vec::new(),
        BucketEncryption::Unknown(reason) => Need {
            context,
            is_doubtful: true,
            guard: Guard::Key {
                name: None,
                policy: Reading::Unknown(reason.clone()),
            },
            ..Need::plain(Feature::S3Kms, "kms:GenerateDataKey", None)
        },
        BucketEncryption::Key {
            key,
            has_bucket_key,
            ..
        } => {
            let sealed = if *has_bucket_key { arn } else { object };
            let named = key.arn.as_deref().and_then(Arn::parse);
            // S3 asks KMS where the bucket is, which is where its key is.
            let region = named.map_or(target.region.as_str(), |arn| arn.region);
            let suffix = awsdata::partition_of(region).dns_suffix;
            let mut context = context
                .with("kms:ViaService", format!("s3.{region}.{suffix}"))
                .with("kms:EncryptionContext:aws:s3:arn", sealed);
            // S3 knows nothing of sessions, so that what is granted for these does not help.
            for name in ["SessionId", "TargetId"] {
                context.set(&format!("kms:EncryptionContext:aws:ssm:{name}"), Vec::new());
            }
            on_key(
                partition,
                target,
                key,
                Need {
                    context,
                    ..Need::plain(Feature::S3Kms, "kms:GenerateDataKey", None)
                },
            )
        }
    };
    vec![
        Need {
            consequence: Consequence::NotUploaded,
            ..need.clone()
        },
        Need {
            action: "kms:Decrypt",
            consequence: Consequence::LongNotUploaded,
            ..need
        },
    ]
}

fn of_log_group(partition: &str, target: &Target, group: &LogGroup, needs: &mut Vec<Need>) {
    let groups = format!(
        "arn:{partition}:logs:{}:{}:log-group:",
        target.region, target.account
    );
    // The agent lists all groups and looks for its own: a grant on that group alone is not enough.
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    let need = |action, resource: &str, consequence| Need {
        owner: Some(target.account.clone()),
        context: direct(),
        consequence,
        ..Need::plain(Feature::CloudwatchLog, action, Some(resource))
    };
    // What is only uploaded at the end is not looked for before.
    if group.must_be_encrypted || group.is_streamed {
        let consequence = match group.must_be_encrypted {
            true => Consequence::Refused,
            false => Consequence::NotLogged,
        };
        needs.push(need(
            "logs:DescribeLogGroups",
            &format!("{groups}*"),
            consequence,
        ));
    }
    // Both are authorised on the stream: refusals of CreateLogStream name it, as in
    // https://github.com/aws-solutions/aws-crr-monitor/issues/8.
    let stream = format!("{groups}{}:log-stream:session", group.name);
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        needs.push(need(action, &stream, Consequence::NotLogged));
    }
}

/// Both ends use the key with the session and the node as encryption context, and by themselves, through no service.
fn of_session(partition: &str, target: &Target, key: &Key, action: &'static str) -> Need {
    let mut context = direct()
        .with("kms:CallerAccount", &target.account)
        .with(
            "kms:EncryptionContext:aws:ssm:SessionId",
            "operator-0123456789abcdef0",
        )
        .with(
            "kms:EncryptionContext:aws:ssm:TargetId",
            "i-0123456789abcdef0",
        );
    for missing in ["kms:ViaService", "kms:EncryptionContext:aws:s3:arn"] {
        context.set(missing, Vec::new());
    }
    on_key(
        partition,
        target,
        key,
        Need {
            context,
            consequence: Consequence::Refused,
            ..Need::plain(Feature::Kms, action, None)
        },
    )
}

/// Fills in the key. Where an alias is all that is known of it, its ARN is not, but one of those that it may have.
fn on_key(partition: &str, target: &Target, key: &Key, need: Need) -> Need {
    let Target { account, region } = target;
    let any = format!("arn:{partition}:kms:{region}:{account}:key/any");
    let named = key.arn.as_deref().and_then(Arn::parse);
    let context = match &key.alias {
        Some(alias) => need.context.with("kms:ResourceAliases", alias),
        None => need.context,
    };
    Need {
        resource: key.arn.clone(),
        sample: key.arn.is_none().then_some(any),
        // An alias is one of this account.
        owner: Some(named.map_or(account.as_str(), |arn| arn.account).to_owned()),
        context,
        guard: Guard::Key {
            name: key.arn.clone().or_else(|| key.alias.clone()),
            policy: key.policy.clone(),
        },
        ..need
    }
}
