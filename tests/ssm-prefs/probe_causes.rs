//! After each single broken permission or setting `ssm-prefs probe` fails, and names that cause.

use serde_json::json;

use crate::probing::{Scene, WHOLE, reported, stand_in};

/// What fails, by the keys of the record that say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    Session,
    S3,
    Logs,
}
use Fails::{Logs, S3, Session};

/// The place, what fails there, the ID of the cause, and words of its message.
const BROKEN: [(&str, Fails, &str, &str); 22] = [
    (
        "strict/no-put/delegates/kms/encrypted",
        S3,
        "prefs.role.s3_put",
        "s3:PutObject in the bucket",
    ),
    (
        "strict/other-prefix/delegates/kms/encrypted",
        S3,
        "prefs.role.s3_put",
        "s3:PutObject in the bucket",
    ),
    (
        "strict/boundary/delegates/kms/encrypted",
        S3,
        "prefs.role.s3_put",
        "permissions boundary",
    ),
    (
        "strict/whole/delegates/policy-denies-put/encrypted",
        S3,
        "prefs.role.s3_put",
        "of the bucket policy denies it",
    ),
    (
        "strict/no-bucket-key/delegates/kms/encrypted",
        S3,
        "prefs.role.s3_kms",
        "kms:GenerateDataKey on the bucket's key",
    ),
    (
        "strict/whole/delegates/kms-closed/encrypted",
        S3,
        "prefs.role.s3_kms",
        "the key policy lets neither",
    ),
    (
        "lenient/whole/delegates/missing/encrypted",
        S3,
        "prefs.bucket.missing",
        "transcripts are lost",
    ),
    (
        "strict/no-encryption/delegates/kms/encrypted",
        Session,
        "prefs.role.s3_encryption",
        "s3:GetEncryptionConfiguration",
    ),
    (
        "strict/whole/delegates/missing/encrypted",
        Session,
        "prefs.bucket.missing",
        "every session is refused",
    ),
    (
        "strict/whole/delegates/dsse/encrypted",
        Session,
        "prefs.bucket.dsse",
        "DSSE-KMS",
    ),
    (
        "strict/no-decrypt/delegates/kms/encrypted",
        Session,
        "prefs.role.kms_decrypt",
        "kms:Decrypt on the session key",
    ),
    (
        "strict/whole/closed-to-node/kms/encrypted",
        Session,
        "prefs.role.kms_decrypt",
        "the key policy lets neither",
    ),
    (
        "strict/whole/denies-node/kms/encrypted",
        Session,
        "prefs.role.kms_decrypt",
        "of the key policy denies it",
    ),
    (
        "strict/whole/disabled/kms/encrypted",
        Session,
        "prefs.key.disabled",
        "Disabled",
    ),
    (
        "run-as-root/whole/delegates/kms/encrypted",
        Session,
        "prefs.content.run_as_root",
        "root",
    ),
    (
        "strict/no-describe/delegates/kms/encrypted",
        Session,
        "prefs.role.logs_describe",
        "logs:DescribeLogGroups",
    ),
    (
        "strict/whole/delegates/kms/plain",
        Session,
        "prefs.log_group.not_encrypted",
        "no KMS key",
    ),
    (
        "lenient/no-describe/delegates/kms/encrypted",
        Logs,
        "prefs.role.logs_describe",
        "logs:DescribeLogGroups",
    ),
    (
        "strict/no-stream/delegates/kms/encrypted",
        Logs,
        "prefs.role.logs_write",
        "logs:CreateLogStream",
    ),
    (
        "upload/no-events/delegates/kms/encrypted",
        Logs,
        "prefs.role.logs_write",
        "logs:PutLogEvents",
    ),
    (
        "lenient/whole/delegates/kms/missing",
        Logs,
        "prefs.log_group.missing",
        "sessions start and are not logged",
    ),
    (
        "strict/whole/delegates/kms/key-closed",
        Logs,
        "prefs.log_group.key_closed",
        "does not let logs.us-east-1 encrypt",
    ),
];

#[test]
fn each_broken_permission_fails_and_is_named() {
    for (place, fails, cause, words) in BROKEN {
        let scene = Scene::new(place, &[]);
        check(&scene, &scene.roles(), place, (fails, cause, words));
    }
}

#[test]
fn the_node_of_every_origin_is_judged_by_its_own_role() {
    for origin in ["dhmc", "hybrid"] {
        let place = "strict/no-put/delegates/kms/encrypted";
        let scene = Scene::new(place, &["--credentials", origin]);
        let expected = (S3, "prefs.role.s3_put", "s3:PutObject in the bucket");
        check(&scene, &scene.roles(), origin, expected);
    }
}

/// IAM is enforced, and the probe is made with the role of somebody who may make one, but for the data key.
#[test]
fn what_the_operator_lacks_is_named_as_well() {
    for (place, lacks, words) in [
        (WHOLE, "kms:GenerateDataKey", "the role may not use"),
        (
            "strict/whole/closed-to-operator/kms/encrypted",
            "none",
            "the key policy lets neither",
        ),
    ] {
        let scene = Scene::new(place, &["--lacks", lacks]);
        let roles = scene.roles();
        let policies = scene.account.aws(&[
            "iam",
            "get-role-policy",
            "--role-name",
            "operator",
            "--policy-name",
            "probe",
        ]);
        let operators = json!({"kind": "host_management", "roles": [{"arn": scene.operator, "inline_policies": {"probe": policies["PolicyDocument"]}}]});
        let path = scene.account.home().join("operators.jsonl");
        std::fs::write(path, operators.to_string()).unwrap();
        scene.account.enforce_iam();
        let flags = ["--assume-role", &scene.operator].map(str::to_owned);
        let judged = ["--operators", "operators.jsonl"].map(str::to_owned);
        let all = [&roles[..], &flags, &judged].concat();
        let expected = (Session, "prefs.operator.kms_generate_data_key", words);
        check(&scene, &all, place, expected);

        // The agent's words name the side, whatever was given.
        let output = scene.probe(&stand_in()).args(&flags).run();
        let (record, ids) = reported(output.assert_status(1));
        assert_eq!(ids, ["prefs.probe.refused", "prefs.probe.cause_unknown"]);
        let reason = record["reason"].as_str().unwrap();
        assert!(
            reason.contains("KMSEncryption failed on client"),
            "{reason}"
        );
        let fix = output.records()[1]["fix"].as_str().unwrap().to_owned();
        assert!(fix.contains("to whoever starts the session"), "{fix}");
    }
    // Nothing is missing in the list of what it takes.
    let scene = Scene::new(WHOLE, &[]);
    scene.account.enforce_iam();
    let output = scene
        .probe(&stand_in())
        .args(["--assume-role", &scene.operator])
        .run();
    output.assert_status(0).assert_stderr("");
}

#[test]
fn a_role_that_no_record_names_is_said_to_be_unknown() {
    let scene = Scene::new("strict/no-put/delegates/kms/encrypted", &[]);
    let none = scene.probe(&stand_in()).run();
    let (record, ids) = reported(none.assert_status(1));
    assert_eq!(
        ids,
        [
            "prefs.probe.transcript_missing",
            "prefs.probe.cause_unknown"
        ]
    );
    assert_eq!(record["role"], json!(null));
    let unexplained = &none.records()[2];
    let message = unexplained["message"].as_str().unwrap();
    assert!(
        message.contains("the role of the node (no records of roles were given)"),
        "{message}"
    );
    assert!(unexplained["fix"].as_str().unwrap().contains("--roles"));

    let other = json!({"kind": "host_management", "target": {"account": scene.account.id(), "region": "us-east-1"}});
    std::fs::write(scene.account.home().join("other.jsonl"), other.to_string()).unwrap();
    let other = scene.probe(&stand_in()).args(["--roles", "other.jsonl"]);
    let other = other.run();
    let message = other.records()[2]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("no record names the role of i-"),
        "{message}"
    );
}

#[track_caller]
fn check(scene: &Scene, flags: &[String], place: &str, expected: (Fails, &str, &str)) {
    let (fails, cause, words) = expected;
    let output = scene.probe(&stand_in()).args(flags).run();
    assert_eq!(
        (output.status, output.stderr.as_str()),
        (1, ""),
        "{place}: {}",
        output.stdout
    );
    let (record, ids) = reported(&output);
    assert_eq!(record["verdict"], "not_proved", "{place}");
    let failed: Vec<Fails> = [
        (Session, record["session"] == "refused"),
        (S3, record["s3"]["state"] == "missing"),
        (Logs, record["logs"]["state"] == "missing"),
    ]
    .into_iter()
    .filter_map(|(what, is_so)| is_so.then_some(what))
    .collect();
    assert_eq!(failed, [fails], "{place}: {record}");
    assert_eq!(
        record["causes"],
        json!([cause]),
        "{place}: {}",
        output.stdout
    );
    let first = match fails {
        Session => "prefs.probe.refused",
        S3 | Logs => "prefs.probe.transcript_missing",
    };
    assert_eq!(ids, [first, cause], "{place}");
    let named = &output.records()[2];
    let message = named["message"].as_str().unwrap();
    assert!(message.contains(words), "{place}: {message}");
}
