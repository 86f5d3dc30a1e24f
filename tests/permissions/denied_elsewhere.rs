//! Where an action is refused that no scene of [`super::denied`] holds: each action of each verb is refused in some test.

use std::collections::BTreeSet;

use testbed::repository;

use super::{COMMON, TOOLS, denied, rows, texts};

/// A tool with its verb, actions, and the file of the test that has them refused, below `tests`. One of the verbs that apply is not in
/// here: `faults/lacking.rs` has all that it needs.
type Case = (&'static str, &'static [&'static str], &'static str);

const CASES: [Case; 14] = [
    (
        "ssm-prefs probe",
        &[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "logs:DescribeLogGroups",
            "logs:GetLogEvents",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetObject",
            "s3:ListBucket",
            "ssm:DescribeDocument",
            "ssm:DescribeInstanceInformation",
            "ssm:DescribeSessions",
            "ssm:GetDocument",
            "ssm:StartSession",
            "ssm:TerminateSession",
        ],
        "ssm-prefs/probe_denied.rs",
    ),
    (
        "ssm-prefs probe",
        &["kms:GenerateDataKey", "ssmmessages:OpenDataChannel"],
        "ssm-prefs/probe_plugin.rs",
    ),
    (
        "ssm-events history",
        &[
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:StartQueryExecution",
            "cloudtrail:LookupEvents",
            "glue:CreateTable",
            "glue:GetDatabase",
            "glue:GetTable",
            "s3:GetBucketLocation",
            "s3:GetObject",
            "s3:ListBucket",
            "s3:PutObject",
        ],
        "ssm-events/history_denied.rs",
    ),
    (
        "ssm-events history",
        &["kms:Decrypt"],
        "permissions/keys.rs",
    ),
    (
        "ssm-events history",
        &["cloudtrail:ListPublicKeys"],
        "ssm-events/verifying.rs",
    ),
    (
        "ssm-events sessions",
        &[
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "ssm:DescribeSessions",
            "ssm:GetDocument",
            "ssm:ListDocumentVersions",
        ],
        "ssm-events/transcripts.rs",
    ),
    (
        "ssm-events sessions",
        &["cloudtrail:LookupEvents"],
        "ssm-events/transcripts_documents.rs",
    ),
    (
        "ssm-events sessions",
        &["s3:GetObject", "s3:ListBucket"],
        "ssm-events/transcripts_permitted.rs",
    ),
    (
        "ssm-events send",
        &[
            "kms:Decrypt",
            "secretsmanager:GetSecretValue",
            "ssm:GetParameter",
        ],
        "permissions/sending.rs",
    ),
    ("ssm-events send", &["sns:Publish"], "ssm-events/topic.rs"),
    ("ssm-run run", &["kms:Decrypt"], "permissions/keys.rs"),
    (
        "ssm-run run",
        &["ssm:CancelCommand"],
        "ssm-run/following.rs",
    ),
    ("ssm-run run", &["s3:ListBucket"], "ssm-run/outputs.rs"),
    (
        "ssm-run run",
        &[
            "ec2:DescribeInstances",
            "logs:GetLogEvents",
            "s3:GetObject",
            "ssm:DescribeInstanceInformation",
            "ssm:DescribeInstancePatchStates",
            "ssm:GetCommandInvocation",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
            "ssm:SendCommand",
        ],
        "permissions/denied_run.rs",
    ),
];

/// What only a flag needs.
const OF_FLAGS: [Case; 5] = [
    (
        "ssm-events check",
        &["events:PutEvents", "sqs:ReceiveMessage"],
        "ssm-events/delivery.rs",
    ),
    (
        "ssm-events check",
        &["cloudtrail:LookupEvents"],
        "ssm-events/break_glass.rs",
    ),
    (
        "ssm-events check",
        &["iam:ListRoles", "iam:ListUsers"],
        "ssm-events/break_glass_users.rs",
    ),
    (
        "ssm-events check",
        &[
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "ssm:DescribeSessions",
            "ssm:GetDocument",
            "ssm:ListDocumentVersions",
        ],
        "ssm-events/transcripts.rs",
    ),
    (
        "ssm-events check",
        &["s3:ListBucket"],
        "ssm-events/transcripts_permitted.rs",
    ),
];

#[test]
fn every_action_of_every_verb_is_refused_in_some_test() {
    let mut needed = BTreeSet::new();
    for tool in TOOLS {
        let held = denied::held(tool);
        for row in rows(tool) {
            let when = row["when"].as_str().unwrap();
            let verbs = texts(&row["verbs"]);
            let verbs = verbs.into_iter().filter(|verb| {
                let is_held = held.contains(verb) && when == "always";
                *verb != "apply" && !is_held && !COMMON.contains(&when)
            });
            for verb in verbs {
                let actions = texts(&row["actions"]).into_iter();
                needed.extend(actions.map(|action| format!("{tool} {verb} {action}")));
            }
        }
    }
    let mut listed = BTreeSet::new();
    for (of, actions, file) in CASES.iter().chain(&OF_FLAGS) {
        let text = std::fs::read_to_string(repository().join("tests").join(file)).unwrap();
        for action in *actions {
            let operation = action.split(':').next_back().unwrap();
            // The operation has another name than its action.
            let operation = match *action {
                "s3:ListBucket" if !text.contains("s3:ListBucket") => "ListObjectsV2",
                _ => operation,
            };
            assert!(text.contains(operation), "{file} has no {operation}");
            listed.insert(format!("{of} {action}"));
        }
    }
    assert_eq!(listed, needed);
}
