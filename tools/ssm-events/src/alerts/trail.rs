//! The trail that EventBridge and the history live on: the documents it needs, the changes towards it, what is wrong with it.

use cli::{Reading, Severity, Target};
use serde_json::{Value, json};

use crate::alerts::model::{Action, DesiredTrail, Observed, PLAN};

/// The statements of this tool in a bucket's policy; the others are kept.
const OWN_SIDS: [&str; 3] = [
    "SsmEventsAclCheck",
    "SsmEventsWrite",
    "SsmEventsDenyInsecureTransport",
];

/// Returns the ARN of a trail whose home is the target's region.
pub(crate) fn arn(name: &str, home: &Target, partition: &str) -> String {
    format!(
        "arn:{partition}:cloudtrail:{}:{}:trail/{name}",
        home.region, home.account
    )
}

impl DesiredTrail {
    /// Returns the ARN that the trail has, or will have.
    pub(crate) fn arn(&self, account: &str, partition: &str) -> String {
        let home = Target {
            account: account.to_owned(),
            region: self.home_region.clone(),
        };
        arn(&self.name.0, &home, partition)
    }
}

/// Returns what the policy of the bucket must be: this trail alone may write, and nobody without TLS; what others have put
/// there stays.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html>
fn bucket_policy(
    existing: &Value,
    desired: &DesiredTrail,
    account: &str,
    partition: &str,
) -> Value {
    let (bucket, trail) = (
        format!("arn:{partition}:s3:::{}", desired.bucket_name(account)),
        desired.arn(account, partition),
    );
    let prefix = if desired.prefix.is_empty() {
        String::new()
    } else {
        format!("{}/", desired.prefix.trim_matches('/'))
    };
    let service = json!({ "Service": "cloudtrail.amazonaws.com" });
    let own = [
        json!({ "Sid": OWN_SIDS[0], "Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": bucket,
                "Condition": { "StringEquals": { "aws:SourceArn": trail } } }),
        json!({ "Sid": OWN_SIDS[1], "Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
                "Resource": format!("{bucket}/{prefix}AWSLogs/{account}/*"),
                "Condition": { "StringEquals": { "aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control" } } }),
        json!({ "Sid": OWN_SIDS[2], "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": [bucket, format!("{bucket}/*")], "Condition": { "Bool": { "aws:SecureTransport": "false" } } }),
    ];
    let others = match &existing["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let is_own = |statement: &Value| OWN_SIDS.iter().any(|sid| statement["Sid"] == *sid);
    let statements: Vec<Value> = others
        .into_iter()
        .filter(|statement| !is_own(statement))
        .chain(own)
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Returns the states to reach in their order, each with its action, resource and reason.
pub(crate) fn wanted(
    desired: &DesiredTrail,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> Vec<(Action, String, Value, &'static str)> {
    let (name, bucket) = (desired.name.0.clone(), desired.bucket_name(&target.account));
    let policy = match observed.bucket.present() {
        Some(existing) => existing.policy.clone(),
        None => Value::Null,
    };
    let policy = bucket_policy(&policy, desired, &target.account, partition);
    let trail = json!({
        "bucket": bucket, "prefix": desired.prefix.trim_matches('/'), "multi_region": true, "global_events": true,
        "validation": true,
    });
    let (action, why) = match observed.trail.present() {
        None => (
            Action::CreateTrail,
            "no trail records who starts sessions, and EventBridge receives nothing without one",
        ),
        Some(_) => (
            Action::UpdateTrail,
            "the trail leaves out regions or global services, is not validated, or writes elsewhere",
        ),
    };
    let mut wanted = Vec::new();
    // A bucket that is there is adopted, wherever it is.
    if observed.bucket.present().is_none() {
        let to = json!({ "exists": true });
        wanted.push((
            Action::CreateBucket,
            bucket.clone(),
            to,
            "the trail needs a bucket",
        ));
    }
    let to = json!({ "public_access_blocked": true });
    wanted.push((
        Action::PutPublicAccessBlock,
        bucket.clone(),
        to,
        "records of an account are nobody else's",
    ));
    wanted.push((
        Action::PutBucketPolicy,
        bucket,
        json!({ "policy": policy }),
        "CloudTrail may not write, or others may without TLS",
    ));
    wanted.push((action, name.clone(), trail, why));
    wanted.push((
        Action::StartLogging,
        name,
        json!({ "logging": true }),
        "the trail is stopped",
    ));
    wanted
}

/// Returns what is wrong with the trail and its bucket: severity, ID, resource, message and cure.
pub(crate) fn problems(
    desired: &DesiredTrail,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> Vec<(Severity, &'static str, String, String, &'static str)> {
    let (error, warning, apply) = (Severity::Error, Severity::Warning, PLAN);
    let allow = "allow the read that the message names";
    let mut found = Vec::new();
    let mut add = |severity, id, message: &str, fix| {
        found.push((
            severity,
            id,
            desired.name.0.clone(),
            message.to_owned(),
            fix,
        ));
    };
    match &observed.trail {
        Reading::Absent => add(
            error,
            "events.trail.missing",
            "there is no such trail: nothing is recorded for good",
            apply,
        ),
        Reading::Unknown(why) => add(
            warning,
            "events.trail.unknown",
            &format!("the trail could not be read: {why}"),
            allow,
        ),
        Reading::Present(trail) => {
            if !trail.logging {
                add(
                    error,
                    "events.trail.stopped",
                    "the trail is stopped: EventBridge receives no call",
                    apply,
                );
            }
            if !trail.multi_region || !trail.global_events {
                add(
                    error,
                    "events.trail.partial",
                    "the trail leaves out regions or global services",
                    apply,
                );
            }
            if !trail.validation {
                add(
                    warning,
                    "events.trail.not_validated",
                    "log files could be changed without being noticed",
                    apply,
                );
            }
            if trail.bucket != desired.bucket_name(&target.account) {
                add(
                    error,
                    "events.trail.elsewhere",
                    &format!("the trail writes to bucket {}", trail.bucket),
                    apply,
                );
            }
            if !trail.all_management_events {
                let fix = "record all management events: `aws cloudtrail put-event-selectors`";
                add(
                    error,
                    "events.trail.filtered",
                    "the trail's selectors leave out management events",
                    fix,
                );
            }
            if let Some(reason) = &trail.delivery_error {
                add(
                    error,
                    "events.trail.undelivered",
                    &format!("CloudTrail cannot write log files: {reason}"),
                    apply,
                );
            }
        }
    }
    if target.region != desired.home_region {
        return found;
    }
    let mut add = |severity, id, message: &str, fix| {
        found.push((
            severity,
            id,
            desired.bucket_name(&target.account),
            message.to_owned(),
            fix,
        ));
    };
    match &observed.bucket {
        Reading::Absent => add(
            error,
            "events.bucket.missing",
            "the trail's bucket does not exist",
            apply,
        ),
        Reading::Unknown(why) => add(
            warning,
            "events.bucket.unknown",
            &format!("the bucket could not be read: {why}"),
            allow,
        ),
        Reading::Present(bucket) => {
            if !bucket.public_access_blocked {
                add(
                    error,
                    "events.bucket.public",
                    "public access to the trail's bucket is not blocked",
                    apply,
                );
            }
            if bucket.policy != bucket_policy(&bucket.policy, desired, &target.account, partition) {
                add(
                    error,
                    "events.bucket.policy",
                    "the bucket's policy lacks what CloudTrail needs or lets requests without TLS in",
                    apply,
                );
            }
        }
    }
    found
}
