//! `lint`: what is wrong with policies of users, groups and roles, without AWS.

use cli::{DesiredState, FileArgs, Outcome, Output, SuppressionArgs};
use iam_policy::{Rule, sid_at};

use super::GlobalArgs;
use crate::lint;
use crate::model::Desired;

const DESIRED: DesiredState = DesiredState {
    what: "desired roles",
    invalid: "role.desired.invalid",
    other: "role.desired.other",
};

/// Lint desired states, and policies of users, groups and roles, without calling AWS; exit with 1 on findings
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-role lint role.json")]
pub(crate) struct LintArgs {
    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    suppressions: SuppressionArgs,
}

pub(crate) async fn run(
    args: &LintArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let mut suppressions = args.suppressions.read("role", |id| {
        Rule::of_id(id).is_some_and(|rule| rule != Rule::Json)
    })?;
    let outcome = args.files.each(&global.io, out, |file| {
        let (source, text) = (file.source, file.text);
        let findings = match cli::is_ours(text) {
            true => DESIRED.lint::<Desired>(file, |_| Vec::new()),
            false => lint::lint(source, text),
        };
        let findings = suppressions.filter(source, findings, |path| sid_at(text, path));
        suppressions.write(out, &findings)
    })?;
    let (expired, unused) = ("role.suppression.expired", "role.suppression.unused");
    Ok(outcome.and(suppressions.end(out, expired, unused)?))
}
