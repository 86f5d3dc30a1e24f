//! What it takes to read records of CloudTrail.

use cli::{Grant, When};

use super::{ALL, DECRYPT};

const HISTORY: &[&str] = &["history"];
/// A bucket, and with it its key, may be in another region.
const ANY_KEY: &[&str] = &["arn:{partition}:kms:*:*:key/*"];

/// The one engine that writes: its tables, and what it finds.
const ATHENA: When = When::Flag("--engine athena");

pub(super) const OF_HISTORY: &[Grant] = &[
    Grant::new(
        "EventHistory",
        HISTORY,
        &["cloudtrail:LookupEvents"],
        ALL,
        "read the last 90 days",
    ),
    Grant::new(
        "LogFiles",
        HISTORY,
        &["s3:GetObject", "s3:ListBucket"],
        &["arn:{partition}:s3:::*"],
        "read log files, with --s3",
    ),
    // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail-decrypt.html
    Grant::new(
        "KeysOfLogFiles",
        HISTORY,
        DECRYPT,
        ANY_KEY,
        "read log files that a key encrypts, with --s3",
    )
    .under("StringLike", "kms:ViaService", "s3.*"),
    Grant::new(
        "PublicKeys",
        HISTORY,
        &["cloudtrail:ListPublicKeys"],
        ALL,
        "read the keys that digests are signed with, with --verify",
    ),
    Grant::new(
        "Queries",
        HISTORY,
        &[
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:StartQueryExecution",
        ],
        &["arn:{partition}:athena:{region}:*:workgroup/*"],
        "find log files by Athena",
    )
    .when(ATHENA),
    Grant::new(
        "TablesOfQueries",
        HISTORY,
        &["glue:CreateTable", "glue:GetDatabase", "glue:GetTable"],
        &[
            "arn:{partition}:glue:{region}:*:catalog",
            "arn:{partition}:glue:{region}:*:database/*",
            "arn:{partition}:glue:{region}:*:table/*",
        ],
        "make the table that Athena asks, and find it",
    )
    .when(ATHENA),
    Grant::new(
        "QueryResults",
        HISTORY,
        &["s3:GetBucketLocation", "s3:PutObject"],
        &["arn:{partition}:s3:::*"],
        "let Athena write what it finds",
    )
    .when(ATHENA),
];
