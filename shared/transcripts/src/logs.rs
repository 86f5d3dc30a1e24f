//! Whether CloudWatch Logs may use the key of a log group. Pure.

use iam_policy::{Context, Principal, Request, Verdict, allows, denies};
use records::Target;
use serde_json::Value;

use crate::role::compiled;
use crate::verdict::both;

/// Returns whether a key policy lets CloudWatch Logs encrypt the events of a log group.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>
#[must_use]
pub fn logs_may_use(
    (key, policy): (&str, &Value),
    partition: &str,
    target: &Target,
    log_group: &str,
) -> Verdict {
    let Ok(policy) = compiled("", policy) else {
        return Verdict::Unknown;
    };
    let Target { account, region } = target;
    let group = format!("arn:{partition}:logs:{region}:{account}:log-group:{log_group}");
    let suffix = awsdata::partition_of(region).dns_suffix;
    let context = Context::partial()
        .with("kms:EncryptionContext:aws:logs:arn", &group)
        .with("aws:SourceArn", &group)
        .with("aws:SourceAccount", account);
    let of = |action| {
        let mut request = Request::new(action, key, context.clone());
        request.principal = Some(Principal::Service(format!("logs.{region}.{suffix}")));
        let denied = denies(&policy, &request).map(|denial| denial.verdict);
        match (denied, allows(&policy, &request)) {
            (Some(Verdict::Denied), _) => Verdict::Denied,
            (Some(_), Verdict::Allowed) => Verdict::Unknown,
            (_, allowed) => allowed,
        }
    };
    let actions = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"];
    actions.into_iter().map(of).fold(Verdict::Allowed, both)
}
