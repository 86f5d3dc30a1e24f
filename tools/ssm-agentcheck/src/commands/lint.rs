//! `lint`: mistakes in desired states, without AWS.

use cli::{DesiredState, FileArgs, Finding, FindingKind, Outcome, Output, Severity};

use super::GlobalArgs;
use crate::model::Desired;

const DESIRED: DesiredState = DesiredState {
    what: "desired agents",
    invalid: "agentcheck.desired.invalid",
    other: "agentcheck.desired.other",
};

/// Lint desired states, without calling AWS; exit with 1 on findings
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-agentcheck lint agent.json")]
pub(crate) struct LintArgs {
    #[command(flatten)]
    files: FileArgs,
}

pub(crate) async fn run(
    args: &LintArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    args.files.each(&global.io, out, |file| {
        out.write_findings(&DESIRED.lint(file, rules))
    })
}

fn rules(desired: &Desired) -> Vec<Finding> {
    let found = desired.mistake().map(|(path, message)| Finding {
        kind: FindingKind::Finding,
        is_unread: false,
        id: DESIRED.invalid.to_owned(),
        severity: Severity::Error,
        target: None,
        resource: path,
        message,
        fix: "correct this field of the desired state".to_owned(),
    });
    found.into_iter().collect()
}
