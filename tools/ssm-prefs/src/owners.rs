//! Buckets and keys of other accounts: they are never changed from here, so this says what their owners must allow. Pure.

use cli::{Reading, Target};
use iam_policy::Arn;
use records::ForOwner;
use serde_json::{Value, json};
use transcripts::{BucketEncryption, Key};

use crate::model::{Archive, Desired, S3, is_aws_managed};
use crate::session_document::expand;

/// Returns what a desired state says of its bucket, if that is another account's.
pub(crate) fn archive(desired: &Desired, target: &Target) -> Option<Archive> {
    let s3 = desired.s3.as_ref()?.as_ref()?;
    let account = s3.account.clone()?;
    (account != target.account).then(|| Archive {
        bucket: expand(&s3.bucket, Some(target)),
        account,
        kms_key: s3.kms_key.as_ref().map(|key| expand(key, Some(target))),
        encryption: Reading::Absent,
    })
}

/// Returns how the bucket encrypts, by what was read of it or else by what the desired state says.
pub(crate) fn encryption(archive: &Archive, reason: &str) -> BucketEncryption {
    let (algorithm, key) = match (&archive.encryption, &archive.kms_key) {
        (Reading::Present(read), _) => (read.algorithm.clone(), read.kms_key.clone()),
        (_, Some(key)) => ("aws:kms".to_owned(), Some(key.clone())),
        (_, None) => return BucketEncryption::Unknown(reason.to_owned()),
    };
    match key.filter(|key| !is_aws_managed(key)) {
        Some(arn) => BucketEncryption::Key {
            algorithm,
            key: Key {
                arn: Some(arn),
                alias: None,
                policy: Reading::Unknown("it belongs to another account".to_owned()),
            },
            has_bucket_key: false,
        },
        None => BucketEncryption::NeedsNothing { algorithm },
    }
}

/// Returns the statements that owners of the bucket and of keys must add before sessions of this account and region are encrypted
/// and logged. They let the account in, whose own policies say which roles: nodes come and go, and their owner need not know.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>
pub(crate) fn statements(desired: &Desired, target: &Target, partition: &str) -> Vec<ForOwner> {
    let mut owners = Vec::new();
    if let (Some(archive), Some(Some(s3))) = (archive(desired, target), &desired.s3) {
        owners.extend(of_archive(&archive, s3, target, partition));
    }
    let key = desired.kms_key.as_ref().and_then(Option::as_ref);
    let named = key.and_then(|key| key.arn.as_deref());
    if let Some(arn) = named.map(|arn| expand(arn, Some(target)))
        && let Some(owner) = Arn::parse(&arn).map(|arn| arn.account.to_owned())
        && owner != target.account
    {
        let statements = of_session_key(target, partition);
        match owners.iter_mut().find(|known| known.resource == arn) {
            Some(known) => known.statements.extend(statements),
            None => owners.push(ForOwner {
                account: owner,
                resource: arn,
                statements,
            }),
        }
    }
    owners
}

fn of_archive(archive: &Archive, s3: &S3, target: &Target, partition: &str) -> Vec<ForOwner> {
    let account = &target.account;
    let bucket = format!("arn:{partition}:s3:::{}", expand(&s3.bucket, Some(target)));
    let prefix = expand(&s3.prefix, Some(target));
    let objects = match prefix.trim_matches('/') {
        "" => format!("{bucket}/*"),
        prefix => format!("{bucket}/{prefix}/*"),
    };
    // Agents send an ACL with every transcript, which needs a permission of its own in a bucket of another account:
    // https://repost.aws/knowledge-center/ssm-s3-bucket-logging-multiple-accounts
    let mut owners = vec![ForOwner {
        account: archive.account.clone(),
        resource: bucket.clone(),
        statements: vec![
            json!({
                "Sid": format!("SessionTranscriptsOf{account}"),
                "Effect": "Allow",
                "Principal": whole(target, partition),
                "Action": ["s3:PutObject", "s3:PutObjectAcl"],
                "Resource": objects,
            }),
            json!({
                "Sid": format!("SessionEncryptionFor{account}"),
                "Effect": "Allow",
                "Principal": whole(target, partition),
                "Action": "s3:GetEncryptionConfiguration",
                "Resource": bucket,
            }),
        ],
    }];
    owners.extend(archive.kms_key.as_ref().map(|key| {
        let of_key = Arn::parse(key);
        // S3 asks KMS where the bucket is, which is where its key is.
        let region = of_key.map_or(target.region.as_str(), |arn| arn.region);
        let suffix = awsdata::suffix_of(partition);
        ForOwner {
            account: of_key
                .map_or(&*archive.account, |arn| arn.account)
                .to_owned(),
            resource: key.clone(),
            statements: vec![json!({
                "Sid": format!("SessionTranscriptsOf{account}"),
                "Effect": "Allow",
                "Principal": whole(target, partition),
                // Decrypt for what goes up in parts, above 5 MB:
                // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": { "kms:ViaService": format!("s3.{region}.{suffix}") },
                    // With an S3 Bucket Key KMS sees the bucket, without one the object:
                    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
                    "StringLike": { "kms:EncryptionContext:aws:s3:arn": [bucket, objects] },
                },
            })],
        }
    }));
    owners
}

/// Whoever starts a session generates its data key, and the node decrypts it, both with the session as context.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-enable-encryption.html>
fn of_session_key(target: &Target, partition: &str) -> Vec<Value> {
    let account = &target.account;
    vec![
        json!({
            "Sid": format!("SessionsOf{account}"),
            "Effect": "Allow",
            "Principal": whole(target, partition),
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": { "Null": { "kms:EncryptionContext:aws:ssm:SessionId": "false" } },
        }),
        json!({
            "Sid": format!("SessionKeyFor{account}"),
            "Effect": "Allow",
            "Principal": whole(target, partition),
            // KMS shows a key policy to the key's own account only:
            // https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
            "Action": ["kms:DescribeKey", "kms:GetKeyRotationStatus"],
            "Resource": "*",
        }),
    ]
}

fn whole(target: &Target, partition: &str) -> Value {
    json!({ "AWS": format!("arn:{partition}:iam::{}:root", target.account) })
}
