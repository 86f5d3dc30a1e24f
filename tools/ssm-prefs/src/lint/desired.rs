//! Rules over a desired state of the right shape, before anything is read or rendered for a place.

use cli::Finding;
use iam_policy::Arn;
use records::AccountId;

use super::lint_content;
use crate::finding::error;
use crate::model::{Desired, KmsKey, S3};
use crate::{resource_state, session_document};

/// Days that CloudWatch Logs accepts as retention.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTION_DAYS: [i32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// The longest default of Object Lock, 100 years of it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html>
const MAX_LOCKED_DAYS: i32 = 36_500;

/// Transcripts that a plan holds one by one, each with a change that can be compared and undone.
const MAX_HELD: usize = 100;

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html>
const MAX_SESSION_ID: usize = 96;

/// Why a setting of a thing that somebody else keeps is refused.
const NOT_CREATED: &str = "only what this tool creates, or keeps right, is changed";

/// Returns what is wrong with a desired state that has the right shape.
pub(crate) fn lint_desired(desired: &Desired) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(Some(key)) = &desired.kms_key {
        match (&key.alias, &key.arn) {
            (Some(_), Some(_)) | (None, None) => findings.push(error(
                "desired.invalid",
                "$.kms_key",
                "exactly one of alias and arn names the key",
                "keep one of the two",
            )),
            (None, Some(_)) if key.create => findings.push(error(
                "desired.invalid",
                "$.kms_key.create",
                "a key cannot be created under a given ARN",
                "name an alias to create a key",
            )),
            _ => {}
        }
    }
    kept(desired, &mut findings);
    if let Some(Some(s3)) = &desired.s3
        && s3.expire_days.is_some_and(|days| days < 1)
    {
        findings.push(error(
            "desired.invalid",
            "$.s3.expire_days",
            "expiry must be 1 day or more",
            "give 1 or more, or leave it out",
        ));
    }
    if let Some(Some(logs)) = &desired.cloudwatch
        && let Some(days) = logs.retention_days
        && !RETENTION_DAYS.contains(&days)
    {
        let message = format!("{days} is not a retention that CloudWatch Logs accepts");
        let fix = format!(
            "use one of {}",
            RETENTION_DAYS.map(|days| days.to_string()).join(", ")
        );
        findings.push(error(
            "desired.invalid",
            "$.cloudwatch.retention_days",
            message,
            &fix,
        ));
    }
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
    if let Some(Some(s3)) = &desired.s3
        && s3.create
        && s3.bucket.ends_with(resource_state::ACCOUNT_REGIONAL)
        && !s3.bucket.ends_with("-{account}-{region}-an")
    {
        findings.push(error(
            "desired.invalid",
            "$.s3.bucket",
            "S3 keeps names that end in -an for the account-regional namespace, where a name ends in its account and region",
            "write NAME-{account}-{region}-an, or choose another ending",
        ));
    }
    if let Some(Some(s3)) = &desired.s3 {
        owner(s3, &mut findings);
    }
    let wants_encrypted_logs =
        matches!(&desired.cloudwatch, Some(Some(logs)) if logs.encrypted && logs.create);
    if wants_encrypted_logs && !matches!(&desired.kms_key, Some(Some(_))) {
        findings.push(error(
            "desired.invalid",
            "$.cloudwatch.encrypted",
            "an encrypted log group is to be created, but there is no kms_key to encrypt it with",
            "give kms_key, or set cloudwatch.encrypted to false",
        ));
    }
    if let Some(Some(run_as)) = &desired.run_as
        && run_as.user.trim().is_empty()
    {
        findings.push(error(
            "desired.invalid",
            "$.run_as.user",
            "no user is named: every session is refused, except of callers with the tag SSMSessionRunAs",
            "name a user that exists on the nodes, or leave run_as out",
        ));
    }
    // What the desired state renders to must be sound too.
    let rendered = lint_content(&session_document::render(desired, None, None));
    findings.extend(rendered.into_iter().map(|found| Finding {
        resource: own_path(desired, &found.resource),
        ..found
    }));
    findings
}

/// Returns the path of what renders to a path of the document: that is in nobody's file.
fn own_path(desired: &Desired, path: &str) -> String {
    /// Each input with the field that it is made of.
    const FIELDS: [(&str, &str); 12] = [
        ("s3BucketName", "s3.bucket"),
        ("s3KeyPrefix", "s3.prefix"),
        ("s3EncryptionEnabled", "s3.encrypted"),
        ("cloudWatchLogGroupName", "cloudwatch.log_group"),
        ("cloudWatchEncryptionEnabled", "cloudwatch.encrypted"),
        ("cloudWatchStreamingEnabled", "cloudwatch.streaming"),
        ("idleSessionTimeout", "idle_timeout_minutes"),
        ("maxSessionDuration", "max_duration_minutes"),
        ("kmsKeyId", "kms_key.alias"),
        ("runAsEnabled", "run_as"),
        ("runAsDefaultUser", "run_as.user"),
        ("shellProfile", "shell_profile"),
    ];
    let Some(input) = path.strip_prefix("$.inputs.") else {
        return "$".to_owned();
    };
    let (name, below) = match input.split_once('.') {
        Some((name, below)) => (name, format!(".{below}")),
        None => (input, String::new()),
    };
    let field = FIELDS.iter().find(|(input, _)| *input == name);
    let has_arn = matches!(&desired.kms_key, Some(Some(key)) if key.arn.is_some());
    match field {
        Some((_, "kms_key.alias")) if has_arn => "$.kms_key.arn".to_owned(),
        Some((_, field)) => format!("$.{field}{below}"),
        None => "$".to_owned(),
    }
}

/// Finds what cannot be said of a bucket of another account.
fn owner(s3: &S3, findings: &mut Vec<Finding>) {
    let mut invalid = |path: &str, message: &str, fix: &str| {
        findings.push(error("desired.invalid", path, message, fix));
    };
    let Some(account) = &s3.account else {
        if s3.kms_key.is_some() {
            invalid(
                "$.s3.kms_key",
                "only the key of a bucket of another account is named here: that of this account is read, or is kms_key",
                "name s3.account as well, or leave it out",
            );
        }
        return;
    };
    if account.parse::<AccountId>().is_err() {
        invalid(
            "$.s3.account",
            "an account ID has twelve digits",
            "name the account that the bucket belongs to",
        );
    }
    if s3.create {
        invalid(
            "$.s3.create",
            "a bucket of another account is not made or changed from here",
            "leave create out; its owner makes it",
        );
    }
    let is_key = |arn: Arn<'_>| arn.service == "kms" && arn.resource.starts_with("key/");
    let is_arn = |name: &String| Arn::parse(name).is_some_and(is_key);
    if s3.kms_key.as_ref().is_some_and(|name| !is_arn(name)) {
        invalid(
            "$.s3.kms_key",
            "a key of another account is named by its ARN",
            "name it as arn:aws:kms:REGION:ACCOUNT:key/ID",
        );
    }
}

/// Finds what cannot keep transcripts as it says.
fn kept(desired: &Desired, findings: &mut Vec<Finding>) {
    let mut invalid = |path: &str, message: &str, fix: &str| {
        findings.push(error("desired.invalid", path, message, fix));
    };
    if let Some(Some(KmsKey {
        administrators: Some(named),
        create,
        ..
    })) = &desired.kms_key
    {
        let path = "$.kms_key.administrators";
        if !create {
            invalid(path, NOT_CREATED, "set kms_key.create, or leave it out");
        }
        let is_principal = |name: &String| {
            Arn::parse(name).is_some_and(|arn| arn.service == "iam" && arn.resource.contains('/'))
        };
        if named.is_empty() || !named.iter().all(is_principal) {
            invalid(
                path,
                "every entry must be the ARN of a role or user, and there must be one: whoever assumes a role is that role there",
                "name roles such as arn:aws:iam::111122223333:role/key-administrator",
            );
        }
    }
    if let Some(Some(s3)) = &desired.s3
        && let Some(retention) = s3.object_lock
    {
        object_lock(s3, retention.days, &mut invalid);
    }
    if let Some(Some(s3)) = &desired.s3
        && !s3.legal_hold.is_empty()
    {
        legal_hold(s3, &mut invalid);
    }
    if let Some(Some(logs)) = &desired.cloudwatch
        && logs.deletion_protection.is_some()
        && !logs.create
    {
        let path = "$.cloudwatch.deletion_protection";
        invalid(path, NOT_CREATED, "set cloudwatch.create, or leave it out");
    }
}

fn legal_hold(s3: &S3, invalid: &mut impl FnMut(&str, &str, &str)) {
    let path = "$.s3.legal_hold";
    if !s3.create {
        invalid(path, NOT_CREATED, "set s3.create, or leave it out");
    }
    if s3.legal_hold.len() > MAX_HELD {
        invalid(
            path,
            "more transcripts are named than one plan should hold one by one",
            "hold the whole bucket with a job of S3 Batch Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-legal-hold.html",
        );
    }
    let is_id = |id: &String| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.@=+,".contains(c);
        !id.is_empty() && id.len() <= MAX_SESSION_ID && id.chars().all(is_part)
    };
    if !s3.legal_hold.iter().all(is_id) {
        invalid(
            path,
            "an entry is not the ID of a session",
            "name sessions as operator-0123456789abcdef0, without the prefix and .log",
        );
    }
}

fn object_lock(s3: &S3, days: i32, invalid: &mut impl FnMut(&str, &str, &str)) {
    let path = "$.s3.object_lock";
    if !s3.create {
        invalid(path, NOT_CREATED, "set s3.create, or leave it out");
    }
    if !(1..=MAX_LOCKED_DAYS).contains(&days) {
        invalid(
            "$.s3.object_lock.days",
            "a transcript can be locked for 1 to 36500 days",
            "give a number in that range",
        );
    }
    if s3.expire_days.is_some_and(|expiry| days > expiry) {
        invalid(
            "$.s3.object_lock.days",
            "transcripts would be locked for longer than they are kept: expiry hides a locked one behind a delete marker and cannot remove it",
            "lock them for expire_days or less",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lint_desired;
    use crate::model::Desired;
    use crate::session_document::INPUTS;

    /// What a person reads is a path that the own file has.
    #[test]
    fn what_renders_wrong_is_named_by_its_field() {
        for (desired, expected) in [
            (
                json!({"idle_timeout_minutes": 90}),
                "$.idle_timeout_minutes",
            ),
            (json!({"max_duration_minutes": 0}), "$.max_duration_minutes"),
            (json!({"run_as": {"user": "a b"}}), "$.run_as.user"),
            (json!({"s3": {"bucket": "No"}}), "$.s3.bucket"),
            (
                json!({"s3": {"bucket": "good", "prefix": "/x/"}}),
                "$.s3.prefix",
            ),
            (
                json!({"cloudwatch": {"log_group": "a b"}}),
                "$.cloudwatch.log_group",
            ),
            (json!({"kms_key": {"alias": "no alias"}}), "$.kms_key.alias"),
            (json!({"kms_key": {"arn": "no arn"}}), "$.kms_key.arn"),
            (
                json!({"shell_profile": {"linux": "x".repeat(513)}}),
                "$.shell_profile.linux",
            ),
        ] {
            let read: Desired = serde_json::from_value(desired.clone()).unwrap();
            let found = lint_desired(&read);
            let paths: Vec<&str> = found.iter().map(|one| one.resource.as_str()).collect();
            assert!(paths.contains(&expected), "{desired}: {paths:?}");
            assert!(
                !paths.iter().any(|path| path.contains("inputs")),
                "{paths:?}"
            );
        }
        let whole: Desired = serde_json::from_value(json!({})).unwrap();
        for (input, _) in INPUTS {
            let path = super::own_path(&whole, &format!("$.inputs.{input}"));
            assert_ne!(path, "$", "{input}");
        }
    }
}
