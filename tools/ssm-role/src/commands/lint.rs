//! `lint`: what is wrong with policies of users, groups and roles, without AWS.

use std::path::PathBuf;

use cli::{Outcome, Output, SuppressionArgs};
use iam_policy::{Rule, sid_at};

use super::GlobalArgs;
use crate::lint;

/// Lint policies of users, groups and roles, without calling AWS; exit with 1 on findings
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Read policies from these files instead of stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    suppressions: SuppressionArgs,
}

pub(crate) async fn run(
    args: &LintArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Fine;
    let mut suppressions = args.suppressions.read("role", |id| {
        Rule::of_id(id).is_some_and(|rule| rule != Rule::Json)
    })?;
    for (source, text) in cli::read_texts(&args.files, &global.io, "policy")? {
        let findings = lint::lint(&source, &text);
        let findings = suppressions.filter(&source, findings, |path| sid_at(&text, path));
        out.judged(&source);
        outcome = outcome.and(suppressions.write(out, &findings)?);
    }
    let (expired, unused) = ("role.suppression.expired", "role.suppression.unused");
    Ok(outcome.and(suppressions.end(out, expired, unused)?))
}
