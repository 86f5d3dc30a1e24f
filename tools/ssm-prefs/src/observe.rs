//! Reads one account and region. It never writes, and never takes "could not be read" for "is not there".

mod document;
mod storage;
mod trail;

use awsconf::{Session, reading};
use toolio::Reading;

use crate::content;
use crate::model::{DOCUMENT, Desired, Key, Observed};

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

/// The resources behind the preferences, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) key: Option<String>,
    pub(crate) bucket: Option<String>,
    pub(crate) log_group: Option<String>,
}

/// Reads the document and what the desired document, laid over it, points to.
pub(crate) async fn observe(clients: &Clients, session: &Session, desired: &Desired) -> Observed {
    let document = document(&clients.ssm).await;
    let live = document.present().map(|document| &document.default.content);
    let content = content::render(desired, live, Some(&session.target));
    let inputs = content::Inputs::of(&content);
    let names = Names {
        key: inputs.text("kmsKeyId").map(str::to_owned),
        bucket: inputs.text("s3BucketName").map(str::to_owned),
        log_group: inputs.text("cloudWatchLogGroupName").map(str::to_owned),
    };
    Observed {
        document,
        ..resources(clients, &names).await
    }
}

/// Reads the named key, bucket and log group; the rest stays absent.
pub(crate) async fn resources(clients: &Clients, names: &Names) -> Observed {
    let mut observed = Observed::default();
    if let Some(name) = &names.key {
        observed.key = key(&clients.kms, name).await;
    }
    if let Some(name) = &names.bucket {
        observed.bucket = storage::bucket(&clients.s3, name).await;
    }
    if let Some(name) = &names.log_group {
        observed.log_group = storage::log_group(&clients.logs, name).await;
    }
    observed
}

/// Reads what only `check` looks at: trails and the other Session documents.
pub(crate) async fn surroundings(clients: &Clients, observed: Observed) -> Observed {
    let trails = trail::trails(&clients.cloudtrail).await;
    let session_documents = session_documents(&clients.ssm).await;
    Observed {
        trails,
        session_documents,
        ..observed
    }
}

async fn key(client: &aws_sdk_kms::Client, name: &str) -> Reading<Key> {
    let described = client.describe_key().key_id(name).send().await;
    let metadata = match reading(
        format!("DescribeKey {name}"),
        &["NotFoundException"],
        described,
    ) {
        Reading::Present(answer) => answer.key_metadata,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let Some(metadata) = metadata else {
        return Reading::Unknown(format!("DescribeKey {name}: empty answer"));
    };
    let id = metadata.key_id();
    let rotation = client.get_key_rotation_status().key_id(id).send().await;
    let rotation = reading(format!("GetKeyRotationStatus {name}"), &[], rotation);
    let policy = client
        .get_key_policy()
        .key_id(id)
        .policy_name("default")
        .send()
        .await;
    let policy = reading(format!("GetKeyPolicy {name}"), &[], policy);
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
        policy: policy.and_then(|answer| parse(&format!("policy of {name}"), answer.policy())),
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
