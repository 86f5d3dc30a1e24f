//! `show`: the preferences in force and the session documents beside them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use awsconf::Session;
use cli::{Next, Outcome, Output, Reading};
use records::{Document, Preferences, PreferencesKind};

use super::GlobalArgs;
use crate::{check, observe, session_document};

/// Print the preferences in force and the documents beside them
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-prefs show\n  ssm-prefs show --region us-east-1,us-west-2 -o csv"
)]
pub(crate) struct ShowArgs {}

pub(crate) async fn run(
    _: &ShowArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::Verb("check"));
    out.list_of("preferences");
    let work = async |session: &Session, _: &()| preferences(session).await;
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, record| {
            out.write(&record)?;
            Ok(match is_known(&record) {
                true => Outcome::Fine,
                false => Outcome::Trouble,
            })
        })
        .await
}

async fn preferences(session: &Session) -> anyhow::Result<Preferences> {
    let clients = observe::Clients::new(session);
    let document = observe::document(&clients.ssm).await;
    if let Reading::Unknown(reason) = &document {
        bail!("{reason}");
    }
    let named = |input| {
        document
            .present()
            .map(|document| named(document, input))
            .unwrap_or_default()
    };
    let (buckets, keys) = (named("s3BucketName"), named("kmsKeyId"));
    let bucket_policies = observe::bucket_policies(&clients, buckets.clone()).await;
    let session_keys = observe::session_keys(&clients, keys.clone()).await;
    let account = &session.target.account;
    let (bucket_encryption, buckets_of_others) =
        observe::bucket_encryption(&clients, account, buckets, keys).await;
    let of_sessions = session_keys.values().filter_map(Reading::present).cloned();
    let of_buckets = bucket_encryption.values().filter_map(Reading::present);
    let of_buckets = of_buckets.filter_map(|encryption| encryption.kms_key.clone());
    let key_policies =
        observe::key_policies(&clients, of_sessions.chain(of_buckets).collect()).await;
    let session_documents = observe::session_documents(&clients.ssm).await;
    Ok(Preferences {
        kind: PreferencesKind::Preferences,
        target: session.target.clone(),
        versions_differ: document.present().and_then(check::versions_differ),
        document,
        bucket_encryption,
        session_keys,
        key_policies,
        bucket_policies,
        buckets_of_others,
        session_documents,
    })
}

/// Returns whether everything could be read that the record has.
fn is_known(record: &Preferences) -> bool {
    fn all<T>(readings: &BTreeMap<String, Reading<T>>) -> bool {
        readings.values().all(|one| one.known().is_ok())
    }
    let documents = record.session_documents.known();
    documents.is_ok_and(|documents| {
        let mut documents = documents.into_iter().flatten();
        documents.all(|document| document.content.known().is_ok())
    }) && all(&record.bucket_encryption)
        && all(&record.session_keys)
        && all(&record.key_policies)
        && all(&record.bucket_policies)
}

/// Returns what sessions may use as an input says: in the default version, and in the latest.
fn named<'d>(document: &'d Document, input: &str) -> BTreeSet<&'d str> {
    let versions = [&document.default, &document.latest].into_iter();
    versions
        .filter_map(|version| session_document::Inputs::of(&version.content).text(input))
        .collect()
}
