//! Which action of policies a recorded call needed. CloudTrail names the operation of the API, which is mostly the action too;
//! where it is neither that nor in the table here nobody knows which one it was. Pure.

use iam_policy::{Compiled, Context, Request, denies, reference};

/// The operations of S3 that go by another action than their own name, as event names.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html>
const S3: [(&str, &str); 44] = [
    ("CompleteMultipartUpload", "PutObject"),
    ("CopyObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject"),
    (
        "DeleteBucketAnalyticsConfiguration",
        "PutAnalyticsConfiguration",
    ),
    ("DeleteBucketCors", "PutBucketCORS"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    (
        "DeleteBucketInventoryConfiguration",
        "PutInventoryConfiguration",
    ),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    (
        "DeleteBucketMetricsConfiguration",
        "PutMetricsConfiguration",
    ),
    (
        "DeleteBucketOwnershipControls",
        "PutBucketOwnershipControls",
    ),
    (
        "DeleteBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    ("DeleteBucketReplication", "PutReplicationConfiguration"),
    ("DeleteBucketTagging", "PutBucketTagging"),
    ("DeleteObjects", "DeleteObject"),
    ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    (
        "GetBucketAccelerateConfiguration",
        "GetAccelerateConfiguration",
    ),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("GetBucketLifecycle", "GetLifecycleConfiguration"),
    (
        "GetBucketLifecycleConfiguration",
        "GetLifecycleConfiguration",
    ),
    (
        "GetBucketNotificationConfiguration",
        "GetBucketNotification",
    ),
    ("GetBucketReplication", "GetReplicationConfiguration"),
    (
        "GetObjectLockConfiguration",
        "GetBucketObjectLockConfiguration",
    ),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("HeadBucket", "ListBucket"),
    ("HeadObject", "GetObject"),
    ("ListBuckets", "ListAllMyBuckets"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("ListObjectVersions", "ListBucketVersions"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("ListParts", "ListMultipartUploadParts"),
    (
        "PutBucketAccelerateConfiguration",
        "PutAccelerateConfiguration",
    ),
    (
        "PutBucketAnalyticsConfiguration",
        "PutAnalyticsConfiguration",
    ),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    (
        "PutBucketInventoryConfiguration",
        "PutInventoryConfiguration",
    ),
    ("PutBucketLifecycle", "PutLifecycleConfiguration"),
    (
        "PutBucketLifecycleConfiguration",
        "PutLifecycleConfiguration",
    ),
    ("PutBucketMetricsConfiguration", "PutMetricsConfiguration"),
    (
        "PutBucketNotificationConfiguration",
        "PutBucketNotification",
    ),
    ("PutBucketReplication", "PutReplicationConfiguration"),
    (
        "PutObjectLockConfiguration",
        "PutBucketObjectLockConfiguration",
    ),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("UploadPart", "PutObject"),
    ("UploadPartCopy", "PutObject"),
];

/// Actions that are not calls of their own, so that no record names them: passing a role, and a header of a call.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html>
const NEVER_RECORDED: [&str; 2] = ["iam:PassRole", "s3:BypassGovernanceRetention"];

/// What a record calls what was done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Called {
    /// The action as policies name it, or the event's name behind that of the service.
    pub(crate) action: String,
    /// Whether that may be another action of the same service.
    pub(crate) in_doubt: bool,
}

/// Returns what a call needed; `None` for what is not a call of AWS.
pub(crate) fn called(event_source: &str, event_name: &str) -> Option<Called> {
    // CloudTrail names endpoints, IAM names services; those that policies on access to nodes meet are the same.
    let service = event_source.strip_suffix(".amazonaws.com")?;
    let action = format!("{service}:{}", action_name(service, event_name));
    let in_doubt = reference::service(service).is_some() && reference::action(&action).is_none();
    Some(Called { action, in_doubt })
}

fn action_name<'n>(service: &str, event_name: &'n str) -> &'n str {
    match service {
        "s3" => {
            let found = S3.iter().find(|(operation, _)| *operation == event_name);
            found.map_or(event_name, |(_, action)| action)
        }
        "lambda" => without_version(event_name),
        _ => event_name,
    }
}

/// Returns the name of an operation of Lambda without the version of its API: `CreateFunction20150331`,
/// `UpdateFunctionCode20150331v2`.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html>
fn without_version(event_name: &str) -> &str {
    let is_digit = |one: char| one.is_ascii_digit();
    let dated = match event_name.rsplit_once('v') {
        Some((dated, revision)) if !revision.is_empty() && revision.chars().all(is_digit) => dated,
        _ => event_name,
    };
    let name = dated.trim_end_matches(is_digit);
    match dated.len() - name.len() {
        8 => name,
        _ => event_name,
    }
}

/// Returns the actions of the service of an action that a guard denies somebody.
pub(crate) fn deniable(guard: &[Compiled], action: &str) -> Vec<String> {
    let service = action.split(':').next().and_then(reference::service);
    let actions = service.into_iter().flat_map(|service| &service.actions);
    let names = actions.map(reference::Action::full_name);
    names.filter(|name| is_deniable(guard, name)).collect()
}

/// Returns whether a guard denies somebody an action.
pub(crate) fn is_deniable(guard: &[Compiled], action: &str) -> bool {
    let request = Request::on_unknown_resource(action, Context::partial());
    guard
        .iter()
        .any(|policy| denies(policy, &request).is_some())
}

/// Returns the actions that a guard denies somebody and that no record ever names.
pub(crate) fn never_recorded(guard: &[Compiled]) -> Vec<&'static str> {
    let actions = NEVER_RECORDED.into_iter();
    actions
        .filter(|action| is_deniable(guard, action))
        .collect()
}

#[cfg(test)]
mod tests {
    use iam_policy::reference;

    use super::{Called, NEVER_RECORDED, S3, called};

    #[track_caller]
    fn check(source: &str, name: &str, action: &str, in_doubt: bool) {
        let expected = Called {
            action: action.to_owned(),
            in_doubt,
        };
        let source = format!("{source}.amazonaws.com");
        assert_eq!(called(&source, name), Some(expected));
    }

    #[test]
    fn operations_of_lambda_lose_their_version() {
        for (name, action) in [
            ("CreateFunction20150331", "CreateFunction"),
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("PutFunctionConcurrency20171031", "PutFunctionConcurrency"),
            ("ListFunctions", "ListFunctions"),
        ] {
            check("lambda", name, &format!("lambda:{action}"), false);
        }
        for name in ["CreateFunction2015", "Invoke20150331v"] {
            check("lambda", name, &format!("lambda:{name}"), true);
        }
    }

    #[test]
    fn operations_of_s3_go_by_their_action() {
        for (operation, action) in S3 {
            check("s3", operation, &format!("s3:{action}"), false);
            let own = reference::action(&format!("s3:{operation}"));
            assert!(own.is_none(), "{operation} is an action of its own");
        }
        check("s3", "DeleteBucketPolicy", "s3:DeleteBucketPolicy", false);
    }

    #[test]
    fn an_unknown_name_of_a_known_service_is_in_doubt() {
        check("ssm", "StartSession", "ssm:StartSession", false);
        check("ssm", "BeginSession", "ssm:BeginSession", true);
        check(
            "monitoring",
            "PutMetricAlarm",
            "monitoring:PutMetricAlarm",
            false,
        );
        assert_eq!(called("a device", "StartSession"), None);
        let known = NEVER_RECORDED.iter();
        assert!(known.clone().all(|name| reference::action(name).is_some()));
    }
}
