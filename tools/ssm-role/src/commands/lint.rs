//! `lint`: what is wrong with policies of users, groups and roles, without AWS.

use std::path::PathBuf;

use cli::{Outcome, Output};

use super::GlobalArgs;
use crate::lint;

/// Print what is wrong with policies of users, groups and roles, without calling AWS; exit with 1 when something is
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Read policies from these files instead of stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) async fn run(
    args: &LintArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Fine;
    for (source, text) in cli::read_texts(&args.files, &global.io, "policy")? {
        let findings = lint::lint(&source, &text);
        outcome = outcome.and(out.write_findings(&findings)?);
    }
    Ok(outcome)
}
