//! What sessions leave, by name: the resources whose removal a guard denies to all but named principals.

use std::collections::BTreeSet;

use iam_policy::{Arn, is_placeholder};
use schemars::JsonSchema;
use serde::Deserialize;

use super::principal::Principal;

/// Resources that hold or make the records of sessions, and who may still change them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Named")]
#[schemars(with = "Named")]
pub(crate) struct SessionRecords(pub(crate) Named);

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// ARNs, `*` and `?` allowed, of the only roles and users that may remove or change them; do not include operators.
    pub(crate) exempt_principals: BTreeSet<Principal>,
    /// Names of the buckets of transcripts and of the trail, `*` allowed.
    #[serde(default)]
    pub(crate) buckets: BTreeSet<Bucket>,
    /// ARNs of the keys that they are encrypted under, `*` allowed.
    #[serde(default)]
    pub(crate) keys: BTreeSet<Key>,
    /// Names of log groups, `*` allowed.
    #[serde(default)]
    pub(crate) log_groups: BTreeSet<LogGroup>,
    /// Names of trails, `*` allowed.
    #[serde(default)]
    pub(crate) trails: BTreeSet<Trail>,
    /// Names of the EventBridge rules that alert, with the bus in front where it is not the default one, `*` allowed.
    #[serde(default)]
    pub(crate) rules: BTreeSet<Rule>,
}

impl TryFrom<Named> for SessionRecords {
    type Error = String;

    fn try_from(named: Named) -> Result<SessionRecords, String> {
        if named.exempt_principals.is_empty() {
            return Err(
                "name at least one principal in exempt_principals: nobody in the accounts could change the resources any more"
                    .to_owned(),
            );
        }
        let counts = [
            named.buckets.len(),
            named.keys.len(),
            named.log_groups.len(),
            named.trails.len(),
            named.rules.len(),
        ];
        if counts == [0; 5] {
            return Err("name at least one bucket, key, log group, trail or rule".to_owned());
        }
        Ok(SessionRecords(named))
    }
}

/// Refuses what no name of a kind can be: a placeholder, another character, or a pattern of everything.
fn name(
    text: String,
    kind: &str,
    (shortest, longest): (usize, usize),
    others: &[u8],
) -> Result<String, String> {
    if is_placeholder(&text) {
        return Err(format!("'{text}' is a placeholder: write the real {kind}"));
    }
    let sound = |b: u8| b.is_ascii_alphanumeric() || b == b'*' || others.contains(&b);
    let is_whole = text.contains('*') || (shortest..=longest).contains(&text.len());
    if text.is_empty() || !is_whole || !text.bytes().all(sound) {
        return Err(format!("'{text}' is not the name of a {kind}"));
    }
    if text.bytes().all(|b| !b.is_ascii_alphanumeric()) {
        return Err(format!(
            "'{text}' is every {kind} there is: write the name, or how it begins"
        ));
    }
    Ok(text)
}

/// The name of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Bucket(pub(crate) String);

impl TryFrom<String> for Bucket {
    type Error = String;

    fn try_from(text: String) -> Result<Bucket, String> {
        let name = name(text, "bucket", (3, 63), b"-.")?;
        match name.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Err(format!("'{name}' is not the name of a bucket: capitals")),
            false => Ok(Bucket(name)),
        }
    }
}

/// The ARN of a key. The actions that destroy a key are about the key, never about an alias of it.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Key(pub(crate) String);

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Key, String> {
        if is_placeholder(&text) {
            return Err(format!("'{text}' is a placeholder: write the real key"));
        }
        let arn = Arn::parse(&text).filter(|arn| arn.service == "kms");
        let id = arn.and_then(|arn| arn.named("key"));
        let is_of_any = arn.is_some_and(|arn| arn.account == "*" && id == Some("*"));
        match id.filter(|id| !id.is_empty()) {
            Some(_) if is_of_any => Err(format!(
                "'{text}' is every key there is: write the ID, or the account"
            )),
            Some(_) => Ok(Key(text)),
            None => Err(format!(
                "'{text}' is not the ARN of a key: expected arn:aws:kms:REGION:ACCOUNT:key/ID, an alias has none of these actions"
            )),
        }
    }
}

/// The name of a log group.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct LogGroup(pub(crate) String);

impl TryFrom<String> for LogGroup {
    type Error = String;

    fn try_from(text: String) -> Result<LogGroup, String> {
        name(text, "log group", (1, 512), b"_-/.#").map(LogGroup)
    }
}

/// The name of a trail.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Trail(pub(crate) String);

impl TryFrom<String> for Trail {
    type Error = String;

    fn try_from(text: String) -> Result<Trail, String> {
        name(text, "trail", (3, 128), b"_-.").map(Trail)
    }
}

/// The name of a rule.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Rule(pub(crate) String);

impl TryFrom<String> for Rule {
    type Error = String;

    fn try_from(text: String) -> Result<Rule, String> {
        name(text, "rule", (1, 321), b"_-./").map(Rule)
    }
}
