//! What it takes to find the transcripts of sessions.

use cli::{Grant, When};

const SESSIONS: &[&str] = &["sessions"];
const CHECK: &[&str] = &["check"];
const ALL: &[&str] = &["*"];
const STORES: &[&str] = &[
    "arn:{partition}:ssm:{region}:*:document/*",
    "arn:{partition}:s3:::*",
    "arn:{partition}:logs:{region}:*:log-group:*",
];
const WITH: When = When::Flag("--transcripts");

const LISTS: &[&str] = &[
    "cloudtrail:LookupEvents",
    "logs:DescribeLogGroups",
    "ssm:DescribeSessions",
];
const TRANSCRIPTS: &[&str] = &[
    "logs:DescribeLogStreams",
    "s3:ListBucket",
    "ssm:GetDocument",
    "ssm:ListDocumentVersions",
];

const WHY_LISTS: &str = "read the sessions of the last 30 days, what became of their documents, and whether log groups have a key";
const WHY_TRANSCRIPTS: &str = "find transcripts where documents of sessions send them";

pub(super) const OF_SESSIONS: &[Grant] = &[
    Grant::new("Sessions", SESSIONS, LISTS, ALL, WHY_LISTS),
    Grant::new(
        "Transcripts",
        SESSIONS,
        TRANSCRIPTS,
        STORES,
        WHY_TRANSCRIPTS,
    ),
    // Only records go back that far: `check` has the sessions of 30 days that Systems Manager lists, and no others.
    // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeSessions.html
    Grant::new(
        "OldTranscripts",
        SESSIONS,
        &["s3:GetObject"],
        &["arn:{partition}:s3:::*"],
        "read whether transcripts from before 2023 are encrypted",
    ),
    Grant::new("CheckSessions", CHECK, LISTS, ALL, WHY_LISTS).when(WITH),
    Grant::new(
        "CheckTranscripts",
        CHECK,
        TRANSCRIPTS,
        STORES,
        WHY_TRANSCRIPTS,
    )
    .when(WITH),
];
