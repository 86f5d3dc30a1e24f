//! What `ssm-run` prints of a command: that it was sent, and what became of it on each node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Target;

/// One command that was sent, printed as soon as it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Always `command`.
    pub kind: CommandKind,
    /// Where it was sent.
    pub target: Target,
    /// As SSM gave it; `--resume` takes any one of a run.
    pub command_id: String,
    /// The document that runs.
    pub document: String,
    /// Its version; null for the default one.
    pub document_version: Option<String>,
    /// The run's token, who and why.
    pub comment: String,
    /// The nodes that it names; absent when SSM chooses them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
    /// How SSM chooses the nodes, in AWS's words; absent when it names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<Choice>>,
    /// How many nodes it names; null while SSM has not chosen.
    pub n_nodes: Option<usize>,
}

/// A `Target` of SendCommand, which is something else than ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Choice {
    /// Such as `tag:Name` or `resource-groups:Name`.
    pub key: String,
    /// Any one of these.
    pub values: Vec<String>,
}

/// What became of the command on one node: exactly one for every node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Invocation {
    /// Always `invocation`.
    pub kind: InvocationKind,
    /// Where the node is.
    pub target: Target,
    /// The node.
    pub instance_id: String,
    /// Its name, where AWS has one.
    pub name: Option<String>,
    /// The command; null when none was sent to it.
    pub command_id: Option<String>,
    /// The document that runs, or was to run; null where it depends on a platform that nobody asked for.
    pub document: Option<String>,
    /// AWS's word, or `Unreachable` and `NotSent` for nodes that no command was sent to.
    pub status: String,
    /// AWS's closer word, such as `Undeliverable`; null where no command was sent.
    pub status_details: Option<String>,
    /// Null unless the command ended on the node.
    pub exit_code: Option<i32>,
    /// When it began on the node.
    pub started: Option<String>,
    /// When it ended on the node.
    pub ended: Option<String>,
    /// All that is known of what it printed.
    pub stdout: String,
    /// All that is known of what it printed as errors.
    pub stderr: String,
    /// Whether there is more than is in this record.
    pub truncated: Truncated,
    /// The steps one by one, where the document has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Why there is no result, or why it is not all; null when there is nothing to explain.
    pub reason: Option<Reason>,
}

impl Invocation {
    /// Returns the record of a node that no command was sent to.
    pub fn without_command(
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
    pub fn without_result(
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
pub enum Absence {
    /// None would reach it.
    Unreachable,
    /// None was sent, though it may be reachable.
    NotSent,
}

/// Whether AWS has more of an output than was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Truncated {
    /// Of what the command printed.
    pub stdout: bool,
    /// Of what it printed as errors.
    pub stderr: bool,
}

/// One step of a document on one node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// As the document calls it.
    pub name: String,
    /// AWS's word.
    pub status: String,
    /// Null unless the step ended on the node.
    pub exit_code: Option<i32>,
    /// All that is known of what it printed.
    pub stdout: String,
    /// All that is known of what it printed as errors.
    pub stderr: String,
    /// Whether there is more than is in this record.
    pub truncated: Truncated,
}

/// Why, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// `agentcheck.subject.problem` where a node does not answer, `run.subject.problem` otherwise; never renamed.
    pub id: String,
    /// Why, in one line.
    pub message: String,
    /// What to do, in one line.
    pub fix: String,
}

impl Reason {
    /// Returns the reason.
    pub fn new(id: &str, message: impl Into<String>, fix: impl Into<String>) -> Reason {
        Reason {
            id: id.to_owned(),
            message: message.into(),
            fix: fix.into(),
        }
    }
}

/// The `kind` of a command.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// The only value.
    Command,
}

/// The `kind` of an invocation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvocationKind {
    /// The only value.
    Invocation,
}
