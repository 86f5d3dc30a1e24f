//! What is looked at besides AWS and the desired state: records of other tools in files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cli::{IoArgs, Target};
use serde::Deserialize;
use serde_json::Value;

use crate::policy_builder::TargetPreferences;
use crate::preferences::{Preferences, partition_of, preferences};

/// The flags that name the files.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct InputArgs {
    /// Judge also what logs and encryption need, from FILE as ssm-prefs show prints it
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
    nodes: Option<BTreeMap<String, BTreeSet<String>>>,
}

impl Inputs {
    /// Preferences that were given, but not for this region, are no reason to think that it needs none.
    pub(super) fn preferences(&self, target: &Target) -> anyhow::Result<Option<&Preferences>> {
        let Some(all) = &self.preferences else {
            return Ok(None);
        };
        match all.get(&target.to_string()) {
            Some(preferences) => Ok(Some(preferences)),
            None => anyhow::bail!("no preferences of {target} among those given by --prefs"),
        }
    }

    /// Returns the IDs of the nodes to look at; `None` looks at all.
    pub(super) fn nodes(&self, target: &Target) -> Option<&BTreeSet<String>> {
        static NOBODY: BTreeSet<String> = BTreeSet::new();
        let nodes = self.nodes.as_ref()?;
        Some(nodes.get(&target.to_string()).unwrap_or(&NOBODY))
    }

    /// Tells whether the nodes were named one by one.
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
    let mut places: Vec<TargetPreferences> = Vec::new();
    cli::for_each_record(&IoArgs::of_file(path), "preferences", |record: Value| {
        let (target, preferences) = preferences(&record, partition_of)?;
        places.push(TargetPreferences {
            target,
            preferences,
        });
        Ok(())
    })?;
    anyhow::ensure!(
        !places.is_empty(),
        "read preferences from {}: nothing there, expected what `ssm-prefs show` prints",
        path.display()
    );
    Ok(places)
}

/// Returns the ids in node records by `ACCOUNT/REGION`; hybrid nodes have no instance profile and are passed over.
///
/// # Errors
/// The file cannot be read, or a record is no node.
fn read_nodes(path: &Path) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    #[derive(Deserialize)]
    struct Node {
        target: Target,
        instance_id: String,
    }
    let mut nodes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    cli::for_each_record(&IoArgs::of_file(path), "nodes", |node: Node| {
        if node.instance_id.starts_with("i-") {
            let target = node.target.to_string();
            nodes.entry(target).or_default().insert(node.instance_id);
        }
        Ok(())
    })?;
    Ok(nodes)
}
