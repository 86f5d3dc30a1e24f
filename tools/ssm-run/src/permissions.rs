//! What this tool needs of IAM, for `--generate policy`: the only place that says it. The tests run it with exactly this.

use cli::{Grant, IoArgs, Names, Permissions};

const RUN: &[&str] = &["run"];
const ALL: &[&str] = &["*"];

pub(crate) const PERMISSIONS: Permissions = Permissions {
    reads: &[],
    writes: RUN,
    grants: &[awsconf::GRANTS, GRANTS],
    names,
};

const GRANTS: &[Grant] = &[
    Grant::new(
        "Nodes",
        RUN,
        &["ssm:DescribeInstanceInformation"],
        ALL,
        "find nodes by ID and tag, with their platforms",
    ),
    Grant::new(
        "Instances",
        RUN,
        &["ec2:DescribeInstances"],
        ALL,
        "say why a node that is not online does not answer",
    ),
    Grant::new(
        "Send",
        RUN,
        &["ssm:SendCommand"],
        &[
            "arn:{partition}:ec2:{region}:*:instance/*",
            "arn:{partition}:ssm:{region}:*:managed-instance/*",
            "arn:{partition}:ssm:{region}:*:document/*",
        ],
        "run the command; name the documents and, by a condition on ssm:resourceTag, the nodes that may be used",
    ),
    Grant::new(
        "Follow",
        RUN,
        &[
            "ssm:CancelCommand",
            "ssm:GetCommandInvocation",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
        ],
        ALL,
        "follow commands, read what they print, find those of an earlier run, and cancel them",
    ),
    Grant::new(
        "Patches",
        RUN,
        &["ssm:DescribeInstancePatchStates"],
        ALL,
        "print the patch states that a scan leaves, with --patch-scan",
    ),
    Grant::new(
        "OutputInS3",
        RUN,
        &["s3:GetObject", "s3:ListBucket"],
        &["arn:{partition}:s3:::*"],
        "read whole outputs in the bucket of --output-s3; s3:ListBucket finds its region",
    ),
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms
    Grant::new(
        "KeyOfOutput",
        RUN,
        &["kms:Decrypt"],
        &["arn:{partition}:kms:*:*:key/*"],
        "read whole outputs in a bucket that a key encrypts",
    )
    .under("StringLike", "kms:ViaService", "s3.*"),
    Grant::new(
        "OutputInLogs",
        RUN,
        &["logs:GetLogEvents"],
        &["arn:{partition}:logs:{region}:*:log-group:*"],
        "read whole outputs in the log group of --output-log-group",
    ),
];

/// There is no desired state.
fn names(_: &IoArgs) -> anyhow::Result<Names> {
    anyhow::bail!("there is no desired state of commands: leave -f out")
}
