//! `lint`: mistakes in a desired state or a document, without AWS.

use toolio::{Outcome, Output};

use super::{GlobalArgs, findings};
use crate::lint;

/// Find mistakes in a desired state or a document (offline)
#[derive(clap::Args)]
pub(crate) struct LintArgs {}

pub(crate) async fn run(
    _: &LintArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let document = toolio::read(&global.io, "desired preferences or a document")?;
    findings::print(out, &lint::lint(&document))
}
