//! The records of this tool.

use records::{PatchState, Reason, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::severity::Severity;

/// What an advisory says about one package on one node.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Match<'a> {
    /// Always `match`.
    pub(crate) kind: MatchKind,
    /// Where the node is; null for an SBOM that does not say.
    pub(crate) target: Option<&'a Target>,
    pub(crate) instance_id: &'a str,
    /// The node's name, where it has one.
    pub(crate) name: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) issue: &'a Issue,
}

/// What an advisory says about one version of a package, on whichever node.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Issue {
    /// The ID of the advisory.
    pub(crate) advisory: String,
    /// The CVEs that it is about.
    pub(crate) cves: Vec<String>,
    /// Its other names.
    pub(crate) aliases: Vec<String>,
    pub(crate) severity: Severity,
    /// Whether the list of `--kev` has one of the CVEs; null without a list.
    pub(crate) known_exploited: Option<bool>,
    /// The distribution and release, as OSV names it.
    pub(crate) ecosystem: String,
    pub(crate) package: String,
    /// The source that the package was built from.
    pub(crate) source: String,
    pub(crate) installed: String,
    /// The version that fixes it; null while there is none.
    pub(crate) fixed: Option<String>,
    /// What the fix needs to be paid for, such as `Ubuntu Pro`; null for a fix that everybody gets.
    pub(crate) paid: Option<String>,
    /// Whether the advisory may be about another line of versions, since neither says which.
    pub(crate) uncertain: bool,
    pub(crate) summary: String,
    pub(crate) url: String,
}

/// What was not judged, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Gap {
    /// Always `gap`.
    pub(crate) kind: GapKind,
    /// Where the node is; null for a gap that is not of one node or target.
    pub(crate) target: Option<Target>,
    /// Null for a gap that is not of one node.
    pub(crate) instance_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) reason: Reason,
    /// What is missing of the node, where the reason alone does not say: a node may be out of reach for a scan for patches and
    /// send its inventory all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<GapOf>,
}

impl Gap {
    /// Returns a gap that is not of one node.
    pub(crate) fn general(id: &str, message: String, fix: &str) -> Gap {
        Gap {
            kind: GapKind::Gap,
            target: None,
            instance_id: None,
            name: None,
            reason: Reason::new(id, message, fix),
            of: None,
        }
    }
}

/// An SBOM that was written to a file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct SbomFile<'a> {
    /// Always `sbom`.
    pub(crate) kind: SbomKind,
    pub(crate) target: &'a Target,
    pub(crate) instance_id: &'a str,
    pub(crate) name: Option<&'a str>,
    /// Its path.
    pub(crate) file: String,
    pub(crate) n_packages: usize,
    /// The kernel that runs; empty where it is not known.
    pub(crate) kernel: &'a str,
    /// The newest installed kernel of the same flavor.
    pub(crate) newest_kernel: Option<&'a str>,
    /// Whether the distribution asks for a reboot, or a newer kernel waits for one.
    pub(crate) reboot_pending: bool,
}

/// A node of which Systems Manager's patch compliance and the advisories say different things.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Difference<'a> {
    /// Always `patch_difference`.
    pub(crate) kind: DifferenceKind,
    pub(crate) target: Option<&'a Target>,
    pub(crate) instance_id: &'a str,
    /// Patches of the baseline that are not installed, missing ones and failed ones, as AWS counts them: security ones or all.
    pub(crate) n_missing_patches: i32,
    /// Installed packages for which the advisories have a fix.
    pub(crate) n_fixable_packages: usize,
    pub(crate) message: String,
}

/// Packages of another vendor than the distribution, which nobody's advisories here judge: those of the vendor are not read, and those
/// of the distribution are matched by name only.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Foreign<'a> {
    /// Always `foreign_packages`.
    pub(crate) kind: ForeignKind,
    /// The distribution and release, as OSV names it.
    pub(crate) ecosystem: String,
    pub(crate) vendor: &'a str,
    /// Their names, each once.
    pub(crate) packages: Vec<&'a str>,
    /// The nodes that have one of them.
    pub(crate) n_nodes: usize,
    pub(crate) message: String,
}

/// What a scan for patches found on a node.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Patched {
    #[serde(flatten)]
    pub(crate) state: PatchState,
    /// Whether no patch is missing, failed or waits for a reboot; records of `ssm-run` do not say.
    #[serde(default)]
    pub(crate) is_patched: Option<bool>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DifferenceKind {
    /// The only value.
    PatchDifference,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ForeignKind {
    /// The only value.
    ForeignPackages,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MatchKind {
    /// The only value.
    Match,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GapKind {
    /// The only value.
    Gap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GapOf {
    /// The result of a scan for patches.
    PatchScan,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SbomKind {
    /// The only value.
    Sbom,
}
