//! The key that a bucket of transcripts is encrypted with: the statements that grant what a node's role needs of it. Pure.

use std::collections::BTreeSet;

use cli::Target;
use records::Arn;
use serde_json::{Value, json};
use transcripts::{BucketEncryption, Preferences};

use crate::preferences::partition_of;

/// The beginning of the Sids of statements about the keys of buckets.
pub(crate) const ENCRYPT_TRANSCRIPTS: &str = "EncryptTranscripts";

/// Returns the statements that let S3 encrypt transcripts in the name of the node, and for nothing but these buckets. A transcript
/// of more than 5 MB goes up in parts, for which S3 decrypts the data key again.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions>
pub(crate) fn statements<'a>(
    places: impl Iterator<Item = (&'a Target, &'a Preferences)>,
) -> Vec<Value> {
    /// What one statement is made of.
    #[derive(Default)]
    struct Uses {
        keys: BTreeSet<String>,
        aliases: BTreeSet<String>,
        services: BTreeSet<String>,
        buckets: BTreeSet<String>,
    }
    let (mut by_arn, mut by_alias) = (Uses::default(), Uses::default());
    for (target, preferences) in places {
        let Target { account, region } = target;
        let partition = partition_of(region);
        for bucket in &preferences.buckets {
            let BucketEncryption::Key { key, .. } = &bucket.encryption else {
                continue;
            };
            let (arn, alias) = (&key.arn, &key.alias);
            // By the alias where there is one: it stays when the key behind it changes, and a template knows no ARN.
            let uses = match (alias, arn) {
                (Some(alias), _) => {
                    let any = format!("arn:{partition}:kms:{region}:{account}:key/*");
                    by_alias.keys.insert(any);
                    by_alias.aliases.insert(alias.clone());
                    &mut by_alias
                }
                (None, arn) => {
                    by_arn.keys.extend(arn.clone());
                    &mut by_arn
                }
            };
            let region = region_of(arn.as_deref(), target);
            uses.services.insert(via_s3(region));
            // The context is the object, or with an S3 Bucket Key the bucket, which may be turned on and off at any time.
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
            let arn = format!("arn:{partition}:s3:::{}", bucket.name);
            uses.buckets.extend([format!("{arn}/*"), arn]);
        }
    }
    let statement = |sid: String, uses: Uses| {
        let mut condition = json!({
            "StringEquals": {"kms:ViaService": uses.services},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": uses.buckets},
        });
        if !uses.aliases.is_empty() {
            condition["ForAnyValue:StringEquals"] = json!({"kms:ResourceAliases": uses.aliases});
        }
        let wanted = !uses.keys.is_empty();
        wanted.then(|| {
            json!({"Sid": sid, "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": uses.keys, "Condition": condition})
        })
    };
    let statements = [
        statement(ENCRYPT_TRANSCRIPTS.to_owned(), by_arn),
        statement(format!("{ENCRYPT_TRANSCRIPTS}ByAlias"), by_alias),
    ];
    statements.into_iter().flatten().collect()
}

/// Returns the region of a key, which is that of the bucket: S3 asks KMS where the bucket is.
fn region_of<'a>(key_arn: Option<&'a str>, target: &'a Target) -> &'a str {
    let named = key_arn.and_then(|arn| Some(Arn::parse(arn)?.region));
    named.unwrap_or(&target.region)
}

/// Returns what `kms:ViaService` is when S3 of a region asks KMS.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>
fn via_s3(region: &str) -> String {
    if region == cloudformation::target().region {
        return format!("s3.{region}.{}", cloudformation::url_suffix());
    }
    let suffix = awsdata::partition_of(region).dns_suffix;
    format!("s3.{region}.{suffix}")
}
