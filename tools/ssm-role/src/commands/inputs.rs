//! What is looked at besides AWS and the desired state: records of other tools in files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use records::{ManagedBy, Node, Target};
use transcripts::Preferences;

use crate::policy_builder::TargetPreferences;
use crate::preferences::{partition_of, preferences};

/// The flags that name the files.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct InputArgs {
    /// Also check what logs and encryption need, from FILE as ssm-prefs show prints it
    #[arg(long, value_name = "FILE")]
    prefs: Option<PathBuf>,
    /// Look only at the nodes whose records are in FILE, as ssm-agentcheck show prints them
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
}

impl InputArgs {
    /// Reads the files that the flags name.
    pub(super) fn read(&self) -> anyhow::Result<Inputs> {
        let mut inputs = Inputs::default();
        if let Some(path) = &self.prefs {
            let places = read_preferences(path)?.into_iter();
            let by_target = places.map(|place| (place.target.to_string(), place.preferences));
            inputs.preferences = Some(by_target.collect());
        }
        if let Some(path) = &self.nodes {
            inputs.nodes = Some(read_nodes(path)?);
        }
        Ok(inputs)
    }
}

/// What was given besides the desired state, by `ACCOUNT/REGION`.
#[derive(Default)]
pub(super) struct Inputs {
    preferences: Option<BTreeMap<String, Preferences>>,
    nodes: Option<Nodes>,
}

/// The nodes that were given, by `ACCOUNT/REGION`.
#[derive(Default)]
struct Nodes {
    read: BTreeMap<String, BTreeSet<String>>,
    /// Why there are none.
    unread: BTreeMap<String, String>,
}

impl Inputs {
    /// Preferences that were given, but not for this region, are not a reason to think that it needs none.
    pub(super) fn preferences(&self, target: &Target) -> anyhow::Result<Option<&Preferences>> {
        let Some(all) = &self.preferences else {
            return Ok(None);
        };
        match all.get(&target.to_string()) {
            Some(preferences) => Ok(Some(preferences)),
            None => bail!("no preferences of {target} among those given by --prefs"),
        }
    }

    /// Returns the IDs of the nodes to look at; `None` looks at all.
    ///
    /// # Errors
    /// Those of this account and region could not be read when the records were made.
    pub(super) fn nodes(&self, target: &Target) -> anyhow::Result<Option<&BTreeSet<String>>> {
        static NOBODY: BTreeSet<String> = BTreeSet::new();
        let Some(nodes) = &self.nodes else {
            return Ok(None);
        };
        let target = target.to_string();
        if let Some(reason) = nodes.unread.get(&target) {
            bail!("the nodes of {target} given by --nodes could not be read: {reason}");
        }
        Ok(Some(nodes.read.get(&target).unwrap_or(&NOBODY)))
    }

    /// Returns whether the nodes were named one by one.
    pub(super) fn is_narrowed(&self) -> bool {
        self.nodes.is_some()
    }
}

/// Returns what to say of grants that are missing for want of knowing them.
pub(super) fn not_granted(target: &Target, preferences: &Preferences) -> Vec<String> {
    let unknown = preferences.unknown_encryption();
    let notes = unknown.map(|(bucket, reason)| {
        format!(
            "warning: {target}: how bucket {bucket} is encrypted is not known, so nothing is granted on its key: {reason}; without \
             kms:GenerateDataKey on a customer managed key every transcript is lost"
        )
    });
    notes.collect()
}

/// Returns the preferences of every account and region in a file.
///
/// # Errors
/// The file cannot be read, or there are none in it.
pub(super) fn read_preferences(path: &Path) -> anyhow::Result<Vec<TargetPreferences>> {
    // Where none could be read there are none to go by, which who needs them says.
    let (records, _) =
        cli::read_shown::<records::Preferences>(path, "preferences", ("preferences", "ssm-prefs"))?;
    ensure!(
        !records.is_empty(),
        "read preferences from {}: none could be read when `ssm-prefs show` printed it",
        path.display()
    );
    let preferences = records.into_iter().map(|record| {
        let preferences = preferences(&record, partition_of)
            .with_context(|| format!("read preferences from {}", path.display()))?;
        Ok(TargetPreferences {
            target: record.target,
            preferences,
        })
    });
    preferences.collect()
}

/// Returns the IDs in node records by `ACCOUNT/REGION`, and where no nodes could be read; hybrid nodes have no instance profile
/// and are passed over.
///
/// # Errors
/// The file cannot be read, or a record is not one of a node.
fn read_nodes(path: &Path) -> anyhow::Result<Nodes> {
    let (records, unreachable) =
        cli::read_listed::<Node>(path, "nodes", ("node", "ssm-agentcheck"))?;
    let mut nodes = Nodes::default();
    for node in records {
        if node.managed_by != ManagedBy::Hybrid {
            let here = nodes.read.entry(node.target.to_string()).or_default();
            here.insert(node.instance_id);
        }
    }
    nodes.unread = unreachable
        .into_iter()
        .map(|one| (one.target.to_string(), one.error))
        .collect();
    Ok(nodes)
}
