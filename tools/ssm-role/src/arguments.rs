//! The flags of single verbs, and what they name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toolio::{IoArgs, Target};

use crate::grant::Nodes;

/// The preferences of an account and region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-default-session-document.html>
const PREFERENCES_DOCUMENT: &str = "SSM-SessionManagerRunShell";

/// What is looked at besides AWS.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct NarrowArgs {
    /// Judge also what logs and encryption need, from FILE as ssm-prefs show prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) prefs: Option<PathBuf>,
    /// Look only at the nodes whose records are in FILE, as ssm-agentcheck show prints them
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Option<PathBuf>,
}

/// What is rendered.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RenderArgs {
    /// Print a CloudFormation template that makes what apply makes in a new account and region
    #[arg(long, required = true)]
    pub(crate) cloudformation: bool,
    /// Grant what logs and encryption need, from FILE as ssm-prefs render prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) prefs: Option<PathBuf>,
}

/// Policies to lint.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Read policies from these files instead of stdin
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Who a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Grantee {
    /// The role of nodes
    Instance,
    /// People who start sessions
    Operator,
    /// People who send commands
    Command,
}

/// What a policy is to grant.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GrantArgs {
    /// Say who the policy is for
    #[arg(long = "for", value_name = "WHO")]
    pub(crate) grantee: Grantee,
    /// Grant what logs and encryption need, from FILE as ssm-prefs show prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) prefs: Option<PathBuf>,
    /// Grant it in ACCOUNT/REGION; repeat for several [default: those of --prefs]
    #[arg(long = "target", value_name = "TARGET")]
    pub(crate) targets: Vec<Target>,
    /// Grant the use of this node; repeat for several
    #[arg(long = "instance-id", value_name = "ID", value_parser = node, conflicts_with = "tags")]
    instance_ids: Vec<String>,
    /// Grant the use of nodes with this tag; repeat for several keys, which must all fit, or values, of which one must
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Grant this document; repeat for several [default: the preferences, or AWS-RunShellScript]
    #[arg(long = "document", value_name = "NAME")]
    documents: Vec<String>,
    /// Let nodes use this key, which encrypts the bucket of transcripts
    #[arg(long, value_name = "ARN")]
    pub(crate) bucket_key: Option<String>,
}

impl GrantArgs {
    /// # Errors
    /// No node: a policy for all nodes is never made without being asked for.
    pub(crate) fn nodes(&self) -> anyhow::Result<Nodes> {
        match (self.instance_ids.as_slice(), self.tags.as_slice()) {
            ([], []) => anyhow::bail!("for which nodes? pass --instance-id or --tag"),
            ([], tags) => Ok(Nodes::Tags(tags.to_vec())),
            (ids, _) => Ok(Nodes::Ids(ids.to_vec())),
        }
    }

    pub(crate) fn session_documents(&self) -> Vec<String> {
        self.documents_or(PREFERENCES_DOCUMENT)
    }

    pub(crate) fn command_documents(&self) -> Vec<String> {
        self.documents_or("AWS-RunShellScript")
    }

    fn documents_or(&self, default: &str) -> Vec<String> {
        match self.documents.as_slice() {
            [] => vec![default.to_owned()],
            documents => documents.to_vec(),
        }
    }
}

/// Returns the ids in node records by `ACCOUNT/REGION`; hybrid nodes have no instance profile and are passed over.
///
/// # Errors
/// The file cannot be read, or a record is no node.
pub(crate) fn read_nodes(path: &Path) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    #[derive(Deserialize)]
    struct Node {
        target: Target,
        instance_id: String,
    }
    let mut nodes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    toolio::for_each_record(&IoArgs::of_file(path), "nodes", |node: Node| {
        if node.instance_id.starts_with("i-") {
            let target = node.target.to_string();
            nodes.entry(target).or_default().insert(node.instance_id);
        }
        Ok(())
    })?;
    Ok(nodes)
}

fn node(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("mi-").or_else(|| text.strip_prefix("i-"));
    match rest {
        Some(rest) if rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Ok(text.to_owned())
        }
        _ => Err("expected an id such as i-0123456789abcdef0".to_owned()),
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE such as Environment=prod".to_owned()),
    }
}
