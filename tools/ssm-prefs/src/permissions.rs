//! What this tool needs of IAM, for `--generate policy`: the only place that says it. The tests run every verb with exactly this.

use cli::{Grant, IoArgs, Names, Permissions};

use crate::model::Desired;

const READS: &[&str] = &["show", "plan", "check"];
const WRITES: &[&str] = &["apply", "probe"];
const EVERY: &[&str] = &["show", "plan", "check", "apply", "probe"];
const COMPARED: &[&str] = &["plan", "check", "apply", "probe"];
const AROUND: &[&str] = &["show", "check"];
const APPLY: &[&str] = &["apply"];
const PROBE: &[&str] = &["probe"];
const ALL: &[&str] = &["*"];
const PREFERENCES: &[&str] =
    &["arn:{partition}:ssm:{region}:*:document/SSM-SessionManagerRunShell"];
const KEYS: &[&str] = &["arn:{partition}:kms:{region}:*:key/*"];
const BUCKET: &[&str] = &["arn:{partition}:s3:::{bucket}"];
const OBJECTS: &[&str] = &["arn:{partition}:s3:::{bucket}/*"];
const LOG_GROUP: &[&str] = &["arn:{partition}:logs:{region}:*:log-group:{log_group}:*"];

pub(crate) const PERMISSIONS: Permissions = Permissions {
    reads: READS,
    writes: WRITES,
    grants: &[awsconf::GRANTS, GRANTS, KEEPING, PROBING],
    names,
};

const GRANTS: &[Grant] = &[
    Grant::new(
        "FindPreferences",
        EVERY,
        &["ssm:DescribeDocument"],
        PREFERENCES,
        "find the preferences, and which versions of them are the default and the latest",
    ),
    Grant::new(
        "Preferences",
        &["plan", "apply", "probe"],
        &["ssm:GetDocument"],
        PREFERENCES,
        "read the preferences",
    ),
    Grant::new(
        "SessionDocuments",
        AROUND,
        &["ssm:ListDocuments"],
        ALL,
        "find the other session documents",
    ),
    // The preferences among them, so that these two verbs have no statement for those alone.
    Grant::new(
        "Documents",
        AROUND,
        &["ssm:GetDocument"],
        &["arn:{partition}:ssm:{region}:*:document/*"],
        "read the preferences and the other session documents",
    ),
    Grant::new(
        "FindKeys",
        EVERY,
        &["kms:DescribeKey"],
        &[
            "arn:{partition}:kms:{region}:*:alias/*",
            "arn:{partition}:kms:{region}:*:key/*",
        ],
        "find the keys of sessions, bucket and log group, by their aliases, too",
    ),
    Grant::new(
        "Keys",
        EVERY,
        &["kms:GetKeyPolicy"],
        KEYS,
        "read who may use these keys",
    ),
    Grant::new(
        "KeyRotation",
        COMPARED,
        &["kms:GetKeyRotationStatus"],
        KEYS,
        "read whether the key rotates",
    ),
    Grant::new(
        "BucketOfTranscripts",
        EVERY,
        &["s3:GetBucketPolicy", "s3:GetEncryptionConfiguration"],
        BUCKET,
        "read who may write to the bucket of transcripts, and its encryption",
    ),
    Grant::new(
        "BucketAsAWhole",
        COMPARED,
        &[
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketVersioning",
            "s3:GetLifecycleConfiguration",
            "s3:ListBucket",
        ],
        BUCKET,
        "find the bucket of transcripts, and read what keeps them",
    ),
    Grant::new(
        "LegalHolds",
        &["plan", "check", "apply"],
        &["s3:GetObjectLegalHold"],
        OBJECTS,
        "read which transcripts are held",
    ),
    Grant::new(
        "LogGroups",
        COMPARED,
        &["logs:DescribeLogGroups"],
        &["arn:{partition}:logs:{region}:*:log-group:*"],
        "find the log group",
    ),
    Grant::new(
        "FindTrails",
        &["check"],
        &["cloudtrail:DescribeTrails"],
        ALL,
        "find the trails that record who starts sessions",
    ),
    Grant::new(
        "Trails",
        &["check"],
        &["cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
        &["arn:{partition}:cloudtrail:*:*:trail/*"],
        "read whether these trails record management events",
    ),
    Grant::new(
        "SetPreferences",
        APPLY,
        &[
            "ssm:CreateDocument",
            "ssm:DeleteDocument",
            "ssm:UpdateDocument",
            "ssm:UpdateDocumentDefaultVersion",
        ],
        PREFERENCES,
        "write the preferences, and take them back",
    ),
    Grant::new(
        "LeftKeys",
        APPLY,
        &["kms:CreateKey", "kms:ListAliases", "kms:ListKeys"],
        ALL,
        "make the key of sessions, unless an earlier run has left one without alias",
    ),
    Grant::new(
        "MakeKeys",
        APPLY,
        &["kms:CreateAlias"],
        &[
            "arn:{partition}:kms:{region}:*:alias/{alias}",
            "arn:{partition}:kms:{region}:*:key/*",
        ],
        "name the key of sessions",
    ),
    Grant::new(
        "ChangeKeys",
        APPLY,
        &[
            "kms:DisableKeyRotation",
            "kms:EnableKeyRotation",
            "kms:PutKeyPolicy",
        ],
        KEYS,
        "rotate the key of sessions, and let nodes and CloudWatch Logs use it",
    ),
    Grant::new(
        "DropKeys",
        APPLY,
        &["kms:ScheduleKeyDeletion"],
        KEYS,
        "delete a key that was just made, when somebody else has taken its alias in the meantime",
    ),
];

const KEEPING: &[Grant] = &[
    Grant::new(
        "MakeBucket",
        APPLY,
        &[
            "s3:CreateBucket",
            "s3:DeleteBucketPolicy",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ],
        BUCKET,
        "make the bucket of transcripts, protect it, and take the protection back",
    ),
    Grant::new(
        "HoldTranscripts",
        APPLY,
        &["s3:PutObjectLegalHold"],
        OBJECTS,
        "hold transcripts, and let them go",
    ),
    Grant::new(
        "MakeLogGroup",
        APPLY,
        &[
            "logs:AssociateKmsKey",
            "logs:CreateLogGroup",
            "logs:DeleteRetentionPolicy",
            "logs:DisassociateKmsKey",
            "logs:PutLogGroupDeletionProtection",
            "logs:PutRetentionPolicy",
        ],
        LOG_GROUP,
        "make the log group, encrypt and keep it, and take that back",
    ),
];

const PROBING: &[Grant] = &[
    Grant::new(
        "FindNode",
        PROBE,
        &["ssm:DescribeInstanceInformation"],
        ALL,
        "find the node and its role",
    ),
    Grant::new(
        "FindSessions",
        PROBE,
        &["ssm:DescribeSessions"],
        ALL,
        "find the session of the probe",
    ),
    Grant::new(
        "StartSession",
        PROBE,
        &["ssm:StartSession"],
        &[
            "arn:{partition}:ec2:{region}:*:instance/*",
            "arn:{partition}:ssm:{region}:*:managed-instance/*",
            "arn:{partition}:ssm:{region}:*:document/SSM-SessionManagerRunShell",
        ],
        "start one session",
    )
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-sessiondocumentaccesscheck.html
    .under("BoolIfExists", "ssm:SessionDocumentAccessCheck", "true"),
    // The plugin signs the request since version 1.2.764.0. AWS's samples have session/${aws:userid}-*, with which the ID of no session of an
    // assumed role begins.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/plugin-version-history.html
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html
    Grant::new(
        "OpenSession",
        PROBE,
        &["ssmmessages:OpenDataChannel"],
        &["arn:{partition}:ssm:{region}:*:session/*"],
        "connect to that session",
    ),
    Grant::new(
        "EndSession",
        PROBE,
        &["ssm:TerminateSession"],
        &["arn:{partition}:ssm:{region}:*:session/*"],
        "end that session",
    )
    // Sessions of assumed roles are called after the role session, not after the user ID: only the tag has that.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html
    .under(
        "StringLike",
        "ssm:resourceTag/aws:ssmmessages:session-id",
        "${aws:userid}",
    ),
    Grant::new(
        "SessionKey",
        PROBE,
        &["kms:GenerateDataKey"],
        KEYS,
        "encrypt that session, where the preferences name a key",
    ),
    Grant::new(
        "Transcript",
        PROBE,
        &["s3:GetObject"],
        OBJECTS,
        "look for the transcript in the bucket",
    ),
    Grant::new(
        "TranscriptKey",
        PROBE,
        &["kms:Decrypt"],
        KEYS,
        "read the transcript, where a key encrypts the bucket",
    )
    .under("StringLike", "kms:ViaService", "s3.*"),
    Grant::new(
        "TranscriptInLogs",
        PROBE,
        &["logs:GetLogEvents"],
        &["arn:{partition}:logs:{region}:*:log-group:{log_group}:log-stream:*"],
        "look for the transcript in the log group",
    ),
];

/// Other session documents may name other buckets: `check` reads only the one of the desired state then.
fn names(io: &IoArgs) -> anyhow::Result<Names> {
    let desired: Desired = cli::read_desired(io, "desired preferences")?;
    let alias = desired.kms_key.flatten().and_then(|key| key.alias);
    let alias = alias.map(|alias| alias.trim_start_matches("alias/").to_owned());
    let bucket = desired.s3.flatten().map(|s3| {
        let bucket = s3.bucket.replace("{account}", "*");
        bucket.replace("{region}", "*")
    });
    let log_group = desired.cloudwatch.flatten().map(|logs| logs.log_group);
    Ok(Names::from([
        ("alias", alias.into_iter().collect()),
        ("bucket", bucket.into_iter().collect()),
        ("log_group", log_group.into_iter().collect()),
    ]))
}
