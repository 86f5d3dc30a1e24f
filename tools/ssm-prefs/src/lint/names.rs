//! Names in a document that AWS would not take: of keys, buckets, prefixes and log groups.

use cli::{Finding, Severity};
use iam_policy::Arn;
use records::AccountId;

use crate::finding::finding;

pub(super) fn lint_name(key: &str, text: &str, path: &str, findings: &mut Vec<Finding>) {
    let (good, id, rule) = match key {
        _ if text.is_empty() => return,
        "kmsKeyId" => (
            is_key_reference(text),
            "content.key_name",
            "it is not a key ID, key ARN, alias/NAME or alias ARN",
        ),
        "s3BucketName" => (
            is_bucket_name(text),
            "content.bucket_name",
            "it is not a valid bucket name: 3 to 63 of a-z 0-9 . -, starting and ending with a letter or digit",
        ),
        "cloudWatchLogGroupName" => (
            is_log_group_name(text),
            "content.log_group_name",
            "it is not a valid log group name: 1 to 512 of a-z A-Z 0-9 _ - / . #, not starting with aws/",
        ),
        "s3KeyPrefix" => (
            !text.starts_with('/') && !text.ends_with('/'),
            "content.prefix",
            "a slash at an end makes an empty folder name",
        ),
        _ => return,
    };
    if !good {
        let severity = if key == "s3KeyPrefix" {
            Severity::Warning
        } else {
            Severity::Error
        };
        findings.push(finding(
            severity,
            id,
            path,
            format!("'{text}': {rule}"),
            "correct the name",
        ));
    }
}

/// <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id>
fn is_key_reference(text: &str) -> bool {
    let is_id = |id: &str| {
        let uuid = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        uuid || id
            .strip_prefix("mrk-")
            .is_some_and(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let is_alias = |alias: &str| {
        !alias.is_empty()
            && alias.len() <= 250
            && alias
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b))
    };
    let part = match Arn::parse(text) {
        Some(arn)
            if arn.service == "kms"
                && !arn.region.is_empty()
                && arn.account.parse::<AccountId>().is_ok() =>
        {
            arn.resource
        }
        None if !text.contains(':') => text,
        _ => return false,
    };
    match (part.strip_prefix("alias/"), part.strip_prefix("key/")) {
        (Some(alias), _) => is_alias(alias),
        (None, Some(id)) => is_id(id),
        (None, None) => !text.starts_with("arn:") && is_id(part),
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>; placeholders are expanded later.
fn is_bucket_name(text: &str) -> bool {
    let text = text
        .replace("{account}", "111122223333")
        .replace("{region}", "us-east-1");
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && edge(text.chars().next())
        && edge(text.chars().last())
        && !text.contains("..")
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
fn is_log_group_name(text: &str) -> bool {
    let text = text
        .replace("{account}", "111122223333")
        .replace("{region}", "us-east-1");
    text.len() <= 512
        && !text.starts_with("aws/")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b))
}
