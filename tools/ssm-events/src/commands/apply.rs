//! `apply`: carries out the plans on stdin.

use awsconf::{Interrupt, Session};
use cli::{Outcome, Output, Plan};

use super::GlobalArgs;
use crate::TOOL;
use crate::alerts::apply;
use crate::alerts::model::Action;

/// Apply the plans on stdin and print what was done, with its undo
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events apply <plan.json >result.json\n  jq -c '.undo // empty' result.json | ssm-events apply\n\nEnvironment:\n  SLACK_WEBHOOK_URL  The webhook, where env:SLACK_WEBHOOK_URL names it"
)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    how: cli::ApplyArgs,
}

pub(crate) async fn run(
    args: &ApplyArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let plans = cli::read_plans(&global.io, TOOL)?;
    let interrupt = Interrupt::listen();
    let work = async |session: &Session, plan: &Plan<Action>, _| {
        let resources = apply::Resources::new(session, plan);
        ::apply::apply(&resources, plan, args.how, &interrupt, out).await
    };
    global.aws.apply(out, &plans, &interrupt, work).await
}
