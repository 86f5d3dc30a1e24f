//! `policy`: a least-privilege policy for nodes or operators, without AWS.

use std::path::PathBuf;

use cli::{Next, Outcome, Output, Target};
use records::InstanceId;

use super::GlobalArgs;
use super::inputs::{not_granted, read_preferences};
use crate::TOOL;
use crate::policy_builder::{self, Nodes, TargetPreferences};
use crate::preferences::encrypt_with;
use transcripts::Preferences;

/// The preferences of an account and region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-default-session-document.html>
const PREFERENCES_DOCUMENT: &str = "SSM-SessionManagerRunShell";

/// Who a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Grantee {
    /// The role of nodes
    Instance,
    /// People who start sessions
    Operator,
    /// People who send commands
    Command,
}

/// Print a least-privilege policy for nodes or operators, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-role policy --for operator --target 111122223333/us-east-1 --tag Team=web\n  ssm-prefs show >prefs.jsonl; ssm-role policy --for instance --prefs prefs.jsonl"
)]
pub(crate) struct PolicyArgs {
    /// Say who the policy is for
    #[arg(long = "for", value_name = "WHO")]
    grantee: Grantee,
    /// Grant what logs and encryption need, from FILE as ssm-prefs show prints it
    #[arg(long, value_name = "FILE")]
    prefs: Option<PathBuf>,
    /// Grant it in ACCOUNT/REGION; repeat for several [default: those of --prefs]
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<Target>,
    /// Grant the use of this node; repeat for several
    #[arg(long = "instance-id", value_name = "ID", conflicts_with = "tags")]
    instance_ids: Vec<InstanceId>,
    /// Grant the use of nodes with this tag; when repeated, nodes must match all keys, and one value of each
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Grant this document; repeat for several [default: the preferences, or AWS-RunShellScript]
    #[arg(long = "document", value_name = "NAME")]
    documents: Vec<String>,
    /// Let nodes use this key, which encrypts the bucket of transcripts
    #[arg(long, value_name = "ARN")]
    bucket_key: Option<String>,
}

/// Prints the bare document, also on a terminal: it is meant for `aws iam create-policy --policy-document`.
pub(crate) async fn run(
    args: &PolicyArgs,
    global: &GlobalArgs,
    of_run: &Output,
) -> anyhow::Result<Outcome> {
    let mut places = match &args.prefs {
        Some(path) => read_preferences(path)?,
        None => Vec::new(),
    };
    for target in &args.targets {
        if !places.iter().any(|place| place.target == *target) {
            places.push(TargetPreferences {
                target: target.clone(),
                preferences: Preferences::default(),
            });
        }
    }
    anyhow::ensure!(
        !places.is_empty(),
        "for which account and region? pass --prefs or --target ACCOUNT/REGION"
    );
    if let Some(key) = &args.bucket_key {
        let preferences = places.iter_mut().map(|place| &mut place.preferences);
        preferences.for_each(|preferences| encrypt_with(preferences, key));
    }
    let out = Output::of_document(TOOL, &global.io)?;
    let document = match args.grantee {
        Grantee::Instance => {
            let notes = places
                .iter()
                .map(|place| not_granted(&place.target, &place.preferences));
            notes.flatten().for_each(|note| out.note(&note));
            policy_builder::instance(&places)
        }
        Grantee::Operator => policy_builder::operator(
            &places,
            &args.nodes()?,
            &args.documents_or(PREFERENCES_DOCUMENT),
        ),
        Grantee::Command => policy_builder::command(
            &places,
            &args.nodes()?,
            &args.documents_or("AWS-RunShellScript"),
        ),
    };
    out.write(&document)?;
    of_run.suggest_for_good(Next::Pipe("lint"));
    Ok(Outcome::Fine)
}

impl PolicyArgs {
    /// # Errors
    /// No node: a policy for all nodes is never made without being asked for.
    fn nodes(&self) -> anyhow::Result<Nodes> {
        match (self.instance_ids.as_slice(), self.tags.as_slice()) {
            ([], []) => anyhow::bail!("no nodes selected: pass --instance-id or --tag"),
            ([], tags) => Ok(Nodes::Tags(tags.to_vec())),
            (ids, _) => Ok(Nodes::Ids(ids.iter().cloned().map(String::from).collect())),
        }
    }

    fn documents_or(&self, default: &str) -> Vec<String> {
        match self.documents.as_slice() {
            [] => vec![default.to_owned()],
            documents => documents.to_vec(),
        }
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE such as Environment=prod".to_owned()),
    }
}
