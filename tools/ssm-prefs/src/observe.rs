//! Reads one account and region. It never writes, and never takes "could not be read" for "is not there".

mod by_name;
mod document;
pub(crate) mod sessions;
mod storage;
mod trail;
pub(crate) mod transcripts;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kms::types::KeyMetadata;
use awsconf::{Session, reading};
use cli::Reading;
use records::BucketEncryption;
use serde_json::Value;

use crate::model::{DOCUMENT, Desired, Key, Observed, Places, is_aws_managed};
use crate::{owners, session_document};

pub(crate) use by_name::ByName;
pub(crate) use document::{document, session_documents, wait_until_active};

/// The clients of one session.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) cloudtrail: aws_sdk_cloudtrail::Client,
}

impl Clients {
    /// Returns clients that share the session's connection pool and credentials.
    pub(crate) fn new(session: &Session) -> Clients {
        Clients {
            ssm: aws_sdk_ssm::Client::new(&session.config),
            kms: aws_sdk_kms::Client::new(&session.config),
            s3: aws_sdk_s3::Client::new(&session.config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&session.config),
            cloudtrail: aws_sdk_cloudtrail::Client::new(&session.config),
        }
    }
}

impl Clients {
    /// Returns the same clients, that of S3 for the region of the bucket of transcripts, which may be another.
    pub(crate) async fn for_bucket(&self, session: &Session, places: &Places) -> Clients {
        let mut clients = self.clone();
        if let Some((bucket, _)) = &places.s3 {
            let session = storage::session_of(&self.s3, session, bucket).await;
            clients.s3 = aws_sdk_s3::Client::new(&session.config);
        }
        clients
    }
}

/// The resources behind the preferences, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Names {
    pub(crate) key: Option<String>,
    pub(crate) bucket: Option<String>,
    pub(crate) log_group: Option<String>,
    /// Transcripts, as `BUCKET/KEY`.
    pub(crate) held: BTreeSet<String>,
}

/// Reads the document and what the desired document, laid over it, points to.
pub(crate) async fn observe(
    clients: &Clients,
    session: &Session,
    desired: &Desired,
    by_name: &mut ByName,
) -> Observed {
    let document = document(&clients.ssm).await;
    let live = document.present().map(|document| &document.default.content);
    let content = session_document::render(desired, live, Some(&session.target));
    let s3 = desired.s3.as_ref().and_then(Option::as_ref);
    let names = Names {
        held: s3.map_or_else(BTreeSet::new, |s3| {
            session_document::held(s3, &session.target)
        }),
        ..Names::of(&content)
    };
    let observed = by_name.resources(clients, &names).await;
    let mut archive = owners::archive(desired, &session.target);
    // What plan has the owner allow is this, and not to look at the bucket as a whole.
    if let (Some(archive), Reading::Unknown(_)) = (&mut archive, &observed.bucket) {
        archive.encryption = storage::default_encryption(&clients.s3, &archive.bucket).await;
    }
    Observed {
        document,
        archive,
        ..observed
    }
}

impl Names {
    pub(crate) fn of(content: &Value) -> Names {
        let inputs = session_document::Inputs::of(content);
        Names {
            key: inputs.text("kmsKeyId").map(str::to_owned),
            bucket: inputs.text("s3BucketName").map(str::to_owned),
            log_group: inputs.text("cloudWatchLogGroupName").map(str::to_owned),
            held: BTreeSet::new(),
        }
    }
}

/// Reads how each of these buckets encrypts what is uploaded, and which are not of this account; `session_keys` are those that the
/// document names.
pub(crate) async fn bucket_encryption(
    clients: &Clients,
    account: &str,
    buckets: BTreeSet<&str>,
    session_keys: BTreeSet<&str>,
) -> (
    BTreeMap<String, Reading<BucketEncryption>>,
    BTreeSet<String>,
) {
    let (mut found, mut of_others) = (BTreeMap::new(), BTreeSet::new());
    for name in buckets {
        let (encryption, is_of_another) = encryption(clients, account, name).await;
        found.insert(name.to_owned(), encryption);
        of_others.extend(is_of_another.then(|| name.to_owned()));
    }
    for alias in session_keys
        .into_iter()
        .filter(|key| key.contains("alias/"))
    {
        let with_key = found.values_mut().filter_map(|reading| match reading {
            Reading::Present(encryption) if encryption.kms_key.is_some() => Some(encryption),
            _ => None,
        });
        let with_key: Vec<&mut BucketEncryption> = with_key.collect();
        if with_key.is_empty() {
            continue;
        }
        // Without an answer the ARN does as well.
        let Reading::Present(key) = describe_key(&clients.kms, alias).await else {
            continue;
        };
        for encryption in with_key.into_iter().filter(|one| one.kms_key == key.arn) {
            encryption.kms_alias = alias
                .rsplit_once("alias/")
                .map(|(_, name)| format!("alias/{name}"));
        }
    }
    (found, of_others)
}

async fn encryption(
    clients: &Clients,
    account: &str,
    name: &str,
) -> (Reading<BucketEncryption>, bool) {
    let (encryption, is_of_another) = storage::bucket_encryption(&clients.s3, account, name).await;
    let encryption = match encryption {
        Reading::Present(encryption) => with_key_arn(clients, encryption).await,
        other => other,
    };
    (encryption, is_of_another)
}

async fn with_key_arn(
    clients: &Clients,
    encryption: BucketEncryption,
) -> Reading<BucketEncryption> {
    // Without a key S3 takes the AWS managed one, which has this alias and is the account's own.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    let named = encryption.kms_key.as_deref();
    let named = named.filter(|key| !is_aws_managed(key));
    let kms_key = match named {
        None => None,
        Some(arn) if arn.starts_with("arn:") && arn.contains(":key/") => Some(arn.to_owned()),
        // S3 finds an alias, or an ID alone, in the account of whoever uploads, which is that of the nodes and the caller.
        Some(id) => match describe_key(&clients.kms, id).await {
            Reading::Present(metadata) => metadata.arn,
            Reading::Absent => {
                return Reading::Unknown(format!("its key {id} does not exist here"));
            }
            Reading::Unknown(reason) => return Reading::Unknown(reason),
        },
    };
    Reading::Present(BucketEncryption {
        kms_key,
        ..encryption
    })
}

/// Reads the keys of the bucket and the log group, which decide about transcripts like that of the sessions.
pub(crate) async fn other_keys(
    clients: &Clients,
    observed: Observed,
    by_name: &mut ByName,
) -> Observed {
    let bucket = observed.bucket.present();
    let of_bucket = bucket.and_then(|bucket| bucket.encryption.present()?.kms_key.clone());
    let of_group = observed.log_group.present();
    let of_group = of_group.and_then(|group| group.kms_key.clone());
    let mut keys = Vec::new();
    for name in [of_bucket, of_group] {
        let session_key = observed.key.present();
        keys.push(match name {
            Some(name) if session_key.is_some_and(|key| key.arn == name) => observed.key.clone(),
            Some(name) if is_aws_managed(&name) => Reading::Absent,
            Some(name) => by_name.key(clients, &name).await,
            None => Reading::Absent,
        });
    }
    let log_group_key = keys.pop().unwrap_or_default();
    let bucket_key = keys.pop().unwrap_or_default();
    Observed {
        bucket_key,
        log_group_key,
        ..observed
    }
}

/// Reads the policies of keys, each once, by ARN.
pub(crate) async fn key_policies(
    clients: &Clients,
    arns: BTreeSet<String>,
) -> BTreeMap<String, Reading<Value>> {
    let mut policies = BTreeMap::new();
    for arn in arns {
        let policy = key_policy(&clients.kms, &arn, &arn).await;
        policies.insert(arn, policy);
    }
    policies
}

/// Reads the policies of buckets, by name.
pub(crate) async fn bucket_policies(
    clients: &Clients,
    buckets: BTreeSet<&str>,
) -> BTreeMap<String, Reading<Value>> {
    let mut policies = BTreeMap::new();
    for name in buckets {
        policies.insert(
            name.to_owned(),
            storage::bucket_policy(&clients.s3, name).await,
        );
    }
    policies
}

/// Reads which key is behind each name.
pub(crate) async fn session_keys(
    clients: &Clients,
    names: BTreeSet<&str>,
) -> BTreeMap<String, Reading<String>> {
    let mut keys = BTreeMap::new();
    for name in names {
        let arn = describe_key(&clients.kms, name).await;
        let arn = arn.and_then(|key| key.arn.map_or(Reading::Absent, Reading::Present));
        keys.insert(name.to_owned(), arn);
    }
    keys
}

/// Reads what only `check` looks at: trails and the other Session documents.
pub(crate) async fn surroundings(
    clients: &Clients,
    observed: Observed,
    by_name: &mut ByName,
) -> Observed {
    let trails = trail::trails(&clients.cloudtrail).await;
    let session_documents = session_documents(&clients.ssm).await;
    let mut behind_documents = BTreeMap::new();
    let documents = session_documents.present().into_iter().flatten();
    for document in documents.filter(|document| document.owner != "Amazon") {
        if let Reading::Present(content) = &document.content {
            let names = Names::of(&session_document::without_parameters(content));
            let behind = by_name.resources(clients, &names).await;
            let behind = Observed {
                archive: observed.archive.clone(),
                ..other_keys(clients, behind, by_name).await
            };
            behind_documents.insert(document.name.clone(), behind);
        }
    }
    Observed {
        trails,
        session_documents,
        behind_documents,
        ..observed
    }
}

async fn key(client: &aws_sdk_kms::Client, name: &str) -> Reading<Key> {
    let metadata = match describe_key(client, name).await {
        Reading::Present(metadata) => metadata,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let id = metadata.key_id();
    let rotation = client.get_key_rotation_status().key_id(id).send().await;
    let rotation = reading(format!("GetKeyRotationStatus {name}"), &[], rotation);
    let policy = key_policy(client, name, id).await;
    Reading::Present(Key {
        arn: metadata.arn().unwrap_or(id).to_owned(),
        state: metadata
            .key_state()
            .map(|state| state.as_str().to_owned())
            .unwrap_or_default(),
        spec: metadata
            .key_spec()
            .map(|spec| spec.as_str().to_owned())
            .unwrap_or_default(),
        rotation: rotation.map(|answer| answer.key_rotation_enabled),
        policy,
    })
}

async fn key_policy(client: &aws_sdk_kms::Client, name: &str, id: &str) -> Reading<Value> {
    let policy = client
        .get_key_policy()
        .key_id(id)
        .policy_name("default")
        .send()
        .await;
    let policy = reading(format!("GetKeyPolicy {name}"), &[], policy);
    policy.and_then(|answer| parse(&format!("policy of {name}"), answer.policy()))
}

async fn describe_key(client: &aws_sdk_kms::Client, name: &str) -> Reading<KeyMetadata> {
    let described = client.describe_key().key_id(name).send().await;
    let call = format!("DescribeKey {name}");
    let answer = reading(call.clone(), &["NotFoundException"], described);
    answer.and_then(|answer| match answer.key_metadata {
        Some(metadata) => Reading::Present(metadata),
        None => Reading::Unknown(format!("{call}: empty answer")),
    })
}

/// Parses a JSON document that AWS keeps as text.
pub(crate) fn parse(what: &str, text: Option<&str>) -> Reading<serde_json::Value> {
    match text.map(serde_json::from_str) {
        Some(Ok(value)) => Reading::Present(value),
        Some(Err(error)) => Reading::Unknown(format!("{what} is not JSON: {error}")),
        None => Reading::Absent,
    }
}

/// Returns the name of the document, for messages.
pub(crate) fn document_call(operation: &str) -> String {
    format!("{operation} {DOCUMENT}")
}
