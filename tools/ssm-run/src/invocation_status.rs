//! What SSM reports of one invocation, and the record that it becomes. Pure.

use cli::Target;

use crate::plugin_output::PluginOutput;
use crate::terminal_status::TerminalStatus;
use records::{Invocation, InvocationKind, Reason, Step, Truncated};

/// An invocation as ListCommandInvocations returns it.
#[derive(Clone, Debug, Default)]
pub(crate) struct InvocationStatus {
    pub(crate) command_id: String,
    pub(crate) instance_id: String,
    pub(crate) name: Option<String>,
    pub(crate) document: Option<String>,
    pub(crate) status: String,
    pub(crate) details: String,
    pub(crate) plugins: Vec<Plugin>,
}

/// One step of an invocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) status: String,
    /// -1 when it did not end on the node.
    pub(crate) code: i32,
    pub(crate) started: Option<String>,
    pub(crate) ended: Option<String>,
    /// Stdout and stderr, joined and cut.
    pub(crate) joined: String,
    /// Where SSM says its outputs are in S3.
    pub(crate) stdout_url: Option<String>,
    pub(crate) stderr_url: Option<String>,
}

impl Plugin {
    pub(crate) fn has_failed(&self) -> bool {
        self.status == "Failed" && self.code > 0
    }
}

/// What is known of a step's output.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepOutput {
    pub(crate) printed: PluginOutput,
    pub(crate) truncated: Truncated,
}

impl InvocationStatus {
    /// Returns how it ended; the code is that of the first step that failed.
    pub(crate) fn end(&self) -> TerminalStatus<'_> {
        let codes = self.plugins.iter().map(|plugin| plugin.code);
        let failed = codes.clone().find(|code| *code > 0);
        let code = failed.or_else(|| codes.max()).unwrap_or(-1);
        TerminalStatus {
            status: &self.status,
            details: &self.details,
            code,
        }
    }

    /// Returns the record, with what is known of each step's output.
    pub(crate) fn record(
        self,
        target: &Target,
        known: Vec<StepOutput>,
        reason: Option<Reason>,
    ) -> Invocation {
        let exit_code = self.end().exit_code();
        let mut all = StepOutput::default();
        for known in &known {
            all.printed.stdout.push_str(&known.printed.stdout);
            all.printed.stderr.push_str(&known.printed.stderr);
            all.truncated.stdout |= known.truncated.stdout;
            all.truncated.stderr |= known.truncated.stderr;
        }
        let started = self.plugins.iter().filter_map(|one| one.started.clone());
        let ended = self.plugins.iter().filter_map(|one| one.ended.clone());
        let (started, ended) = (started.min(), ended.max());
        let steps = match self.plugins.len() {
            0 | 1 => Vec::new(),
            _ => self.plugins.into_iter().zip(known).map(step).collect(),
        };
        Invocation {
            kind: InvocationKind::Invocation,
            target: target.clone(),
            instance_id: self.instance_id,
            name: self.name,
            command_id: Some(self.command_id),
            document: self.document,
            status: self.status,
            status_details: Some(self.details).filter(|details| !details.is_empty()),
            exit_code,
            started,
            ended,
            stdout: all.printed.stdout,
            stderr: all.printed.stderr,
            truncated: all.truncated,
            steps,
            reason,
        }
    }
}

fn step((plugin, known): (Plugin, StepOutput)) -> Step {
    Step {
        name: plugin.name,
        exit_code: Some(plugin.code)
            .filter(|code| *code >= 0 && ["Success", "Failed"].contains(&plugin.status.as_str())),
        status: plugin.status,
        stdout: known.printed.stdout,
        stderr: known.printed.stderr,
        truncated: known.truncated,
    }
}
