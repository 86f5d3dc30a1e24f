//! What roles lack for sessions, with the cure on the side that denies. Pure.

use cli::{Finding, Severity};
use iam_policy::Verdict;
use transcripts::{Consequence, Guard, Judgement, Need, Role, Side, judge};

use crate::finding::{finding, warning};

/// Adds what a role lacks of what is needed.
pub(super) fn judged(role: &Role, needs: &[Need], findings: &mut Vec<Finding>) {
    for need in needs {
        let judgement = judge(role, need);
        let (id, id_unknown) = ids(need);
        let found = match judgement.verdict {
            Verdict::Allowed => continue,
            Verdict::Denied => denied(role, need, &judgement, id),
            Verdict::Unknown => not_known(role, need, &judgement, id_unknown),
        };
        // One action of several with the same ID and the same cause is enough.
        if !findings.contains(&found) {
            findings.push(found);
        }
    }
}

/// Returns the IDs for what is denied and for what is not known.
fn ids(need: &Need) -> (&'static str, &'static str) {
    match (need.action, need.consequence) {
        ("kms:GenerateDataKey", Consequence::Refused) => (
            "operator.kms_generate_data_key",
            "operator.kms_generate_data_key_unknown",
        ),
        ("kms:Decrypt", Consequence::Refused) => ("role.kms_decrypt", "role.kms_decrypt_unknown"),
        ("kms:GenerateDataKey" | "kms:Decrypt", _) => ("role.s3_kms", "role.s3_kms_unknown"),
        ("s3:GetEncryptionConfiguration", _) => {
            ("role.s3_encryption", "role.s3_encryption_unknown")
        }
        ("logs:DescribeLogGroups", _) => ("role.logs_describe", "role.logs_describe_unknown"),
        (_, Consequence::NotLogged) => ("role.logs_write", "role.logs_write_unknown"),
        _ => ("role.s3_put", "role.s3_put_unknown"),
    }
}

fn denied(role: &Role, need: &Need, judgement: &Judgement, id: &str) -> Finding {
    let (needed, effect) = (needed(need), effect(need));
    let by = match (&judgement.statement, judgement.side) {
        (Some(statement), _) => {
            let sid = statement.sid.as_ref();
            let sid = sid.map_or_else(String::new, |sid| format!(" ({sid})"));
            let policy = match judgement.side {
                Side::Identity => format!("policy {}", statement.policy),
                Side::Boundary => format!("the permissions boundary {}", statement.policy),
                Side::ServiceControl => {
                    format!("the service control policy {}", statement.policy)
                }
                Side::ResourceControl => {
                    format!("the resource control policy {}", statement.policy)
                }
                Side::KeyPolicy => "the key policy".to_owned(),
                Side::BucketPolicy => "the bucket policy".to_owned(),
            };
            format!(", as {}{sid} of {policy} denies it", statement.path)
        }
        (None, Side::Boundary) => ", as its permissions boundary does not allow it".to_owned(),
        (None, Side::ServiceControl) => {
            ", as no service control policy of a level of its organization allows it".to_owned()
        }
        (None, Side::KeyPolicy) => {
            ", as the key policy lets neither it nor the account in".to_owned()
        }
        (None, Side::BucketPolicy) => {
            ", as the bucket policy of its owner lets neither it nor the account in".to_owned()
        }
        (None, Side::Identity | Side::ResourceControl) => String::new(),
    };
    let fix = match (judgement.side, &judgement.statement) {
        (Side::Identity, None) => format!("allow {needed} in a policy of the role"),
        (Side::Identity, Some(_)) => "correct that statement of the role's policy".to_owned(),
        (Side::Boundary, _) => {
            format!("allow {needed} in the permissions boundary; no policy of the role helps")
        }
        (Side::ServiceControl, _) => format!(
            "have the administrators of the organization except the role from that policy, or allow {needed} there; no policy of the role helps"
        ),
        (Side::ResourceControl, _) => {
            "have the administrators of the organization except the role from that resource control policy; no policy of the role, key or bucket helps".to_owned()
        }
        (Side::KeyPolicy, None) => format!(
            "allow {} to the role in the key policy, or leave the key to the account's own policies there; no policy of the role helps",
            need.action
        ),
        (Side::KeyPolicy, Some(_)) => {
            "correct that statement of the key policy; no policy of the role helps".to_owned()
        }
        (Side::BucketPolicy, None) => {
            "have the owner of the bucket add the statements that plan prints (for_owners)"
                .to_owned()
        }
        (Side::BucketPolicy, Some(_)) => {
            "correct that statement of the bucket policy; no policy of the role helps".to_owned()
        }
    };
    let severity = match need.consequence {
        Consequence::LongNotUploaded => Severity::Warning,
        _ => Severity::Error,
    };
    let message = format!("the role may not use {needed}{by}: {effect}");
    finding(severity, id, &role.arn, message, &fix)
}

fn not_known(role: &Role, need: &Need, judgement: &Judgement, id: &str) -> Finding {
    let (needed, effect) = (needed(need), effect(need));
    let of = match judgement.side {
        Side::KeyPolicy => "key policy",
        Side::BucketPolicy => "bucket policy",
        Side::ServiceControl => "service control policy",
        Side::ResourceControl => "resource control policy",
        Side::Identity | Side::Boundary => "policy",
    };
    let why = match (&judgement.unread, &judgement.statement) {
        _ if need.is_doubtful => {
            "depends on the encryption of the bucket, which is not known".to_owned()
        }
        (Some(reason), _) if judgement.is_ungranted => {
            format!(
                "depends on the {of}, which is not known ({reason}); no policy of the role allows it"
            )
        }
        (Some(reason), _) => format!("depends on the {of}, which is not known ({reason})"),
        (None, Some(statement)) => format!(
            "depends on the conditions of {} of the {of} {}",
            statement.path, statement.policy
        ),
        (None, None) => format!("depends on the conditions of the {of}"),
    };
    warning(
        id,
        &role.arn,
        format!("whether the role may use {needed} {why}; if not, {effect}"),
        match judgement.unread {
            Some(_) if judgement.side == Side::ResourceControl => {
                "pass to --organization what `ssm-scp show` prints in the organization of that account, or start one session on a node with this role"
            }
            Some(_) => {
                "allow the caller to read that policy, or start one session on a node with this role"
            }
            None => "start one session on a node with this role",
        },
    )
}

fn needed(need: &Need) -> String {
    let on = match (&need.guard, need.consequence) {
        (Guard::Key { .. }, Consequence::Refused) => " on the session key",
        (Guard::Key { .. }, _) => " on the bucket's key",
        (Guard::Bucket { .. }, Consequence::NotUploaded) => " in the bucket",
        (Guard::Bucket { .. }, _) => " on the bucket",
        (Guard::None, _) => "",
    };
    format!("{}{on}", need.action)
}

fn effect(need: &Need) -> &'static str {
    match (need.action, need.consequence) {
        ("kms:GenerateDataKey", Consequence::Refused) => {
            "its sessions are refused: KMSEncryption failed on client"
        }
        ("kms:Decrypt", Consequence::Refused) => {
            "its sessions are refused: Fetching data key failed"
        }
        ("s3:GetEncryptionConfiguration", _) => {
            "its sessions are refused: unable to validate encryption on Amazon S3 bucket"
        }
        ("logs:DescribeLogGroups", Consequence::Refused) => {
            "its sessions are refused, with a message about encryption"
        }
        ("logs:DescribeLogGroups", _) => "its sessions start and are not logged",
        (_, Consequence::LongNotUploaded) => "its transcripts of more than 5 MB are lost",
        (_, Consequence::NotLogged) => "its sessions are not logged",
        _ => "its transcripts are lost",
    }
}
