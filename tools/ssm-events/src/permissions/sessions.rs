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
    "s3:GetObject",
    "s3:ListBucket",
    "ssm:GetDocument",
    "ssm:ListDocumentVersions",
];

const WHY_LISTS: &str = "read the sessions of the last 30 days, what became of their documents, and whether log groups have a key";
const WHY_TRANSCRIPTS: &str =
    "find transcripts where documents of sessions send them; s3:GetObject is for those before 2023";

pub(super) const OF_SESSIONS: &[Grant] = &[
    Grant::new("Sessions", SESSIONS, LISTS, ALL, WHY_LISTS),
    Grant::new(
        "Transcripts",
        SESSIONS,
        TRANSCRIPTS,
        STORES,
        WHY_TRANSCRIPTS,
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
