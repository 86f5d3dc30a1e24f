//! `render`: the documents of a desired state, without AWS.

use cli::{Next, Outcome, Output};

use super::quota::QuotaArgs;
use super::{GlobalArgs, desired};
use crate::gaps::LeftOpen;
use crate::{TOOL, guard};

/// Print the policy documents of a desired state, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-scp render -f scp.json >guard.json")]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    limits: QuotaArgs,
}

/// Prints bare documents, also on a terminal: they are meant for `aws organizations create-policy --content`.
pub(crate) async fn run(
    args: &RenderArgs,
    global: &GlobalArgs,
    of_run: &Output,
) -> anyhow::Result<Outcome> {
    let desired = desired::read(&global.io, args.limits.quota.max_characters)?;
    let out = Output::of_document(TOOL, &global.io)?;
    let parts = guard::render(&desired, args.limits.quota.max_characters)?;
    for part in &parts {
        out.write(&part.document)?;
    }
    out.note(guard::OUTSIDE);
    for note in LeftOpen::of(&desired, &parts)?.lines() {
        out.note(&note);
    }
    if global.io.is_of_file() {
        of_run.suggest_for_good(Next::Pipe("lint"));
    }
    Ok(Outcome::Fine)
}
