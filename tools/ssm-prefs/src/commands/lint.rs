//! `lint`: mistakes in a desired state or a document, without AWS.

use cli::{Outcome, Output};

use super::GlobalArgs;
use crate::lint;

/// Lint a desired state or a document, without calling AWS; exit with 1 on findings
#[derive(clap::Args)]
pub(crate) struct LintArgs {}

pub(crate) async fn run(
    _: &LintArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let document = cli::read(&global.io, "desired preferences or a document")?;
    out.write_findings(&lint::lint(&document))
}
