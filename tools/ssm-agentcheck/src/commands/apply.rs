//! `apply`: carries out the plans on stdin, wave by wave.

use awsconf::{Interrupt, Session};
use cli::{Outcome, Output, Plan, Progress};

use super::GlobalArgs;
use crate::model::Action;
use crate::{TOOL, apply, validated_change};

/// Apply the plans on stdin and print what was done, with its undo
///
/// Updates agents wave by wave, and prints the outcome of every node. Agents are never downgraded, so the undo covers associations
/// only.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-agentcheck apply <plan.json >result.json")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    how: cli::ApplyArgs,
}

pub(crate) async fn run(
    args: &ApplyArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let plans = cli::read_plans::<Action>(&global.io, TOOL)?;
    let steps: Vec<_> = plans
        .plans
        .iter()
        .map(validated_change::steps)
        .collect::<Result<_, _>>()?;
    let interrupt = Interrupt::listen();
    let progress = Progress::new(crate::TOOL, global.io.quiet || plans.plans.len() > 1);
    let work = async |session: &Session, plan: &Plan<Action>, number: usize| {
        let steps = &steps[number];
        apply::apply(session, plan, steps, args.how, &interrupt, out, &progress).await
    };
    global.aws.apply(out, &plans, &interrupt, work).await
}
