//! What it takes to find the transcripts of sessions.

use cli::{Grant, When};

const SESSIONS: &[&str] = &["sessions"];
const CHECK: &[&str] = &["check"];
const ALL: &[&str] = &["*"];
const DOCUMENTS: &[&str] = &["arn:{partition}:ssm:{region}:*:document/*"];
const BUCKETS: &[&str] = &["arn:{partition}:s3:::*"];
const LOG_GROUPS: &[&str] = &["arn:{partition}:logs:{region}:*:log-group:*"];
const WITH: When = When::Flag("--transcripts");

const ENDS: &[&str] = &["ssm:DescribeSessions"];
const VERSIONS: &[&str] = &["ssm:GetDocument", "ssm:ListDocumentVersions"];
const OBJECTS: &[&str] = &["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"];
const GROUPS: &[&str] = &["logs:DescribeLogGroups"];
const STREAMS: &[&str] = &["logs:DescribeLogStreams"];

const WHY_ENDS: &str = "read the sessions of the last 30 days and their ends";
const WHY_VERSIONS: &str = "read where sessions were logged, by their documents";
const WHY_OBJECTS: &str =
    "find transcripts in buckets; GetObject is for the encryption of those before 2023";
const WHY_GROUPS: &str = "read whether log groups have a key";
const WHY_STREAMS: &str = "find transcripts in log groups";

pub(super) const OF_SESSIONS: &[Grant] = &[
    Grant::new("Sessions", SESSIONS, ENDS, ALL, WHY_ENDS),
    Grant::new(
        "SessionDocuments",
        SESSIONS,
        VERSIONS,
        DOCUMENTS,
        WHY_VERSIONS,
    ),
    Grant::new(
        "TranscriptsInBuckets",
        SESSIONS,
        OBJECTS,
        BUCKETS,
        WHY_OBJECTS,
    ),
    Grant::new("LogGroups", SESSIONS, GROUPS, ALL, WHY_GROUPS),
    Grant::new(
        "TranscriptsInLogGroups",
        SESSIONS,
        STREAMS,
        LOG_GROUPS,
        WHY_STREAMS,
    ),
    Grant::new("CheckSessions", CHECK, ENDS, ALL, WHY_ENDS).when(WITH),
    Grant::new(
        "CheckSessionDocuments",
        CHECK,
        VERSIONS,
        DOCUMENTS,
        WHY_VERSIONS,
    )
    .when(WITH),
    Grant::new(
        "CheckTranscriptsInBuckets",
        CHECK,
        OBJECTS,
        BUCKETS,
        WHY_OBJECTS,
    )
    .when(WITH),
    Grant::new("CheckLogGroups", CHECK, GROUPS, ALL, WHY_GROUPS).when(WITH),
    Grant::new(
        "CheckTranscriptsInLogGroups",
        CHECK,
        STREAMS,
        LOG_GROUPS,
        WHY_STREAMS,
    )
    .when(WITH),
];
