//! `lint`: mistakes in desired states and documents, without AWS.

use cli::{FileArgs, Outcome, Output};

use super::GlobalArgs;
use crate::lint;

/// Lint desired states and documents, without calling AWS; exit with 1 on findings
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-prefs lint prefs.json\n  ssm-prefs render -f prefs.json | ssm-prefs lint"
)]
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
        out.write_findings(&lint::lint(file))
    })
}
