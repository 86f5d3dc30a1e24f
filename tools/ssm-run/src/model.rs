//! The records: a command that was sent, what became of it on a node, and what a patch scan found. Never touches the
//! world.

use cli::Target;
use schemars::JsonSchema;
use serde::Serialize;

/// One command that was sent, told as soon as it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Command {
    /// Always `command`.
    pub(crate) kind: CommandKind,
    /// Where it was sent.
    pub(crate) target: Target,
    /// As SSM gave it; `--resume` takes any one of a run.
    pub(crate) command_id: String,
    /// The document that runs.
    pub(crate) document: String,
    /// Its version; null for the default one.
    pub(crate) document_version: Option<String>,
    /// The run's token, who and why.
    pub(crate) comment: String,
    /// The nodes that it names; absent when SSM chooses them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_ids: Option<Vec<String>>,
    /// How SSM chooses the nodes, in AWS's words; absent when it names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) targets: Option<Vec<Choice>>,
    /// How many nodes it names; null while SSM has not chosen.
    pub(crate) n_nodes: Option<usize>,
}

/// A `Target` of SendCommand, which is something else than ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Choice {
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

/// What became of the command on one node: exactly one for every node.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Invocation {
    /// Always `invocation`.
    pub(crate) kind: InvocationKind,
    /// Where the node is.
    pub(crate) target: Target,
    /// The node.
    pub(crate) instance_id: String,
    /// Its name, where AWS tells one.
    pub(crate) name: Option<String>,
    /// The command; null when none was sent to it.
    pub(crate) command_id: Option<String>,
    /// The document; null when none was to run there.
    pub(crate) document: Option<String>,
    /// AWS's word, or `Unreachable` and `NotSent` for nodes that no command was sent to.
    pub(crate) status: String,
    /// AWS's closer word, such as `Undeliverable`; null where no command was sent.
    pub(crate) status_details: Option<String>,
    /// Null unless the command ended on the node.
    pub(crate) exit_code: Option<i32>,
    /// When it began on the node.
    pub(crate) started: Option<String>,
    /// When it ended on the node.
    pub(crate) ended: Option<String>,
    /// All that is known of what it printed.
    pub(crate) stdout: String,
    /// All that is known of what it printed as errors.
    pub(crate) stderr: String,
    /// Whether there is more than is in this record.
    pub(crate) truncated: Truncated,
    /// The steps one by one, where the document has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) steps: Vec<Step>,
    /// Why there is no result, or why it is not all; null when there is nothing to explain.
    pub(crate) reason: Option<Reason>,
}

impl Invocation {
    /// Returns the record of a node that no command was sent to.
    pub(crate) fn without_command(
        target: &Target,
        instance_id: &str,
        name: Option<&str>,
        absence: Absence,
        reason: Reason,
    ) -> Invocation {
        let status = match absence {
            Absence::Unreachable => "Unreachable",
            Absence::NotSent => "NotSent",
        };
        Invocation::without_result(target, instance_id, name, status, reason)
    }

    /// Returns the record of a node of which nothing is known but a status and why.
    pub(crate) fn without_result(
        target: &Target,
        instance_id: &str,
        name: Option<&str>,
        status: &str,
        reason: Reason,
    ) -> Invocation {
        Invocation {
            kind: InvocationKind::Invocation,
            target: target.clone(),
            instance_id: instance_id.to_owned(),
            name: name.map(str::to_owned),
            command_id: None,
            document: None,
            status: status.to_owned(),
            status_details: None,
            exit_code: None,
            started: None,
            ended: None,
            stdout: String::new(),
            stderr: String::new(),
            truncated: Truncated::default(),
            steps: Vec::new(),
            reason: Some(reason),
        }
    }
}

/// Why a node has no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// None would reach it.
    Unreachable,
    /// None was sent, though it may be reachable.
    NotSent,
}

/// Whether AWS has more of an output than was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Truncated {
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

/// One step of a document on one node.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Step {
    /// As the document calls it.
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) exit_code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) truncated: Truncated,
}

/// Why, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Reason {
    /// `agentcheck.subject.problem` where a node does not answer, `run.subject.problem` otherwise; never renamed.
    pub(crate) id: String,
    pub(crate) message: String,
    pub(crate) fix: String,
}

impl Reason {
    pub(crate) fn new(id: &str, message: impl Into<String>, fix: impl Into<String>) -> Reason {
        Reason {
            id: id.to_owned(),
            message: message.into(),
            fix: fix.into(),
        }
    }
}

/// What the last scan for patches found on one node, in SSM's counts; null where it does not tell.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html>
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct PatchState {
    /// Always `patch_state`.
    pub(crate) kind: PatchStateKind,
    /// Where the node is; null only in a record that is being made.
    pub(crate) target: Option<Target>,
    pub(crate) instance_id: String,
    pub(crate) patch_group: Option<String>,
    pub(crate) baseline_id: Option<String>,
    pub(crate) snapshot_id: Option<String>,
    pub(crate) install_override_list: Option<String>,
    pub(crate) owner_information: Option<String>,
    pub(crate) installed_count: Option<i32>,
    pub(crate) installed_other_count: Option<i32>,
    pub(crate) installed_pending_reboot_count: Option<i32>,
    pub(crate) installed_rejected_count: Option<i32>,
    pub(crate) missing_count: Option<i32>,
    pub(crate) failed_count: Option<i32>,
    pub(crate) unreported_not_applicable_count: Option<i32>,
    pub(crate) not_applicable_count: Option<i32>,
    pub(crate) available_security_update_count: Option<i32>,
    pub(crate) operation_start_time: Option<String>,
    pub(crate) operation_end_time: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) last_no_reboot_install_operation_time: Option<String>,
    pub(crate) reboot_option: Option<String>,
    pub(crate) critical_non_compliant_count: Option<i32>,
    pub(crate) security_non_compliant_count: Option<i32>,
    pub(crate) other_non_compliant_count: Option<i32>,
    /// Why nothing is known; null when something is.
    pub(crate) reason: Option<Reason>,
}

/// The `kind` of what a scan found.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PatchStateKind {
    /// The only value.
    #[default]
    PatchState,
}

/// The `kind` of a command.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandKind {
    /// The only value.
    Command,
}

/// The `kind` of an invocation.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvocationKind {
    /// The only value.
    Invocation,
}
