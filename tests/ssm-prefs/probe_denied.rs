//! One action less than `probe` needs: what it then cannot prove it says, and what it has found stays found.

use crate::probing::{Scene, WHOLE, stand_in};

/// What a session, and the look for its transcript, need.
const OF_SESSIONS: [&str; 8] = [
    "kms:Decrypt",
    "logs:GetLogEvents",
    "s3:GetObject",
    "ssm:DescribeDocument",
    "ssm:DescribeInstanceInformation",
    "ssm:GetDocument",
    "ssm:StartSession",
    "ssm:TerminateSession",
];

/// What makes it wait less: a transcript that is found is a proof without it.
const OF_WAITING: [&str; 2] = ["s3:ListBucket", "ssm:DescribeSessions"];

/// What is read only to find out why there is no transcript: that there is none is found all the same.
const OF_CAUSES: [&str; 10] = [
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "logs:DescribeLogGroups",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
];

/// A node whose role may not use the key of the bucket.
const LOST: &str = "strict/no-bucket-key/delegates/kms/encrypted";

fn hold(place: &str, actions: &[&str], status: i32) {
    let mut wrong = Vec::new();
    for action in actions {
        let scene = Scene::new(place, &[]);
        let run = scene.probe(&stand_in()).args(scene.roles());
        let output = run.without(action).run();
        let printed = format!("{}{}", output.stdout, output.stderr);
        let operation = action.split(':').next_back().unwrap();
        let as_it_must = [
            !output.refused.is_empty(),
            output.status == status,
            status < 2 || printed.contains(operation),
        ];
        if as_it_must.contains(&false) {
            let status = output.status;
            wrong.push(format!("{action}: {as_it_must:?} {status} {printed}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_probe_that_may_not_call() {
    hold(WHOLE, &OF_SESSIONS, 2);
    hold(WHOLE, &OF_WAITING, 0);
}

#[test]
fn a_probe_that_may_not_look_for_causes() {
    hold(LOST, &OF_CAUSES, 1);
}
